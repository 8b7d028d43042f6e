"""Configuration, ExecutionConfig and what else a job can be told, kept as PyFlink keeps it.

Settings that a cluster needs and this engine does not are accepted, so that a job file runs as it is, and noted once.
"""

from enum import Enum

__all__ = [
    "CheckpointConfig", "CheckpointingMode", "Configuration", "ExecutionConfig", "ExecutionMode", "ExternalizedCheckpointCleanup",
    "InputDependencyConstraint", "RestartStrategies", "RuntimeExecutionMode", "TimeCharacteristic",
]


class Configuration:
    """Settings by name. Values are kept as they were given, and read as the type asked for."""

    def __init__(self, other=None, j_configuration=None):
        source = other if other is not None else j_configuration
        self._values = dict(source._values) if isinstance(source, Configuration) and j_configuration is None else {}
        if isinstance(j_configuration, Configuration):
            self._values = j_configuration._values  # the same settings under another name

    def set_string(self, key, value):
        if not isinstance(value, str):
            raise TypeError("expected text for %s, got %r" % (key, value))
        self._values[key] = value
        return self

    def set_integer(self, key, value):
        self._values[key] = int(value)
        return self

    def set_boolean(self, key, value):
        self._values[key] = bool(value)
        return self

    def set_float(self, key, value):
        self._values[key] = float(value)
        return self

    def set_bytearray(self, key, value):
        self._values[key] = bytearray(value)
        return self

    def set(self, key, value):
        self._values[getattr(key, "key", key)] = value
        return self

    setString = set_string

    def get(self, key, default=None):
        return self._values.get(getattr(key, "key", key), default)

    def get_string(self, key, default_value):
        value = self._values.get(key)
        if value is None:
            return default_value
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    def get_integer(self, key, default_value):
        return int(self._values.get(key, default_value))

    def get_boolean(self, key, default_value):
        value = self._values.get(key, default_value)
        return value.lower() == "true" if isinstance(value, str) else bool(value)

    def get_float(self, key, default_value):
        return float(self._values.get(key, default_value))

    def get_bytearray(self, key, default_value):
        return bytearray(self._values.get(key, default_value))

    def contains_key(self, key):
        return key in self._values

    def key_set(self):
        return set(self._values)

    def add_all(self, other, prefix=None):
        for key, value in other._values.items():
            self._values[(prefix or "") + key] = value
        return self

    def add_all_to_dict(self, target_dict):
        target_dict.update(self.to_dict())

    def remove_config(self, key):
        return self._values.pop(key, None) is not None

    def to_dict(self):
        return {key: self.get_string(key, "") for key in self._values}

    def __eq__(self, other):
        return isinstance(other, Configuration) and self._values == other._values

    def __hash__(self):
        return hash(tuple(sorted(self.to_dict().items())))

    def __str__(self):
        return str(self.to_dict())


class ExecutionMode(Enum):
    PIPELINED = 0
    PIPELINED_FORCED = 1
    BATCH = 2
    BATCH_FORCED = 3


class InputDependencyConstraint(Enum):
    ANY = 0
    ALL = 1


class RuntimeExecutionMode(Enum):
    """How a job runs: STREAMING emits as it goes, BATCH emits the last results of keyed operations at the end of bounded inputs,
    AUTOMATIC is BATCH when all sources are bounded."""

    STREAMING = 0
    BATCH = 1
    AUTOMATIC = 2


class TimeCharacteristic(Enum):
    ProcessingTime = 0
    IngestionTime = 1
    EventTime = 2


class CheckpointingMode(Enum):
    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1


class ExternalizedCheckpointCleanup(Enum):
    DELETE_ON_CANCELLATION = 0
    RETAIN_ON_CANCELLATION = 1
    NO_EXTERNALIZED_CHECKPOINTS = 2


class RestartStrategies:
    """How often a failed job is started again."""

    class RestartStrategyConfiguration:
        def __init__(self, attempts, delay_ms, description):
            self.attempts, self.delay_ms, self._description = attempts, delay_ms, description

        def get_description(self):
            return self._description

        def __eq__(self, other):
            return isinstance(other, RestartStrategies.RestartStrategyConfiguration) and (self.attempts, self.delay_ms) == (other.attempts, other.delay_ms)

        def __hash__(self):
            return hash((self.attempts, self.delay_ms))

    FixedDelayRestartStrategyConfiguration = FailureRateRestartStrategyConfiguration = RestartStrategyConfiguration
    NoRestartStrategyConfiguration = FallbackRestartStrategyConfiguration = RestartStrategyConfiguration

    @staticmethod
    def no_restart():
        return RestartStrategies.RestartStrategyConfiguration(1, 0, "Restart deactivated.")

    @staticmethod
    def fall_back_restart():
        return RestartStrategies.RestartStrategyConfiguration(0, 0, "Cluster level default restart strategy")

    @staticmethod
    def fixed_delay_restart(restart_attempts, delay_between_attempts):
        from .time import to_millis

        delay = to_millis(delay_between_attempts)
        return RestartStrategies.RestartStrategyConfiguration(
            restart_attempts + 1, delay, "Restart with fixed delay (%s ms). #%s restart attempts." % (delay, restart_attempts))

    @staticmethod
    def failure_rate_restart(failure_rate, failure_interval, delay_interval):
        from .time import to_millis

        delay = to_millis(delay_interval)
        return RestartStrategies.RestartStrategyConfiguration(
            failure_rate + 1, delay,
            "Failure rate restart with maximum of %d failures within interval %s and fixed delay %s." % (failure_rate, failure_interval, delay))


