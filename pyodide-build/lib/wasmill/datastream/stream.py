"""Streams: what transforms a stream into another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Iterable, List, Optional, Union

from ..common.row import Row
from ..common.typeinfo import PickledBytesTypeInfo, RowTypeInfo, TupleTypeInfo, TypeInformation, Types, to_text
from .bindings import own
from .functions import (
    CoFlatMapFunction, CoMapFunction, CoProcessFunction, FilterFunction, FlatMapFunction, KeyedBroadcastProcessFunction,
    BroadcastProcessFunction, KeyedCoProcessFunction, KeyedProcessFunction, KeySelector, MapFunction, Partitioner, ProcessFunction,
    ReduceFunction, SinkFunction,
)
from .graph import UNTYPED, Call, Edge, Node
from .sinks import CollectionSource, CollectSink, PrintSink, Sink
from .state import MapStateDescriptor

if TYPE_CHECKING:
    from ..common.execution import ExecutionConfig
    from ..common.watermark_strategy import WatermarkStrategy
    from .environment import StreamExecutionEnvironment
    from .output_tag import OutputTag
    from .window import WindowAssigner
    from .windowed import AllWindowedStream, WindowedStream

__all__ = ["BroadcastConnectedStream", "BroadcastStream", "CachedDataStream", "CloseableIterator", "ConnectedStreams", "DataStream", "DataStreamSink", "KeyedStream"]


def declared(output_type):
    """Returns the type of a result: the one given, a row of a list of types, or any object."""
    if output_type is None:
        return UNTYPED
    if isinstance(output_type, list):
        return RowTypeInfo(output_type)
    if not isinstance(output_type, TypeInformation):
        raise TypeError("the output type must be one of Types, got %r" % (output_type,))
    return output_type


def _returned(value):
    """A CoMapFunction that returns None gives nothing."""
    return () if value is None else (value,)


class DataStream:
    """A stream of elements.

    >>> words = env.from_collection(["to be", "or not"]).flat_map(lambda line: line.split(), Types.STRING())
    >>> list(words.filter(lambda word: word != "or").execute_and_collect())
    ['to', 'be', 'not']
    """

    def __init__(self, node, edge=None):
        self._node = node
        self._edge = edge or Edge(node)

    @property
    def _j_data_stream(self):
        raise TypeError("there is no JVM behind wasmill: a stream has no Java object, and takes no Java functions")

    # What a stream is called and how it runs.

    def get_name(self) -> str:
        """Returns the operator's name."""
        return self._node.name

    def name(self, name: str) -> DataStream:
        """Names the operator."""
        self._node.name = name
        return self

    def uid(self, uid: str) -> DataStream:
        """Names the operator for good: its state is found by it after a change of the job."""
        self._node.uid = uid
        return self

    def set_uid_hash(self, uid_hash: str) -> DataStream:
        """Names the operator for good by a hash."""
        self._node.uid_hash = uid_hash
        return self

    def set_parallelism(self, parallelism: int) -> DataStream:
        """Sets how many subtasks the operator has."""
        if not isinstance(parallelism, int) or parallelism < 1:
            raise ValueError("The parallelism must be a positive number, got %r" % (parallelism,))
        if self._node.fixed_parallelism and parallelism != 1:
            raise ValueError("The operator %r is not parallel: its parallelism is 1" % self._node.name)
        self._node.parallelism = parallelism
        return self

    def set_max_parallelism(self, max_parallelism: int) -> DataStream:
        """Sets the number of key groups."""
        self._node.max_parallelism = max_parallelism
        return self

    def force_non_parallel(self) -> DataStream:
        """Lets the operator have one subtask for good."""
        self._node.parallelism = self._node.max_parallelism = 1
        self._node.fixed_parallelism = True
        return self

    def get_type(self) -> TypeInformation:
        """Returns the type of the elements."""
        return self._edge.tag.type_info if self._edge.tag is not None else self._node.type_info

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        """Returns the environment."""
        return self._node.env

    def get_execution_config(self) -> ExecutionConfig:
        """Returns the ExecutionConfig."""
        return self._node.env.get_config()

    def set_buffer_timeout(self, timeout_millis: int) -> DataStream:
        """Elements are handed on at the end of each batch; there is nothing to wait for."""
        return self

    def start_new_chain(self) -> DataStream:
        """Begins a new task with the operator."""
        self._node.chain_before = False
        return self

    def disable_chaining(self) -> DataStream:
        """Runs the operator as a task of its own."""
        self._node.chain_before = self._node.chain_behind = False
        return self

    def slot_sharing_group(self, slot_sharing_group) -> DataStream:
        """There are no slots; the name is kept for the plan."""
        self._node.slot_group = getattr(slot_sharing_group, "get_name", lambda: slot_sharing_group)()
        return self

    def set_description(self, description: str) -> DataStream:
        """Describes the operator in the plan."""
        self._node.description = description
        return self

    # Transformations.

    def _then(self, kind, name, type_info, *others, **details):
        inputs = [self._edge, *others]
        return DataStream(Node(self._node.env, kind, name, inputs, type_info, self._inherited(), **details))

    def _inherited(self):
        return None

    def _call(self, kind, name, function, method, base, type_info):
        call = Call(function, method, base)
        return self._then(kind, name, type_info, call=call.call, functions=(call,))

    def map(self, func: Union[Callable[[Any], Any], MapFunction], output_type: Optional[TypeInformation] = None) -> DataStream:
        """Gives one element for each: what a MapFunction or callable returns."""
        if not isinstance(func, MapFunction) and not callable(func):
            raise TypeError("The input must be a MapFunction or a callable function")
        return self._call("map", "Map", func, "map", MapFunction, declared(output_type))

    def flat_map(
            self, func: Union[Callable[[Any], Optional[Iterable[Any]]], FlatMapFunction], output_type: Optional[TypeInformation] = None
    ) -> DataStream:
        """Gives any number of elements for each: what a FlatMapFunction or callable yields or returns as an iterable."""
        if not isinstance(func, FlatMapFunction) and not callable(func):
            raise TypeError("The input must be a FlatMapFunction or a callable function")
        return self._call("flat_map", "FlatMap", func, "flat_map", FlatMapFunction, declared(output_type))

    def filter(self, func: Union[Callable[[Any], bool], FilterFunction]) -> DataStream:
        """Lets the elements through for which a FilterFunction or callable returns true."""
        if not isinstance(func, FilterFunction) and not callable(func):
            raise TypeError("The input must be a FilterFunction or a callable function")
        return self._call("filter", "Filter", func, "filter", FilterFunction, self.get_type())

    def process(self, func: ProcessFunction, output_type: Optional[TypeInformation] = None) -> DataStream:
        """Calls a ProcessFunction with each element."""
        if not isinstance(func, ProcessFunction):
            raise TypeError("ProcessFunction is required for DataStream, got %r" % (func,))
        func = own(func)
        return self._then("process", "PROCESS", declared(output_type), calls=[func.process_element], functions=(func,))

    def key_by(self, key_selector: Union[Callable[[Any], Any], KeySelector], key_type: Optional[TypeInformation] = None) -> KeyedStream:
        """Makes a stream by key: equal keys meet in the same subtask, with state and timers of their own."""
        if not isinstance(key_selector, KeySelector) and not callable(key_selector):
            raise TypeError("Parameter key_selector should be type of KeySelector or a callable function.")
        return KeyedStream(self, key_selector, key_type)

    def union(self, *streams: DataStream) -> DataStream:
        """Flows together with streams of the same type, in no order."""
        for other in streams:
            if not isinstance(other, DataStream):
                raise TypeError("expected a DataStream, got %r" % (other,))
        edges = [s._values()._edge if isinstance(s, KeyedStream) else s._edge for s in streams]
        return self._then("pass", "Union", self.get_type(), *edges)

    def connect(self, ds: Any) -> Union[ConnectedStreams, BroadcastConnectedStream]:
        """Joins another stream, of another type maybe, for functions of two inputs."""
        if isinstance(ds, BroadcastStream):
            return BroadcastConnectedStream(self, ds)
        return ConnectedStreams(self, ds)

    def project(self, *field_indexes: int) -> DataStream:
        """Gives the fields at these positions, of a stream of tuples."""
        type_info = self.get_type()
        if not isinstance(type_info, TupleTypeInfo):
            raise Exception("Only Tuple DataStreams can be projected.")
        fields = type_info.get_field_types()
        for i in field_indexes:
            if not 0 <= i < len(fields):
                raise IndexError("there is no field %d, the tuples have %d" % (i, len(fields)))
        out = TupleTypeInfo([fields[i] for i in field_indexes])
        stream = self.map(lambda value: tuple([value[i] for i in field_indexes]), out).name("Projection")
        stream._node.details["plan_type"] = "Projection"
        return stream

    def window_all(self, window_assigner: WindowAssigner) -> AllWindowedStream:
        """Groups the elements of the whole stream into windows; they are processed in one subtask."""
        from .windowed import AllWindowedStream

        return AllWindowedStream(self, window_assigner)

    def count_window_all(self, size: int, slide: int = 0) -> AllWindowedStream:
        """Groups the elements of the whole stream into windows of so many."""
        from .window import CountSlidingWindowAssigner, CountTumblingWindowAssigner

        return self.window_all(CountSlidingWindowAssigner(size, slide) if slide else CountTumblingWindowAssigner(size))

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> DataStream:
        """Gives elements timestamps, and the stream watermarks, by a WatermarkStrategy."""
        return self._then("timestamps", "Timestamps/Watermarks", self.get_type(), strategy=watermark_strategy)

    # Partitioning.

    def _spread(self, partitioning, **how):
        stream = DataStream(self._node, Edge(self._node, partitioning, tag=self._edge.tag, **how))
        return stream

    def shuffle(self) -> DataStream:
        """Sends each element to a subtask chosen at random."""
        return self._spread("shuffle")

    def rebalance(self) -> DataStream:
        """Sends the elements to the subtasks in turn."""
        return self._spread("rebalance")

    def rescale(self) -> DataStream:
        """Sends the elements in turn to those subtasks that are this one's share."""
        return self._spread("rescale")

    def forward(self) -> DataStream:
        """Sends the elements to the subtask of the same number."""
        return self._spread("forward")

    def broadcast(self, broadcast_state_descriptor=None, *other_broadcast_state_descriptors) -> Union[DataStream, BroadcastStream]:
        """Sends each element to every subtask; with descriptors of map states, for functions with broadcast state."""
        stream = self._spread("broadcast")
        if broadcast_state_descriptor is None:
            return stream
        return BroadcastStream(stream, (broadcast_state_descriptor, *other_broadcast_state_descriptors))

    def partition_custom(
            self, partitioner: Union[Callable[[Any, int], int], Partitioner], key_selector: Union[Callable[[Any], Any], KeySelector]
    ) -> DataStream:
        """Sends each element to the subtask that the partitioner chooses by its key."""
        if not isinstance(partitioner, Partitioner) and not callable(partitioner):
            raise TypeError("Parameter partitioner should be type of Partitioner or a callable function.")
        if not isinstance(key_selector, KeySelector) and not callable(key_selector):
            raise TypeError("Parameter key_selector should be type of KeySelector or a callable function.")
        choose = partitioner.partition if isinstance(partitioner, Partitioner) else partitioner
        return self._spread("custom", key=Call(key_selector, "get_key", KeySelector), partitioner=choose)

    def cache(self) -> CachedDataStream:
        """Returns the stream with its elements kept: the first job in batch mode that has it computes them, and later ones take what is there."""
        return CachedDataStream(self._then("pass", "Cache", self.get_type(), cache=Cache())._node)

    # Side outputs and sinks.

    def get_side_output(self, output_tag: OutputTag) -> DataStream:
        """Returns what the function before this yields to a tag."""
        if self._node.kind in ("map", "flat_map", "filter", "key_by", "pass", "timestamps", "reduce"):
            raise TypeError("%r has no side outputs: they come from process and window functions" % self._node.name)
        return DataStream(self._node, Edge(self._node, tag=output_tag))

    def _sink(self, name, sink):
        last = self._then("pass", name, self.get_type(), is_sink=True)
        node = Node(self._node.env, "sink", name, [last._edge], sink=sink)
        self._node.env._sinks.append(node)
        return DataStreamSink(last._node, node)

    def add_sink(self, sink_func) -> DataStreamSink:
        """Writes to a sink function of the test kind, or to a StreamingFileSink; those of the JVM are refused."""
        if not isinstance(sink_func, SinkFunction):
            raise TypeError("expected a SinkFunction, got %r" % (sink_func,))
        sink = sink_func.get_java_function()
        if not isinstance(sink, Sink):
            raise TypeError("%s is a sink of the JVM, which wasmill does without; write with sink_to, to a FileSink or a JetStreamSink"
                            % type(sink_func).__name__)
        return self._sink("Sink: Unnamed", sink)

    def sink_to(self, sink) -> DataStreamSink:
        """Writes to a sink, as FileSink or wasmill.connectors.JetStreamSink."""
        if not isinstance(sink, Sink):
            raise TypeError("expected a sink such as FileSink or JetStreamSink, got %r" % (sink,))
        return self._sink("Sink: " + type(sink).__name__, sink)

    def print(self, sink_identifier: Optional[str] = None) -> DataStreamSink:
        """Writes each element as a line to the job's output."""
        return self._sink("Sink: Print to Std. Out", PrintSink(*printed(self.get_type()), sink_identifier))

    def execute_and_collect(self, job_execution_name: Optional[str] = None, limit: Optional[int] = None) -> Union[CloseableIterator, List[Any]]:
        """Runs the job and returns an iterator over the stream's elements, or with limit a list of the first ones."""
        if limit is not None and limit <= 0:
            raise ValueError("The limit must be positive, got %r" % (limit,))
        env = self._node.env
        sinks, env._sinks = env._sinks, []
        sink = CollectSink(limit)
        try:
            self._sink("Sink: Data stream collect sink", sink).set_parallelism(1)
            env._run(job_execution_name or "DataStream Collect", env._sinks)
        finally:
            env._sinks = sinks
        return sink.results() if limit is not None else CloseableIterator(sink.results())


