"""What things cost."""

TAX = 0.25


def with_tax(net: float) -> float:
    return net * (1 + TAX)


def describe(event):
    if event["net"] < 0:
        raise ValueError("a price below zero")
    return {**event, "gross": with_tax(event["net"])}
