class Account:
    def __init__(self, owner):
        self.owner, self.balance, self.moves = owner, 0, []

    def move(self, amount):
        if self.balance + amount < 0:
            raise ValueError("%s has no %d" % (self.owner, -amount))
        self.balance += amount
        self.moves.append(amount)


def run(n):
    accounts, refused = [Account("a%d" % i) for i in range(10)], 0
    for i in range(n):
        try:
            accounts[i % 10].move(i % 7 - 3)
        except ValueError:
            refused += 1
    return refused


assert 0 < run(60_000) < 60_000
