"""Files as sources and sinks."""

from ...common.serialization import Encoder
from ...common.time import to_millis
from ...common.typeinfo import Types
from ..functions import SinkFunction
from ..graph import OutputSpec
from ..sinks import Sink, Source, lines, local_path

__all__ = [
    "BucketAssigner", "BulkFormat", "BulkWriterFactory", "DefaultRollingPolicy", "FileCompactor", "FileCompactStrategy", "FileEnumeratorProvider",
    "FileSink", "FileSource", "FileSourceBuilder", "FileSplitAssignerProvider", "InputFormat", "OnCheckpointRollingPolicy", "OutputFileConfig",
    "RollingPolicy", "RowDataBulkWriterFactory", "StreamFormat", "StreamingFileSink",
]


class StreamFormat:
    """How a file's bytes become elements, one after the other."""

    @staticmethod
    def text_line_format(charset_name="UTF-8"):
        """Lines of text."""
        return _Lines(charset_name)


class _Lines(StreamFormat):
    format, type_info = "lines", Types.STRING()

    def __init__(self, charset):
        self._charset = charset

    def decode(self, payload, name, target, key):
        """Returns the elements of what the host read."""
        return lines(payload, self._charset)


class BulkFormat:
    """How a file becomes elements, many at a time."""


class InputFormat:
    """How files become elements, for create_input; it names the files itself."""

    def paths(self):
        """Returns the files and folders."""
        raise NotImplementedError


class BulkWriterFactory:
    """How elements become a file, many at a time. `plan` tells the host of the file's format; for lines `text` writes an element, for others
    `encoder` makes what gathers elements and gives their bytes."""

    plan = text = encoder = None


class RowDataBulkWriterFactory(BulkWriterFactory):
    """A BulkWriterFactory of rows."""

    def __init__(self, row_type):
        self._row_type = row_type

    def get_row_type(self):
        """Returns the type of the rows."""
        return self._row_type


class FileEnumeratorProvider:
    """How files are found; they are read in the order of their names."""

    @staticmethod
    def default_splittable_file_enumerator():
        """Returns one."""
        return FileEnumeratorProvider()

    @staticmethod
    def default_non_splittable_file_enumerator():
        """Returns one."""
        return FileEnumeratorProvider()


class FileSplitAssignerProvider:
    """Which subtask reads which file."""

    @staticmethod
    def locality_aware_split_assigner():
        """Returns one."""
        return FileSplitAssignerProvider()


class FileSource(Source):
    """The elements of files. In folders those of all folders below count, by name; what begins with a dot or an underscore does not.

    >>> source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "logs").process_static_file_set().build()
    >>> lines = env.from_source(source, WatermarkStrategy.no_watermarks(), "logs")
    """

    def __init__(self, form, paths, interval_millis, nested=True):
        self._format, self._paths, self._interval, self._nested = form, paths, interval_millis, nested
        self.bounded = interval_millis is None
        self.parallel = getattr(form, "parallel", True)
        self.type_info = form.type_info

    def plan(self):
        """Says what the host reads or writes."""
        plan = {"kind": "file", "paths": self._paths, "nested": self._nested, "format": self._format.format, **getattr(self._format, "plan", {})}
        if self._interval is not None:
            plan["discover_ms"] = self._interval
        return plan

    def decode(self, payload, name, target, key):
        """Returns the elements of what the host read."""
        return self._format.decode(payload, name, target, key)

    @staticmethod
    def for_record_stream_format(stream_format, *paths):
        """Begins a source of files with a StreamFormat."""
        return FileSourceBuilder(stream_format, paths)

    @staticmethod
    def for_bulk_file_format(bulk_format, *paths):
        """Begins a source of files with a BulkFormat."""
        return FileSourceBuilder(bulk_format, paths)


class FileSourceBuilder:
    """Builds a FileSource."""

    def __init__(self, form, paths):
        if not hasattr(form, "decode"):
            raise TypeError("%s is no format that files can be read in" % type(form).__name__)
        self._format, self._paths, self._interval = form, [local_path(p) for p in paths], None

    def monitor_continuously(self, discovery_interval):
        """Looks for new files at that interval, for ever. A file is read once, as far as it is written when its turn comes."""
        interval = to_millis(discovery_interval)
        if interval < 1:
            raise ValueError("discoveryInterval must be > 0")
        self._interval = interval
        return self

    def process_static_file_set(self):
        """Reads the files that are there now, and ends."""
        self._interval = None
        return self

    def set_file_enumerator(self, file_enumerator):
        """Keeps nothing: files are read in the order of their names."""
        return self

    def set_split_assigner(self, split_assigner):
        """Keeps nothing: subtasks read whole files in turn."""
        return self

    def build(self):
        """Returns the source."""
        return FileSource(self._format, self._paths, self._interval)


