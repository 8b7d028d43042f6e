"""What functions take and return, in every way that there is."""

import dataclasses
import functools
from typing import Any, Iterator, NamedTuple, NotRequired, Optional, TypedDict

from wasmill import Row, config, function, vectorized


def map(event):
    event["late"] = event["delay"] > 15
    return event


def filter(event):
    return event.get("delay")


def flat_map(event):
    for leg in event["legs"]:
        yield {"id": event["id"], "leg": leg}


def lines(event):
    return [event["id"]] * event["n"] if event["n"] else None


def speed(distance: float, air_time: float) -> float:
    return distance / air_time


def far(distance: int) -> bool:
    return distance > 1000


@dataclasses.dataclass
class Leg:
    origin: str
    dest: Optional[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclasses.dataclass
class Trip:
    id: int
    legs: list[Leg]
    tags: dict[str, int]
    first: Optional[Leg] = None


@dataclasses.dataclass
class Doubled:
    x: int
    twice: int = dataclasses.field(init=False)

    def __post_init__(self):
        self.twice = 2 * self.x


class Pair(NamedTuple):
    a: int
    b: Optional[str] = None


class Told(TypedDict):
    a: int
    b: NotRequired[str]


class Flight(Row):
    a: int
    b: Optional[str] = "none"


def trip(t: Trip) -> Trip:
    assert type(t) is Trip and type(t.legs) is list and all(type(leg) is Leg for leg in t.legs)
    return Trip(t.id + 1, t.legs, t.tags, t.legs[0] if t.legs else None)


def moved(p: Point) -> Point:
    assert p == Point(p.x, p.y) and hash(p) == hash(Point(p.x, p.y))
    return dataclasses.replace(p, x=p.x + 1)


def doubled(d: Doubled) -> Doubled:
    return d


def pair(p: Pair) -> Pair:
    return p._replace(a=p.a + 1)


def told(t: Told) -> Told:
    return {"b": t["b"], "a": t["a"] + 1}


def typed(f: Flight) -> Flight:
    assert type(f) is Flight and f.a == f["a"] == f[0] and len(f) == 2 and f == Flight(f.a, f.b)
    return Flight(a=f.a)


def row(r: Row) -> Row:
    assert r.as_dict() == dict(zip(r._fields, r))
    r["a"] = r.a + 1
    return r


def rows(r: Row) -> list[Row]:
    return [r, Row(a=r.a, b="second")]


def text(r: Row) -> str:
    return "%r %r %r %s %s" % (r, Row(1, 2), Row(a=1), Row(a=1) == Row(a=1), Row(a=1) == Row(b=1))


def positions(t: Told) -> Pair:
    return t["a"], "by position"


def several(t: Told) -> Iterator[Pair]:
    for i in range(t["a"]):
        yield Pair(i, t["b"])


def together(a, b):
    return "%s%s" % (a, b)


def anything(event: Any) -> dict:
    return {"type": type(event).__name__}


@function(kind="map", input={"a": int}, output={"half": float, "name": Optional[str]})
def declared(event):
    return {"half": event["a"] / 2}


scaled = functools.partial(lambda factor, event: {"x": event["x"] * factor}, 10)


class Counter:
    """An instance that keeps something."""

    def __init__(self, by=1):
        self.by, self.seen = by, 0

    def open(self, context):
        self.by = context.config.get("by", self.by)

    def map(self, event):
        self.seen += self.by
        return {"seen": self.seen}

    def flat_map(self, event):
        return [event] * self.by


by_five = Counter(5)
kept = []


def keeps(r: Row) -> str:
    """Rows and values that a function keeps stay as they are."""
    kept.append((r, r.a, r.b))
    return "; ".join("%s %s %s %s" % (old.a, old.b, a, b) for old, a, b in kept)


opened = []


def open(context):
    opened.append("open %s" % context.get_job_parameter("by", "-"))


def close():
    print("closed after", *opened)


def hooks(event):
    return [*opened, config()]


@vectorized
def added(a: list[int], b: list[int]) -> list[int]:
    from array import array

    return array("q", [x + y for x, y in zip(memoryview(a), memoryview(b))])


@vectorized
def same(a: list[int]) -> list[int]:
    return a


@vectorized
def viewed(a: list[int]) -> list[int]:
    return memoryview(a)


@vectorized
def written(a, out) -> list[float]:
    view = memoryview(out)
    for i in range(len(a)):
        view[i] = a[i] / 2


@vectorized
def shown(b) -> list[str]:
    return [repr(x) for x in b] if b.null_count == 1 and b.is_null(1) else b


@vectorized
def kept_rows(a) -> list[bool]:
    return [x is not None and x > 1 for x in a]


@vectorized(output={"a": int, "b": Optional[str]})
def both(a, b):
    return {"b": b, "a": [x * 2 for x in a]}


async def later(event):
    return event


def helper():
    pass
