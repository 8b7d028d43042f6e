"""Types, rows, time, configuration: what PyFlink calls pyflink.common."""

from .configuration import ConfigOption, ConfigOptions, Configuration
from .execution import ExecutionConfig, ExecutionMode, InputDependencyConstraint, RestartStrategies, RestartStrategyConfiguration
from .job import CompletableFuture, JobClient, JobExecutionResult, JobID, JobStatus
from .row import Row, RowKind
from .serialization import DeserializationSchema, Encoder, SerializationSchema, SimpleStringSchema
from .time import Duration, Instant, Time
from .typeinfo import TypeInformation, Types
from .watermark_strategy import TimestampAssigner, WatermarkStrategy

__all__ = [
    "CompletableFuture", "ConfigOption", "ConfigOptions", "Configuration", "DeserializationSchema", "Duration", "Encoder", "ExecutionConfig", "ExecutionMode",
    "InputDependencyConstraint", "Instant", "JobClient", "JobExecutionResult", "JobID", "JobStatus", "RestartStrategies",
    "RestartStrategyConfiguration", "Row", "RowKind", "SerializationSchema", "SimpleStringSchema", "Time", "TimestampAssigner",
    "TypeInformation", "Types", "WatermarkStrategy",
]