class OutputFileConfig:
    """What a sink's files are called: prefix, number, suffix.

    >>> OutputFileConfig.builder().with_part_prefix("counts").with_part_suffix(".txt").build().get_part_suffix()
    '.txt'
    """

    def __init__(self, part_prefix: str, part_suffix: str):
        self.part_prefix, self.part_suffix = part_prefix, part_suffix

    def get_part_prefix(self) -> str:
        """Returns the prefix."""
        return self.part_prefix

    def get_part_suffix(self) -> str:
        """Returns the suffix."""
        return self.part_suffix

    @staticmethod
    def builder() -> "OutputFileConfig.OutputFileConfigBuilder":
        """Begins one."""
        return OutputFileConfig.OutputFileConfigBuilder()

    class OutputFileConfigBuilder:
        """Builds an OutputFileConfig."""

        def __init__(self):
            self.part_prefix, self.part_suffix = "part", ""

        def with_part_prefix(self, prefix) -> "OutputFileConfig.OutputFileConfigBuilder":
            """Sets what names begin with: part, where nothing is said."""
            self.part_prefix = prefix
            return self

        def with_part_suffix(self, suffix) -> "OutputFileConfig.OutputFileConfigBuilder":
            """Sets what names end with."""
            self.part_suffix = suffix
            return self

        def build(self) -> "OutputFileConfig":
            """Returns it."""
            return OutputFileConfig(self.part_prefix, self.part_suffix)


class RollingPolicy:
    """When a sink of lines begins its next file. A file comes into sight at the commit behind its end."""

    @staticmethod
    def default_rolling_policy(part_size: int = 128 << 20, rollover_interval: int = 60_000, inactivity_interval: int = 60_000) -> "DefaultRollingPolicy":
        """By size in bytes, age and silence in milliseconds."""
        return DefaultRollingPolicy(part_size, rollover_interval, inactivity_interval)

    @staticmethod
    def on_checkpoint_rolling_policy() -> "OnCheckpointRollingPolicy":
        """At each commit."""
        return OnCheckpointRollingPolicy()


class DefaultRollingPolicy(RollingPolicy):
    """By size, age and silence: a file ends when it has more than so many bytes, is so old, or nothing was written to it for so long."""

    def __init__(self, part_size=128 << 20, rollover_interval=60_000, inactivity_interval=60_000):
        for name, value in (("part_size", part_size), ("rollover_interval", rollover_interval), ("inactivity_interval", inactivity_interval)):
            if not isinstance(value, int) or value < 1:
                raise ValueError("%s must be a number above 0, got %r" % (name, value))
        self.part_size, self.rollover_millis, self.inactivity_millis = part_size, rollover_interval, inactivity_interval

    def plan(self):
        """Says when the host ends a file."""
        forever = 1 << 40
        return {"size": min(self.part_size, 1 << 60), "rollover_ms": min(self.rollover_millis, forever), "inactivity_ms": min(self.inactivity_millis, forever)}


class OnCheckpointRollingPolicy(RollingPolicy):
    """At each commit."""

    def plan(self):
        """Says when the host ends a file."""
        return None


class BucketAssigner:
    """Which folder an element's file is in."""

    def __init__(self, pattern, zone=None):
        self.pattern, self.zone = pattern, zone

    @staticmethod
    def base_path_bucket_assigner():
        """All files are in the sink's folder."""
        return BucketAssigner(None)

    @staticmethod
    def date_time_bucket_assigner(format_str="yyyy-MM-dd--HH", timezone_id=None):
        """A folder for each hour of the wall clock, or what the pattern says, in the time zone of that name or the machine's."""
        return BucketAssigner(format_str, timezone_id)


class FileCompactStrategy:
    """When files would be made one. They are not."""

    @staticmethod
    def builder() -> "FileCompactStrategy.Builder":
        """Begins one."""
        return FileCompactStrategy.Builder()

    class Builder:
        """Builds a FileCompactStrategy."""

        def enable_compaction_on_checkpoint(self, num_checkpoints_before_compaction: int):
            """Keeps nothing."""
            return self

        def set_size_threshold(self, size_threshold: int):
            """Keeps nothing."""
            return self

        def set_num_compact_threads(self, num_compact_threads: int):
            """Keeps nothing."""
            return self

        def build(self) -> "FileCompactStrategy":
            """Returns it."""
            return FileCompactStrategy()


class FileCompactor:
    """Files are not compacted."""

    @staticmethod
    def concat_file_compactor(file_delimiter=None):
        """Returns one."""
        return FileCompactor()

    @staticmethod
    def identical_file_compactor():
        """Returns one."""
        return FileCompactor()


