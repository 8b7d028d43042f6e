"""Windows, and what assigns elements to them and says when they are evaluated."""

from abc import ABC, abstractmethod
from enum import Enum
from math import gcd
from operator import itemgetter
from typing import Generic, TypeVar

from ..common.time import to_millis
from ..common.typeinfo import Types
from .state import ReducingStateDescriptor, ValueStateDescriptor

__all__ = [
    "ContinuousEventTimeTrigger", "ContinuousProcessingTimeTrigger", "CountSlidingWindowAssigner", "CountTrigger", "CountTumblingWindowAssigner",
    "CountWindow", "CountWindowSerializer", "DynamicEventTimeSessionWindows", "DynamicProcessingTimeSessionWindows", "EventTimeSessionWindows",
    "EventTimeTrigger", "GlobalWindow", "GlobalWindows", "GlobalWindowSerializer", "MergingWindowAssigner", "NeverTrigger",
    "ProcessingTimeSessionWindows", "ProcessingTimeTrigger", "PurgingTrigger", "SessionWindowTimeGapExtractor", "SlidingEventTimeWindows",
    "SlidingProcessingTimeWindows", "TimeWindow", "TimeWindowSerializer", "Trigger", "TriggerResult", "TumblingEventTimeWindows",
    "TumblingProcessingTimeWindows", "Window", "WindowAssigner",
]

T = TypeVar("T")
W = TypeVar("W")
W2 = TypeVar("W2")

_MOST_PANES = 1000

MAX_LONG = (1 << 63) - 1
MIN_LONG = -(1 << 63)


class Window(ABC):
    """A group of elements that belong together."""

    __slots__ = ()

    @abstractmethod
    def max_timestamp(self):
        """Returns the largest timestamp that belongs to the window."""


class TimeWindow(tuple, Window):
    """The time from start, inclusive, to end, exclusive, in milliseconds since 1970.

    It is a tuple of both, because windows are looked up with every element: tuples are compared and hashed without a call.

    >>> window = TimeWindow(0, 5)
    >>> window.start, window.end, window.max_timestamp(), window.cover(TimeWindow(3, 9))
    (0, 5, 4, TimeWindow(start=0, end=9))
    """

    __slots__ = ()
    start, end = property(itemgetter(0)), property(itemgetter(1))

    def __new__(cls, start, end):
        return tuple.__new__(cls, (start, end))

    def max_timestamp(self):
        return self.end - 1

    def intersects(self, other):
        """Tells whether the windows overlap or touch."""
        return self.start <= other.end and self.end >= other.start

    def cover(self, other):
        """Returns the smallest window that holds both."""
        return TimeWindow(min(self.start, other.start), max(self.end, other.end))

    @staticmethod
    def get_window_start_with_offset(timestamp, offset, window_size):
        """Returns the start of the window of a size that a time is in."""
        return timestamp - (timestamp - offset) % window_size

    @staticmethod
    def merge_windows(windows, callback):
        """Tells callback of every set of windows that overlap or touch, and of what they become."""
        current, parts = None, set()
        for window in sorted(windows):
            if current is not None and current.intersects(window):
                current = current.cover(window)
                parts.add(window)
                continue
            if len(parts) > 1:
                callback.merge(parts, current)
            current, parts = window, {window}
        if len(parts) > 1:
            callback.merge(parts, current)

    def __repr__(self):
        return "TimeWindow(start=%d, end=%d)" % (self.start, self.end)

    def __reduce__(self):
        return TimeWindow, (self.start, self.end)


class CountWindow(Window):
    """A number of elements of a key; id counts the key's windows."""

    __slots__ = ("id",)

    def __init__(self, id):
        self.id = id

    def max_timestamp(self):
        return MAX_LONG

    def __hash__(self):
        return hash(self.id)

    def __eq__(self, other):
        return type(other) is CountWindow and self.id == other.id

    def __repr__(self):
        return "CountWindow(id=%d)" % self.id

    def __reduce__(self):
        return CountWindow, (self.id,)