class Cache:
    """What a stream's elements come from in the next job: the input that computes them, or what a job has left."""

    def __init__(self):
        self.computed = None

    def fill(self, node, values):
        """Has a node take these elements from now on."""
        kept = node.env._source(CollectionSource(values), "Source: Cache", node.type_info)._node
        kept.chain_behind = False
        self.computed, node.inputs = node.inputs, [Edge(kept)]

    def clear(self, node):
        """Has a node compute its elements again."""
        if self.computed is not None:
            node.inputs, self.computed = self.computed, None


class CachedDataStream(DataStream):
    """A stream whose elements are kept from one job to the next. They are in the script's memory, and have no times.

    >>> squares = env.set_runtime_mode(RuntimeExecutionMode.BATCH).from_collection([1, 2]).map(lambda v: v * v).cache()
    >>> list(squares.execute_and_collect()), list(squares.map(lambda v: v + 1).execute_and_collect())
    ([1, 4], [2, 5])
    """

    def invalidate(self) -> None:
        """Forgets the elements: the next job computes them again."""
        self._node.details["cache"].clear(self._node)


def printed(type_info):
    """Returns what writes an element of a type as print does: rows without a space between fields, untyped objects as Python writes them. And
    what gives the source of it for most elements, or None; see TypeInformation._text_source."""
    if isinstance(type_info, PickledBytesTypeInfo):
        return str, lambda v: ("type(%s) is str" % v, "{%s}" % v)
    if isinstance(type_info, RowTypeInfo):
        return lambda value: "null" if value is None else "%s[%s]" % (value.get_row_kind(), ",".join(map(str, value))), None
    return getattr(type_info, "printed", to_text), type_info._text_source


