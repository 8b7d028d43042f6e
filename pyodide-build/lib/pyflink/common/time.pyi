"""Spans and points of time: Duration, Time, Instant."""

from wasmill.common.time import (
    Duration as Duration,
    Instant as Instant,
    Time as Time,
)
