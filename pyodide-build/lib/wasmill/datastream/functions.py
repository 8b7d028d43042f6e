"""The classes that user functions derive from, and the contexts that they get."""

from abc import ABC, abstractmethod
from enum import Enum
from typing import Generic, TypeVar

__all__ = [
    "AggregateFunction", "AllWindowFunction", "BaseBroadcastProcessFunction", "BroadcastProcessFunction", "CoFlatMapFunction", "CoMapFunction",
    "CoProcessFunction", "FilterFunction", "FlatMapFunction", "Function", "KeyedBroadcastProcessFunction", "KeyedCoProcessFunction",
    "KeyedProcessFunction", "KeyedStateStore", "KeySelector", "MapFunction", "NullByteKeySelector", "Partitioner", "PassThroughAllWindowFunction",
    "PassThroughWindowFunction", "ProcessAllWindowFunction",
    "ProcessFunction", "ProcessWindowFunction", "ReduceFunction", "RuntimeContext", "SinkFunction", "SourceFunction", "TimeDomain", "TimerService",
    "WindowFunction",
]

IN = TypeVar("IN")
OUT = TypeVar("OUT")
KEY = TypeVar("KEY")
W = TypeVar("W")
W2 = TypeVar("W2")
IN1 = TypeVar("IN1")
IN2 = TypeVar("IN2")


class TimeDomain(Enum):
    """Which time a timer goes by."""

    EVENT_TIME = 0
    PROCESSING_TIME = 1


class TimerService(ABC):
    """Time, and timers on the current key. A timer is a time: setting it again changes nothing."""

    @abstractmethod
    def current_processing_time(self):
        """Returns the wall clock in milliseconds since 1970."""

    @abstractmethod
    def current_watermark(self):
        """Returns the watermark in milliseconds since 1970; the smallest 64-bit number before the first."""

    @abstractmethod
    def register_processing_time_timer(self, timestamp):
        """Calls on_timer when the wall clock passes timestamp."""

    @abstractmethod
    def register_event_time_timer(self, timestamp):
        """Calls on_timer when the watermark passes timestamp."""

    @abstractmethod
    def delete_processing_time_timer(self, timestamp):
        """Takes a timer back."""

    @abstractmethod
    def delete_event_time_timer(self, timestamp):
        """Takes a timer back."""


class KeyedStateStore(ABC):
    """State by the current key. A descriptor's name tells states of one operator apart."""

    @abstractmethod
    def get_state(self, state_descriptor):
        """Returns the ValueState of a ValueStateDescriptor."""

    @abstractmethod
    def get_list_state(self, state_descriptor):
        """Returns the ListState of a ListStateDescriptor."""

    @abstractmethod
    def get_map_state(self, state_descriptor):
        """Returns the MapState of a MapStateDescriptor."""

    @abstractmethod
    def get_reducing_state(self, state_descriptor):
        """Returns the ReducingState of a ReducingStateDescriptor."""

    @abstractmethod
    def get_aggregating_state(self, state_descriptor):
        """Returns the AggregatingState of an AggregatingStateDescriptor."""


class RuntimeContext(KeyedStateStore):
    """What a function learns of where it runs, when it is opened.

    >>> class Where(MapFunction):
    ...     def open(self, runtime_context):
    ...         self.where = runtime_context.get_task_name_with_subtasks()
    ...     def map(self, value):
    ...         return self.where
    >>> list(env.from_collection([1]).map(Where()).execute_and_collect())
    ['Map (1/1)']
    """

    @abstractmethod
    def get_task_name(self):
        """Returns the operator's name."""

    @abstractmethod
    def get_number_of_parallel_subtasks(self):
        """Returns the parallelism."""

    @abstractmethod
    def get_max_number_of_parallel_subtasks(self):
        """Returns the number of key groups."""

    @abstractmethod
    def get_index_of_this_subtask(self):
        """Returns which of the parallel subtasks this is, from 0."""

    @abstractmethod
    def get_attempt_number(self):
        """Returns how often the job was started again."""

    @abstractmethod
    def get_task_name_with_subtasks(self):
        """Returns a name such as "Map (1/2)"."""

    @abstractmethod
    def get_job_parameter(self, key, default_value):
        """Returns a global job parameter."""

    @abstractmethod
    def get_metrics_group(self):
        """Returns the operator's metrics."""


class Function(ABC):
    """The base of all user functions: opened once before the first element, closed once after the last."""

    def open(self, runtime_context):
        """Called once in each subtask, before the first element."""

    def close(self):
        """Called once in each subtask, after the last element."""


class MapFunction(Function):
    """One element out of each.

    >>> class Double(MapFunction):
    ...     def map(self, value):
    ...         return value * 2
    >>> list(env.from_collection([1, 2]).map(Double()).execute_and_collect())
    [2, 4]
    """

    @abstractmethod
    def map(self, value):
        """Returns the result of an element."""


