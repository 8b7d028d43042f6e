"""Tests of jobs: an environment per test class, and a sink that keeps what it gets."""

import re
import shutil
import tempfile
import unittest

from .common.execution import RuntimeExecutionMode
from .common.typeinfo import PickledBytesTypeInfo
from .common.watermark_strategy import TimestampAssigner
from .datastream.environment import StreamExecutionEnvironment
from .datastream.functions import SinkFunction
from .datastream.sinks import CollectSink
from .jvm import load_java_class

__all__ = [
    "DataStreamTestSinkFunction", "PyFlinkBatchTableTestCase", "PyFlinkBatchTestCase", "PyFlinkITTestCase", "PyFlinkStreamTableTestCase",
    "PyFlinkStreamingTestCase", "PyFlinkTestCase", "PyFlinkUTTestCase", "PythonAPICompletenessTestCase", "SecondColumnTimestampAssigner",
    "exec_insert_table", "invoke_java_object_method", "replace_uuid", "to_java_data_structure",
]


class _Results(CollectSink):
    """Collects, and remembers the type of what it collects."""

    type_info = PickledBytesTypeInfo()

    def output(self, node):
        self.type_info = node.inputs[0].node.type_info
        return super().output(node)


class DataStreamTestSinkFunction(SinkFunction):
    """A sink whose results the test reads after the job."""

    def __init__(self):
        super().__init__(_Results())

    def get_results(self, is_python_object=False, stringify=True):
        """Returns the results as text, as a sink prints them, or with is_python_object as Python writes them or, without
        stringify, as they are; and forgets them."""
        sink = self.get_java_function()
        values = sink.results()
        if not is_python_object:
            text = sink.type_info.text()
            return [text(value) for value in values]
        return [str(value) for value in values] if stringify else values

    def clear(self):
        """Forgets the results."""
        self.get_java_function().results()


class SecondColumnTimestampAssigner(TimestampAssigner):
    """Takes the second field for the time."""

    def extract_timestamp(self, value, record_timestamp):
        """Returns the second field."""
        return int(value[1])


class PyFlinkTestCase(unittest.TestCase):
    """Tests with a folder of their own, `tempdir`, that goes when the class has been run."""

    @classmethod
    def setUpClass(cls):
        cls.tempdir = tempfile.mkdtemp()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.tempdir, ignore_errors=True)

    def setUp(self):
        pass

    def tearDown(self):
        pass

    @classmethod
    def assert_equals(cls, actual, expected):
        """Fails unless two lists have the same elements in any order; both are sorted."""
        actual.sort()
        expected.sort()
        assert actual == expected, "%r is not %r" % (actual, expected)

    @classmethod
    def to_py_list(cls, actual):
        """Returns a list of what has size() and get(position)."""
        return [actual.get(i) for i in range(actual.size())]


class PyFlinkITTestCase(PyFlinkTestCase):
    """Tests that share an environment of two subtasks."""

    mode = RuntimeExecutionMode.STREAMING

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = StreamExecutionEnvironment.get_execution_environment()
        cls.env.set_parallelism(2)
        cls.env.set_runtime_mode(cls.mode)


class PyFlinkStreamingTestCase(PyFlinkITTestCase):
    """Tests in streaming mode."""


class PyFlinkBatchTestCase(PyFlinkITTestCase):
    """Tests in batch mode."""

    mode = RuntimeExecutionMode.BATCH


class PyFlinkUTTestCase(PyFlinkTestCase):
    """Tests with an environment of two subtasks each."""

    def setUp(self):
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.env.set_parallelism(2)


class PyFlinkStreamTableTestCase(PyFlinkTestCase):
    """Refuses: the Table API is not here."""

    @classmethod
    def setUpClass(cls):
        load_java_class("the Table API")


class PyFlinkBatchTableTestCase(PyFlinkStreamTableTestCase):
    """Refuses: the Table API is not here."""


class PythonAPICompletenessTestCase:
    """Refuses: it compares classes with those of the JVM."""

    def test_completeness(self):
        """Refuses: there is no JVM."""
        load_java_class(self.java_class())


def exec_insert_table(table, table_path):
    """Refuses: the Table API is not here."""
    load_java_class("the Table API")


def invoke_java_object_method(obj, method_name):
    """Refuses: there is no JVM."""
    load_java_class("the method %s" % method_name)


def to_java_data_structure(value):
    """Returns the value: it stands for itself."""
    return value


def _load_specific_flink_module_jars(jars_relative_path):
    """Connectors that are here need no jars."""


def replace_uuid(input_obj):
    """Returns text, or a dict of text, with {uuid} for each UUID."""
    if isinstance(input_obj, dict):
        return {replace_uuid(key): replace_uuid(value) for key, value in input_obj.items()}
    return re.sub(r"[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}", "{uuid}", input_obj) if isinstance(input_obj, str) else input_obj
