"""Scalars, a row at a time and a batch at a time. Their results become columns beside the others."""

from array import array

import wasmill


def mph(distance: float, air_time: float) -> float:
    return distance * 60 / air_time


@wasmill.vectorized
def kmh(mph: float) -> float:
    return array("d", [v * 1.609344 for v in memoryview(mph)])