class DataStreamSink:
    """Where a stream ends.

    >>> sink = env.from_collection([1]).print().name("numbers").set_parallelism(1)
    """

    def __init__(self, node, sink):
        self._node, self._sink = node, sink

    def name(self, name: str) -> DataStreamSink:
        """Names the operator."""
        self._node.name = self._sink.name = name
        return self

    def uid(self, uid: str) -> DataStreamSink:
        """Names the operator for good: its state is found by it after a change of the job."""
        self._node.uid = uid
        self._sink.uid = uid + "-sink"
        return self

    def set_uid_hash(self, uid_hash: str) -> DataStreamSink:
        """Names the operator for good by a hash."""
        self._node.uid_hash = uid_hash
        return self

    def set_parallelism(self, parallelism: int) -> DataStreamSink:
        """Sets how many subtasks the operator has."""
        self._node.parallelism = parallelism
        return self

    def set_description(self, description: str) -> DataStreamSink:
        """Describes the operator in the plan."""
        self._node.description = description
        return self

    def disable_chaining(self) -> DataStreamSink:
        """Runs the operator as a task of its own."""
        self._node.chain_before = False
        return self

    def slot_sharing_group(self, slot_sharing_group) -> DataStreamSink:
        """Keeps a name; there are no slots."""
        self._node.slot_group = getattr(slot_sharing_group, "get_name", lambda: slot_sharing_group)()
        return self


