"""State backends, checkpoint storage, slots: a cluster's settings, which are kept so that a job file runs as it is."""

from wasmill.datastream.settings import (
    CheckpointStorage as CheckpointStorage,
    CustomCheckpointStorage as CustomCheckpointStorage,
    CustomStateBackend as CustomStateBackend,
    EmbeddedRocksDBStateBackend as EmbeddedRocksDBStateBackend,
    FileSystemCheckpointStorage as FileSystemCheckpointStorage,
    FsStateBackend as FsStateBackend,
    HashMapStateBackend as HashMapStateBackend,
    JobManagerCheckpointStorage as JobManagerCheckpointStorage,
    MemorySize as MemorySize,
    MemoryStateBackend as MemoryStateBackend,
    PredefinedOptions as PredefinedOptions,
    RocksDBStateBackend as RocksDBStateBackend,
    SlotSharingGroup as SlotSharingGroup,
    StateBackend as StateBackend,
)
