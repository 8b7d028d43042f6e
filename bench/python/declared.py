from typing import TypedDict


class Order(TypedDict):
    id: int
    price: float
    quantity: int
    city: str
    paid: bool


def map(event: Order) -> Order:
    event["quantity"] = event["quantity"] + 1
    return event
