"""What scripts and tests of PyFlink's users lean on beside the streams themselves: names of the JVM's bridge, the helpers of tests, caches."""

import contextlib
import datetime
import importlib.util
import json
import os
import unittest

from local_host import LocalHost
from pyflink.common import Configuration, JobStatus, Types, WatermarkStrategy
from pyflink.common.serialization import BulkWriterFactory, Encoder, RowDataBulkWriterFactory
from pyflink.common.typeinfo import LocalTimeTypeInfo
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction, RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink, FileSource, OutputFileConfig, StreamFormat
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.tests.test_util import DataStreamTestSinkFunction
from pyflink.java_gateway import get_gateway
from pyflink.testing.test_case_utils import PyFlinkBatchTestCase, PyFlinkStreamingTestCase, PyFlinkTestCase, replace_uuid
from pyflink.util.java_utils import get_j_env_configuration

# Inside of the sandbox the same tests run on the engine: wasmill run test_compatible.py
SANDBOX = importlib.util.find_spec("_wasmill") is not None


def running():
    """What runs jobs: the engine, or the host that is written in Python."""
    return contextlib.nullcontext() if SANDBOX else LocalHost()


class Bridge(unittest.TestCase):
    def setUp(self):
        self.env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)

    def test_classes_of_java_may_be_named_and_are_refused_by_name(self):
        named = get_gateway().jvm.org.acme.Parser
        with self.assertRaisesRegex(TypeError, "org.acme.Parser is Java's, and there is no JVM"):
            named("x")

    def test_watermarks_behind_each_element(self):
        class Second(TimestampAssigner):
            def extract_timestamp(self, value, record_timestamp):
                return value[1]

        class Clock(ProcessFunction):
            def process_element(self, value, ctx):
                yield value[1], ctx.timer_service().current_watermark()

        apache = get_gateway().jvm.org.apache.flink
        supplier = apache.streaming.api.functions.python.eventtime.PerElementWatermarkGenerator.getSupplier()
        strategy = WatermarkStrategy(apache.api.common.eventtime.WatermarkStrategy.forGenerator(supplier)).with_timestamp_assigner(Second())
        stream = self.env.set_parallelism(1).from_collection([("a", 5), ("a", 3), ("a", 8)]).assign_timestamps_and_watermarks(strategy).process(Clock())
        with running():
            self.assertEqual([(5, -1 << 63), (3, 5), (8, 5)], list(stream.execute_and_collect()))

    def test_plans_of_keyed_streams(self):
        keyed = self.env.from_collection([1]).key_by(lambda v: v).map(lambda v: v).set_parallelism(3)
        keyed.add_sink(DataStreamTestSinkFunction()).set_parallelism(4)
        nodes = json.loads(self.env.get_execution_plan())["nodes"]
        self.assertEqual([("Data Source", 1), ("Operator", 1), ("Operator", 3), ("Data Sink", 4)], [(n["pact"], n["parallelism"]) for n in nodes])
        self.assertEqual(["FORWARD", "HASH", "REBALANCE"], [n["predecessors"][0]["ship_strategy"] for n in nodes[1:]])

    def test_the_python_of_workers_is_in_the_environment(self):
        self.addCleanup(os.environ.pop, "python", None)
        self.env.set_parallelism(1).set_python_executable("/opt/python3")
        stream = self.env.from_collection([1]).map(lambda v: os.environ["python"])
        with running():
            self.assertEqual(["/opt/python3"], list(stream.execute_and_collect()))

    def test_a_failed_job_is_what_py4j_raises(self):
        from py4j.protocol import Py4JError, Py4JJavaError

        def fails(value):
            raise ValueError("no such flight")

        self.env.from_collection([1]).map(fails).print()
        with running(), self.assertRaisesRegex(Py4JJavaError if SANDBOX else ValueError, "no such flight"):
            self.env.execute()
        self.assertTrue(issubclass(Py4JJavaError, Py4JError) and issubclass(Py4JJavaError, RuntimeError))

    def test_settings_are_one_with_the_environments(self):
        settings = Configuration(j_configuration=get_j_env_configuration(self.env._j_stream_execution_environment))
        settings.set_integer("python.fn-execution.bundle.size", 1)
        self.assertEqual(1, self.env._configuration.get_integer("python.fn-execution.bundle.size", 0))

    def test_stream_graph(self):
        is_chainable = get_gateway().jvm.org.apache.flink.streaming.api.graph.StreamingJobGraphGenerator.isChainable

        def chained(change):
            stream = self.env.from_collection([1]).map(lambda v: v).name("first").map(lambda v: v).name("second")
            change(stream)
            stream.slot_sharing_group("slots").map(lambda v: v).name("third").add_sink(DataStreamTestSinkFunction())
            graph = self.env._j_stream_execution_environment.getStreamGraph(True)
            node = {n.getOperatorName(): n for n in graph.getStreamNodes().toArray()}["second"]
            self.assertEqual("slots", node.getSlotSharingGroup())
            return is_chainable(node.getInEdges().get(0), graph), is_chainable(node.getOutEdges().get(0), graph)

        self.assertEqual((True, True), chained(lambda stream: stream))
        self.assertEqual((False, True), chained(lambda stream: stream.start_new_chain()))
        self.assertEqual((False, False), chained(lambda stream: stream.disable_chaining()))
        self.assertEqual([], self.env._sinks)


