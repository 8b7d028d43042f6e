"""Functions that fail, in odd places."""

import builtins
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Iterator, Optional

from wasmill import types, vectorized


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Untrue:
    def __bool__(self):
        raise ValueError("neither true nor false")


@dataclass
class Out:
    delay: Optional[int]
    carrier: str


def deep(event):
    return inner(event)


def inner(event):
    return 1 / event["x"]


def chained(event):
    try:
        event["nothing"]
    except KeyError as e:
        raise ValueError("no\nthing") from e


def leaves(event):
    raise SystemExit(3)


def interrupted(event):
    raise KeyboardInterrupt


def stops(event):
    raise StopIteration


def silent(event):
    event["x"]


def unwritable(event):
    return {1, 2}


def text(event):
    return "rows"


def odd(event):
    raise Odd


def strange(event):
    raise ValueError("\ud800 \x1b[31m")


def endless(event):
    return endless(event)


def untrue(event):
    return Untrue()


def late(event) -> Iterator[Out]:
    yield Out(1, "AA")
    raise ValueError("after one")


def typed(x: int) -> Out:
    return [Out("x", "AA"), Out(2**63, "AA"), Out(None, None), {"delay": 1}, {"dely": 1}, (1,), "AA", None, Out(1.5, "AA"), Out(True, "AA")][x]


def small(x: int) -> Annotated[int, types.int8]:
    return x


def exact(x: str) -> Annotated[Decimal, types.decimal128(5, 2)]:
    return Decimal(x)


def rounded(x: str) -> float:
    return int(x)


def nested(x: int) -> dict[str, list[int]]:
    return {"a": [1, "2"]}


def listed(x: int) -> Annotated[list, types.list_of(Out)]:
    return [Out(1, "AA"), Out("1", "AA")]


@vectorized
def short(x: list[int]) -> list[int]:
    return [1]


@vectorized
def wrong(x: list[int]) -> list[int]:
    return [1, "2"]


views = []


@vectorized
def kept(x: list[int]) -> list[int]:
    views.append(memoryview(x))
    return x


def shadowed(event):
    builtins.str = builtins.len = builtins.isinstance = None
    raise ValueError("without builtins")


def all_memory(event):
    everything = []
    while True:
        everything.append({1: [2]})


def big_memory(event):
    return "x" * 10**9


def fine(event):
    return {"x": event["x"]}