class GlobalWindow(Window):
    """All elements of a key."""

    __slots__ = ()

    @staticmethod
    def get():
        """Returns it."""
        return GlobalWindow()

    def max_timestamp(self):
        return MAX_LONG

    def __eq__(self, other):
        return type(other) is GlobalWindow

    def __hash__(self):
        return 0

    def __repr__(self):
        return "GlobalWindow"


class TypeSerializer:
    """Windows need no serializer of the user's; these are here for assigners that return one."""


class TimeWindowSerializer(TypeSerializer):
    """Of windows of time."""


class CountWindowSerializer(TypeSerializer):
    """Of windows of elements."""


class GlobalWindowSerializer(TypeSerializer):
    """Of the window of all elements."""


class TriggerResult(Enum):
    """What becomes of a window: is it evaluated, are its elements dropped."""

    CONTINUE = (False, False)
    FIRE_AND_PURGE = (True, True)
    FIRE = (True, False)
    PURGE = (False, True)

    def is_fire(self):
        """Tells whether the window is evaluated."""
        return self.value[0]

    def is_purge(self):
        """Tells whether its elements are dropped."""
        return self.value[1]


CONTINUE, FIRE, FIRE_AND_PURGE = TriggerResult.CONTINUE, TriggerResult.FIRE, TriggerResult.FIRE_AND_PURGE


class Trigger(ABC, Generic[T, W]):
    """Decides when a window is evaluated. What it keeps, it keeps in state of its context: one trigger serves all windows."""

    class TriggerContext(ABC):
        """What triggers get: time, timers and state of the window."""

        @abstractmethod
        def get_current_processing_time(self):
            """Returns the wall clock in milliseconds since 1970."""

        @abstractmethod
        def get_metric_group(self):
            """Returns the operator's metrics."""

        @abstractmethod
        def get_current_watermark(self):
            """Returns the watermark in milliseconds since 1970."""

        @abstractmethod
        def register_processing_time_timer(self, time):
            """Calls on_processing_time when the wall clock passes a time."""

        @abstractmethod
        def register_event_time_timer(self, time):
            """Calls on_event_time when the watermark passes a time."""

        @abstractmethod
        def delete_processing_time_timer(self, time):
            """Takes a timer back."""

        @abstractmethod
        def delete_event_time_timer(self, time):
            """Takes a timer back."""

        @abstractmethod
        def get_partitioned_state(self, state_descriptor):
            """Returns state by key and window."""

    class OnMergeContext(TriggerContext):
        """What on_merge gets."""

        @abstractmethod
        def merge_partitioned_state(self, state_descriptor):
            """Makes one state of those of the windows that were merged."""

    @abstractmethod
    def on_element(self, element, timestamp, window, ctx):
        """Says what becomes of a window when an element is added."""

    @abstractmethod
    def on_processing_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of the wall clock fires."""

    @abstractmethod
    def on_event_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of event time fires."""

    def can_merge(self):
        """Tells whether windows with this trigger may be merged."""
        return False

    @abstractmethod
    def on_merge(self, window, ctx):
        """Takes over the state of windows that were merged."""

    @abstractmethod
    def clear(self, window, ctx):
        """Removes state and timers of a window that goes."""


class _Quiet(Trigger[T, W]):
    """A trigger that nothing moves."""

    def on_element(self, element, timestamp, window, ctx):
        """Says what becomes of a window when an element is added."""
        return CONTINUE

    def on_processing_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of the wall clock fires."""
        return CONTINUE

    def on_event_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of event time fires."""
        return CONTINUE

    def on_merge(self, window, ctx):
        """Takes over the state of windows that were merged."""

    def clear(self, window, ctx):
        """Removes state and timers of a window that goes."""