class CoMapFunction(Function):
    """One element out of each, of two streams."""

    @abstractmethod
    def map1(self, value):
        """Returns the result of an element of the first stream."""

    @abstractmethod
    def map2(self, value):
        """Returns the result of an element of the second stream."""


class FlatMapFunction(Function):
    """Any number of elements out of each, as a generator or an iterable.

    >>> class Split(FlatMapFunction):
    ...     def flat_map(self, value):
    ...         yield from value.split()
    >>> list(env.from_collection(["to be"]).flat_map(Split()).execute_and_collect())
    ['to', 'be']
    """

    @abstractmethod
    def flat_map(self, value):
        """Returns or yields the results of an element."""


class CoFlatMapFunction(Function):
    """Any number of elements out of each, of two streams.

    >>> class Either(CoFlatMapFunction):
    ...     def flat_map1(self, value):
    ...         yield value
    ...     def flat_map2(self, value):
    ...         yield -value
    >>> sorted(env.from_collection([1]).connect(env.from_collection([2])).flat_map(Either()).execute_and_collect())
    [-2, 1]
    """

    @abstractmethod
    def flat_map1(self, value):
        """Returns or yields the results of an element of the first stream."""

    @abstractmethod
    def flat_map2(self, value):
        """Returns or yields the results of an element of the second stream."""


class ReduceFunction(Function):
    """Two elements into one of the same type.

    >>> class Longer(ReduceFunction):
    ...     def reduce(self, value1, value2):
    ...         return max(value1, value2, key=len)
    >>> list(env.from_collection(["a", "bcd", "ef"]).key_by(lambda v: 0).reduce(Longer()).map(str).execute_and_collect())
    ['a', 'bcd', 'bcd']
    """

    @abstractmethod
    def reduce(self, value1, value2):
        """Returns one element for two."""


class AggregateFunction(Function):
    """Elements into an accumulator, and that into a result.

    >>> class Mean(AggregateFunction):
    ...     def create_accumulator(self):
    ...         return 0, 0
    ...     def add(self, value, accumulator):
    ...         return accumulator[0] + value, accumulator[1] + 1
    ...     def get_result(self, accumulator):
    ...         return accumulator[0] / accumulator[1]
    ...     def merge(self, acc_a, acc_b):
    ...         return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]
    >>> list(env.from_collection([1, 2]).count_window_all(2).aggregate(Mean()).execute_and_collect())
    [1.5]
    """

    @abstractmethod
    def create_accumulator(self):
        """Returns the accumulator of no elements."""

    @abstractmethod
    def add(self, value, accumulator):
        """Returns the accumulator with the value added; it may be the same object."""

    @abstractmethod
    def get_result(self, accumulator):
        """Returns the result of an accumulator."""

    @abstractmethod
    def merge(self, acc_a, acc_b):
        """Returns one accumulator for both; it may be one of them."""


class KeySelector(Function):
    """The key of an element.

    >>> class First(KeySelector):
    ...     def get_key(self, value):
    ...         return value[0]
    >>> keyed = env.from_collection([("a", 1)]).key_by(First(), Types.STRING())
    """

    @abstractmethod
    def get_key(self, value):
        """Returns the element's key."""


class NullByteKeySelector(KeySelector):
    """One key for all."""

    def get_key(self, value):
        """Returns the element's key."""
        return 0


class FilterFunction(Function):
    """Whether to keep an element.

    >>> class Even(FilterFunction):
    ...     def filter(self, value):
    ...         return value % 2 == 0
    >>> list(env.from_collection([1, 2]).filter(Even()).execute_and_collect())
    [2]
    """

    @abstractmethod
    def filter(self, value):
        """Tells whether the element stays."""


class Partitioner(Function):
    """Which of num_partitions subtasks an element with this key goes to.

    >>> class Modulo(Partitioner):
    ...     def partition(self, key, num_partitions):
    ...         return key % num_partitions
    >>> spread = env.from_collection([1, 2]).partition_custom(Modulo(), lambda value: value)
    """

    @abstractmethod
    def partition(self, key, num_partitions):
        """Returns a subtask's number, from 0."""


class SourceFunction:
    """A source in Java: not here. Read with ``env.from_source``."""

    def __init__(self, source_func=None):
        self._source_func = source_func


class SinkFunction:
    """A sink in Java: not here. Write with ``sink_to``."""

    def __init__(self, sink_func=None):
        self._sink_func = sink_func

    def get_java_function(self):
        """Returns what the function was made of."""
        return self._sink_func