class FileSink(Sink):
    """Writes elements as lines to files of a folder, `prefix-SUBTASK-NUMBERsuffix`. Until a file has ended and a commit has come it is hidden.

    >>> from pyflink.common import Encoder
    >>> sink = FileSink.for_row_format("out", Encoder.simple_string_encoder()).build()
    """

    def __init__(self, path, config, bucket, factory=None, policy=None):
        self._path, self._config, self._bucket, self._factory, self._policy = path, config, bucket, factory, policy
        self._text = factory and factory.text

    def output(self, node):
        """Says what a task hands over."""
        if self._factory is not None and self._factory.encoder is not None:
            return OutputSpec("encoded", encoder=self._factory.encoder)
        info = node.inputs[0].node.type_info
        text, source = (self._text, None) if self._text else (info.text(), info._text_source)
        return OutputSpec("lines", text=text, source=source, prefix=lambda task: "")

    def plan(self):
        """Says what the host reads or writes."""
        return {"kind": "file", "path": self._path, "prefix": self._config.part_prefix, "suffix": self._config.part_suffix, "bucket": self._bucket.pattern,
                "zone": self._bucket.zone or "", **(self._factory.plan if self._factory is not None else {"format": "lines", "roll": self._policy.plan()})}

    def get_transformer(self):
        """Returns None: the stream is written as it is."""
        return None

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> "FileSink.RowFormatBuilder":
        """Begins a sink that writes elements one by one."""
        if not isinstance(encoder, Encoder):
            raise TypeError("expected an Encoder, got %r" % (encoder,))
        return FileSink.RowFormatBuilder(local_path(base_path))

    @staticmethod
    def for_bulk_format(base_path: str, writer_factory: BulkWriterFactory) -> "FileSink.BulkFormatBuilder":
        """Begins a sink that writes files of a format, of CsvBulkWriters, AvroBulkWriters, AvroParquetWriters or ParquetBulkWriters. A file ends
        at each commit, and comes into sight then."""
        if not isinstance(writer_factory, BulkWriterFactory) or writer_factory.plan is None:
            raise TypeError("%s: files are written with CsvBulkWriters, AvroBulkWriters, AvroParquetWriters or ParquetBulkWriters, lines with for_row_format"
                            % type(writer_factory).__name__)
        return FileSink.BulkFormatBuilder(local_path(base_path), writer_factory)

    class BaseBuilder:
        """Builds a FileSink."""

        def __init__(self, path, factory=None):
            self._path, self._factory = path, factory
            self._config, self._bucket = OutputFileConfig("part", ""), BucketAssigner("yyyy-MM-dd--HH")
            self._policy = DefaultRollingPolicy()

        def with_bucket_check_interval(self, interval: int):
            """Keeps nothing: whether a file's time has come is looked at before each commit."""
            return self

        def with_bucket_assigner(self, bucket_assigner: BucketAssigner):
            """Says which folder files are in: one for each hour, where nothing else is said."""
            self._bucket = bucket_assigner
            return self

        def with_rolling_policy(self, rolling_policy: RollingPolicy):
            """Says when files end: behind 128 MiB, after a minute, or a minute of silence, where nothing else is said."""
            if not isinstance(rolling_policy, RollingPolicy) or not hasattr(rolling_policy, "plan"):
                raise TypeError("expected a policy of RollingPolicy, got %r" % (rolling_policy,))
            self._policy = rolling_policy
            return self

        def with_output_file_config(self, output_file_config: OutputFileConfig):
            """Says what files are called."""
            self._config = output_file_config
            return self

        def enable_compact(self, strategy: FileCompactStrategy, compactor: "FileCompactor"):
            """Keeps nothing: files are not made one."""
            return self

        def disable_compact(self):
            """Keeps nothing."""
            return self

        def build(self) -> "FileSink":
            """Returns the sink."""
            return FileSink(self._path, self._config, self._bucket, self._factory, self._policy)

    class RowFormatBuilder(BaseBuilder):
        """Builds a FileSink of lines."""

    class BulkFormatBuilder(BaseBuilder):
        """Builds a FileSink of a format, whose files end at commits."""

        def with_rolling_policy(self, policy: OnCheckpointRollingPolicy):
            """Asks for a file at each commit, which is what these formats have; refuses other policies."""
            if not isinstance(policy, OnCheckpointRollingPolicy):
                raise ValueError("rolling_policy must be OnCheckpointRollingPolicy for bulk format")
            return self


class StreamingFileSink(FileSink, SinkFunction):
    """The older name of FileSink, used with add_sink."""

    def get_java_function(self):
        """Returns the sink."""
        return self

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> "StreamingFileSink.BaseBuilder":
        """Begins a sink that writes elements one by one."""
        FileSink.for_row_format(base_path, encoder)
        return StreamingFileSink.BaseBuilder(local_path(base_path))

    class BaseBuilder(FileSink.BaseBuilder):
        """Builds a StreamingFileSink."""

        def build(self) -> "StreamingFileSink":
            """Returns the sink."""
            return StreamingFileSink(self._path, self._config, self._bucket, self._factory, self._policy)

    DefaultRowFormatBuilder = DefaultBulkFormatBuilder = BaseBuilder
