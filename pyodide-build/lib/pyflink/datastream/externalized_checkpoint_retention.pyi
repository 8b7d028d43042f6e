"""ExecutionConfig, CheckpointConfig, restart strategies, and the modes that they know."""

from wasmill.common.execution import (
    CheckpointConfig as CheckpointConfig,
    CheckpointingMode as CheckpointingMode,
    ExecutionConfig as ExecutionConfig,
    ExecutionMode as ExecutionMode,
    ExternalizedCheckpointCleanup as ExternalizedCheckpointCleanup,
    ExternalizedCheckpointRetention as ExternalizedCheckpointRetention,
    InputDependencyConstraint as InputDependencyConstraint,
    RestartStrategies as RestartStrategies,
    RestartStrategyConfiguration as RestartStrategyConfiguration,
    RuntimeExecutionMode as RuntimeExecutionMode,
    TimeCharacteristic as TimeCharacteristic,
)
