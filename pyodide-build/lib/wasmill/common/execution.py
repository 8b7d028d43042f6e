"""ExecutionConfig, CheckpointConfig, restart strategies, and the modes that they know.

Settings that a cluster needs and this engine does not are kept and given back, so that a job file runs as it is.
"""

from enum import Enum

from .time import Duration, to_millis

__all__ = [
    "CheckpointConfig", "CheckpointingMode", "ExecutionConfig", "ExecutionMode", "ExternalizedCheckpointCleanup",
    "ExternalizedCheckpointRetention", "InputDependencyConstraint", "RestartStrategies", "RestartStrategyConfiguration", "RuntimeExecutionMode",
    "TimeCharacteristic",
]


class ExecutionMode(Enum):
    """How batches were exchanged; without meaning here."""

    PIPELINED = 0
    PIPELINED_FORCED = 1
    BATCH = 2
    BATCH_FORCED = 3


class InputDependencyConstraint(Enum):
    """When tasks were scheduled; without meaning here."""

    ANY = 0
    ALL = 1


class RuntimeExecutionMode(Enum):
    """How a job runs: STREAMING emits as it goes, BATCH emits the last results of keyed operations at the end of bounded inputs,
    AUTOMATIC is BATCH when all sources are bounded."""

    STREAMING = 0
    BATCH = 1
    AUTOMATIC = 2


class TimeCharacteristic(Enum):
    """Which time a job went by, before watermark strategies said so."""

    ProcessingTime = 0
    IngestionTime = 1
    EventTime = 2


