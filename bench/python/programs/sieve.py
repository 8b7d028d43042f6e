def primes(limit):
    prime = [True] * limit
    prime[0] = prime[1] = False
    for n in range(2, int(limit**0.5) + 1):
        if prime[n]:
            for multiple in range(n * n, limit, n):
                prime[multiple] = False
    return sum(prime)


assert primes(120_000) == 11301
