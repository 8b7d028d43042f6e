"""State backends, checkpoint storage, slots: a cluster's settings, which are kept so that a job file runs as it is."""

from enum import Enum

__all__ = [
    "CheckpointStorage", "CustomCheckpointStorage", "CustomStateBackend", "EmbeddedRocksDBStateBackend", "FileSystemCheckpointStorage", "FsStateBackend",
    "HashMapStateBackend", "JobManagerCheckpointStorage", "MemorySize", "MemoryStateBackend", "PredefinedOptions", "RocksDBStateBackend",
    "SlotSharingGroup", "StateBackend",
]

_STATE_SIZE = 5 << 20


def _path(uri):
    """Returns a path as Flink writes it: without the slash at its end."""
    return uri.rstrip("/") if isinstance(uri, str) else uri


class PredefinedOptions(Enum):
    """What RocksDB was tuned for; state is in Badger."""

    DEFAULT = 0
    SPINNING_DISK_OPTIMIZED = 1
    SPINNING_DISK_OPTIMIZED_HIGH_MEM = 2
    FLASH_SSD_OPTIMIZED = 3


class StateBackend:
    """Where state is kept: here it is in the guest's memory and in Badger, whatever the backend."""


class HashMapStateBackend(StateBackend):
    """Flink's backend in memory."""


class CustomStateBackend(StateBackend):
    """A backend of the user's, in Java."""

    def __init__(self, j_custom_state_backend):
        raise TypeError("a custom state backend is Java's; state is kept in the guest's memory and in Badger")


class _Rocks(StateBackend):
    _THREADS = 4

    def __init__(self, enable_incremental_checkpointing):
        self._incremental, self._paths, self._options = bool(enable_incremental_checkpointing), None, PredefinedOptions.DEFAULT
        self._factory, self._threads = None, self._THREADS

    def set_db_storage_paths(self, *paths):
        """Keeps where RocksDB would be."""
        self._paths = ["/" + p.split("://", 1)[-1].split("/", 1)[-1].strip("/") if p.startswith("file:") else p for p in paths] or None

    def get_db_storage_paths(self):
        """Returns where RocksDB would be."""
        return self._paths

    def is_incremental_checkpoints_enabled(self):
        """Tells whether incremental checkpoints were asked for; commits always are."""
        return self._incremental

    def set_predefined_options(self, options):
        """Keeps what RocksDB would be tuned for."""
        self._options = options

    def get_predefined_options(self):
        """Returns what RocksDB would be tuned for."""
        return self._options

    def set_options(self, options_factory_class_name):
        """Keeps a class of the JVM."""
        self._factory = options_factory_class_name

    def get_options(self):
        """Returns the class of the JVM."""
        return self._factory


class EmbeddedRocksDBStateBackend(_Rocks):
    """Flink's backend on disk."""

    def __init__(self, enable_incremental_checkpointing=None):
        super().__init__(enable_incremental_checkpointing)

    def get_number_of_transfer_threads(self):
        """Returns the number of threads."""
        return self._threads

    def set_number_of_transfer_threads(self, number_of_transfering_threads):
        """Keeps a number of threads."""
        self._threads = number_of_transfering_threads


class MemoryStateBackend(StateBackend):
    """Flink's older backend in memory."""

    DEFAULT_MAX_STATE_SIZE = _STATE_SIZE

    def __init__(self, checkpoint_path=None, savepoint_path=None, max_state_size=None, using_asynchronous_snapshots=None):
        self._size = max_state_size or _STATE_SIZE
        self._asynchronous = using_asynchronous_snapshots is not False
        self._j_memory_state_backend = self

    def get_max_state_size(self):
        """Returns the size; there is no such limit here."""
        return self._size

    def is_using_asynchronous_snapshots(self):
        """Tells whether snapshots are asynchronous."""
        return self._asynchronous