class _Context(ABC):
    @abstractmethod
    def timer_service(self):
        """Returns the :class:`TimerService`."""

    @abstractmethod
    def timestamp(self):
        """Returns the element's timestamp, or that of the timer that fires; None without."""


class _KeyedContext(_Context):
    @abstractmethod
    def get_current_key(self):
        """Returns the key of the element or timer."""


class _OnTimerContext(_KeyedContext):
    @abstractmethod
    def time_domain(self):
        """Returns which time the timer that fires goes by."""


class ProcessFunction(Function):
    """Any number of elements out of each; side outputs by ``yield tag, value``.

    >>> odd = OutputTag("odd", Types.INT())
    >>> class Split(ProcessFunction):
    ...     def process_element(self, value, ctx):
    ...         yield value if value % 2 == 0 else (odd, value)
    >>> split = env.from_collection([1, 2, 3]).process(Split(), Types.INT())
    >>> list(split.get_side_output(odd).execute_and_collect())
    [1, 3]
    """

    class Context(_Context):
        """What process_element gets."""

    @abstractmethod
    def process_element(self, value, ctx):
        """Returns or yields the results of an element; None is none."""


class KeyedProcessFunction(Function):
    """Any number of elements out of each and out of timers, with state by key.

    >>> class Count(KeyedProcessFunction):
    ...     def open(self, runtime_context):
    ...         self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))
    ...     def process_element(self, value, ctx):
    ...         self.count.update((self.count.value() or 0) + 1)
    ...         ctx.timer_service().register_event_time_timer(1000)
    ...     def on_timer(self, timestamp, ctx):
    ...         yield ctx.get_current_key(), self.count.value()
    >>> sorted(env.from_collection(["a", "b", "a"]).key_by(lambda v: v).process(Count()).execute_and_collect())
    [('a', 2), ('b', 1)]
    """

    class Context(_KeyedContext):
        """What process_element gets."""

    class OnTimerContext(_OnTimerContext):
        """What on_timer gets."""

    @abstractmethod
    def process_element(self, value, ctx):
        """Returns or yields the results of an element; None is none."""

    def on_timer(self, timestamp, ctx):
        """Returns or yields results when a timer fires."""


class CoProcessFunction(Function):
    """A ProcessFunction of two streams.

    >>> class Tagged(CoProcessFunction):
    ...     def process_element1(self, value, ctx):
    ...         yield "left", value
    ...     def process_element2(self, value, ctx):
    ...         yield "right", value
    >>> sorted(env.from_collection([1]).connect(env.from_collection([2])).process(Tagged()).execute_and_collect())
    [('left', 1), ('right', 2)]
    """

    class Context(_Context):
        """What process_element1 and process_element2 get."""

    class OnTimerContext(_OnTimerContext):
        """What on_timer gets."""

    @abstractmethod
    def process_element1(self, value, ctx):
        """Returns or yields the results of an element of the first stream."""

    @abstractmethod
    def process_element2(self, value, ctx):
        """Returns or yields the results of an element of the second stream."""

    def on_timer(self, timestamp, ctx):
        """Returns or yields results when a timer fires."""


class KeyedCoProcessFunction(Function):
    """A KeyedProcessFunction of two streams, which share state by key.

    >>> class Join(KeyedCoProcessFunction):
    ...     def open(self, runtime_context):
    ...         self.left = runtime_context.get_list_state(ListStateDescriptor("left", Types.INT()))
    ...     def process_element1(self, value, ctx):
    ...         self.left.add(value[1])
    ...     def process_element2(self, value, ctx):
    ...         yield ctx.get_current_key(), list(self.left.get()), value[1]
    >>> one, two = env.from_collection([("a", 1)]), env.from_collection([("a", 2)])
    >>> joined = one.connect(two).key_by(lambda v: v[0], lambda v: v[0]).process(Join())
    """

    class Context(_KeyedContext):
        """What process_element1 and process_element2 get."""

    class OnTimerContext(_OnTimerContext):
        """What on_timer gets."""

    @abstractmethod
    def process_element1(self, value, ctx):
        """Returns or yields the results of an element of the first stream."""

    @abstractmethod
    def process_element2(self, value, ctx):
        """Returns or yields the results of an element of the second stream."""

    def on_timer(self, timestamp, ctx):
        """Returns or yields results when a timer fires."""


