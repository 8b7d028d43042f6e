"""StreamExecutionEnvironment: what a script begins with."""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from typing import Any, Iterable, Optional

from ..common.configuration import Configuration
from ..common.execution import CheckpointConfig, ExecutionConfig, RestartStrategies, RestartStrategyConfiguration, RuntimeExecutionMode, TimeCharacteristic
from ..common.job import JobClient, JobExecutionResult, JobID, JobStatus
from ..common.typeinfo import TypeInformation, Types, wrapping
from ..common.watermark_strategy import NoWatermarks, WatermarkStrategy
from ..jvm import JavaEnvironment, Py4JError
from . import archives, host, plan, requirements
from .connectors.file_system import FileSource, InputFormat
from .functions import SourceFunction
from .graph import UNTYPED, Edge, Node, build, reachable
from .sinks import CollectionSource, CollectSink, Source, TextSource
from .settings import EmbeddedRocksDBStateBackend, HashMapStateBackend, MemoryStateBackend, StateBackend
from .stream import DataStream, declared

__all__ = ["StreamExecutionEnvironment"]

_noted = set()


def note(what):
    """Says once that a setting has no meaning here."""
    if what not in _noted:
        _noted.add(what)
        print("note: " + what, file=sys.stderr)


_environments = []


def _unexecuted():
    """Says at the end of a script that streams end in sinks which no job has run."""
    if sys.exc_info()[0] is None and any(env._sinks and not env._explained for env in _environments):
        note("the script has ended with sinks that no job has run: call env.execute() behind the last of them")


if host.inside():
    atexit.register(_unexecuted)