class FsStateBackend(StateBackend):
    """Flink's older backend with checkpoints in files."""

    def __init__(self, checkpoint_directory_uri=None, default_savepoint_directory_uri=None, file_state_size_threshold=None, write_buffer_size=None,
                 using_asynchronous_snapshots=None):
        if checkpoint_directory_uri is None:
            raise ValueError("The parameter 'checkpoint_directory_uri' is required!")
        self._path, self._threshold = _path(checkpoint_directory_uri), file_state_size_threshold or 1024 * 20
        self._buffer, self._asynchronous = write_buffer_size or 4096, using_asynchronous_snapshots is not False

    def get_checkpoint_path(self):
        """Returns where checkpoints would be."""
        return self._path

    def get_min_file_size_threshold(self):
        """Returns the size in bytes below which state would not be in a file of its own."""
        return self._threshold

    def get_write_buffer_size(self):
        """Returns the size of the buffer in bytes."""
        return max(self._buffer, self._threshold)

    def is_using_asynchronous_snapshots(self):
        """Tells whether snapshots are asynchronous."""
        return self._asynchronous


class RocksDBStateBackend(_Rocks):
    """Flink's older backend on disk."""

    def __init__(self, checkpoint_data_uri=None, enable_incremental_checkpointing=None, checkpoint_stream_backend=None):
        if checkpoint_data_uri is None and checkpoint_stream_backend is None:
            raise ValueError("Either checkpoint_data_uri or checkpoint_stream_backend is required")
        super().__init__(enable_incremental_checkpointing)
        self._backend = checkpoint_stream_backend or FsStateBackend(checkpoint_data_uri)
        self._compaction = True

    def get_checkpoint_backend(self):
        """Returns where checkpoints would be kept."""
        return self._backend

    def is_ttl_compaction_filter_enabled(self):
        """Tells whether compaction would remove what is over."""
        return self._compaction

    def disable_ttl_compaction_filter(self):
        """Keeps that it would not."""
        self._compaction = False

    def get_number_of_transfering_threads(self):
        """Returns the number of threads."""
        return self._threads

    def set_number_of_transfering_threads(self, number_of_transfering_threads):
        """Keeps a number of threads."""
        self._threads = number_of_transfering_threads


class CheckpointStorage:
    """Where checkpoints are kept: here they are commits in Badger, whatever the storage."""


class JobManagerCheckpointStorage(CheckpointStorage):
    """Flink's storage in the job manager's memory."""

    DEFAULT_MAX_STATE_SIZE = _STATE_SIZE

    def __init__(self, checkpoint_path=None, max_state_size=None):
        self._path, self._size = _path(checkpoint_path), max_state_size or _STATE_SIZE

    def get_checkpoint_path(self):
        """Returns where checkpoints would be."""
        return self._path

    def get_max_state_size(self):
        """Returns the size; there is no such limit here."""
        return self._size

    def get_savepoint_path(self):
        """Returns None."""
        return None


class FileSystemCheckpointStorage(CheckpointStorage):
    """Flink's storage in files."""

    def __init__(self, checkpoint_path=None, file_state_size_threshold=None, write_buffer_size=-1):
        if checkpoint_path is None:
            raise ValueError("checkpoint_path must not be None")
        self._path, self._threshold, self._buffer = _path(checkpoint_path), file_state_size_threshold or 20 * 1024, write_buffer_size

    def get_checkpoint_path(self):
        """Returns where checkpoints would be."""
        return self._path

    def get_savepoint_path(self):
        """Returns None."""
        return None

    def get_min_file_size_threshold(self):
        """Returns the size in bytes below which state would not be in a file of its own."""
        return self._threshold

    def get_write_buffer_size(self):
        """Returns the size of the buffer in bytes."""
        return max(self._buffer, 4096, self._threshold)


class CustomCheckpointStorage(CheckpointStorage):
    """A storage of the user's, in Java."""

    def __init__(self, j_custom_checkpoint_storage):
        raise TypeError("a custom checkpoint storage is Java's; commits are kept in Badger")