class CloseableIterator:
    """The elements of a stream that was collected.

    >>> with env.from_collection([1, 2]).execute_and_collect() as results:
    ...     next(results)
    1
    """

    def __init__(self, values):
        self._values = iter(values)

    def __iter__(self):
        return self

    def next(self):
        """Returns the next element; StopIteration ends."""
        return next(self._values)

    __next__ = next

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        self.close()

    def close(self):
        """Forgets what is left."""
        self._values = iter(())


class KeyedStream(DataStream):
    """A stream by key.

    >>> counts = env.from_collection([("a", 1), ("b", 2), ("a", 3)]).key_by(lambda v: v[0]).sum(1)
    >>> [row[1] for row in counts.key_by(lambda v: v[0]).execute_and_collect()]
    [('a', 1), ('b', 2), ('a', 4)]
    """

    def __init__(self, origin, key_selector, key_type):
        super().__init__(origin._node, origin._edge)
        self._origin, self._selector, self._key_type = origin, key_selector, key_type
        self._key = Call(key_selector, "get_key", KeySelector)
        if key_type is not None and key_type.converter() is not None:
            get_key, convert = self._key.call, key_type.converter()
            self._key.call = lambda value: convert(get_key(value))

    def _keyed(self):
        """Returns the edge out of a key_by of its own, for one operator."""
        edge = Edge(self._origin._node, "hash", key=self._key, tag=self._origin._edge.tag)
        node = Node(self._node.env, "key_by", "KeyBy", [edge], UNTYPED, call=self._key.call, functions=(self._key,))
        return node

    def _by_key(self, kind, name, type_info, **details):
        key_by = self._keyed()
        stream = DataStream(Node(self._node.env, kind, name, [Edge(key_by)], type_info, **details))
        key_by.width = stream._node.width  # the key_by is where its operator is
        return stream

    def map(self, func: Union[Callable[[Any], Any], MapFunction], output_type: Optional[TypeInformation] = None) -> DataStream:
        """Gives one element for each, with state by key in open()."""
        if not isinstance(func, MapFunction) and not callable(func):
            raise TypeError("The input must be a MapFunction or a callable function")
        call = Call(func, "map", MapFunction)
        function = call.call
        return self._by_key("keyed_process", "Map", declared(output_type), calls=[lambda value, ctx: (function(value),)], functions=(call,),
                            on_timer=_no_timer)

    def flat_map(
            self, func: Union[Callable[[Any], Optional[Iterable[Any]]], FlatMapFunction], output_type: Optional[TypeInformation] = None
    ) -> DataStream:
        """Gives any number of elements for each, with state by key in open()."""
        if not isinstance(func, FlatMapFunction) and not callable(func):
            raise TypeError("The input must be a FlatMapFunction or a callable function")
        call = Call(func, "flat_map", FlatMapFunction)
        function = call.call
        return self._by_key("keyed_process", "FlatMap", declared(output_type), calls=[lambda value, ctx: function(value)], functions=(call,),
                            on_timer=_no_timer)

    def filter(self, func: Union[Callable[[Any], bool], FilterFunction]) -> DataStream:
        """Lets elements through, with state by key in open()."""
        if not isinstance(func, FilterFunction) and not callable(func):
            raise TypeError("The input must be a FilterFunction or a callable function")
        call = Call(func, "filter", FilterFunction)
        function = call.call
        return self._by_key("keyed_process", "Filter", self.get_type(), calls=[lambda value, ctx: (value,) if function(value) else None],
                            functions=(call,), on_timer=_no_timer)

    def process(self, func: KeyedProcessFunction, output_type: Optional[TypeInformation] = None) -> DataStream:
        """Calls a KeyedProcessFunction with each element."""
        if not isinstance(func, KeyedProcessFunction):
            raise TypeError("KeyedProcessFunction is required for KeyedStream.")
        func = own(func)
        return self._by_key("keyed_process", "KEYED PROCESS", declared(output_type), calls=[func.process_element], functions=(func,),
                            on_timer=func.on_timer)

    def reduce(self, func: Union[Callable[[Any, Any], Any], ReduceFunction]) -> DataStream:
        """Reduces the elements of each key: with each element to the result so far, in batch mode to the last result."""
        if not isinstance(func, ReduceFunction) and not callable(func):
            raise TypeError("The input must be a ReduceFunction or a callable function")
        call = Call(func, "reduce", ReduceFunction)
        return self._by_key("reduce", "Reduce", self.get_type(), call=call.call, reduced=self.get_type(), functions=(call,))

    def _accumulate(self, name, position, combine):
        if not isinstance(position, (int, str)) or isinstance(position, bool):
            raise TypeError("The input must be of int or str type to locate the value for %s. Got %r" % (name, position))
        stream = self.reduce(lambda a, b: combine(a, b, position))
        return stream.name(name.capitalize())

    def sum(self, position_to_sum=0) -> DataStream:
        """Sums a field of tuples or rows, given by position or name, or elements that are numbers."""
        return self._accumulate("sum", position_to_sum, lambda a, b, at: _replaced(a, at, _at(a, at, "sum") + _at(b, at, "sum")))

    def min(self, position_to_min=0) -> DataStream:
        """Gives the smallest of a field; the other fields are those of the first element."""
        return self._accumulate("min", position_to_min, lambda a, b, at: _replaced(a, at, min(_at(a, at, "min"), _at(b, at, "min"))))

    def max(self, position_to_max=0) -> DataStream:
        """Gives the largest of a field; the other fields are those of the first element."""
        return self._accumulate("max", position_to_max, lambda a, b, at: _replaced(a, at, max(_at(a, at, "max"), _at(b, at, "max"))))

    def min_by(self, position_to_min_by=0) -> DataStream:
        """Gives the element with the smallest field."""
        return self._accumulate("min_by", position_to_min_by, lambda a, b, at: b if _at(b, at, "min_by") < _at(a, at, "min_by") else a)

    def max_by(self, position_to_max_by=0) -> DataStream:
        """Gives the element with the largest field."""
        return self._accumulate("max_by", position_to_max_by, lambda a, b, at: b if _at(b, at, "max_by") > _at(a, at, "max_by") else a)

    def window(self, window_assigner: WindowAssigner) -> WindowedStream:
        """Groups the elements of each key into windows."""
        from .windowed import WindowedStream

        return WindowedStream(self, window_assigner)

    def count_window(self, size: int, slide: int = 0) -> WindowedStream:
        """Groups the elements of each key into windows of so many, one beginning at every slide of elements."""
        from .window import CountSlidingWindowAssigner, CountTumblingWindowAssigner

        return self.window(CountSlidingWindowAssigner(size, slide) if slide else CountTumblingWindowAssigner(size))

    def key_by(self, key_selector: Union[Callable[[Any], Any], KeySelector], key_type: Optional[TypeInformation] = None) -> KeyedStream:
        """Makes the stream one by another key."""
        return self._origin.key_by(key_selector, key_type)

    def connect(self, ds: Any) -> Union[ConnectedStreams, BroadcastConnectedStream]:
        if isinstance(ds, BroadcastStream):
            return BroadcastConnectedStream(self, ds)
        return ConnectedStreams(self, ds)

    def _values(self):
        """Returns the stream without keys, its elements where their keys have them meet."""
        stream = self._by_key("pass", "_keyed_stream_values_operator", self.get_type())
        stream._node.details["plan_type"] = "_keyed_stream_values_operator"
        return stream

    def union(self, *streams: DataStream) -> DataStream:
        """Flows together with other streams; the result has no key."""
        return self._values().union(*streams)

    def project(self, *field_indexes: int) -> DataStream:
        return self._values().project(*field_indexes)

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> DataStream:
        """Gives elements timestamps; the result has no key."""
        return self._values().assign_timestamps_and_watermarks(watermark_strategy)

    def add_sink(self, sink_func) -> DataStreamSink:
        """As of a DataStream."""
        return self._values().add_sink(sink_func)

    def sink_to(self, sink) -> DataStreamSink:
        """As of a DataStream."""
        return self._values().sink_to(sink)

    def print(self, sink_identifier: Optional[str] = None) -> DataStreamSink:
        return self._values().print(sink_identifier)

    def execute_and_collect(self, job_execution_name: Optional[str] = None, limit: Optional[int] = None) -> Union[CloseableIterator, List[Any]]:
        """Collects rows of each element's key and the element."""
        key_of = self._key.call
        names = ["f0", "f1"]

        def pair(value):
            row = Row(key_of(value), value)
            row.set_field_names(names)
            return row

        return self._values().map(pair).execute_and_collect(job_execution_name, limit)


