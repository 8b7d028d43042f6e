"""Tests of jobs: an environment per test, and a sink that keeps what it gets."""

from wasmill.testing import (
    DataStreamTestSinkFunction as DataStreamTestSinkFunction,
    PyFlinkBatchTestCase as PyFlinkBatchTestCase,
    PyFlinkDataStreamTestCase as PyFlinkDataStreamTestCase,
    PyFlinkStreamingTestCase as PyFlinkStreamingTestCase,
    PyFlinkTestCase as PyFlinkTestCase,
    PyFlinkUTTestCase as PyFlinkUTTestCase,
    SecondColumnTimestampAssigner as SecondColumnTimestampAssigner,
)