class Names(unittest.TestCase):
    def test_what_is_not_here_may_be_imported_and_not_used(self):
        from pyflink.table import StreamTableEnvironment

        class_of_a_users = "class Own(StreamTableEnvironment): pass"
        for use in ("StreamTableEnvironment.create(None)", "StreamTableEnvironment()", class_of_a_users):
            with self.subTest(use), self.assertRaisesRegex(TypeError, "pyflink.table.StreamTableEnvironment: the Table API is not here"):
                exec(use, {"StreamTableEnvironment": StreamTableEnvironment})

    def test_local_times(self):
        kinds = LocalTimeTypeInfo.TimeType
        moment = LocalTimeTypeInfo(kinds.LOCAL_DATE_TIME)
        self.assertEqual(("LocalTimeTypeInfo<LOCAL_DATE_TIME>", LocalTimeTypeInfo(kinds.LOCAL_DATE_TIME)), (str(moment), moment))
        self.assertNotEqual(moment, LocalTimeTypeInfo(kinds.LOCAL_DATE))
        text = moment.text()
        self.assertEqual(["2024-02-29T07:05", "2024-02-29T07:05:09", "2024-02-29T07:05:00.250"], [
            text(datetime.datetime(2024, 2, 29, 7, 5)), text(datetime.datetime(2024, 2, 29, 7, 5, 9)), text(datetime.datetime(2024, 2, 29, 7, 5, 0, 250000))])
        with self.assertRaisesRegex(TypeError, "expected LOCAL_TIME, got int"):
            LocalTimeTypeInfo(kinds.LOCAL_TIME).converter()(5)

    def test_bulk_writers_are_found_where_pyflink_has_them(self):
        self.assertTrue(issubclass(RowDataBulkWriterFactory, BulkWriterFactory))


class Caches(unittest.TestCase):
    def setUp(self):
        self.env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2).set_runtime_mode(RuntimeExecutionMode.BATCH)

    def test_elements_are_computed_once(self):
        cached = self.env.from_collection([1, 2, 3], Types.INT()).map(lambda v: v * 10, Types.INT()).cache()
        with running():
            self.assertEqual([11, 21, 31], sorted(cached.map(lambda v: v + 1).execute_and_collect()))
            computed = cached._node.inputs
            self.assertEqual([10, 20, 30], sorted(cached.execute_and_collect()))
            self.assertIs(computed, cached._node.inputs)
            self.assertEqual("source", computed[0].node.inputs[0].node.kind)
            cached.invalidate()
            self.assertEqual("map", cached._node.inputs[0].node.kind)
            self.assertEqual([10, 20, 30], sorted(cached.execute_and_collect()))

    def test_streams_are_not_cached(self):
        self.env.set_runtime_mode(RuntimeExecutionMode.STREAMING).from_collection([1]).cache().print()
        with self.assertRaisesRegex(RuntimeError, "in batch mode"):
            self.env.execute()

    def test_a_cached_stream_has_its_name(self):
        with self.assertRaisesRegex(Exception, "Set name for CachedDataStream is not supported."):
            self.env.from_collection([1]).cache().name("x")


class Modes(unittest.TestCase):
    def test_automatic_is_batch_where_all_ends(self):
        env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1).set_runtime_mode(RuntimeExecutionMode.AUTOMATIC)
        sink = DataStreamTestSinkFunction()
        env.from_collection([("a", 1), ("a", 2)]).key_by(lambda v: v[0]).reduce(lambda a, b: (a[0], a[1] + b[1])).add_sink(sink)
        with running():
            env.execute()
        self.assertEqual(["('a', 3)"], sink.get_results(True))
        env.from_collection([1]).print()
        env._sinks[0].inputs[0].node.inputs[0].node.inputs[0].node.details["bounded"] = False
        self.assertFalse(env._runs_as_batch(env._sinks))