def _refuse(cls, name, what):
    def method(self, *args, **kwargs):
        raise Exception(what)

    method.__name__, method.__qualname__, method.__doc__ = name, "%s.%s" % (cls.__name__, name), "Refuses: " + what
    setattr(cls, name, method)


for _name in ("shuffle", "rescale", "rebalance", "forward", "broadcast", "partition_custom"):
    _refuse(KeyedStream, _name, "Cannot override partitioning for KeyedStream.")
for _name, _what in {
    "set_parallelism": "Set parallelism", "name": "Set name", "uid": "Set uid", "set_uid_hash": "Set uid hash", "get_name": "Get name",
    "set_max_parallelism": "Set max parallelism", "force_non_parallel": "Set force non-parallel", "set_buffer_timeout": "Set buffer timeout",
    "cache": "Cache", "start_new_chain": "Start new chain", "disable_chaining": "Disable chaining", "slot_sharing_group": "Setting slot sharing group",
}.items():
    _refuse(KeyedStream, _name, "%s for KeyedStream is not supported." % _what)
    if _name not in ("cache", "disable_chaining", "slot_sharing_group"):
        _refuse(CachedDataStream, _name, "%s for CachedDataStream is not supported." % _what)


def _no_timer(time, context):
    return None


def _at(value, position, name):
    """Returns the field of a tuple or row at a position, or the number that the element itself is."""
    if isinstance(value, (tuple, list, Row)):
        try:
            return value[position]
        except (IndexError, KeyError, ValueError):
            raise TypeError("%s: the element has no field %r: %r" % (name, position, value)) from None
    if position != 0:
        raise TypeError("%s: the element is no tuple and no row, so that it has no field %r: %r" % (name, position, value))
    return value