class EventTimeTrigger(_Quiet[T, TimeWindow]):
    """Fires when the watermark passes the window's end, and then for every late element."""

    def on_element(self, element, timestamp, window, ctx):
        """Says what becomes of a window when an element is added."""
        end = window.max_timestamp()
        if end <= ctx.get_current_watermark():
            return FIRE
        ctx.register_event_time_timer(end)
        return CONTINUE

    def on_event_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of event time fires."""
        return FIRE if time == window.max_timestamp() else CONTINUE

    def can_merge(self):
        """Tells whether windows with this trigger may be merged."""
        return True

    def on_merge(self, window, ctx):
        """Takes over the state of windows that were merged."""
        if window.max_timestamp() > ctx.get_current_watermark():
            ctx.register_event_time_timer(window.max_timestamp())

    def clear(self, window, ctx):
        """Removes state and timers of a window that goes."""
        ctx.delete_event_time_timer(window.max_timestamp())

    @staticmethod
    def create():
        """Returns one."""
        return EventTimeTrigger()


class ProcessingTimeTrigger(_Quiet[T, TimeWindow]):
    """Fires when the wall clock passes the window's end."""

    def on_element(self, element, timestamp, window, ctx):
        """Says what becomes of a window when an element is added."""
        ctx.register_processing_time_timer(window.max_timestamp())
        return CONTINUE

    def on_processing_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of the wall clock fires."""
        return FIRE

    def can_merge(self):
        """Tells whether windows with this trigger may be merged."""
        return True

    def on_merge(self, window, ctx):
        """Takes over the state of windows that were merged."""
        if window.max_timestamp() > ctx.get_current_processing_time():
            ctx.register_processing_time_timer(window.max_timestamp())

    def clear(self, window, ctx):
        """Removes state and timers of a window that goes."""
        ctx.delete_processing_time_timer(window.max_timestamp())

    @staticmethod
    def create():
        """Returns one."""
        return ProcessingTimeTrigger()


class _Continuous(_Quiet[T, TimeWindow]):
    """Fires at multiples of an interval, and at the window's end."""

    def __init__(self, interval):
        self.interval = interval
        self.state_desc = ReducingStateDescriptor("fire-time", min, Types.LONG())

    @classmethod
    def of(cls, interval):
        """Returns one."""
        return cls(to_millis(interval))

    def can_merge(self):
        """Tells whether windows with this trigger may be merged."""
        return True

    def _next(self, time, window, state, register):
        time = min(time + self.interval, window.max_timestamp())
        state.add(time)
        register(time)

    def _fire(self, time, window, ctx, register):
        state = ctx.get_partitioned_state(self.state_desc)
        if state.get() != time:
            return CONTINUE
        state.clear()
        self._next(time, window, state, register)
        return FIRE

    def _merge(self, ctx, register):
        ctx.merge_partitioned_state(self.state_desc)
        time = ctx.get_partitioned_state(self.state_desc).get()
        if time is not None:
            register(time)

    def _clear(self, ctx, delete):
        state = ctx.get_partitioned_state(self.state_desc)
        if state.get() is not None:
            delete(state.get())
            state.clear()