class StreamExecutionEnvironment:
    """Makes streams, and runs the jobs that they are part of.

    >>> env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
    >>> numbers = env.from_collection([1, 2, 3], Types.INT())
    >>> list(numbers.map(lambda v: v * v).execute_and_collect())
    [1, 4, 9]
    """

    _default = None

    def __init__(self, configuration=None):
        self._config = ExecutionConfig()
        self._checkpoints = CheckpointConfig()
        self._configuration = Configuration(configuration) if configuration is not None else Configuration()
        self._nodes, self._sinks, self._slots = [], [], {}
        self._mode = RuntimeExecutionMode.STREAMING
        self._chaining = True
        self._characteristic = TimeCharacteristic.EventTime
        self._buffer_timeout = 100
        self._state_backend = self._savepoints = None
        self._local_parallelism = host.parallelism()
        self._changelog = None
        self._drops_unclaimed = False
        self._files = {}
        self._explained = False  # its graph was asked for, maybe in the place of a job
        _environments.append(self)
        if configuration is not None:
            self.configure(configuration)

    @staticmethod
    def get_execution_environment(configuration: Optional[Configuration] = None) -> StreamExecutionEnvironment:
        """Returns an environment for this script."""
        return StreamExecutionEnvironment(configuration)

    @property
    def _j_stream_execution_environment(self):
        """Stands for the environment of the JVM, which settings are read and made of."""
        return JavaEnvironment(self)

    def _add(self, node):
        self._nodes.append(node)
        return len(self._nodes)

    # Settings.

    def get_config(self) -> ExecutionConfig:
        """Returns the ExecutionConfig."""
        return self._config

    def set_parallelism(self, parallelism: int) -> StreamExecutionEnvironment:
        """Sets how many subtasks an operator has that does not say itself."""
        if not isinstance(parallelism, int) or parallelism < 1:
            raise ValueError("The parallelism must be a positive number, got %r" % (parallelism,))
        self._config.set_parallelism(parallelism)
        return self

    def get_parallelism(self) -> int:
        """Returns how many subtasks an operator has that does not say itself."""
        own = self._config.get_parallelism()
        return own if own > 0 else self._local_parallelism

    def set_max_parallelism(self, max_parallelism: int) -> StreamExecutionEnvironment:
        """Sets the number of key groups, fixed when a job first runs."""
        if not 1 <= max_parallelism <= 32768:
            raise ValueError("The maximum parallelism must be from 1 to 32768, got %r" % (max_parallelism,))
        self._config.set_max_parallelism(max_parallelism)
        return self

    def get_max_parallelism(self) -> int:
        """Returns the number of key groups, or -1 where nothing is said."""
        return self._config.get_max_parallelism()

    def get_default_local_parallelism(self) -> int:
        """Returns the parallelism where nothing is said: as many as there are processors."""
        return self._local_parallelism

    def set_default_local_parallelism(self, parallelism: int):
        """Sets the parallelism where nothing is said."""
        self._local_parallelism = parallelism

    def register_slot_sharing_group(self, slot_sharing_group) -> StreamExecutionEnvironment:
        """Keeps what a slot sharing group needs; there are no slots."""
        self._slots[slot_sharing_group.get_name()] = slot_sharing_group
        return self

    def set_runtime_mode(self, execution_mode: RuntimeExecutionMode) -> StreamExecutionEnvironment:
        """Runs jobs as streams, or as batches that emit last results when their inputs end."""
        self._mode = execution_mode
        return self

    def _runs_as_batch(self, sinks):
        if self._mode is RuntimeExecutionMode.AUTOMATIC:
            return all(sink.bounded() for sink in sinks)
        return self._mode is RuntimeExecutionMode.BATCH

    def set_buffer_timeout(self, timeout_millis: int) -> StreamExecutionEnvironment:
        """Keeps how long elements may wait to be sent; they are sent at the end of each batch."""
        self._buffer_timeout = timeout_millis
        return self

    def get_buffer_timeout(self) -> int:
        """Returns what set_buffer_timeout was given, in milliseconds."""
        return self._buffer_timeout

    def disable_operator_chaining(self) -> StreamExecutionEnvironment:
        """Runs every operator as a task of its own."""
        self._chaining = False
        return self

    def is_chaining_enabled(self) -> bool:
        """Tells whether operators may run as one task."""
        return self._chaining

    def is_chaining_of_operators_with_different_max_parallelism_enabled(self):
        """Tells whether operators of different maximum parallelism may run as one task: yes."""
        return True

    def get_checkpoint_config(self) -> CheckpointConfig:
        """Returns the CheckpointConfig."""
        return self._checkpoints

    def enable_checkpointing(self, interval: int, mode=None) -> StreamExecutionEnvironment:
        """Commits state, timers and positions every so many milliseconds."""
        self._checkpoints.set_checkpoint_interval(interval)
        if mode is not None:
            self._checkpoints.set_checkpointing_mode(mode)
        return self

    def get_checkpoint_interval(self) -> int:
        """Returns how often state is committed, in milliseconds, or -1 for as often as the engine does."""
        return self._checkpoints.get_checkpoint_interval()

    def get_checkpointing_mode(self):
        """Returns the checkpointing mode."""
        return self._checkpoints.get_checkpointing_mode()

    def get_checkpointing_consistency_mode(self):
        """Returns the checkpointing mode."""
        return self._checkpoints.get_checkpointing_mode()

    def is_unaligned_checkpoints_enabled(self):
        """Tells whether unaligned checkpoints were asked for."""
        return self._checkpoints.is_unaligned_checkpoints_enabled()

    def is_force_unaligned_checkpoints(self):
        """Tells whether unaligned checkpoints are forced."""
        return self._checkpoints.is_force_unaligned_checkpoints()

    def get_state_backend(self):
        """Returns what set_state_backend was given."""
        return self._state_backend

    def set_state_backend(self, state_backend) -> StreamExecutionEnvironment:
        """Keeps a state backend; state is in the guest's memory and in Badger whatever it is."""
        note("state is kept in the guest and in Badger; the state backend %s is not used" % type(state_backend).__name__)
        self._state_backend = state_backend
        return self

    def enable_changelog_state_backend(self, enabled: bool) -> StreamExecutionEnvironment:
        """Keeps whether changes are logged; commits always are of what changed."""
        self._changelog = enabled
        return self

    def is_changelog_state_backend_enabled(self):
        """Returns what enable_changelog_state_backend was given."""
        return self._changelog

    def set_default_savepoint_directory(self, directory) -> StreamExecutionEnvironment:
        """Keeps a folder; there are no savepoints."""
        self._savepoints = directory
        return self

    def get_default_savepoint_directory(self):
        """Returns what set_default_savepoint_directory was given."""
        return self._savepoints

    def configure(self, configuration: Optional[Configuration]):
        """Takes settings by name; those that mean something here are used."""
        self._configuration.add_all(configuration)
        values = configuration._values
        if "parallelism.default" in values:
            self.set_parallelism(configuration.get_integer("parallelism.default", 1))
        if "pipeline.max-parallelism" in values:
            self.set_max_parallelism(configuration.get_integer("pipeline.max-parallelism", 128))
        if "execution.runtime-mode" in values:
            self.set_runtime_mode(RuntimeExecutionMode[configuration.get_string("execution.runtime-mode", "STREAMING").upper()])
        if "pipeline.auto-watermark-interval" in values:
            self._config.set_auto_watermark_interval(_millis(values["pipeline.auto-watermark-interval"]))
        if "execution.checkpointing.interval" in values:
            self.enable_checkpointing(_millis(values["execution.checkpointing.interval"]))
        if "execution.checkpointing.timeout" in values:
            self._checkpoints.set_checkpoint_timeout(_millis(values["execution.checkpointing.timeout"]))
        if "execution.buffer-timeout" in values:
            self.set_buffer_timeout(_millis(values["execution.buffer-timeout"]))
        if "pipeline.time-characteristic" in values:
            self.set_stream_time_characteristic(TimeCharacteristic[values["pipeline.time-characteristic"]])
        backend = values.get("state.backend", values.get("state.backend.type"))
        if backend is not None:
            kinds = {"jobmanager": MemoryStateBackend, "hashmap": HashMapStateBackend, "rocksdb": EmbeddedRocksDBStateBackend}
            self._state_backend = kinds.get(backend, StateBackend)()
        if str(values.get("pipeline.operator-chaining", values.get("pipeline.operator-chaining.enabled", "true"))).lower() == "false":
            self.disable_operator_chaining()
        self._configure_recovery(values)
        for key in ("pipeline.jars", "pipeline.classpaths"):
            if values.get(key):
                self.add_jars(values[key])
        for path in str(values.get("python.files") or "").split(","):
            if path:
                self.add_python_file(path)
        for path in str(values.get("python.archives") or "").split(","):
            if path:
                self.add_python_archive(path)
        if values.get("python.requirements"):
            path, _, cache = str(values["python.requirements"]).partition("#")
            self.set_python_requirements(path, cache or None)

    def _configure_recovery(self, values):
        strategy = values.get("restart-strategy.type", values.get("restart-strategy"))
        if strategy is not None:
            kind = str(strategy).lower().replace("-", "")
            attempts = int(values.get("restart-strategy.fixed-delay.attempts", 1))
            delay = _millis(values.get("restart-strategy.fixed-delay.delay", "1 s"))
            if kind in ("none", "off", "disable"):
                self.set_restart_strategy(RestartStrategies.no_restart())
            elif kind == "fixeddelay":
                self.set_restart_strategy(RestartStrategies.fixed_delay_restart(attempts, delay))
            elif kind == "failurerate":
                self.set_restart_strategy(RestartStrategies.failure_rate_restart(
                    int(values.get("restart-strategy.failure-rate.max-failures-per-interval", 1)),
                    _millis(values.get("restart-strategy.failure-rate.failure-rate-interval", "1 min")),
                    _millis(values.get("restart-strategy.failure-rate.delay", "1 s"))))
            else:
                note("the restart strategy %s is not there; fixed-delay and failure-rate are" % strategy)
        for key in ("execution.savepoint.ignore-unclaimed-state", "execution.state-recovery.ignore-unclaimed-state"):
            if key in values:
                self._drops_unclaimed = str(values[key]).lower() == "true"
        for key in ("execution.savepoint.path", "execution.state-recovery.path", "state.checkpoints.dir", "execution.checkpointing.dir", "state.savepoints.dir",
                    "execution.checkpointing.savepoint-dir"):
            if values.get(key):
                note("where state lies and a job goes on from says `wasmill run --state DIR`; %s is not used" % key)

    def set_restart_strategy(self, restart_strategy_configuration: RestartStrategyConfiguration):
        """Says how often a failed job is started again."""
        self._config.set_restart_strategy(restart_strategy_configuration)

    def get_restart_strategy(self):
        """Returns how often a failed job is started again."""
        return self._config.get_restart_strategy() or RestartStrategies.fall_back_restart()

    def set_stream_time_characteristic(self, characteristic):
        """Sets the older time characteristic: without event time no watermarks are emitted from time to time."""
        self._characteristic = characteristic
        if characteristic is TimeCharacteristic.ProcessingTime:
            self._config.set_auto_watermark_interval(0)

    def get_stream_time_characteristic(self):
        """Returns the time characteristic."""
        return self._characteristic

    def add_default_kryo_serializer(self, type_class_name, serializer_class_name):
        """Remembers a serializer of the JVM; elements are Python's."""
        note("serializers of the JVM are not used")
        self._config.add_default_kryo_serializer(type_class_name, serializer_class_name)

    def register_type_with_kryo_serializer(self, type_class_name, serializer_class_name):
        """Remembers a serializer of the JVM; elements are Python's."""
        note("serializers of the JVM are not used")
        self._config.register_type_with_kryo_serializer(type_class_name, serializer_class_name)

    def register_type(self, type_class_name):
        """Remembers a class of the JVM; elements are Python's."""
        note("types of the JVM are not used")
        self._config.register_pojo_type(type_class_name)

    # What a job takes along.

    def add_python_file(self, file_path: str):
        """Makes a module, package folder or archive importable."""
        path = archives.there(file_path, "add_python_file")
        folder = path if os.path.isdir(path) or path.endswith((".zip", ".whl", ".egg")) else os.path.dirname(path)
        if folder not in sys.path:
            sys.path.append(folder)

    def add_python_archive(self, archive_path: str, target_dir: Optional[str] = None):
        """Unpacks an archive, of zip or tar, into a folder beside the script that nobody writes to: of the name given here or behind a # in the path, or of the archive's
        own."""
        archives.add(archive_path, target_dir)

    def set_python_requirements(self, requirements_file_path: str, requirements_cache_dir: Optional[str] = None):
        """Makes the packages that a file requires importable: such as are there, and wheels and source packages of pure Python in the folder given. Refuses what is in neither, since
        nothing is downloaded."""
        cache = requirements_cache_dir and archives.there(requirements_cache_dir, "set_python_requirements")
        requirements.install(archives.there(requirements_file_path, "set_python_requirements"), cache)

    def set_python_executable(self, python_exec: str):
        """Sets the variable `python` of the environment, as PyFlink's workers have it: there is one Python in the sandbox."""
        os.environ["python"] = python_exec
        note("there is one Python in the sandbox; set_python_executable(%r) changes only the variable `python`" % python_exec)

    def add_jars(self, *jars_path):
        """Refuses: there is no JVM; read and write with FileSource, FileSink and wasmill.connectors."""
        raise TypeError("there is no JVM, so that jars (%s) cannot be used; read and write with wasmill.connectors (JetStreamSource, JetStreamSink), "
                        "FileSource and FileSink" % ", ".join(map(str, jars_path)))

    def add_classpaths(self, *classpaths):
        """Refuses: there is no JVM."""
        self.add_jars(*classpaths)

    def register_cached_file(self, file_path: str, name: str, executable=False):
        """Keeps a file's name; files beside the script are there under their own."""
        self._files[name] = file_path

    # Sources.

    def _source(self, source, name, type_info, parallelism=None):
        node = Node(self, "source", name, [], type_info, parallelism, source=source, bounded=source.bounded)
        stream = DataStream(Node(self, "pass", name, [Edge(node)], type_info, parallelism, is_source=True))
        node.width = stream._node.width
        if not source.parallel:
            stream._node.parallelism, stream._node.fixed_parallelism = 1, True
        return stream

    def from_collection(self, collection: Iterable[Any], type_info: Optional[TypeInformation] = None) -> DataStream:
        """Makes a stream of the elements of a list, in one subtask."""
        if type_info is not None and not isinstance(type_info, TypeInformation):
            raise TypeError("the type of a collection must be one of Types, got %r" % (type_info,))
        elements = list(collection)
        cut = wrapping(type_info) if type_info is not None else None
        if cut is not None:
            elements = [cut(element) for element in elements]
        return self._source(CollectionSource(elements), "Source: Collection Source", type_info or UNTYPED)

    def from_source(
            self, source: Source, watermark_strategy: WatermarkStrategy, source_name: str, type_info: Optional[TypeInformation] = None
    ) -> DataStream:
        """Makes a stream of a source."""
        if not isinstance(source, Source):
            raise TypeError("expected a source such as FileSource, NumberSequenceSource or JetStreamSource, got %r" % (source,))
        stream = self._source(source, "Source: " + source_name, declared(type_info or source.type_info))
        if watermark_strategy is None or watermark_strategy._generator is NoWatermarks and watermark_strategy._timestamp_assigner is None:
            return stream
        return stream.assign_timestamps_and_watermarks(watermark_strategy)

    def read_text_file(self, file_path: str, charset_name: str = "UTF-8") -> DataStream:
        """Makes a stream of a file's lines."""
        return self._source(TextSource(file_path, charset_name), "Source: " + str(file_path), Types.STRING())

    def add_source(self, source_func, source_name: str = "Custom Source", type_info: Optional[TypeInformation] = None) -> DataStream:
        """Makes a stream of a source; a SourceFunction, which is Java's, is refused."""
        if isinstance(source_func, Source):
            return self.from_source(source_func, None, source_name, type_info)
        if not isinstance(source_func, SourceFunction):
            raise TypeError("expected a source, got %r" % (source_func,))
        raise TypeError("%s is a source of the JVM, which wasmill does without; read with from_source, of a FileSource, NumberSequenceSource or "
                        "JetStreamSource" % type(source_func).__name__)

    def create_input(self, input_format, type_info: Optional[TypeInformation] = None):
        """Makes a stream of an input format: an AvroInputFormat."""
        if not isinstance(input_format, InputFormat):
            raise TypeError("expected an AvroInputFormat, got %r; other files are read with from_source and a FileSource" % (input_format,))
        source = FileSource(input_format, input_format.paths(), None, nested=False)
        return self._source(source, "Source: Custom Source", declared(type_info or source.type_info))

    # Running.

    def _run(self, name, sinks):
        return self._begin(name, sinks, False).result()

    def _begin(self, name, sinks, beside):
        """Hands a job over. It has ended when this returns, or with beside it runs beside the script."""
        if not sinks:
            raise RuntimeError("No operators defined in streaming topology. Cannot execute.")
        if self._checkpoints.get_checkpoint_storage() is not None:
            note("where state lies and a job goes on from says `wasmill run --state DIR`; the checkpoint storage is not used")
        caches = self._caches(sinks)
        tasks, description = build(self, [*sinks, *(sink for _, sink in caches)])
        job_id = JobID()
        answer = plan.run(tasks, {
            "version": 1, "name": name, "id": str(job_id), "checkpoint_interval": max(0, self.get_checkpoint_interval()),
            "partitions": max(self._config.get_max_parallelism(), 0) or 128, "restart": self._restart(),
            "allow_non_restored_state": self._drops_unclaimed, "async": beside, **description,
        })
        return RunningJob(job_id, sinks, caches, answer)

    def _caches(self, sinks):
        """Returns the nodes whose elements this job is the first to compute for later ones, each with a sink that takes them."""
        caches = []
        for node in reachable(sinks):
            if "cache" in node.details and node.details["cache"].computed is None:
                if not self._runs_as_batch(sinks):
                    raise RuntimeError("cache() is for jobs in batch mode: env.set_runtime_mode(RuntimeExecutionMode.BATCH)")
                DataStream(node)._sink("Sink: Cache", CollectSink()).set_parallelism(1)
                caches.append((node, self._sinks.pop()))
        return caches

    def _restart(self):
        strategy = self._config.get_restart_strategy()
        return None if strategy is None else {"attempts": strategy.attempts, "delay_ms": strategy.delay_ms}

    def execute(self, job_name: Optional[str] = None) -> JobExecutionResult:
        """Runs the job of all sinks so far, and returns when it has ended."""
        sinks, self._sinks = self._sinks, []
        return self._run(job_name or "Flink Streaming Job", sinks)

    def execute_async(self, job_name: Optional[str] = "Flink Streaming Job") -> JobClient:
        """Begins the job of all sinks so far, and goes on beside it: the JobClient knows how it is and waits for its end. The script's end waits, too."""
        sinks, self._sinks = self._sinks, []
        job = self._begin(job_name or "Flink Streaming Job", sinks, True)
        return JobClient(job.job_id, job.result, job.status, job.cancel)

    def get_execution_plan(self) -> str:
        """Returns the graph as JSON: its nodes, and which come before which."""
        self._explained = True
        return json.dumps({"nodes": plan.nodes(self._sinks)})

    def close(self):
        """Forgets the sinks that have not been executed."""
        self._sinks = []