def _replaced(value, position, field):
    """Returns a copy of a tuple or row with another field."""
    if isinstance(value, Row):
        row = Row(*value)
        names = value.get_field_names()
        if names is not None:
            row.set_field_names(names)
        row.set_row_kind(value.get_row_kind())
        row[position] = field
        return row
    if isinstance(value, tuple):
        return value[:position] + (field,) + value[position + 1:]
    if isinstance(value, list):
        return value[:position] + [field] + value[position + 1:]
    return field


class ConnectedStreams:
    """Two streams for functions of two inputs.

    >>> class Both(CoMapFunction):
    ...     def map1(self, value):
    ...         return str(value)
    ...     def map2(self, value):
    ...         return value.upper()
    >>> sorted(env.from_collection([1]).connect(env.from_collection(["a"])).map(Both()).execute_and_collect())
    ['1', 'A']
    """

    def __init__(self, stream1, stream2):
        if not isinstance(stream2, DataStream):
            raise TypeError("expected a DataStream or a BroadcastStream, got %r" % (stream2,))
        self.stream1, self.stream2 = stream1, stream2

    def key_by(
            self, key_selector1: Union[Callable[[Any], Any], KeySelector], key_selector2: Union[Callable[[Any], Any], KeySelector], key_type: Optional[TypeInformation] = None
    ) -> ConnectedStreams:
        """Makes both streams ones by key, the key types being the same."""
        first, second = (s._origin if isinstance(s, KeyedStream) else s for s in (self.stream1, self.stream2))
        return ConnectedStreams(first.key_by(key_selector1, key_type), second.key_by(key_selector2, key_type))

    def _is_keyed_stream(self):
        return isinstance(self.stream1, KeyedStream) and isinstance(self.stream2, KeyedStream)

    def _both(self, name, calls, functions, on_timer, output_type):
        env = self.stream1._node.env
        if self._is_keyed_stream():
            keys = [self.stream1._keyed(), self.stream2._keyed()]
            node = Node(env, "keyed_co_process", name, [Edge(k) for k in keys], declared(output_type), calls=calls, functions=functions,
                        on_timer=on_timer)
            for key in keys:
                key.width = node.width
        else:
            edges = [s._values()._edge if isinstance(s, KeyedStream) else s._edge for s in (self.stream1, self.stream2)]
            node = Node(env, "co_process", name, edges, declared(output_type), calls=calls, functions=functions)
        return DataStream(node)

    def map(self, func: CoMapFunction, output_type: Optional[TypeInformation] = None) -> DataStream:
        """Calls a CoMapFunction; what is None gives nothing."""
        if not isinstance(func, CoMapFunction):
            raise TypeError("The input function must be a CoMapFunction!")
        func = own(func)
        calls = [lambda value, ctx: _returned(func.map1(value)), lambda value, ctx: _returned(func.map2(value))]
        return self._both("Co-Map", calls, (func,), _no_timer, output_type)

    def flat_map(self, func: CoFlatMapFunction, output_type: Optional[TypeInformation] = None) -> DataStream:
        """Calls a CoFlatMapFunction."""
        if not isinstance(func, CoFlatMapFunction):
            raise TypeError("The input must be a CoFlatMapFunction!")
        func = own(func)
        calls = [lambda value, ctx: func.flat_map1(value), lambda value, ctx: func.flat_map2(value)]
        return self._both("Co-Flat Map", calls, (func,), _no_timer, output_type)

    def process(self, func: Union[CoProcessFunction, KeyedCoProcessFunction], output_type: Optional[TypeInformation] = None) -> DataStream:
        """Calls a CoProcessFunction, or a KeyedCoProcessFunction for keyed streams."""
        if not isinstance(func, (CoProcessFunction, KeyedCoProcessFunction)):
            raise TypeError("The input must be a CoProcessFunction or KeyedCoProcessFunction!")
        name = "Keyed Co-Process" if self._is_keyed_stream() else "Co-Process"
        func = own(func)
        return self._both(name, [func.process_element1, func.process_element2], (func,), func.on_timer, output_type)


