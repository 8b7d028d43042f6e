"""What the table python measures: functions in each convention, and the same functions called by loops in Python."""

import json

from wasmill import Row, function, vectorized


class Order(Row):
    id: int
    price: float
    quantity: int
    city: str
    paid: bool


def linear(a: int, b: int) -> int:
    return a * 2 + b


def dear(price: float, quantity: int) -> bool:
    return price * quantity > 100


@function(kind="map", output={"score": float})
def row(r: Order):
    if r.quantity > 5:
        return (r.price * 2.0,)
    if r.paid:
        return (r.price + r.quantity,)
    return (0.5,)


@function(kind="map", output={"id": int, "total": float, "city": str})
def dicts(r: dict):
    return {"id": r["id"], "total": r["price"] * r["quantity"], "city": r["city"]}


def changed(event):
    event["quantity"] = event["quantity"] + 1
    return event


def itself(text: str) -> str:
    event = json.loads(text)
    event["quantity"] = 7
    return json.dumps(event)


# Loops over the rows by number, as one writes them who has columns.


@vectorized
def linear_numbers(a: list[int], b: list[int], out) -> list[int]:
    a, b, out = memoryview(a), memoryview(b), memoryview(out)
    for i in range(len(a)):
        out[i] = linear(a[i], b[i])


@vectorized
def dear_numbers(price: list[float], quantity: list[int]) -> list[bool]:
    price, quantity, out = memoryview(price), memoryview(quantity), [False] * len(price)
    for i in range(len(price)):
        out[i] = dear(price[i], quantity[i])
    return out


@vectorized(output={"score": float})
def row_numbers(id, price, quantity, city, paid):
    id, price, quantity, out = memoryview(id), memoryview(price), memoryview(quantity), []
    for i in range(len(id)):
        out.append(row(Order(id[i], price[i], quantity[i], city[i], paid[i]))[0])
    return out


@vectorized(output={"id": int, "total": float, "city": str})
def dicts_numbers(id, price, quantity, city, paid):
    id, price, quantity, ids, totals, cities = memoryview(id), memoryview(price), memoryview(quantity), [], [], []
    for i in range(len(id)):
        r = dicts({"id": id[i], "price": price[i], "quantity": quantity[i], "city": city[i], "paid": paid[i]})
        ids.append(r["id"])
        totals.append(r["total"])
        cities.append(r["city"])
    return {"id": ids, "total": totals, "city": cities}


# The fastest loops that there are: the call stays within the interpreter.


@vectorized
def linear_zip(a: list[int], b: list[int]) -> list[int]:
    return [linear(x, y) for x, y in zip(a, b)]


@vectorized
def dear_zip(price: list[float], quantity: list[int]) -> list[bool]:
    return [dear(x, y) for x, y in zip(price, quantity)]


@vectorized(output={"score": float})
def row_zip(id, price, quantity, city, paid):
    out = []
    for values in zip(id, price, quantity, city, paid):
        out.append(row(Order(*values))[0])
    return out


@vectorized(output={"id": int, "total": float, "city": str})
def dicts_zip(id, price, quantity, city, paid):
    names = ("id", "price", "quantity", "city", "paid")
    rows = []
    for values in zip(id, price, quantity, city, paid):
        rows.append(dicts(dict(zip(names, values))))
    return {name: [r[name] for r in rows] for name in ("id", "total", "city")}
