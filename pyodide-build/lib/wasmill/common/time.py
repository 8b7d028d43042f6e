"""Spans and points of time: Duration, Time, Instant."""

import datetime

__all__ = ["Duration", "Instant", "Time"]


class Duration:
    """A span of time, exact to the nanosecond."""

    __slots__ = ("_nanos",)

    def __init__(self, nanos=0):
        self._nanos = nanos

    @staticmethod
    def of_days(days):
        return Duration(days * 86_400_000_000_000)

    @staticmethod
    def of_hours(hours):
        return Duration(hours * 3_600_000_000_000)

    @staticmethod
    def of_minutes(minutes):
        return Duration(minutes * 60_000_000_000)

    @staticmethod
    def of_seconds(seconds):
        return Duration(seconds * 1_000_000_000)

    @staticmethod
    def of_millis(millis):
        return Duration(millis * 1_000_000)

    @staticmethod
    def of_nanos(nanos):
        return Duration(nanos)

    @staticmethod
    def of(amount):
        """Returns the duration of a datetime.timedelta."""
        return Duration((amount.days * 86_400 + amount.seconds) * 1_000_000_000 + amount.microseconds * 1000)

    def to_millis(self):
        """Returns the duration in whole milliseconds."""
        return self._nanos // 1_000_000

    to_milliseconds = to_millis

    def to_seconds(self):
        return self._nanos // 1_000_000_000

    def to_nanos(self):
        return self._nanos

    def __eq__(self, other):
        return isinstance(other, Duration) and self._nanos == other._nanos

    def __hash__(self):
        return hash(self._nanos)

    def __lt__(self, other):
        return self._nanos < other._nanos

    def __repr__(self):
        return "Duration(%s ms)" % (self._nanos / 1_000_000)


class Time:
    """A span of time in milliseconds, as windows take it."""

    __slots__ = ("_milliseconds",)

    def __init__(self, milliseconds):
        self._milliseconds = milliseconds

    def to_milliseconds(self):
        return self._milliseconds

    to_millis = to_milliseconds

    @staticmethod
    def milliseconds(milliseconds):
        return Time(milliseconds)

    @staticmethod
    def seconds(seconds):
        return Time.milliseconds(seconds * 1000)

    @staticmethod
    def minutes(minutes):
        return Time.seconds(minutes * 60)

    @staticmethod
    def hours(hours):
        return Time.minutes(hours * 60)

    @staticmethod
    def days(days):
        return Time.hours(days * 24)

    def __eq__(self, other):
        return isinstance(other, Time) and self._milliseconds == other._milliseconds

    def __hash__(self):
        return hash(self._milliseconds)

    def __repr__(self):
        return "%d ms" % self._milliseconds


class Instant:
    """A point of time: seconds since 1970 UTC and nanoseconds within the second."""

    __slots__ = ("seconds", "nanos")

    def __init__(self, seconds, nanos):
        self.seconds = seconds
        self.nanos = nanos

    def to_epoch_milli(self):
        return self.seconds * 1000 + self.nanos // 1_000_000

    @staticmethod
    def of_epoch_milli(epoch_milli):
        seconds, millis = divmod(epoch_milli, 1000)
        return Instant(seconds, millis * 1_000_000)

    def to_datetime(self):
        return datetime.datetime.fromtimestamp(self.seconds, datetime.timezone.utc) + datetime.timedelta(microseconds=self.nanos // 1000)

    def __eq__(self, other):
        return isinstance(other, Instant) and (self.seconds, self.nanos) == (other.seconds, other.nanos)

    def __hash__(self):
        return hash((self.seconds, self.nanos))

    def __repr__(self):
        return "Instant<%d, %d>" % (self.seconds, self.nanos)


def to_millis(span):
    """Returns the milliseconds of a Duration, a Time, a datetime.timedelta or a number of them."""
    if isinstance(span, (Duration, Time)):
        return span.to_millis()
    if isinstance(span, datetime.timedelta):
        return Duration.of(span).to_millis()
    if isinstance(span, int) and not isinstance(span, bool):
        return span
    raise TypeError("expected a Time, a Duration or milliseconds, got %r" % (span,))
