"""Sources and sinks."""

from wasmill.datastream.connectors import (
    BucketAssigner as BucketAssigner,
    DeliveryGuarantee as DeliveryGuarantee,
    FileEnumeratorProvider as FileEnumeratorProvider,
    FileSink as FileSink,
    FileSource as FileSource,
    FileSourceBuilder as FileSourceBuilder,
    FileSplitAssignerProvider as FileSplitAssignerProvider,
    NumberSequenceSource as NumberSequenceSource,
    OutputFileConfig as OutputFileConfig,
    RollingPolicy as RollingPolicy,
    Sink as Sink,
    Source as Source,
    StreamFormat as StreamFormat,
    StreamingFileSink as StreamingFileSink,
)