class BroadcastStream:
    """A stream that every subtask gets, with the descriptors of the states that may be made of it.

    >>> rules = MapStateDescriptor("rules", Types.STRING(), Types.INT())
    >>> broadcast = env.from_collection([("limit", 3)]).broadcast(rules)
    """

    def __init__(self, input_stream, broadcast_state_descriptors):
        for descriptor in broadcast_state_descriptors:
            if not isinstance(descriptor, MapStateDescriptor):
                raise TypeError("broadcast state is described by a MapStateDescriptor, got %r" % (descriptor,))
        self.input_stream, self.broadcast_state_descriptors = input_stream, broadcast_state_descriptors


class BroadcastConnectedStream:
    """A stream, keyed or not, beside a broadcast one.

    >>> rules = MapStateDescriptor("rules", Types.STRING(), Types.INT())
    >>> class Apply(BroadcastProcessFunction):
    ...     def process_element(self, value, ctx):
    ...         yield value, ctx.get_broadcast_state(rules).get("limit")
    ...     def process_broadcast_element(self, value, ctx):
    ...         ctx.get_broadcast_state(rules).put(*value)
    >>> stream = env.from_collection([1]).connect(env.from_collection([("limit", 3)]).broadcast(rules)).process(Apply())
    """

    def __init__(self, non_broadcast_stream, broadcast_stream):
        self.non_broadcast_stream, self.broadcast_stream = non_broadcast_stream, broadcast_stream

    def process(
            self, func: Union[BroadcastProcessFunction, KeyedBroadcastProcessFunction], output_type: Optional[TypeInformation] = None
    ) -> DataStream:
        """Calls a BroadcastProcessFunction, or a KeyedBroadcastProcessFunction for a keyed stream."""
        keyed = isinstance(self.non_broadcast_stream, KeyedStream)
        base = KeyedBroadcastProcessFunction if keyed else BroadcastProcessFunction
        if not isinstance(func, base):
            raise TypeError("A %s is required, got %r" % (base.__name__, func))
        func = own(func)
        first, second = self.non_broadcast_stream, self.broadcast_stream.input_stream
        details = {"calls": [func.process_element, func.process_broadcast_element], "functions": (func,),
                   "descriptors": self.broadcast_stream.broadcast_state_descriptors}
        if not keyed:
            return first._then("broadcast_process", "Co-Process-Broadcast", declared(output_type), second._edge, **details)
        key_by = first._keyed()
        node = Node(first._node.env, "keyed_broadcast_process", "Co-Process-Broadcast-Keyed", [Edge(key_by), second._edge],
                    declared(output_type), on_timer=func.on_timer, **details)
        key_by.width = node.width
        return DataStream(node)
