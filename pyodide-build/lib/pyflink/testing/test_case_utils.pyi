"""Tests of jobs: an environment per test class, and a sink that keeps what it gets."""

from wasmill.testing import (
    DataStreamTestSinkFunction as DataStreamTestSinkFunction,
    PyFlinkBatchTableTestCase as PyFlinkBatchTableTestCase,
    PyFlinkBatchTestCase as PyFlinkBatchTestCase,
    PyFlinkITTestCase as PyFlinkITTestCase,
    PyFlinkStreamTableTestCase as PyFlinkStreamTableTestCase,
    PyFlinkStreamingTestCase as PyFlinkStreamingTestCase,
    PyFlinkTestCase as PyFlinkTestCase,
    PyFlinkUTTestCase as PyFlinkUTTestCase,
    PythonAPICompletenessTestCase as PythonAPICompletenessTestCase,
    SecondColumnTimestampAssigner as SecondColumnTimestampAssigner,
    exec_insert_table as exec_insert_table,
    invoke_java_object_method as invoke_java_object_method,
    replace_uuid as replace_uuid,
    to_java_data_structure as to_java_data_structure,
)