class ContinuousEventTimeTrigger(_Continuous[T]):
    """Fires whenever the watermark passes a multiple of the interval, and at the window's end.

    >>> trigger = ContinuousEventTimeTrigger.of(Time.seconds(10))
    """

    def on_element(self, element, timestamp, window, ctx):
        """Says what becomes of a window when an element is added."""
        if window.max_timestamp() <= ctx.get_current_watermark():
            return FIRE
        ctx.register_event_time_timer(window.max_timestamp())
        state = ctx.get_partitioned_state(self.state_desc)
        if state.get() is None:
            self._next(timestamp - timestamp % self.interval, window, state, ctx.register_event_time_timer)
        return CONTINUE

    def on_event_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of event time fires."""
        if time == window.max_timestamp():
            return FIRE
        return self._fire(time, window, ctx, ctx.register_event_time_timer)

    def on_merge(self, window, ctx):
        """Takes over the state of windows that were merged."""
        self._merge(ctx, ctx.register_event_time_timer)

    def clear(self, window, ctx):
        """Removes state and timers of a window that goes."""
        self._clear(ctx, ctx.delete_event_time_timer)


class ContinuousProcessingTimeTrigger(_Continuous[T]):
    """Fires whenever the wall clock passes a multiple of the interval."""

    def on_element(self, element, timestamp, window, ctx):
        """Says what becomes of a window when an element is added."""
        state = ctx.get_partitioned_state(self.state_desc)
        now = ctx.get_current_processing_time()
        if state.get() is None:
            self._next(now - now % self.interval, window, state, ctx.register_processing_time_timer)
        return CONTINUE

    def on_processing_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of the wall clock fires."""
        return self._fire(time, window, ctx, ctx.register_processing_time_timer)

    def on_merge(self, window, ctx):
        """Takes over the state of windows that were merged."""
        self._merge(ctx, ctx.register_processing_time_timer)

    def clear(self, window, ctx):
        """Removes state and timers of a window that goes."""
        self._clear(ctx, ctx.delete_processing_time_timer)


class PurgingTrigger(Trigger[T, W]):
    """Another trigger, whose firing also drops the window's elements.

    >>> trigger = PurgingTrigger.of(CountTrigger.of(100))
    """

    def __init__(self, nested_trigger):
        self.nested_trigger = nested_trigger

    @staticmethod
    def of(nested_trigger):
        """Returns one."""
        return PurgingTrigger(nested_trigger)

    @staticmethod
    def _purging(result):
        return FIRE_AND_PURGE if result.is_fire() else result

    def on_element(self, element, timestamp, window, ctx):
        """Says what becomes of a window when an element is added."""
        return self._purging(self.nested_trigger.on_element(element, timestamp, window, ctx))

    def on_event_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of event time fires."""
        return self._purging(self.nested_trigger.on_event_time(time, window, ctx))

    def on_processing_time(self, time, window, ctx):
        """Says what becomes of a window when a timer of the wall clock fires."""
        return self._purging(self.nested_trigger.on_processing_time(time, window, ctx))

    def clear(self, window, ctx):
        """Removes state and timers of a window that goes."""
        self.nested_trigger.clear(window, ctx)

    def can_merge(self):
        """Tells whether windows with this trigger may be merged."""
        return self.nested_trigger.can_merge()

    def on_merge(self, window, ctx):
        """Takes over the state of windows that were merged."""
        self.nested_trigger.on_merge(window, ctx)


class CountTrigger(_Quiet[T, CountWindow]):
    """Fires at every so many elements of a window.

    >>> trigger = PurgingTrigger.of(CountTrigger.of(100))
    """

    def __init__(self, window_size):
        self._window_size = window_size
        self._count = ReducingStateDescriptor("count", lambda a, b: a + b, Types.LONG())

    @staticmethod
    def of(window_size):
        """Returns one."""
        return CountTrigger(window_size)

    def on_element(self, element, timestamp, window, ctx):
        """Says what becomes of a window when an element is added."""
        count = ctx.get_partitioned_state(self._count)
        count.add(1)
        if count.get() < self._window_size:
            return CONTINUE
        count.clear()
        return FIRE

    def can_merge(self):
        """Tells whether windows with this trigger may be merged."""
        return True

    def on_merge(self, window, ctx):
        """Takes over the state of windows that were merged."""
        ctx.merge_partitioned_state(self._count)

    def clear(self, window, ctx):
        """Removes state and timers of a window that goes."""
        ctx.get_partitioned_state(self._count).clear()


class NeverTrigger(_Quiet[T, GlobalWindow]):
    """Never fires."""

    @staticmethod
    def create():
        """Returns one."""
        return NeverTrigger()


class WindowAssigner(ABC, Generic[T, W]):
    """Says which windows an element belongs to."""

    class WindowAssignerContext(ABC):
        """What assigners get."""

        @abstractmethod
        def get_current_processing_time(self):
            """Returns the wall clock in milliseconds since 1970."""

        @abstractmethod
        def get_runtime_context(self):
            """Returns the RuntimeContext, for state by key."""

    @abstractmethod
    def assign_windows(self, element, timestamp, context):
        """Returns the windows."""

    @abstractmethod
    def get_default_trigger(self, env):
        """Returns the trigger where none is set."""

    @abstractmethod
    def get_window_serializer(self):
        """Returns a serializer, which nothing uses."""

    @abstractmethod
    def is_event_time(self):
        """Tells whether windows are of event time."""


class MergingWindowAssigner(WindowAssigner[T, W]):
    """A WindowAssigner whose windows may become one."""

    class MergeCallback(ABC, Generic[W2]):
        """Is told which windows become one."""

        @abstractmethod
        def merge(self, to_be_merged, merge_result):
            """Takes windows and the one that they become."""

    @abstractmethod
    def merge_windows(self, windows, callback):
        """Tells callback which of the windows become one, and which one that is."""


class SessionWindowTimeGapExtractor(ABC):
    """Says how long after an element its session ends, in milliseconds.

    >>> class Gap(SessionWindowTimeGapExtractor):
    ...     def extract(self, element):
    ...         return element[1]
    >>> windows = EventTimeSessionWindows.with_dynamic_gap(Gap())
    """

    @abstractmethod
    def extract(self, element):
        """Returns an element's gap in milliseconds."""


