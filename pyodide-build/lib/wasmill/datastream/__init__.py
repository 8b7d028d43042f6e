"""Streams: what PyFlink calls pyflink.datastream."""

from ..common.execution import (
    CheckpointConfig, CheckpointingMode, ExternalizedCheckpointCleanup, ExternalizedCheckpointRetention, RuntimeExecutionMode, TimeCharacteristic,
)
from .environment import StreamExecutionEnvironment
from .functions import (
    AggregateFunction, AllWindowFunction, BroadcastProcessFunction, CoFlatMapFunction, CoMapFunction, CoProcessFunction, FilterFunction, FlatMapFunction,
    Function, KeyedBroadcastProcessFunction, KeyedCoProcessFunction, KeyedProcessFunction, KeySelector, MapFunction, Partitioner, ProcessAllWindowFunction,
    ProcessFunction, ProcessWindowFunction, ReduceFunction, RuntimeContext, SinkFunction, SourceFunction, TimeDomain, TimerService, WindowFunction,
)
from .output_tag import OutputTag
from .settings import (
    CheckpointStorage, CustomCheckpointStorage, CustomStateBackend, EmbeddedRocksDBStateBackend, FileSystemCheckpointStorage, FsStateBackend,
    HashMapStateBackend, JobManagerCheckpointStorage, MemorySize, MemoryStateBackend, PredefinedOptions, RocksDBStateBackend, SlotSharingGroup,
    StateBackend,
)
from .stream import BroadcastConnectedStream, BroadcastStream, CloseableIterator, ConnectedStreams, DataStream, DataStreamSink, KeyedStream
from .window import (
    CountWindow, GlobalWindow, MergingWindowAssigner, TimeWindow, Trigger, TriggerResult, Window, WindowAssigner,
)
from .windowed import AllWindowedStream, WindowedStream
