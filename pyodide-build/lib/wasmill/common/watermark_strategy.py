"""WatermarkStrategy: where timestamps come from and how late rows may come."""

from .time import to_millis

__all__ = ["TimestampAssigner", "WatermarkGenerator", "WatermarkOutput", "WatermarkStrategy"]

MIN_TIMESTAMP = -(1 << 63)


class TimestampAssigner:
    """Gives an element its event time: ``extract_timestamp(value, record_timestamp) -> milliseconds since 1970``.

    >>> class EventTime(TimestampAssigner):
    ...     def extract_timestamp(self, value, record_timestamp):
    ...         return value["time"]
    """

    def extract_timestamp(self, value, record_timestamp):
        """Returns an element's time in milliseconds since 1970; record_timestamp is the one before, negative without."""
        raise NotImplementedError


class WatermarkOutput:
    """Takes what a :class:`WatermarkGenerator` says of event time."""

    def emit_watermark(self, watermark):
        """Emits a watermark in milliseconds since 1970; smaller ones than before are passed over."""
        raise NotImplementedError

    def mark_idle(self):
        """Says that nothing is to be expected for now."""
        raise NotImplementedError

    def mark_active(self):
        """Says that elements come again."""
        raise NotImplementedError


class WatermarkGenerator:
    """Sees every element, and emits watermarks with it or from time to time.

    >>> class EveryElement(WatermarkGenerator):
    ...     def on_event(self, event, event_timestamp, output):
    ...         output.emit_watermark(event_timestamp - 3000)
    ...     def on_periodic_emit(self, output):
    ...         pass
    >>> strategy = WatermarkStrategy.for_generator(EveryElement)
    """

    def on_event(self, event, event_timestamp, output):
        """Sees an element."""
        raise NotImplementedError

    def on_periodic_emit(self, output):
        """Is asked from time to time, every 200 ms where nothing is said."""
        raise NotImplementedError


class BoundedOutOfOrderness(WatermarkGenerator):
    """The largest timestamp seen, less the time that elements may be late, less one millisecond."""

    __slots__ = ("_delay", "latest")

    def __init__(self, delay):
        self._delay = delay
        self.latest = MIN_TIMESTAMP + delay + 1

    def on_event(self, event, event_timestamp, output):
        if event_timestamp > self.latest:
            self.latest = event_timestamp

    def on_periodic_emit(self, output):
        output.emit_watermark(self.latest - self._delay - 1)


class NoWatermarks(WatermarkGenerator):
    """Never emits."""

    def on_event(self, event, event_timestamp, output):
        pass

    def on_periodic_emit(self, output):
        pass


class WatermarkStrategy:
    """A generator of watermarks, an assigner of timestamps, and after how long without elements an input counts as idle.

    >>> from pyflink.common import Duration
    >>> class Second(TimestampAssigner):
    ...     def extract_timestamp(self, value, record_timestamp):
    ...         return value[1]
    >>> by_time = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(5)).with_timestamp_assigner(Second())
    """

    def __init__(self, generator):
        self._generator = generator
        self._timestamp_assigner = None
        self._idle_millis = 0
        self._alignment = None

    def _copy(self):
        copy = WatermarkStrategy(self._generator)
        copy.__dict__.update(self.__dict__)
        return copy

    def with_timestamp_assigner(self, timestamp_assigner):
        """Sets the assigner of this strategy, and returns it."""
        if not callable(getattr(timestamp_assigner, "extract_timestamp", None)):
            raise TypeError("expected a TimestampAssigner, got %r" % (timestamp_assigner,))
        self._timestamp_assigner = timestamp_assigner
        return self

    def with_idleness(self, idle_timeout):
        """Returns a strategy for which an input counts as idle after so long without elements."""
        millis = to_millis(idle_timeout)
        if millis <= 0:
            raise ValueError("The idle timeout must be positive, got %d ms" % millis)
        copy = self._copy()
        copy._idle_millis = millis
        return copy

    def with_watermark_alignment(self, watermark_group, max_allowed_watermark_drift, update_interval=None):
        """Returns a strategy for sources of a group: one that is more than the drift ahead of another waits for it. How often they are compared is not to be set."""
        drift = to_millis(max_allowed_watermark_drift)
        if drift <= 0:
            raise ValueError("The drift must be positive, got %d ms" % drift)
        copy = self._copy()
        copy._alignment = (str(watermark_group), drift)
        return copy

    @staticmethod
    def for_monotonous_timestamps():
        """Timestamps only rise."""
        return WatermarkStrategy(lambda: BoundedOutOfOrderness(0))

    @staticmethod
    def for_bounded_out_of_orderness(max_out_of_orderness):
        """An element comes at most so much later than one with a larger timestamp."""
        millis = to_millis(max_out_of_orderness)
        if millis < 0:
            raise ValueError("The out-of-orderness must not be negative, got %d ms" % millis)
        return WatermarkStrategy(lambda: BoundedOutOfOrderness(millis))

    @staticmethod
    def no_watermarks():
        """No event time: timers of event time fire at the end of the input alone."""
        return WatermarkStrategy(NoWatermarks)

    @staticmethod
    def for_generator(supplier):
        """A generator of the user's: supplier returns a :class:`WatermarkGenerator`."""
        return WatermarkStrategy(supplier)