class CheckpointingMode(Enum):
    """What a commit promises of state: each element counts once in either mode."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1


class ExternalizedCheckpointCleanup(Enum):
    """What becomes of checkpoints when a job is cancelled: here the last commit stays."""

    DELETE_ON_CANCELLATION = 0
    RETAIN_ON_CANCELLATION = 1
    NO_EXTERNALIZED_CHECKPOINTS = 2


class ExternalizedCheckpointRetention(Enum):
    """The newer name of ExternalizedCheckpointCleanup."""

    DELETE_ON_CANCELLATION = 0
    RETAIN_ON_CANCELLATION = 1
    NO_EXTERNALIZED_CHECKPOINTS = 2


class RestartStrategyConfiguration:
    """How often a failed job is started again, and after how long."""

    def __init__(self, attempts, delay_ms, description):
        self.attempts, self.delay_ms, self._description = attempts, delay_ms, description

    def get_description(self):
        """Returns the strategy in words."""
        return self._description

    def __eq__(self, other):
        return type(other) is type(self) and (self.attempts, self.delay_ms) == (other.attempts, other.delay_ms)

    def __hash__(self):
        return hash((type(self).__name__, self.attempts, self.delay_ms))


class _Delayed(RestartStrategyConfiguration):
    def get_delay_between_attempts_interval(self):
        """Returns the delay."""
        return Duration.of_millis(self.delay_ms)


class RestartStrategies:
    """How often a failed job is started again.

    >>> RestartStrategies.fixed_delay_restart(3, 1000).get_restart_attempts()
    3
    """

    RestartStrategyConfiguration = RestartStrategyConfiguration

    class NoRestartStrategyConfiguration(RestartStrategyConfiguration):
        """Never."""

    class FallbackRestartStrategyConfiguration(RestartStrategyConfiguration):
        """As the engine is configured."""

    class FixedDelayRestartStrategyConfiguration(_Delayed):
        """So often, each time after a delay."""

        def get_restart_attempts(self):
            """Returns how often."""
            return self.attempts - 1

    class FailureRateRestartStrategyConfiguration(_Delayed):
        """So often within an interval, which is counted over the whole run here."""

        def get_max_failure_rate(self):
            """Returns how often."""
            return self.attempts - 1

        def get_failure_interval(self):
            """Returns the interval."""
            return Duration.of_millis(self.interval_ms)

    @staticmethod
    def no_restart():
        """Never starts again."""
        return RestartStrategies.NoRestartStrategyConfiguration(1, 0, "Restart deactivated.")

    @staticmethod
    def fall_back_restart():
        """Starts again as the engine is configured."""
        return RestartStrategies.FallbackRestartStrategyConfiguration(0, 0, "Cluster level default restart strategy")

    @staticmethod
    def fixed_delay_restart(restart_attempts, delay_between_attempts):
        """Starts again so often, after a delay in milliseconds."""
        delay = to_millis(delay_between_attempts)
        return RestartStrategies.FixedDelayRestartStrategyConfiguration(
            restart_attempts + 1, delay, "Restart with fixed delay (%s ms). #%s restart attempts." % (delay, restart_attempts))

    @staticmethod
    def failure_rate_restart(failure_rate, failure_interval, delay_interval):
        """Starts again so often, after a delay in milliseconds."""
        delay = to_millis(delay_interval)
        strategy = RestartStrategies.FailureRateRestartStrategyConfiguration(
            failure_rate + 1, delay, "Failure rate restart with maximum of %d failures within interval %s ms and fixed delay %s ms."
            % (failure_rate, to_millis(failure_interval), delay))
        strategy.interval_ms = to_millis(failure_interval)
        return strategy


class _Settings:
    """Named settings with a getter and a setter each; setters return the object."""

    _DEFAULTS = {}
    _ARGUMENTS = {}  # what a setter's argument is called, where it is not the setting's name
    _USED = ()  # the settings that mean something here

    def __init__(self):
        self._set = {name: dict(value) if isinstance(value, dict) else value for name, value in self._DEFAULTS.items()}

    def __init_subclass__(cls):
        for name in cls._DEFAULTS:
            cls._add(name, cls._ARGUMENTS.get(name, name))

    @classmethod
    def _add(cls, name, argument):
        scope = {}  # made of text, so that the argument has its name
        exec("def get(self):\n    return self._set[%r]\ndef put(self, %s):\n    self._set[%r] = %s\n    return self\n" % (name, argument, name, argument), scope)
        words = name.replace("_", " ")
        for prefix, method, doc in (
                ("get_", scope["get"], "Returns the %s." % words),
                ("set_", scope["put"], ("Sets the %s." if name in cls._USED else "Keeps the %s, which has no effect here.") % words)):
            if prefix + name not in vars(cls):
                method.__name__, method.__qualname__ = prefix + name, "%s.%s%s" % (cls.__name__, prefix, name)
                method.__module__, method.__doc__ = cls.__module__, doc
                setattr(cls, prefix + name, method)

    def __eq__(self, other):
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash(str(sorted(self.__dict__.items(), key=str)))


def _switches(cls, **names):
    """Gives a class enable_x, disable_x and the question of a switch."""
    for name, question in names.items():
        _switch(cls, name, question, question.endswith("_disabled"))


def _switch(cls, name, question, negated):
    def enable(self):
        self._switches[name] = True
        return self

    def disable(self):
        self._switches[name] = False
        return self

    def asked(self):
        return self._switches[name] != negated

    words = name.replace("_", " ")
    for method, called, doc in ((enable, "enable_" + name, "Turns %s on." % words), (disable, "disable_" + name, "Turns %s off." % words),
                                (asked, question, "Tells whether %s is %s." % (words, "off" if negated else "on"))):
        method.__name__, method.__qualname__, method.__doc__ = called, "%s.%s" % (cls.__name__, called), doc
        setattr(cls, called, method)


class ExecutionConfig(_Settings):
    """Settings of a job's execution. Used are the parallelism, the interval of watermarks, job parameters and the restart strategy.

    >>> config = ExecutionConfig().set_auto_watermark_interval(50)
    >>> config.get_auto_watermark_interval(), config.is_object_reuse_enabled()
    (50, False)
    """

    PARALLELISM_DEFAULT = -1
    PARALLELISM_UNKNOWN = -2

    _DEFAULTS = {
        "parallelism": -1, "max_parallelism": -1, "auto_watermark_interval": 200, "latency_tracking_interval": 0,
        "execution_mode": ExecutionMode.PIPELINED, "task_cancellation_interval": -1, "task_cancellation_timeout": -1,
        "default_input_dependency_constraint": InputDependencyConstraint.ANY, "global_job_parameters": {},
        "restart_strategy": None, "number_of_execution_retries": -1,
    }
    _USED = ("parallelism", "max_parallelism", "auto_watermark_interval", "global_job_parameters", "restart_strategy")
    _ARGUMENTS = {
        "auto_watermark_interval": "interval", "latency_tracking_interval": "interval", "task_cancellation_interval": "interval",
        "task_cancellation_timeout": "timeout", "restart_strategy": "restart_strategy_configuration",
        "default_input_dependency_constraint": "input_dependency_constraint", "global_job_parameters": "global_job_parameters_dict",
    }

    def __init__(self):
        super().__init__()
        self._switches = {"closure_cleaner": True, "object_reuse": False, "generic_types": True, "force_kryo": False, "force_avro": False,
                          "auto_type_registration": True, "auto_generated_uids": True}
        self._compression = False
        self._java = {"default": {}, "kryo": {}, "pojo types": [], "kryo types": []}

    def get_global_job_parameters(self):
        """Returns the job parameters, as text."""
        return {key: str(value) for key, value in self._set["global_job_parameters"].items()}

    def set_use_snapshot_compression(self, use_snapshot_compression):
        """Asks for compressed snapshots; commits are compressed as the engine sees fit."""
        self._compression = use_snapshot_compression
        return self

    def is_use_snapshot_compression(self):
        """Tells whether compressed snapshots were asked for."""
        return self._compression

    # Serializers and types of the JVM are remembered; elements are Python's.

    def add_default_kryo_serializer(self, type_class_name, serializer_class_name):
        """Remembers a serializer of the JVM."""
        self._java["default"][type_class_name] = serializer_class_name
        return self

    def get_default_kryo_serializer_classes(self):
        """Returns the serializers of the JVM that were added."""
        return dict(self._java["default"])

    def register_type_with_kryo_serializer(self, type_class_name, serializer_class_name):
        """Remembers a serializer of the JVM."""
        self._java["kryo"][type_class_name] = serializer_class_name
        return self

    def get_registered_types_with_kryo_serializer_classes(self):
        """Returns the serializers of the JVM that were registered."""
        return dict(self._java["kryo"])

    def register_pojo_type(self, type_class_name):
        """Remembers a class of the JVM."""
        self._java["pojo types"].append(type_class_name)
        return self

    def get_registered_pojo_types(self):
        """Returns the classes of the JVM that were registered."""
        return list(self._java["pojo types"])

    def register_kryo_type(self, type_class_name):
        """Remembers a class of the JVM."""
        self._java["kryo types"].append(type_class_name)
        return self

    def get_registered_kryo_types(self):
        """Returns the classes of the JVM that were registered for Kryo."""
        return list(self._java["kryo types"])


_switches(ExecutionConfig, closure_cleaner="is_closure_cleaner_enabled", object_reuse="is_object_reuse_enabled",
          generic_types="has_generic_types_disabled", force_kryo="is_force_kryo_enabled", force_avro="is_force_avro_enabled",
          auto_type_registration="is_auto_type_registration_disabled", auto_generated_uids="has_auto_generated_uids_enabled")


class CheckpointConfig(_Settings):
    """Settings of checkpoints. The interval is how often state, timers and positions are committed; the rest is kept.

    >>> CheckpointConfig().set_checkpoint_interval(1000).is_checkpointing_enabled()
    True
    """

    DEFAULT_MODE = CheckpointingMode.EXACTLY_ONCE
    DEFAULT_TIMEOUT = 600000
    DEFAULT_MIN_PAUSE_BETWEEN_CHECKPOINTS = 0
    DEFAULT_MAX_CONCURRENT_CHECKPOINTS = 1

    _DEFAULTS = {
        "checkpoint_interval": -1, "checkpointing_mode": DEFAULT_MODE, "checkpoint_timeout": DEFAULT_TIMEOUT,
        "min_pause_between_checkpoints": 0, "max_concurrent_checkpoints": 1, "tolerable_checkpoint_failure_number": 0,
        "externalized_checkpoint_cleanup": ExternalizedCheckpointCleanup.NO_EXTERNALIZED_CHECKPOINTS, "checkpoint_storage": None,
        "externalized_checkpoint_retention": ExternalizedCheckpointRetention.NO_EXTERNALIZED_CHECKPOINTS,
        "alignment_timeout": Duration.of_millis(0), "force_unaligned_checkpoints": False, "prefer_checkpoint_for_recovery": False,
    }
    _USED = ("checkpoint_interval", "checkpointing_mode")
    _ARGUMENTS = {"externalized_checkpoint_cleanup": "cleanup_mode", "externalized_checkpoint_retention": "retention_mode", "checkpoint_storage": "storage"}

    def __init__(self):
        super().__init__()
        self._unaligned = False
        self._fail = True

    def is_checkpointing_enabled(self):
        """Tells whether an interval is set; without one the engine commits at its own."""
        return self._set["checkpoint_interval"] > 0

    def is_force_unaligned_checkpoints(self):
        """Tells whether unaligned checkpoints are forced."""
        return self._set["force_unaligned_checkpoints"]

    def is_prefer_checkpoint_for_recovery(self):
        """Tells whether checkpoints are preferred to savepoints."""
        return self._set["prefer_checkpoint_for_recovery"]

    def is_externalized_checkpoints_enabled(self):
        """Tells whether checkpoints outlive the job."""
        return self._set["externalized_checkpoint_cleanup"] is not ExternalizedCheckpointCleanup.NO_EXTERNALIZED_CHECKPOINTS

    def enable_externalized_checkpoints(self, cleanup_mode):
        """Says what becomes of checkpoints when the job is cancelled."""
        self._set["externalized_checkpoint_cleanup"] = cleanup_mode
        return self

    def is_fail_on_checkpointing_errors(self):
        """Tells whether a checkpoint that fails ends the job."""
        return self._fail

    def set_fail_on_checkpointing_errors(self, fail_on_checkpointing_errors):
        """Says whether a checkpoint that fails ends the job; a commit that fails always does."""
        self._fail = fail_on_checkpointing_errors
        return self

    def is_unaligned_checkpoints_enabled(self):
        """Tells whether unaligned checkpoints were asked for."""
        return self._unaligned

    def enable_unaligned_checkpoints(self, enabled=True):
        """Asks for unaligned checkpoints; commits are aligned."""
        self._unaligned = enabled
        return self

    def disable_unaligned_checkpoints(self):
        """Takes it back."""
        return self.enable_unaligned_checkpoints(False)

    def set_checkpoint_storage_dir(self, checkpoint_path):
        """Says where checkpoints are; commits are in the job's store."""
        from ..datastream.settings import FileSystemCheckpointStorage

        self._set["checkpoint_storage"] = FileSystemCheckpointStorage(checkpoint_path)
        return self