class _EventTime:
    def get_default_trigger(self, env):
        """Returns the trigger where none is set."""
        return EventTimeTrigger()

    def is_event_time(self):
        """Tells whether windows are of event time."""
        return True

    @staticmethod
    def _time(timestamp, context):
        if timestamp is None or timestamp == MIN_LONG:
            raise Exception("Record has Java Long.MIN_VALUE timestamp (= no timestamp marker). Is the time characteristic set to "
                            "'ProcessingTime', or did you forget to call 'data_stream.assign_timestamps_and_watermarks(...)'?")
        return timestamp


class _ProcessingTime:
    def get_default_trigger(self, env):
        """Returns the trigger where none is set."""
        return ProcessingTimeTrigger()

    def is_event_time(self):
        """Tells whether windows are of event time."""
        return False

    @staticmethod
    def _time(timestamp, context):
        return context.get_current_processing_time()


class _TimeWindows(WindowAssigner):
    def get_window_serializer(self):
        """Returns a serializer, which nothing uses."""
        return TimeWindowSerializer()


class _Tumbling(_TimeWindows):
    """Windows of one size, one after the other. Offset moves their starts."""

    def __init__(self, size, offset):
        if abs(offset) >= size:
            raise Exception("%s parameters must satisfy abs(offset) < size" % type(self).__name__)
        self._size, self._offset = size, offset
        self._last = TimeWindow(None, None)

    @classmethod
    def of(cls, size, offset=None):
        """Returns one."""
        return cls(to_millis(size), 0 if offset is None else to_millis(offset))

    def assign_windows(self, element, timestamp, context):
        time, size = self._time(timestamp, context), self._size
        start = time - (time - self._offset) % size
        if start != self._last[0]:
            self._last = TimeWindow(start, start + size)
        return [self._last]

    def __repr__(self):
        return "%s(%s, %s)" % (type(self).__name__, self._size, self._offset)


class TumblingEventTimeWindows(_EventTime, _Tumbling):
    """Windows of one size, by the elements' timestamps.

    >>> windows = TumblingEventTimeWindows.of(Time.minutes(1))
    """


class TumblingProcessingTimeWindows(_ProcessingTime, _Tumbling):
    """Windows of one size, by the wall clock.

    >>> windows = TumblingProcessingTimeWindows.of(Time.seconds(5), Time.seconds(1))
    """


