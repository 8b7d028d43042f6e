"""Sources and sinks."""

from .base import DeliveryGuarantee, Sink, Source
from .file_system import (
    BucketAssigner, FileEnumeratorProvider, FileSink, FileSource, FileSourceBuilder, FileSplitAssignerProvider, OutputFileConfig, RollingPolicy, StreamFormat,
    StreamingFileSink,
)
from .number_seq import NumberSequenceSource
