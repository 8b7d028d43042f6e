"""Files as sources and sinks."""

from wasmill.datastream.connectors.file_system import (
    BucketAssigner as BucketAssigner,
    BulkFormat as BulkFormat,
    BulkWriterFactory as BulkWriterFactory,
    DefaultRollingPolicy as DefaultRollingPolicy,
    FileCompactStrategy as FileCompactStrategy,
    FileCompactor as FileCompactor,
    FileEnumeratorProvider as FileEnumeratorProvider,
    FileSink as FileSink,
    FileSource as FileSource,
    FileSourceBuilder as FileSourceBuilder,
    FileSplitAssignerProvider as FileSplitAssignerProvider,
    InputFormat as InputFormat,
    OnCheckpointRollingPolicy as OnCheckpointRollingPolicy,
    OutputFileConfig as OutputFileConfig,
    RollingPolicy as RollingPolicy,
    RowDataBulkWriterFactory as RowDataBulkWriterFactory,
    StreamFormat as StreamFormat,
    StreamingFileSink as StreamingFileSink,
)