class _Settings:
    """Named settings with a getter and a setter each; setters return the object."""

    _DEFAULTS = {}

    def __init__(self):
        self._set = dict(self._DEFAULTS)

    def __init_subclass__(cls):
        for name in cls._DEFAULTS:
            if name.startswith("is_"):
                continue
            cls._add(name)

    @classmethod
    def _add(cls, name):
        def get(self):
            return self._set[name]

        def put(self, value):
            self._set[name] = value
            return self

        get.__doc__, put.__doc__ = "Returns %s." % name.replace("_", " "), "Sets %s." % name.replace("_", " ")
        for prefix, method in (("get_", get), ("set_", put)):
            if not hasattr(cls, prefix + name):
                setattr(cls, prefix + name, method)


class ExecutionConfig(_Settings):
    """Settings of a job's execution."""

    PARALLELISM_DEFAULT = -1
    PARALLELISM_UNKNOWN = -2

    _DEFAULTS = {
        "parallelism": -1, "max_parallelism": -1, "auto_watermark_interval": 200, "latency_tracking_interval": 0,
        "execution_mode": ExecutionMode.PIPELINED, "task_cancellation_interval": -1, "task_cancellation_timeout": -1,
        "default_input_dependency_constraint": InputDependencyConstraint.ANY, "global_job_parameters": {},
        "restart_strategy": None, "number_of_execution_retries": -1,
    }

    def __init__(self):
        super().__init__()
        self._set["global_job_parameters"] = {}
        self._switches = {"closure_cleaner": True, "object_reuse": False, "generic_types": True, "force_kryo": False, "force_avro": False,
                          "auto_type_registration": True, "use_snapshot_compression": False}

    def get_global_job_parameters(self):
        return dict(self._set["global_job_parameters"])

    def __getattr__(self, name):
        switches = self.__dict__.get("_switches", {})
        for prefix, value in (("enable_", True), ("disable_", False)):
            if name.startswith(prefix) and name[len(prefix):] in switches:
                return lambda: self._switch(name[len(prefix):], value)
        base = name.removeprefix("is_").removesuffix("_enabled").removeprefix("has_").removesuffix("_disabled")
        if base in switches:
            return lambda: switches[base] != name.endswith("_disabled")
        raise AttributeError("ExecutionConfig has no %r" % name)

    def _switch(self, name, value):
        self._switches[name] = value
        return self

    def set_use_snapshot_compression(self, value):
        return self._switch("use_snapshot_compression", value)


class CheckpointConfig(_Settings):
    """Settings of checkpoints. The interval is how often state, timers and positions are committed."""

    _DEFAULTS = {
        "checkpoint_interval": -1, "checkpointing_mode": CheckpointingMode.EXACTLY_ONCE, "checkpoint_timeout": 600000,
        "min_pause_between_checkpoints": 0, "max_concurrent_checkpoints": 1, "tolerable_checkpoint_failure_number": 0,
        "externalized_checkpoint_cleanup": ExternalizedCheckpointCleanup.NO_EXTERNALIZED_CHECKPOINTS, "checkpoint_storage": None,
        "externalized_checkpoint_retention": ExternalizedCheckpointCleanup.NO_EXTERNALIZED_CHECKPOINTS, "alignment_timeout": None,
    }

    def __init__(self):
        super().__init__()
        self._unaligned = False
        self._fail = True

    def is_checkpointing_enabled(self):
        return self._set["checkpoint_interval"] > 0

    def is_externalized_checkpoints_enabled(self):
        return self._set["externalized_checkpoint_cleanup"] is not ExternalizedCheckpointCleanup.NO_EXTERNALIZED_CHECKPOINTS

    def enable_externalized_checkpoints(self, cleanup_mode):
        self._set["externalized_checkpoint_cleanup"] = cleanup_mode
        return self

    def is_fail_on_checkpointing_errors(self):
        return self._fail

    def set_fail_on_checkpointing_errors(self, fail_on_checkpointing_errors):
        self._fail = fail_on_checkpointing_errors
        return self

    def is_unaligned_checkpoints_enabled(self):
        return self._unaligned

    def enable_unaligned_checkpoints(self, enabled=True):
        self._unaligned = enabled
        return self

    def disable_unaligned_checkpoints(self):
        return self.enable_unaligned_checkpoints(False)

    def set_checkpoint_storage_dir(self, checkpoint_path):
        self._set["checkpoint_storage"] = checkpoint_path
        return self
