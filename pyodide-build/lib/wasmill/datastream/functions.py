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
    """What a function learns of where it runs, when it is opened."""

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
        pass

    def close(self):
        pass


class MapFunction(Function):
    """One element out of each."""

    @abstractmethod
    def map(self, value):
        pass


class CoMapFunction(Function):
    """One element out of each, of two streams."""

    @abstractmethod
    def map1(self, value):
        pass

    @abstractmethod
    def map2(self, value):
        pass


class FlatMapFunction(Function):
    """Any number of elements out of each, as a generator or an iterable."""

    @abstractmethod
    def flat_map(self, value):
        pass


class CoFlatMapFunction(Function):
    """Any number of elements out of each, of two streams."""

    @abstractmethod
    def flat_map1(self, value):
        pass

    @abstractmethod
    def flat_map2(self, value):
        pass


class ReduceFunction(Function):
    """Two elements into one of the same type."""

    @abstractmethod
    def reduce(self, value1, value2):
        pass


class AggregateFunction(Function):
    """Elements into an accumulator, and that into a result."""

    @abstractmethod
    def create_accumulator(self):
        pass

    @abstractmethod
    def add(self, value, accumulator):
        """Returns the accumulator with the value added; it may be the same object."""

    @abstractmethod
    def get_result(self, accumulator):
        pass

    @abstractmethod
    def merge(self, acc_a, acc_b):
        """Returns one accumulator for both; it may be one of them."""


class KeySelector(Function):
    """The key of an element."""

    @abstractmethod
    def get_key(self, value):
        pass


class NullByteKeySelector(KeySelector):
    """One key for all."""

    def get_key(self, value):
        return 0


class FilterFunction(Function):
    """Whether to keep an element."""

    @abstractmethod
    def filter(self, value):
        pass


class Partitioner(Function):
    """Which of num_partitions subtasks an element with this key goes to."""

    @abstractmethod
    def partition(self, key, num_partitions):
        pass


class SourceFunction:
    """A source in Java: not here. Read with ``env.from_source``."""

    def __init__(self, source_func=None):
        self._source_func = source_func


class SinkFunction:
    """A sink in Java: not here. Write with ``sink_to``."""

    def __init__(self, sink_func=None):
        self._sink_func = sink_func

    def get_java_function(self):
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
    """Any number of elements out of each; side outputs by ``yield tag, value``."""

    class Context(_Context):
        pass

    @abstractmethod
    def process_element(self, value, ctx):
        pass


class KeyedProcessFunction(Function):
    """Any number of elements out of each and out of timers, with state by key."""

    class Context(_KeyedContext):
        pass

    class OnTimerContext(_OnTimerContext):
        pass

    @abstractmethod
    def process_element(self, value, ctx):
        pass

    def on_timer(self, timestamp, ctx):
        pass


class CoProcessFunction(Function):
    """A ProcessFunction of two streams."""

    class Context(_Context):
        pass

    class OnTimerContext(_OnTimerContext):
        pass

    @abstractmethod
    def process_element1(self, value, ctx):
        pass

    @abstractmethod
    def process_element2(self, value, ctx):
        pass

    def on_timer(self, timestamp, ctx):
        pass


class KeyedCoProcessFunction(Function):
    """A KeyedProcessFunction of two streams, which share state by key."""

    class Context(_KeyedContext):
        pass

    class OnTimerContext(_OnTimerContext):
        pass

    @abstractmethod
    def process_element1(self, value, ctx):
        pass

    @abstractmethod
    def process_element2(self, value, ctx):
        pass

    def on_timer(self, timestamp, ctx):
        pass


class BaseBroadcastProcessFunction(Function):
    """The base of functions with broadcast state: read where elements come, written where the broadcast stream's do."""

    class BaseContext(ABC):
        @abstractmethod
        def timestamp(self):
            pass

        @abstractmethod
        def current_processing_time(self):
            pass

        @abstractmethod
        def current_watermark(self):
            pass

    class ReadOnlyContext(BaseContext):
        @abstractmethod
        def get_broadcast_state(self, state_descriptor):
            """Returns the ReadOnlyBroadcastState of a MapStateDescriptor."""

    class Context(BaseContext):
        @abstractmethod
        def get_broadcast_state(self, state_descriptor):
            """Returns the BroadcastState of a MapStateDescriptor."""


class BroadcastProcessFunction(BaseBroadcastProcessFunction, Generic[IN1, IN2, OUT]):
    """Elements of a stream beside those of a broadcast one."""

    @abstractmethod
    def process_element(self, value, ctx):
        pass

    @abstractmethod
    def process_broadcast_element(self, value, ctx):
        pass


class KeyedBroadcastProcessFunction(BaseBroadcastProcessFunction, Generic[KEY, IN1, IN2, OUT]):
    """Elements of a keyed stream, with state and timers by key, beside those of a broadcast one."""

    class ReadOnlyContext(BaseBroadcastProcessFunction.ReadOnlyContext):
        @abstractmethod
        def timer_service(self):
            pass

        @abstractmethod
        def get_current_key(self):
            pass

    class Context(BaseBroadcastProcessFunction.Context):
        pass

    class OnTimerContext(ReadOnlyContext):
        @abstractmethod
        def time_domain(self):
            pass

    @abstractmethod
    def process_element(self, value, ctx):
        pass

    @abstractmethod
    def process_broadcast_element(self, value, ctx):
        pass

    def on_timer(self, timestamp, ctx):
        pass


class WindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """Any number of elements out of a window's."""

    @abstractmethod
    def apply(self, key, window, inputs):
        pass


class AllWindowFunction(Function, Generic[IN, OUT, W]):
    """A WindowFunction of a stream without keys."""

    @abstractmethod
    def apply(self, window, inputs):
        pass


class _WindowContext(ABC, Generic[W2]):
    @abstractmethod
    def window(self):
        """Returns the window."""

    @abstractmethod
    def current_processing_time(self):
        pass

    @abstractmethod
    def current_watermark(self):
        pass

    @abstractmethod
    def window_state(self):
        """Returns the store of state by key and window; clear it in ``clear``."""

    @abstractmethod
    def global_state(self):
        """Returns the store of state by key."""


class ProcessWindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """Any number of elements out of a window's, with its context."""

    class Context(_WindowContext[W2]):
        pass

    @abstractmethod
    def process(self, key, context, elements):
        pass

    def clear(self, context):
        """Called when the window goes."""


class ProcessAllWindowFunction(Function, Generic[IN, OUT, W]):
    """A ProcessWindowFunction of a stream without keys."""

    class Context(_WindowContext[W2]):
        pass

    @abstractmethod
    def process(self, context, elements):
        pass

    def clear(self, context):
        """Called when the window goes."""


class PassThroughWindowFunction(WindowFunction[IN, IN, KEY, W]):
    """The window's elements."""

    def apply(self, key, window, inputs):
        yield from inputs


class PassThroughAllWindowFunction(AllWindowFunction[IN, IN, W]):
    """The window's elements."""

    def apply(self, window, inputs):
        yield from inputs