class _Sliding(_TimeWindows):
    """Windows of one size that begin at every slide."""

    def __init__(self, size, slide, offset):
        if abs(offset) >= slide or size <= 0:
            raise Exception("%s parameters must satisfy abs(offset) < slide and size > 0" % type(self).__name__)
        self._size, self._slide, self._offset, self._pane = size, slide, offset, None

    @classmethod
    def of(cls, size, slide, offset=None):
        """Returns one."""
        return cls(to_millis(size), to_millis(slide), 0 if offset is None else to_millis(offset))

    def share_panes(self):
        """Has an element added once, rather than to each window that it is in: to a pane, as long as what divides size and slide. When a window
        fires, its panes are merged in the order of time, by copies, with the function of reduce() or the merge() of an AggregateFunction. So
        the function has to be associative, and the trigger the assigner's own. PyFlink does not have this.

        >>> windows = SlidingEventTimeWindows.of(Time.minutes(5), Time.seconds(30)).share_panes()
        """
        pane = gcd(self._size, self._slide)
        if self._size // pane > _MOST_PANES:
            raise ValueError("windows of %d ms at every %d ms have panes of %d ms, more than %d in each window" % (self._size, self._slide, pane, _MOST_PANES))
        shared = type(self)(self._size, self._slide, self._offset)
        shared._pane = pane
        return shared

    def assign_windows(self, element, timestamp, context):
        return self._windows_at(self._time(timestamp, context))

    def _windows_at(self, time):
        size, slide = self._size, self._slide
        last = time - (time - self._offset) % slide
        return [TimeWindow(start, start + size) for start in range(last, time - size, -slide)]

    def _pane_at(self, time):
        start = time - (time - self._offset) % self._pane
        return TimeWindow(start, start + self._pane)

    def __repr__(self):
        return "%s(%s, %s, %s)" % (type(self).__name__, self._size, self._slide, self._offset)


class SlidingEventTimeWindows(_EventTime, _Sliding):
    """Overlapping windows, by the elements' timestamps.

    >>> windows = SlidingEventTimeWindows.of(Time.minutes(5), Time.seconds(30))
    """


class SlidingProcessingTimeWindows(_ProcessingTime, _Sliding):
    """Overlapping windows, by the wall clock.

    >>> windows = SlidingProcessingTimeWindows.of(Time.minutes(5), Time.seconds(30))
    """


class _Sessions(MergingWindowAssigner):
    def get_window_serializer(self):
        """Returns a serializer, which nothing uses."""
        return TimeWindowSerializer()

    def merge_windows(self, windows, callback):
        TimeWindow.merge_windows(windows, callback)

    def assign_windows(self, element, timestamp, context):
        time, gap = self._time(timestamp, context), self._gap(element)
        return [TimeWindow(time, time + gap)]


class _FixedGap(_Sessions):
    """Elements that follow each other within a gap."""

    def __init__(self, session_gap):
        if session_gap <= 0:
            raise Exception("%s parameters must satisfy 0 < size" % type(self).__name__)
        self._session_gap = session_gap

    @classmethod
    def with_gap(cls, size):
        """Returns one with a fixed gap."""
        return cls(to_millis(size))

    def _gap(self, element):
        return self._session_gap

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, self._session_gap)


class _DynamicGap(_Sessions):
    """Elements that follow each other within gaps that they say themselves."""

    def __init__(self, session_window_time_gap_extractor):
        self._extractor = session_window_time_gap_extractor

    @classmethod
    def with_dynamic_gap(cls, extractor):
        """Returns one whose gaps an extractor says."""
        return cls(extractor)

    def _gap(self, element):
        gap = self._extractor.extract(element)
        if gap <= 0:
            raise Exception("Dynamic session time gap must satisfy 0 < gap")
        return gap

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, self._extractor)


class DynamicEventTimeSessionWindows(_EventTime, _DynamicGap):
    """Sessions with dynamic gaps, by the elements' timestamps."""


