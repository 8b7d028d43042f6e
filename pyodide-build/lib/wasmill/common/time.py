"""Spans and points of time: Duration, Time, Instant."""

import datetime

__all__ = ["Duration", "Instant", "Time"]


class Duration:
    """A span of time, exact to the nanosecond.

    >>> Duration.of_seconds(5).to_millis()
    5000
    """

    __slots__ = ("_nanos",)

    def __init__(self, nanos=0):
        self._nanos = nanos

    @staticmethod
    def of_days(days):
        """Returns so many days."""
        return Duration(days * 86_400_000_000_000)

    @staticmethod
    def of_hours(hours):
        """Returns so many hours."""
        return Duration(hours * 3_600_000_000_000)

    @staticmethod
    def of_minutes(minutes):
        """Returns so many minutes."""
        return Duration(minutes * 60_000_000_000)

    @staticmethod
    def of_seconds(seconds):
        """Returns so many seconds."""
        return Duration(seconds * 1_000_000_000)

    @staticmethod
    def of_millis(millis):
        """Returns so many milliseconds."""
        return Duration(millis * 1_000_000)

    @staticmethod
    def of_nanos(nanos):
        """Returns so many nanoseconds."""
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
        """Returns whole seconds."""
        return self._nanos // 1_000_000_000

    def to_nanos(self):
        """Returns nanoseconds."""
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
    """A span of time in milliseconds, as windows take it.

    >>> Time.minutes(5).to_milliseconds()
    300000
    """

    __slots__ = ("_milliseconds",)

    def __init__(self, milliseconds):
        self._milliseconds = milliseconds

    def to_milliseconds(self):
        """Returns milliseconds."""
        return self._milliseconds

    to_millis = to_milliseconds

    @staticmethod
    def milliseconds(milliseconds):
        """Returns so many milliseconds."""
        return Time(milliseconds)

    @staticmethod
    def seconds(seconds):
        """Returns so many seconds."""
        return Time.milliseconds(seconds * 1000)

    @staticmethod
    def minutes(minutes):
        """Returns so many minutes."""
        return Time.seconds(minutes * 60)

    @staticmethod
    def hours(hours):
        """Returns so many hours."""
        return Time.minutes(hours * 60)

    @staticmethod
    def days(days):
        """Returns so many days."""
        return Time.hours(days * 24)

    def __eq__(self, other):
        return isinstance(other, Time) and self._milliseconds == other._milliseconds

    def __hash__(self):
        return hash(self._milliseconds)

    def __repr__(self):
        return "%d ms" % self._milliseconds


class Instant:
    """A point of time: seconds since 1970 UTC and nanoseconds within the second.

    >>> Instant.of_epoch_milli(1500)
    Instant<1, 500000000>
    """

    __slots__ = ("seconds", "nanos")

    def __init__(self, seconds, nanos):
        self.seconds = seconds
        self.nanos = nanos

    def to_epoch_milli(self):
        """Returns milliseconds since 1970."""
        return self.seconds * 1000 + self.nanos // 1_000_000

    @staticmethod
    def of_epoch_milli(epoch_milli):
        """Returns the point of milliseconds since 1970."""
        seconds, millis = divmod(epoch_milli, 1000)
        return Instant(seconds, millis * 1_000_000)

    def to_datetime(self):
        """Returns a datetime in UTC."""
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
