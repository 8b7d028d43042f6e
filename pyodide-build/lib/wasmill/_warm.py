"""A rehearsal before the base image is made. The interpreter adapts its instructions, caches and pools to what it runs; what it has done
here it need not do in every clone, on pages of the clone's own."""

import types

_SOURCE = '''
import dataclasses
from typing import Iterator, NamedTuple, Optional
from wasmill import Row, vectorized

@dataclasses.dataclass
class Flight:
    carrier: str
    delay: Optional[float]

def map(event):
    event["late"] = event["delay"] > 15
    return event

def filter(event) -> bool:
    return event["delay"] > 15

def flat_map(event):
    yield event

def speed(distance: float, air_time: float) -> float:
    return distance / air_time

def typed(flight: Flight) -> Flight:
    return Flight(flight.carrier, flight.delay)

def row(r: Row) -> Row:
    return r

@vectorized
def twice(a: list[float]) -> list[float]:
    return a

def fails(event):
    return 1 / event["x"]
'''


def rehearse(runtime, describe, errors, rounds=4):
    """Goes through what happens to a file and its functions, some times over."""
    code = compile(_SOURCE, "/bundle/rehearsal.py", "exec")
    for _ in range(rounds):
        module = types.ModuleType("rehearsal")
        exec(code, module.__dict__)
        runtime._functions[:], _ = describe.functions(module, lambda value: True)
        runtime.describe()
        runtime._module = module
        runtime.after_clone(1)
        for index, function in enumerate(runtime._functions):
            names = [f.name for f in function.shape.columns or ()] or ["delay", "x"]
            for columns in ([(name, False) for name in names], [("event", True)]):
                try:
                    runtime.open(index, tuple(columns), '{"by": 1}')
                except TypeError:
                    pass  # a function of columns for documents
        try:
            module.fails({"x": 0})
        except ZeroDivisionError as e:
            errors.text(e, "fails", 0, {"x": 0})
        for value in ({"delay": 30.5, "carrier": "AA"}, [1, 2.5, None, True], "text"):
            runtime.json.loads(runtime.json.dumps(value))
        runtime.close()
    runtime._functions.clear()
    runtime._module, runtime._config = None, {}