class MemorySize:
    """A number of bytes.

    >>> str(MemorySize.of_mebi_bytes(2))
    '2097152 bytes'
    """

    def __init__(self, bytes_size=None):
        if bytes_size is None or bytes_size < 0:
            raise ValueError("bytes_size must not be negative, got %r" % (bytes_size,))
        self._bytes = bytes_size

    @staticmethod
    def of_mebi_bytes(mebi_bytes):
        """Returns so many times 1,048,576 bytes."""
        return MemorySize(mebi_bytes << 20)

    def get_bytes(self):
        """Returns the bytes."""
        return self._bytes

    def get_kibi_bytes(self):
        """Returns whole KiB."""
        return self._bytes >> 10

    def get_mebi_bytes(self):
        """Returns whole MiB."""
        return self._bytes >> 20

    def get_gibi_bytes(self):
        """Returns whole GiB."""
        return self._bytes >> 30

    def get_tebi_bytes(self):
        """Returns whole TiB."""
        return self._bytes >> 40

    def __eq__(self, other):
        return isinstance(other, MemorySize) and self._bytes == other._bytes

    def __hash__(self):
        return hash(self._bytes)

    def __lt__(self, other):
        return self._bytes < other._bytes

    def __le__(self, other):
        return self._bytes <= other._bytes

    def __str__(self):
        return "%d bytes" % self._bytes


class SlotSharingGroup:
    """A name for operators that share slots, and what they need. There are no slots here.

    >>> SlotSharingGroup.builder("heavy").set_cpu_cores(2.0).set_task_heap_memory_mb(100).build().get_cpu_cores()
    2.0
    """

    def __init__(self, name, resources):
        self._name, self._resources = name, resources

    def get_name(self):
        """Returns the name."""
        return self._name

    def get_managed_memory(self):
        """Returns the managed memory, or None."""
        return self._resources.get("managed_memory")

    def get_task_heap_memory(self):
        """Returns the memory of the heap, or None."""
        return self._resources.get("task_heap_memory")

    def get_task_off_heap_memory(self):
        """Returns the memory off the heap, or None."""
        return self._resources.get("task_off_heap_memory")

    def get_cpu_cores(self):
        """Returns the cores, or None."""
        return self._resources.get("cpu_cores")

    def get_external_resources(self):
        """Returns the other resources by name."""
        return dict(self._resources.get("external", {}))

    def __eq__(self, other):
        return isinstance(other, SlotSharingGroup) and (self._name, self._resources) == (other._name, other._resources)

    def __hash__(self):
        return hash(self._name)

    @staticmethod
    def builder(name):
        """Begins a group of this name."""
        return SlotSharingGroup.Builder(name)

    class Builder:
        """Builds a SlotSharingGroup."""

        def __init__(self, name):
            self._name, self._resources = name, {}

        def set_cpu_cores(self, cpu_cores):
            """Sets the cores."""
            self._resources["cpu_cores"] = cpu_cores
            return self

        def set_task_heap_memory(self, task_heap_memory):
            """Sets the memory of the heap."""
            self._resources["task_heap_memory"] = task_heap_memory
            return self

        def set_task_heap_memory_mb(self, task_heap_memory_mb):
            """Sets the memory of the heap in MiB."""
            return self.set_task_heap_memory(MemorySize.of_mebi_bytes(task_heap_memory_mb))

        def set_task_off_heap_memory(self, task_off_heap_memory):
            """Sets the memory off the heap."""
            self._resources["task_off_heap_memory"] = task_off_heap_memory
            return self

        def set_task_off_heap_memory_mb(self, task_off_heap_memory_mb):
            """Sets the memory off the heap in MiB."""
            return self.set_task_off_heap_memory(MemorySize.of_mebi_bytes(task_off_heap_memory_mb))

        def set_managed_memory(self, managed_memory):
            """Sets the managed memory."""
            self._resources["managed_memory"] = managed_memory
            return self

        def set_managed_memory_mb(self, managed_memory_mb):
            """Sets the managed memory in MiB."""
            return self.set_managed_memory(MemorySize.of_mebi_bytes(managed_memory_mb))

        def set_external_resource(self, name, value):
            """Sets another resource."""
            self._resources.setdefault("external", {})[name] = value
            return self

        def build(self):
            """Returns the group."""
            return SlotSharingGroup(self._name, self._resources)