class TemporaryFiles(PyFlinkStreamingTestCase):
    """A script and its jobs read and write the same temporary folder."""

    def test_modules_written_by_the_script_are_imported_by_its_tasks(self):
        path = os.path.join(self.tempdir, "written_by_a_test.py")
        with open(path, "w") as f:
            f.write("def twice(value):\n    return 2 * value\n")
        self.env.add_python_file(path)

        def twice(value):
            from written_by_a_test import twice

            return twice(value)

        with running():
            self.assertEqual([2, 4], sorted(self.env.from_collection([1, 2]).map(twice).execute_and_collect()))

    def test_files(self):
        lines, out = os.path.join(self.tempdir, "lines.txt"), os.path.join(self.tempdir, "out")
        with open(lines, "w") as f:
            f.write("a\nb\n")
        sink = FileSink.for_row_format(out, Encoder.simple_string_encoder()).with_output_file_config(
            OutputFileConfig.builder().with_part_prefix("up").with_part_suffix(".txt").build()).build()
        stream = self.env.from_source(FileSource.for_record_stream_format(StreamFormat.text_line_format(), lines).build(),
                                      WatermarkStrategy.no_watermarks(), "lines")
        stream.map(str.upper, Types.STRING()).sink_to(sink)
        with running() as host:
            self.env.execute()
        if host is not None:  # it keeps what is written
            self.assertEqual(["A", "B"], sorted(host.output["file"]))
            return
        written = []
        for folder, _, names in os.walk(out):
            for name in names:
                self.assertTrue(name.startswith("up-") and name.endswith(".txt"), name)
                with open(os.path.join(folder, name)) as f:
                    written += f.read().split()
        self.assertEqual(["A", "B"], sorted(written))


class Beside(unittest.TestCase):
    """Jobs that run beside the script."""

    def setUp(self):
        self.env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)

    def test_result(self):
        sink = DataStreamTestSinkFunction()
        self.env.from_collection([1, 2]).add_sink(sink)
        with running():
            job = self.env.execute_async("beside")
            result = job.get_job_execution_result().result()
        self.assertEqual((str(job.get_job_id()), ["1", "2"]), (str(result.get_job_id()), sink.get_results(True)))
        self.assertIs(result, job.get_job_execution_result().result())
        self.assertEqual(JobStatus.FINISHED, job.get_job_status().result())
        self.assertTrue(job.get_job_execution_result().done())

    @unittest.skipUnless(SANDBOX, "the host that is written in Python runs jobs to their end")
    def test_the_script_goes_on(self):
        endless = self.env.from_source(NumberSequenceSource(0, 1 << 60), WatermarkStrategy.no_watermarks(), "numbers")
        endless.filter(lambda v: False).print()
        job = self.env.execute_async()
        future = job.get_job_execution_result()
        self.assertEqual((JobStatus.RUNNING, False), (job.get_job_status().result(), future.done()))
        self.assertEqual([4], list(self.env.from_collection([2]).map(lambda v: v * v).execute_and_collect()))
        job.cancel().result()
        with self.assertRaisesRegex(RuntimeError, "the job was cancelled"):
            future.result()
        self.assertEqual(JobStatus.CANCELED, job.get_job_status().result())
        job.cancel().result()

    @unittest.skipUnless(SANDBOX, "the host that is written in Python raises at once")
    def test_failure(self):
        def fails(value):
            raise KeyError("of no flight")

        self.env.from_collection([1]).map(fails).print()
        job = self.env.execute_async()
        error = job.get_job_execution_result().exception()
        self.assertIn("of no flight", str(error))
        self.assertEqual(JobStatus.FAILED, job.get_job_status().result())


class Helpers(unittest.TestCase):
    def test_tests_of_a_class_share_an_environment(self):
        PyFlinkStreamingTestCase.setUpClass()
        PyFlinkBatchTestCase.setUpClass()
        self.assertIsNot(PyFlinkStreamingTestCase.env, PyFlinkBatchTestCase.env)
        self.assertEqual((2, RuntimeExecutionMode.BATCH), (PyFlinkStreamingTestCase.env.get_parallelism(), PyFlinkBatchTestCase.env._mode))
        for case in (PyFlinkStreamingTestCase, PyFlinkBatchTestCase):
            case.tearDownClass()
        with self.assertRaises(AssertionError):
            PyFlinkTestCase.assert_equals([1, 2], [2, 3])
        PyFlinkTestCase.assert_equals([2, 1], [1, 2])
        self.assertEqual({"a": "x-{uuid}"}, replace_uuid({"a": "x-0f0e0d0c-0b0a-0908-0706-050403020100"}))


if __name__ == "__main__":
    unittest.main()
