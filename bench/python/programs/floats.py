def orbit(steps, x=0.4, y=0.0, u=0.0, v=2.0, dt=0.001):
    for _ in range(steps):
        pull = -((x * x + y * y) ** -1.5)
        u += pull * x * dt
        v += pull * y * dt
        x += u * dt
        y += v * dt
    return x, y


assert -1.7 < orbit(60_000)[0] < 1.7
