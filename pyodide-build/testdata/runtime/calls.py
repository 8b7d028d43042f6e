"""Callables of every kind: some are entered directly, others go through the interpreter's own way."""

import sys


def maker(by):
    def closure(event):
        def inner():
            return event + by  # both are cells

        return inner()

    return closure


added = maker(100)
lambdas = lambda event: -event


def defaults(event, by=2, *, more=1):
    return event * by + more


def rest(event, *others, **names):
    return [event, others, names]


def position_only(event, /):
    return event


def takes_one(event):
    return ["one", event]


def takes_two(event, by=3):
    return ["two", event * by]


def rewritten(event):
    """Becomes another function after its first row, with another number of parameters after its second."""
    if event == 1:
        rewritten.__code__ = takes_one.__code__
    return ["first", event]


def switched(event):
    rewritten.__code__ = takes_two.__code__
    rewritten.__defaults__ = (3,)
    return rewritten(event)


def deep(event):
    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    return down(event)


def recursive(event):
    try:
        return recursive(event)
    except RecursionError:
        return "too deep"


def traced(event):
    seen = []
    sys.setprofile(lambda frame, what, arg: seen.append(what))
    try:
        position_only(event)
    finally:
        sys.setprofile(None)
    return seen[:2]


class Things:
    def __init__(self):
        self.n = 0

    def map(self, event):
        self.n += event
        return self.n


def generated(event):
    for i in range(event):
        sent = yield i
        assert sent is None


