"""State backends, checkpoint storage, slots: a cluster's settings, which are kept so that a job file runs as it is."""

from enum import Enum

__all__ = [
    "CheckpointStorage", "CustomStateBackend", "EmbeddedRocksDBStateBackend", "FileSystemCheckpointStorage", "FsStateBackend", "HashMapStateBackend",
    "JobManagerCheckpointStorage", "MemorySize", "MemoryStateBackend", "PredefinedOptions", "RocksDBStateBackend", "SlotSharingGroup", "StateBackend",
]


class _Kept:
    """Keeps what it is given: any get_x returns what set_x or the constructor was given."""

    def __init__(self, *args, **kwargs):
        self.args, self.settings = args, dict(kwargs)

    def __getattr__(self, name):
        if name.startswith("set_"):
            def put(*values):
                self.settings[name[4:]] = values[0] if len(values) == 1 else values
                return self

            return put
        if name.startswith(("get_", "is_")):
            key = name.split("_", 1)[1]
            return lambda: self.__dict__["settings"].get(key)
        raise AttributeError("%s has no %r" % (type(self).__name__, name))


class StateBackend(_Kept):
    """Where state is kept: here it is in the guest's memory and in Badger."""


class HashMapStateBackend(StateBackend):
    pass


class EmbeddedRocksDBStateBackend(StateBackend):
    pass


class MemoryStateBackend(StateBackend):
    pass


class FsStateBackend(StateBackend):
    pass


class RocksDBStateBackend(StateBackend):
    pass


class CustomStateBackend(StateBackend):
    pass


class PredefinedOptions(Enum):
    DEFAULT = 0
    SPINNING_DISK_OPTIMIZED = 1
    SPINNING_DISK_OPTIMIZED_HIGH_MEM = 2
    FLASH_SSD_OPTIMIZED = 3


class CheckpointStorage(_Kept):
    """Where checkpoints are kept: here they are commits in Badger."""


class JobManagerCheckpointStorage(CheckpointStorage):
    pass


class FileSystemCheckpointStorage(CheckpointStorage):
    pass


class MemorySize:
    """A number of bytes."""

    def __init__(self, bytes_size):
        self._bytes = bytes_size

    @staticmethod
    def of_mebi_bytes(mebi_bytes):
        return MemorySize(mebi_bytes << 20)

    def get_bytes(self):
        return self._bytes

    def get_kibi_bytes(self):
        return self._bytes >> 10

    def get_mebi_bytes(self):
        return self._bytes >> 20

    def get_gibi_bytes(self):
        return self._bytes >> 30

    def get_tebi_bytes(self):
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
    """A name for operators that share slots, and what they need."""

    def __init__(self, name, resources):
        self._name, self._resources = name, resources

    def get_name(self):
        return self._name

    def get_managed_memory(self):
        return self._resources.get("managed_memory")

    def get_task_heap_memory(self):
        return self._resources.get("task_heap_memory")

    def get_task_off_heap_memory(self):
        return self._resources.get("task_off_heap_memory")

    def get_cpu_cores(self):
        return self._resources.get("cpu_cores")

    def get_external_resources(self):
        return self._resources.get("external", {})

    @staticmethod
    def builder(name):
        return SlotSharingGroup.Builder(name)

    class Builder:
        def __init__(self, name):
            self._name, self._resources = name, {}

        def set_cpu_cores(self, cpu_cores):
            self._resources["cpu_cores"] = cpu_cores
            return self

        def _memory(self, kind, size):
            self._resources[kind] = size if isinstance(size, MemorySize) else MemorySize.of_mebi_bytes(size)
            return self

        def set_task_heap_memory(self, memory):
            return self._memory("task_heap_memory", memory)

        def set_task_heap_memory_mb(self, task_heap_memory_mb):
            return self._memory("task_heap_memory", task_heap_memory_mb)

        def set_task_off_heap_memory(self, memory):
            return self._memory("task_off_heap_memory", memory)

        def set_task_off_heap_memory_mb(self, task_off_heap_memory_mb):
            return self._memory("task_off_heap_memory", task_off_heap_memory_mb)

        def set_managed_memory(self, memory):
            return self._memory("managed_memory", memory)

        def set_managed_memory_mb(self, managed_memory_mb):
            return self._memory("managed_memory", managed_memory_mb)

        def set_external_resource(self, name, value):
            self._resources.setdefault("external", {})[name] = value
            return self

        def build(self):
            return SlotSharingGroup(self._name, self._resources)
