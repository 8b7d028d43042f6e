"""The same with types: records are decoded outside of the sandbox into the columns named here, and no others."""

from dataclasses import dataclass
from datetime import datetime


@dataclass
class Flight:
    at: datetime
    carrier: str
    dep_delay: float | None
    arr_delay: float | None


@dataclass
class Punctuality:
    hour: int
    carrier: str
    late: bool
    made_up: float | None


def filter(flight: Flight) -> bool:
    return flight.dep_delay is not None


def map(flight: Flight) -> Punctuality:
    made_up = None if flight.arr_delay is None else flight.dep_delay - flight.arr_delay
    return Punctuality(flight.at.hour, flight.carrier, flight.dep_delay > 15, made_up)
