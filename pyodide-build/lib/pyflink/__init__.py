"""PyFlink's names for what is wasmill's, so that a PyFlink job runs as it is.

Each module of PyFlink's that jobs import is made of the one of wasmill's that holds the same names, when it is first imported.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types

# PyFlink's modules: where their names come from. Later ones win.
_MODULES = {
    "common": ["wasmill.common", "wasmill.datastream.formats.rows"],
    "common.checkpoint_config": ["wasmill.common.execution"],
    "common.checkpointing_mode": ["wasmill.common.execution"],
    "common.completable_future": ["wasmill.common.job"],
    "common.config_options": ["wasmill.common.configuration"],
    "common.configuration": ["wasmill.common.configuration"],
    "common.execution_config": ["wasmill.common.execution"],
    "common.execution_mode": ["wasmill.common.execution"],
    "common.input_dependency_constraint": ["wasmill.common.execution"],
    "common.job_client": ["wasmill.common.job"],
    "common.job_execution_result": ["wasmill.common.job"],
    "common.job_id": ["wasmill.common.job"],
    "common.job_status": ["wasmill.common.job"],
    "common.restart_strategy": ["wasmill.common.execution"],
    "common.serialization": ["wasmill.common.serialization", "wasmill.datastream.formats.rows"],
    "common.time": ["wasmill.common.time"],
    "common.typeinfo": ["wasmill.common.typeinfo"],
    "common.types": ["wasmill.common.row"],
    "common.watermark_strategy": ["wasmill.common.watermark_strategy"],
    "datastream": ["wasmill.datastream"],
    "datastream.checkpoint_config": ["wasmill.common.execution"],
    "datastream.checkpoint_storage": ["wasmill.datastream.settings"],
    "datastream.checkpointing_mode": ["wasmill.common.execution"],
    "datastream.connectors": ["wasmill.datastream.connectors"],
    "datastream.connectors.base": ["wasmill.datastream.connectors.base"],
    "datastream.connectors.file_system": ["wasmill.datastream.connectors.file_system"],
    "datastream.connectors.number_seq": ["wasmill.datastream.connectors.number_seq"],
    "datastream.data_stream": ["wasmill.datastream.windowed", "wasmill.datastream.stream"],
    "datastream.execution_mode": ["wasmill.common.execution"],
    "datastream.externalized_checkpoint_cleanup": ["wasmill.common.execution"],
    "datastream.externalized_checkpoint_retention": ["wasmill.common.execution"],
    "datastream.formats": ["wasmill.datastream.formats"],
    "datastream.formats.avro": ["wasmill.datastream.formats.avro"],
    "datastream.formats.csv": ["wasmill.datastream.formats.csv"],
    "datastream.formats.json": ["wasmill.datastream.formats.json"],
    "datastream.formats.parquet": ["wasmill.datastream.formats.parquet"],
    "datastream.functions": ["wasmill.datastream.functions"],
    "datastream.output_tag": ["wasmill.datastream.output_tag"],
    "datastream.slot_sharing_group": ["wasmill.datastream.settings"],
    "datastream.state": ["wasmill.datastream.state"],
    "datastream.state_backend": ["wasmill.datastream.settings"],
    "datastream.stream_execution_environment": ["wasmill.datastream.environment"],
    "datastream.tests": [],
    "datastream.tests.test_util": ["wasmill.testing"],
    "datastream.time_characteristic": ["wasmill.common.execution"],
    "datastream.time_domain": ["wasmill.datastream.functions"],
    "datastream.timerservice": ["wasmill.datastream.functions"],
    "datastream.window": ["wasmill.datastream.window"],
    "java_gateway": ["wasmill.jvm"],
    "find_flink_home": ["wasmill.jvm"],
    "metrics": ["wasmill.metrics"],
    "metrics.metricbase": ["wasmill.metrics"],
    "pyflink_gateway_server": ["wasmill.jvm"],
    "table": ["wasmill.table"],
    "table.types": ["wasmill.table"],
    "testing": [],
    "testing.test_case_utils": ["wasmill.testing"],
    "util": [],
    "util.java_utils": ["wasmill.jvm"],
    "version": ["wasmill.jvm"],
}

# Modules of Py4J, which PyFlink brings along.
_PY4J = ("py4j", "py4j.java_gateway", "py4j.protocol")

# What a job may look for in vain, and what to do instead.
_ABSENT = {
    "table": "the Table API is not here; the DataStream API is, and of pyflink.table the DataTypes that its formats take",
    "dataset": "the DataSet API has gone from Flink; use the DataStream API with RuntimeExecutionMode.BATCH",
    "datastream.async_data_stream": "asynchronous functions are not here: a guest has no network; look up with state, broadcast state or files beside the script",
    "ml": "Flink ML runs in the JVM, which wasmill does without",
    "datastream.connectors.kafka": "there is no Kafka connector in the sandbox; read JetStream with wasmill.connectors.JetStreamSource",
    "datastream.connectors.jdbc": "connectors of the JVM are not here; write with FileSink or wasmill.connectors.JetStreamSink",
    "datastream.connectors.elasticsearch": "connectors of the JVM are not here; write with FileSink or wasmill.connectors.JetStreamSink",
    "datastream.connectors.pulsar": "connectors of the JVM are not here; use wasmill.connectors.JetStreamSource and JetStreamSink",
    "datastream.connectors.rabbitmq": "connectors of the JVM are not here; use wasmill.connectors.JetStreamSource and JetStreamSink",
    "datastream.connectors.kinesis": "connectors of the JVM are not here; use wasmill.connectors.JetStreamSource and JetStreamSink",
    "datastream.connectors.cassandra": "connectors of the JVM are not here; write with FileSink or wasmill.connectors.JetStreamSink",
    "datastream.connectors.hybrid_source": "hybrid sources are the JVM's; use FileSource or wasmill.connectors.JetStreamSource",
    "datastream.formats.avro": "Avro files are read and written by pipelines in YAML; JSON and CSV are here",
    "datastream.formats.parquet": "Parquet files are read and written by pipelines in YAML; JSON and CSV are here",
    "datastream.formats.orc": "ORC is written by the JVM; use Parquet",
}


# Names that jobs may look for in modules that are there.
_REFUSED = {
    "table": _ABSENT["table"],
    "datastream.connectors": "of connectors there are FileSource, FileSink and NumberSequenceSource, and wasmill.connectors.JetStreamSource and JetStreamSink",
    "common": "Avro records are read and written by pipelines in YAML; JSON and CSV are here",
}


class _Absent(type):
    """A class that is not here. It may be imported, since many a file imports more than it uses; using it is refused."""

    def __new__(mcs, name, bases, names):
        for base in bases:
            base._refuse()
        return super().__new__(mcs, name, bases, names)

    def _refuse(cls):
        raise TypeError(cls._why)

    def __call__(cls, *args, **kwargs):
        cls._refuse()

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        cls._refuse()


def _refusing(module, why):
    def absent(name):
        if name.startswith("_") or name.islower():
            raise AttributeError("module %r has no attribute %r" % (module, name))
        return _Absent(name, (), {"_why": "%s.%s: %s" % (module, name, why)})

    return absent


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname in _PY4J:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname == "py4j")
        if not fullname.startswith("pyflink."):
            return None
        name = fullname[len("pyflink."):]
        if name in _MODULES:
            package = any(other.startswith(name + ".") for other in (*_MODULES, *_ABSENT))
            return importlib.machinery.ModuleSpec(fullname, self, is_package=package)
        for absent, why in _ABSENT.items():
            if name == absent or name.startswith(absent + "."):
                raise ModuleNotFoundError("No module named %r: %s" % (fullname, why), name=fullname)
        return None

    def create_module(self, spec):
        return types.ModuleType(spec.name)

    def exec_module(self, module):
        names, inner = [], module.__name__[len("pyflink."):]
        origins = ["wasmill.py4j"] if module.__name__ in _PY4J else _MODULES[inner]
        if inner in _REFUSED:
            module.__getattr__ = _refusing(module.__name__, _REFUSED[inner])
        for origin in origins:
            origin = importlib.import_module(origin)
            module.__doc__ = origin.__doc__
            for name in getattr(origin, "__all__", None) or [n for n in vars(origin) if not n.startswith("_")]:
                module.__dict__[name] = getattr(origin, name)
                names.append(name)
            for name, value in vars(origin).items():
                if not name.startswith("__"):
                    module.__dict__.setdefault(name, value)
        module.__all__ = names


sys.meta_path.insert(0, _Finder())