class BaseBroadcastProcessFunction(Function):
    """The base of functions with broadcast state: read where elements come, written where the broadcast stream's do."""

    class BaseContext(ABC):
        """What all contexts of broadcast functions have."""

        @abstractmethod
        def timestamp(self):
            """Returns the element's timestamp, or None."""

        @abstractmethod
        def current_processing_time(self):
            """Returns the wall clock in milliseconds since 1970."""

        @abstractmethod
        def current_watermark(self):
            """Returns the watermark in milliseconds since 1970."""

    class ReadOnlyContext(BaseContext):
        """The context of elements: broadcast state can be read."""

        @abstractmethod
        def get_broadcast_state(self, state_descriptor):
            """Returns the ReadOnlyBroadcastState of a MapStateDescriptor."""

    class Context(BaseContext):
        """The context of the broadcast stream's elements: broadcast state can be changed."""

        @abstractmethod
        def get_broadcast_state(self, state_descriptor):
            """Returns the BroadcastState of a MapStateDescriptor."""


class BroadcastProcessFunction(BaseBroadcastProcessFunction, Generic[IN1, IN2, OUT]):
    """Elements of a stream beside those of a broadcast one."""

    @abstractmethod
    def process_element(self, value, ctx):
        """Returns or yields the results of an element; None is none."""

    @abstractmethod
    def process_broadcast_element(self, value, ctx):
        """Takes an element of the broadcast stream, and returns or yields results."""


class KeyedBroadcastProcessFunction(BaseBroadcastProcessFunction, Generic[KEY, IN1, IN2, OUT]):
    """Elements of a keyed stream, with state and timers by key, beside those of a broadcast one."""

    class ReadOnlyContext(BaseBroadcastProcessFunction.ReadOnlyContext):
        """What process_element gets."""

        @abstractmethod
        def timer_service(self):
            """Returns the TimerService."""

        @abstractmethod
        def get_current_key(self):
            """Returns the key of the element or timer."""

    class Context(BaseBroadcastProcessFunction.Context):
        """What process_broadcast_element gets."""

    class OnTimerContext(ReadOnlyContext):
        """What on_timer gets."""

        @abstractmethod
        def time_domain(self):
            """Returns which time the timer that fires goes by."""

    @abstractmethod
    def process_element(self, value, ctx):
        """Returns or yields the results of an element; None is none."""

    @abstractmethod
    def process_broadcast_element(self, value, ctx):
        """Takes an element of the broadcast stream, and returns or yields results."""

    def on_timer(self, timestamp, ctx):
        """Returns or yields results when a timer fires."""


class WindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """Any number of elements out of a window's.

    >>> class Sum(WindowFunction):
    ...     def apply(self, key, window, inputs):
    ...         return [(key, sum(inputs))]
    >>> list(env.from_collection([1, 2]).key_by(lambda v: "k").count_window(2).apply(Sum()).execute_and_collect())
    [('k', 3)]
    """

    @abstractmethod
    def apply(self, key, window, inputs):
        """Returns the results of a window's elements."""


class AllWindowFunction(Function, Generic[IN, OUT, W]):
    """A WindowFunction of a stream without keys."""

    @abstractmethod
    def apply(self, window, inputs):
        """Returns the results of a window's elements."""


class _WindowContext(ABC, Generic[W2]):
    @abstractmethod
    def window(self):
        """Returns the window."""

    @abstractmethod
    def current_processing_time(self):
        """Returns the wall clock in milliseconds since 1970."""

    @abstractmethod
    def current_watermark(self):
        """Returns the watermark in milliseconds since 1970."""

    @abstractmethod
    def window_state(self):
        """Returns the store of state by key and window; clear it in ``clear``."""

    @abstractmethod
    def global_state(self):
        """Returns the store of state by key."""


class ProcessWindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """Any number of elements out of a window's, with its context.

    >>> class Show(ProcessWindowFunction):
    ...     def process(self, key, context, elements):
    ...         yield key, context.window(), sorted(elements)
    >>> list(env.from_collection([2, 1]).key_by(lambda v: "k").count_window(2).process(Show()).execute_and_collect())
    [('k', CountWindow(id=0), [1, 2])]
    """

    class Context(_WindowContext[W2]):
        """What process and clear get."""

    @abstractmethod
    def process(self, key, context, elements):
        """Returns or yields the results of a window's elements."""

    def clear(self, context):
        """Called when the window goes."""


class ProcessAllWindowFunction(Function, Generic[IN, OUT, W]):
    """A ProcessWindowFunction of a stream without keys."""

    class Context(_WindowContext[W2]):
        """What process and clear get."""

    @abstractmethod
    def process(self, context, elements):
        """Returns or yields the results of a window's elements."""

    def clear(self, context):
        """Called when the window goes."""


class PassThroughWindowFunction(WindowFunction[IN, IN, KEY, W]):
    """The window's elements."""

    def apply(self, key, window, inputs):
        """Returns the window's elements."""
        yield from inputs


class PassThroughAllWindowFunction(AllWindowFunction[IN, IN, W]):
    """The window's elements."""

    def apply(self, window, inputs):
        """Returns the window's elements."""
        yield from inputs
