"""Functions that count what is alive, to show that nothing stays behind."""

import dataclasses
import gc
import sys
from typing import Iterator, NamedTuple

from wasmill import Row, vectorized


@dataclasses.dataclass
class Class:
    a: int
    s: str
    l: list[int]


class Tuple(NamedTuple):
    a: int
    s: str
    l: list[int]


def blocks(event):
    gc.collect()
    return sys.getallocatedblocks()


def row(r: Row) -> Row:
    return r


def instance(v: Class) -> Class:
    return Class(v.a, v.s, v.l)


def named(v: Tuple) -> Class:
    return v


def document(event):
    return event


def twice(event):
    yield event
    yield {"a": event["a"]}


def cycle(event):
    event["self"] = event
    return 1


def fails(event):
    if event["a"] == 3:
        raise ValueError(str(event))
    return event


def mistyped(v: Class) -> Class:
    return Class("x", v.s, v.l) if v.a == 3 else v


def halfway(v: Class) -> Iterator[Class]:
    yield v
    if v.a == 3:
        raise KeyError(v.a)
    yield v


def positional(a: int, s: str, l: list[int]) -> str:
    return s + str(a)


@vectorized(output={"a": int, "s": str})
def columns(a, s):
    return memoryview(a), list(s)


@vectorized(output={"a": int})
def bad_columns(a):
    return ["x"] * len(a)


def endless(event):
    i = 0
    while True:
        yield i
        i += 1


def wide(event):
    return "x" * 3_000_000
