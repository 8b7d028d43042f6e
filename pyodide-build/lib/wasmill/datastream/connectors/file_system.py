"""Files as sources and sinks."""

from ...common.serialization import Encoder
from ...common.time import to_millis
from ...common.typeinfo import Types
from ..graph import OutputSpec
from ..sinks import Sink, Source, lines, local_path
from ..stream import printed

__all__ = [
    "BucketAssigner", "BulkFormat", "BulkWriterFactory", "FileCompactor", "FileCompactStrategy", "FileEnumeratorProvider", "FileSink", "FileSource",
    "FileSourceBuilder", "FileSplitAssignerProvider", "OutputFileConfig", "RollingPolicy", "RowDataBulkWriterFactory", "StreamFormat",
    "StreamingFileSink",
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

    def decode(self, payload, name):
        return lines(payload, self._charset)


class BulkFormat:
    """How a file becomes elements, many at a time."""


class BulkWriterFactory:
    """How elements become a file, many at a time."""


class RowDataBulkWriterFactory(BulkWriterFactory):
    pass


class FileEnumeratorProvider:
    """How files are found; they are read in the order of their names."""

    @staticmethod
    def default_splittable_file_enumerator():
        return FileEnumeratorProvider()

    @staticmethod
    def default_non_splittable_file_enumerator():
        return FileEnumeratorProvider()


class FileSplitAssignerProvider:
    """Which subtask reads which file."""

    @staticmethod
    def locality_aware_split_assigner():
        return FileSplitAssignerProvider()


class FileSource(Source):
    """The elements of files."""

    def __init__(self, form, paths, interval_millis):
        self._format, self._paths, self._interval = form, paths, interval_millis
        self.bounded = interval_millis is None
        self.type_info = form.type_info

    def plan(self):
        plan = {"kind": "file", "paths": self._paths, "format": self._format.format}
        if self._interval is not None:
            plan["discover_ms"] = self._interval
        return plan

    def decode(self, payload, name):
        return self._format.decode(payload, name)

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
        """Looks for new files at this interval, and never ends."""
        self._interval = to_millis(discovery_interval)
        return self

    def process_static_file_set(self):
        """Reads the files that are there now, and ends."""
        self._interval = None
        return self

    def set_file_enumerator(self, file_enumerator):
        return self

    def set_split_assigner(self, split_assigner):
        return self

    def build(self):
        return FileSource(self._format, self._paths, self._interval)


class OutputFileConfig:
    """What a sink's files are called: prefix, number, suffix."""

    def __init__(self, part_prefix="part", part_suffix=""):
        self.part_prefix, self.part_suffix = part_prefix, part_suffix

    @staticmethod
    def builder():
        return OutputFileConfig.OutputFileConfigBuilder()

    class OutputFileConfigBuilder:
        def __init__(self):
            self._prefix, self._suffix = "part", ""

        def with_part_prefix(self, prefix):
            self._prefix = prefix
            return self

        def with_part_suffix(self, suffix):
            self._suffix = suffix
            return self

        def build(self):
            return OutputFileConfig(self._prefix, self._suffix)


class RollingPolicy:
    """When a sink begins its next file."""

    def __init__(self, part_size=128 << 20, rollover_millis=60_000, inactivity_millis=60_000):
        self.part_size, self.rollover_millis, self.inactivity_millis = part_size, rollover_millis, inactivity_millis

    @staticmethod
    def default_rolling_policy(part_size=128 << 20, rollover_interval=60_000, inactivity_interval=60_000):
        return RollingPolicy(part_size, rollover_interval, inactivity_interval)

    @staticmethod
    def on_checkpoint_rolling_policy():
        return RollingPolicy(0, 0, 0)


class BucketAssigner:
    """Which folder an element's file is in."""

    def __init__(self, pattern):
        self.pattern = pattern

    @staticmethod
    def base_path_bucket_assigner():
        """All files are in the sink's folder."""
        return BucketAssigner(None)

    @staticmethod
    def date_time_bucket_assigner(format_str="yyyy-MM-dd--HH", timezone_id=None):
        """A folder for each hour, or what the pattern says."""
        return BucketAssigner(format_str)


class FileCompactStrategy:
    """Files are not compacted."""

    @staticmethod
    def builder():
        return FileCompactStrategy()

    def build(self):
        return self

    def __getattr__(self, name):
        return lambda *args: self


class FileCompactor:
    """Files are not compacted."""

    @staticmethod
    def concat_file_compactor(file_delimiter=None):
        return FileCompactor()

    @staticmethod
    def identical_file_compactor():
        return FileCompactor()


class FileSink(Sink):
    """Writes elements as lines to the files of a folder, one per subtask, `prefix-SUBTASK-0suffix`."""

    def __init__(self, path, config, bucket):
        self._path, self._config, self._bucket = path, config, bucket

    def output(self, node):
        return OutputSpec("lines", text=printed(node.inputs[0].node.type_info), prefix=lambda task: "")

    def plan(self):
        return {"kind": "file", "path": self._path, "prefix": self._config.part_prefix, "suffix": self._config.part_suffix, "bucket": self._bucket.pattern}

    @staticmethod
    def for_row_format(base_path, encoder):
        """Begins a sink that writes elements one by one."""
        if not isinstance(encoder, Encoder):
            raise TypeError("expected an Encoder, got %r" % (encoder,))
        return FileSink.RowFormatBuilder(local_path(base_path))

    @staticmethod
    def for_bulk_format(base_path, writer_factory):
        raise TypeError("%s: files of columns are written by pipelines in YAML; a script writes lines with for_row_format" % type(writer_factory).__name__)

    class RowFormatBuilder:
        def __init__(self, path):
            self._path, self._config, self._bucket = path, OutputFileConfig(), BucketAssigner("yyyy-MM-dd--HH")

        def with_bucket_check_interval(self, interval):
            return self

        def with_bucket_assigner(self, bucket_assigner):
            self._bucket = bucket_assigner
            return self

        def with_rolling_policy(self, rolling_policy):
            return self

        def with_output_file_config(self, output_file_config):
            self._config = output_file_config
            return self

        def enable_compact(self, strategy, compactor):
            return self

        def disable_compact(self):
            return self

        def build(self):
            return FileSink(self._path, self._config, self._bucket)


class StreamingFileSink(FileSink):
    """The older name of FileSink, used with add_sink."""

    def get_java_function(self):
        return self