class RunningJob:
    """A job that was handed over: it runs beside the script, or has ended."""

    def __init__(self, job_id, sinks, caches, answer):
        self.job_id, self._sinks, self._caches, self._start = job_id, sinks, caches, time.time()
        self._beside, self._answer = answer.get("job"), answer  # no number: the answer is how it ended
        self._result = None

    def status(self):
        """Returns the JobStatus."""
        if self._beside is None:
            return JobStatus.FAILED if self._answer.get("error") else JobStatus.FINISHED
        return JobStatus[host.ask("status", self._beside)["status"]]

    def cancel(self):
        """Ends the job in the middle; what it has not committed is not written."""
        if self._beside is not None:
            host.ask("cancel", self._beside)

    def result(self):
        """Waits for the end, and returns the JobExecutionResult or raises JobFailed."""
        if self._result is None:
            answer = self._answer if self._beside is None else host.ask("wait", self._beside)
            self._take(answer)
        return self._result

    def _take(self, answer):
        for sink in (*self._sinks, *(sink for _, sink in self._caches)):
            collect = sink.details["sink"]
            if isinstance(collect, CollectSink):
                collect.take(answer.get("collected", {}).get(str(sink.number), ()))
        if answer.get("error"):
            raise JobFailed(answer["error"])
        for node, sink in self._caches:
            node.details["cache"].fill(node, sink.details["sink"].results())
        self._result = JobExecutionResult(self.job_id, answer.get("runtime_ms", int((time.time() - self._start) * 1000)))


class JobFailed(RuntimeError, Py4JError):
    """A job that ended with a fault; its text holds the traceback of the function that failed."""


def _millis(value):
    """Reads 200, "200", "200 ms", "5s", "1 min"."""
    text = str(value).strip().lower()
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(digits):].strip()
    factors = {"": 1, "ms": 1, "s": 1000, "sec": 1000, "min": 60000, "m": 60000, "h": 3600000, "d": 86400000}
    if not digits.isdigit() or unit not in factors:
        raise ValueError("expected a time such as 200 ms or 5 s, got %r" % (value,))
    return int(digits) * factors[unit]
