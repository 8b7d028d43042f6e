"""Tests of jobs: an environment per test, and a sink that keeps what it gets."""

import functools
import shutil
import tempfile
import unittest

from .common.execution import RuntimeExecutionMode
from .common.typeinfo import PickledBytesTypeInfo
from .common.watermark_strategy import TimestampAssigner
from .datastream.environment import StreamExecutionEnvironment
from .datastream.functions import SinkFunction
from .datastream.sinks import CollectSink

__all__ = [
    "DataStreamTestSinkFunction", "PyFlinkBatchTestCase", "PyFlinkDataStreamTestCase", "PyFlinkStreamingTestCase", "PyFlinkTestCase", "PyFlinkUTTestCase",
    "SecondColumnTimestampAssigner",
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
    """A test with a folder of its own, made when it is asked for."""

    @functools.cached_property
    def tempdir(self):
        """A folder that is the test's."""
        path = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def setUp(self):
        pass

    def tearDown(self):
        pass


class PyFlinkUTTestCase(PyFlinkTestCase):
    """A test without an environment."""


class PyFlinkDataStreamTestCase(PyFlinkTestCase):
    """A test with an environment of two subtasks."""

    mode = RuntimeExecutionMode.STREAMING

    def setUp(self):
        super().setUp()
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.env.set_parallelism(2)
        self.env.set_runtime_mode(self.mode)


class PyFlinkStreamingTestCase(PyFlinkDataStreamTestCase):
    """A test in streaming mode."""


class PyFlinkBatchTestCase(PyFlinkDataStreamTestCase):
    """A test in batch mode."""

    mode = RuntimeExecutionMode.BATCH
