"""Streams: what transforms a stream into another."""

from wasmill.datastream.windowed import (
    AllWindowedStream as AllWindowedStream,
    WindowedStream as WindowedStream,
)
from wasmill.datastream.stream import (
    BroadcastConnectedStream as BroadcastConnectedStream,
    BroadcastStream as BroadcastStream,
    CachedDataStream as CachedDataStream,
    CloseableIterator as CloseableIterator,
    ConnectedStreams as ConnectedStreams,
    DataStream as DataStream,
    DataStreamSink as DataStreamSink,
    KeyedStream as KeyedStream,
)