class DynamicProcessingTimeSessionWindows(_ProcessingTime, _DynamicGap):
    """Sessions with dynamic gaps, by the wall clock."""


class EventTimeSessionWindows(_EventTime, _FixedGap):
    """Sessions, by the elements' timestamps.

    >>> windows = EventTimeSessionWindows.with_gap(Time.minutes(30))
    """

    @staticmethod
    def with_dynamic_gap(extractor):
        """Returns one whose gaps an extractor says."""
        return DynamicEventTimeSessionWindows(extractor)


class ProcessingTimeSessionWindows(_ProcessingTime, _FixedGap):
    """Sessions, by the wall clock.

    >>> windows = ProcessingTimeSessionWindows.with_gap(Time.minutes(30))
    """

    @staticmethod
    def with_dynamic_gap(extractor):
        """Returns one whose gaps an extractor says."""
        return DynamicProcessingTimeSessionWindows(extractor)


class _CountWindows(WindowAssigner):
    def get_default_trigger(self, env):
        """Returns the trigger where none is set."""
        return CountTrigger(self._window_size)

    def get_window_serializer(self):
        """Returns a serializer, which nothing uses."""
        return CountWindowSerializer()

    def is_event_time(self):
        """Tells whether windows are of event time."""
        return False

    def _count(self, context):
        """Returns how many elements of the key came before."""
        state = context.get_runtime_context().get_state(self._descriptor)
        count = state.value() or 0
        state.update(count + 1)
        return count


class CountTumblingWindowAssigner(_CountWindows):
    """Windows of so many elements of a key.

    >>> windows = CountTumblingWindowAssigner.of(100)
    """

    def __init__(self, window_size):
        self._window_size = window_size
        self._descriptor = ValueStateDescriptor("tumble-count-assigner", Types.LONG())

    @staticmethod
    def of(window_size):
        """Returns one."""
        return CountTumblingWindowAssigner(window_size)

    def assign_windows(self, element, timestamp, context):
        return [CountWindow(self._count(context) // self._window_size)]

    def __repr__(self):
        return "CountTumblingWindowAssigner(%s)" % self._window_size


class CountSlidingWindowAssigner(_CountWindows):
    """Windows of so many elements of a key, one beginning at every slide of elements.

    >>> windows = CountSlidingWindowAssigner.of(100, 10)
    """

    def __init__(self, window_size, window_slide):
        self._window_size, self._window_slide = window_size, window_slide
        self._descriptor = ValueStateDescriptor("slide-count-assigner", Types.LONG())

    @staticmethod
    def of(window_size, window_slide):
        """Returns one."""
        return CountSlidingWindowAssigner(window_size, window_slide)

    def assign_windows(self, element, timestamp, context):
        count, size, slide = self._count(context), self._window_size, self._window_slide
        windows, window = [], count // slide
        while window >= 0 and window * slide + size > count:
            windows.append(CountWindow(window))
            window -= 1
        return windows

    def __repr__(self):
        return "CountSlidingWindowAssigner(%s, %s)" % (self._window_size, self._window_slide)


class GlobalWindows(WindowAssigner):
    """One window for all elements of a key. It fires only with a trigger of the user's.

    >>> stream = env.from_collection([1, 2, 3]).key_by(lambda v: 0).window(GlobalWindows.create()).trigger(CountTrigger.of(2))
    >>> list(stream.reduce(lambda a, b: a + b).execute_and_collect())
    [3]
    """

    @staticmethod
    def create():
        """Returns one."""
        return GlobalWindows()

    def assign_windows(self, element, timestamp, context):
        return [GlobalWindow.get()]

    def get_default_trigger(self, env):
        """Returns the trigger where none is set."""
        return NeverTrigger()

    def get_window_serializer(self):
        """Returns a serializer, which nothing uses."""
        return GlobalWindowSerializer()

    def is_event_time(self):
        """Tells whether windows are of event time."""
        return False

    def __repr__(self):
        return "GlobalWindows()"
