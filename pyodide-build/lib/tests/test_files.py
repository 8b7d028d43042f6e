"""Paths of files, as jobs give them."""

import unittest
from unittest import mock

from pyflink.common import Duration, Encoder
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import (BucketAssigner, FileSink, FileSource, OnCheckpointRollingPolicy, RollingPolicy, StreamFormat,
                                                       StreamingFileSink)
from wasmill import _errors
from wasmill.datastream import host


class Paths(unittest.TestCase):
    def paths(self, *given):
        return FileSource.for_record_stream_format(StreamFormat.text_line_format(), *given).build().plan()["paths"]

    def test_as_given(self):
        self.assertEqual(["data/a.txt", "/tmp/a.txt", "/tmp/b.txt"], self.paths("data/a.txt", "file:///tmp/a.txt", "file:/tmp/b.txt"))

    def test_beside_the_script(self):
        with mock.patch.object(host, "_wasmill", object()), mock.patch.object(_errors, "root", "/bundle/"):
            self.assertEqual(["data/a.txt", ".", "/bundles/a"], self.paths("/bundle/data/a.txt", "/bundle/", "/bundles/a"))

    def test_text_files_take_them_too(self):
        stream = StreamExecutionEnvironment.get_execution_environment().read_text_file("file:///tmp/a.txt")
        self.assertEqual(["/tmp/a.txt"], stream._node.inputs[0].node.details["source"].plan()["paths"])

    def test_for_ever(self):
        source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "in").monitor_continuously(Duration.of_seconds(2)).build()
        self.assertEqual({"kind": "file", "paths": ["in"], "nested": True, "format": "lines", "discover_ms": 2000}, source.plan())
        self.assertFalse(source.bounded)
        with self.assertRaisesRegex(ValueError, "discoveryInterval must be > 0"):
            FileSource.for_record_stream_format(StreamFormat.text_line_format(), "in").monitor_continuously(Duration.of_millis(0))

    def test_elsewhere(self):
        with self.assertRaises(ValueError) as error:
            self.paths("s3://bucket/a.txt")
        self.assertEqual("s3://bucket/a.txt: files are read and written on this machine; other file systems are not here", str(error.exception))


class Sinks(unittest.TestCase):
    def plan(self, change=lambda builder: builder):
        return change(FileSink.for_row_format("out", Encoder.simple_string_encoder())).build().plan()

    def test_what_is_not_said(self):
        self.assertEqual({"kind": "file", "path": "out", "prefix": "part", "suffix": "", "bucket": "yyyy-MM-dd--HH", "zone": "", "format": "lines",
                          "roll": {"size": 128 << 20, "rollover_ms": 60_000, "inactivity_ms": 60_000}}, self.plan())

    def test_what_is_said(self):
        plan = self.plan(lambda b: b.with_rolling_policy(RollingPolicy.default_rolling_policy(1 << 20, 15 * 60 * 1000, 1 << 50))
                         .with_bucket_assigner(BucketAssigner.date_time_bucket_assigner("yyyy", "Asia/Tokyo")))
        self.assertEqual(({"size": 1 << 20, "rollover_ms": 900_000, "inactivity_ms": 1 << 40}, "yyyy", "Asia/Tokyo"), (plan["roll"], plan["bucket"], plan["zone"]))
        self.assertIsNone(self.plan(lambda b: b.with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy()))["roll"])
        sink = StreamingFileSink.for_row_format("out", Encoder.simple_string_encoder()).with_rolling_policy(OnCheckpointRollingPolicy()).build()
        self.assertIsNone(sink.plan()["roll"])

    def test_nonsense(self):
        with self.assertRaisesRegex(ValueError, "part_size must be a number above 0, got 0"):
            RollingPolicy.default_rolling_policy(part_size=0)
        with self.assertRaisesRegex(TypeError, "expected a policy of RollingPolicy, got 7"):
            self.plan(lambda b: b.with_rolling_policy(7))


if __name__ == "__main__":
    unittest.main()
