"""Jobs of the DataStream API, run by the local host: what comes out, in streaming and in batch, with one subtask and several."""

import datetime
import decimal
import importlib.util
import unittest

from local_host import LocalHost
from pyflink.common import Duration, Row, Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import (
    AggregateFunction, BroadcastProcessFunction, CoFlatMapFunction, CoMapFunction, CoProcessFunction, FilterFunction, KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction, KeyedProcessFunction, KeySelector, MapFunction, OutputTag, ProcessFunction, ReduceFunction, RuntimeExecutionMode,
    StreamExecutionEnvironment,
)
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import (
    AggregatingStateDescriptor, ListStateDescriptor, MapStateDescriptor, ReducingStateDescriptor, StateTtlConfig, ValueStateDescriptor,
)
from pyflink.datastream.tests.test_util import DataStreamTestSinkFunction
from wasmill.datastream.graph import build


# Inside of the sandbox the same tests run on the engine: wasmill run test_datastream.py
SANDBOX = importlib.util.find_spec("_wasmill") is not None
local_host = unittest.skipIf(SANDBOX, "looks into the host that is written in Python")


class Second(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return int(value[1])


MONOTONOUS = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())


class JobTest(unittest.TestCase):
    parallelism = 2

    def setUp(self):
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.env.set_parallelism(self.parallelism)
        self.sink = DataStreamTestSinkFunction()
        self.host = LocalHost()
        if not SANDBOX:
            self.host.__enter__()
            self.addCleanup(self.host.__exit__)

    def rows(self, values, *types):
        return self.env.from_collection(values, type_info=Types.ROW(list(types)))

    def check(self, stream, *expected, objects=False):
        stream.add_sink(self.sink)
        self.env.execute("test")
        self.assertEqual(sorted(expected, key=str), sorted(self.sink.get_results(objects), key=str))


class Basics(JobTest):
    def test_chain_of_typed_tuples_and_rows(self):
        class Longer(FilterFunction):
            def filter(self, value):
                return value[1] > 2

        class Add(MapFunction):
            def map(self, value):
                return Row(value[0], value[1] + 1, value[2])

        tuples = Types.TUPLE([Types.STRING(), Types.INT(), Types.BIG_DEC()])
        stream = self.env.from_collection(
            [("ab", Row("a", decimal.Decimal(1))), ("cfgs", Row("c", decimal.Decimal(3)))],
            type_info=Types.TUPLE([Types.STRING(), Types.ROW([Types.STRING(), Types.BIG_DEC()])]))
        stream = stream.map(lambda v: (v[0], len(v[0]), v[1][1]), tuples).filter(Longer())
        self.check(stream.map(Add(), Types.ROW([Types.STRING(), Types.INT(), Types.BIG_DEC()])), "+I[cfgs, 5, 3]")

    def test_values_of_every_type_print_as_sinks_do(self):
        types = [Types.INT(), Types.PRIMITIVE_ARRAY(Types.DOUBLE()), Types.BASIC_ARRAY(Types.STRING()), Types.SQL_DATE(), Types.SQL_TIME(),
                 Types.SQL_TIMESTAMP(), Types.LIST(Types.INT()), Types.BOOLEAN(), Types.MAP(Types.STRING(), Types.INT())]
        value = (1, [1.1, 2.0], [None, "hi"], datetime.date(2021, 1, 9), datetime.time(12, 0, 0), datetime.datetime(2021, 1, 9, 12, 0, 0, 11000),
                 [1, 2], True, {"a": 1})
        self.check(self.rows([value], *types), "+I[1, [1.1, 2.0], [null, hi], 2021-01-09, 12:00:00, 2021-01-09 12:00:00.011, [1, 2], true, {a=1}]")

    def test_rows_have_names(self):
        self.check(self.rows([(1, "a")], Types.INT(), Types.STRING()).map(str), "Row(f0=1, f1='a')", objects=True)

    def test_objects_of_the_users_own(self):
        class Pair:
            def __init__(self, name, count):
                self.name, self.count = name, count

        stream = self.env.from_collection([("a", 0), ("b", 2)]).map(lambda v: Pair(*v)).flat_map(lambda p: [p.name] * p.count)
        self.check(stream, "b", "b", objects=True)

    def test_local_classes_and_functions_travel(self):
        class Pair:
            def __init__(self, name):
                self.name = name

        def shout(name):
            return name.upper()

        pairs = self.env.from_collection(["a", "b"]).map(lambda name: (Pair(name), shout)).rebalance().map(lambda p: p[1](p[0].name)).set_parallelism(3)
        self.check(pairs, "A", "B", objects=True)

    def test_wrong_type_is_told(self):
        self.env.from_collection([1]).map(lambda v: "x", Types.INT()).add_sink(self.sink)
        with self.assertRaisesRegex(Exception, "expected Integer, got str: 'x'"):
            self.env.execute()

    def test_union_and_sequence(self):
        numbers = self.env.from_source(NumberSequenceSource(1, 5), WatermarkStrategy.no_watermarks(), "numbers")
        self.check(numbers.union(self.env.from_collection([10], Types.LONG())).map(lambda v: v + 1, Types.LONG()), "2", "3", "4", "5", "6", "11")

    def aligned(self, drift):
        """Returns two streams of numbers up to 20000 that are their times, one in steps of ten, which wait for each other."""
        def numbers(last, scale):
            class Scaled(TimestampAssigner):
                def extract_timestamp(self, value, record_timestamp):
                    return value * scale

            strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Scaled()).with_watermark_alignment("g", Duration.of_millis(drift))
            return self.env.from_source(NumberSequenceSource(0, last), strategy, "numbers").map(lambda v: (scale, v * scale))

        return numbers(20000, 1), numbers(2000, 10)

    @unittest.skipUnless(SANDBOX, "the local host reads sources in turn")
    def test_aligned_sources_wait(self):
        class Apart(ProcessFunction):
            def open(self, context):
                self.at, self.most, self.left = {1: 0, 10: 0}, 0, 22002

            def process_element(self, value, ctx):
                self.at[value[0]] = value[1]
                self.most = max(self.most, abs(self.at[1] - self.at[10]))
                self.left -= 1
                if not self.left:
                    yield "apart" if self.most > 1000 + 2560 else "together"

        self.env.set_parallelism(1)
        self.env.set_runtime_mode(RuntimeExecutionMode.STREAMING)
        one, two = self.aligned(1000)
        self.check(one.union(two).process(Apart(), Types.STRING()), "together")

    @local_host
    def test_aligned_sources_are_in_the_plan(self):
        one, two = self.aligned(1000)
        one.union(two).add_sink(self.sink)
        _, plan = build(self.env, list(self.env._sinks))
        self.assertEqual([{"group": "g", "drift_ms": 1000}] * 2, [s["align"] for s in plan["sources"]])
        with self.assertRaisesRegex(ValueError, "The drift must be positive, got 0 ms"):
            MONOTONOUS.with_watermark_alignment("g", Duration.of_seconds(0))

    def test_diamond(self):
        source = self.env.from_collection([1, 2], Types.INT())
        left, right = source.map(lambda v: v * 10, Types.INT()), source.rebalance().map(lambda v: v * 100, Types.INT())
        self.check(left.union(right), "10", "20", "100", "200")

    def test_custom_partitioner(self):
        def choose(key, width):
            assert width == 3
            return key % width

        stream = self.env.from_collection(list(range(6)), Types.INT()).partition_custom(choose, lambda v: v)
        self.check(stream.map(lambda v: v, Types.INT()).set_parallelism(3), *"012345")

    def test_execute_and_collect(self):
        words = ["a", "b", "c"]
        self.assertEqual(["a", "b"], self.env.from_collection(words).execute_and_collect(limit=2))
        with self.env.from_collection(words).execute_and_collect() as results:
            self.assertEqual(words, list(results))

    @local_host
    def test_print(self):
        self.rows([(1, None)], Types.INT(), Types.STRING()).print().set_parallelism(1)
        self.env.from_collection([("a", 1)]).map(lambda v: v).print("here").set_parallelism(1)
        self.env.execute()
        self.assertEqual(["+I[1,None]", "here> ('a', 1)"], sorted(self.host.output["print"]))

    def test_plan(self):
        self.env.from_collection([1]).rebalance().map(lambda v: v).set_parallelism(3).add_sink(self.sink)
        source, mapped = eval(self.env.get_execution_plan())["nodes"][:2]
        self.assertEqual(("Data Source", 1), (source["pact"], source["parallelism"]))
        self.assertEqual((3, "REBALANCE"), (mapped["parallelism"], mapped["predecessors"][0]["ship_strategy"]))

    def test_what_is_refused(self):
        stream = self.env.from_collection([("a", 1)])
        for call in (lambda: stream.map(1), lambda: stream.key_by(lambda v: v[0]).shuffle(), lambda: stream.key_by(lambda v: v[0]).name("x"),
                     lambda: stream.key_by(lambda v: v[0]).process(ProcessFunction()), lambda: self.env.add_jars("file:///x.jar"), lambda: self.env.execute()):
            with self.assertRaises(Exception):
                call()


class Keyed(JobTest):
    def test_state_of_every_kind(self):
        class States(KeyedProcessFunction):
            def open(self, context):
                self.value = context.get_state(ValueStateDescriptor("value", Types.INT()))
                self.list = context.get_list_state(ListStateDescriptor("list", Types.INT()))
                descriptor = MapStateDescriptor("map", Types.INT(), Types.STRING())
                descriptor.enable_time_to_live(
                    StateTtlConfig.new_builder(Time.seconds(1000)).set_update_type(StateTtlConfig.UpdateType.OnReadAndWrite).build())
                self.map = context.get_map_state(descriptor)

            def process_element(self, value, ctx):
                seen = (ctx.get_current_key(), self.value.value(), list(self.list.get()), sorted(self.map.items()))
                self.value.update(value[0])
                self.list.add(value[0])
                self.map.put(value[0], value[1])
                yield str(seen)

        stream = self.rows([(1, "hi"), (2, "lo"), (3, "hi"), (4, "hi")], Types.INT(), Types.STRING()).key_by(lambda v: v[1], Types.STRING())
        self.check(stream.process(States(), Types.STRING()), "('hi', None, [], [])", "('lo', None, [], [])", "('hi', 1, [1], [(1, 'hi')])",
                   "('hi', 3, [1, 3], [(1, 'hi'), (3, 'hi')])")

    def test_reducing_and_aggregating_state(self):
        class Sum(AggregateFunction):
            def create_accumulator(self):
                return 0

            def add(self, value, accumulator):
                return value + accumulator

            def get_result(self, accumulator):
                return accumulator

            def merge(self, a, b):
                return a + b

        class Both(KeyedProcessFunction):
            def open(self, context):
                self.reducing = context.get_reducing_state(ReducingStateDescriptor("r", lambda a, b: a + b, Types.INT()))
                self.aggregating = context.get_aggregating_state(AggregatingStateDescriptor("a", Sum(), Types.INT()))

            def process_element(self, value, ctx):
                self.reducing.add(value[0])
                self.aggregating.add(value[0])
                yield self.reducing.get(), self.aggregating.get(), value[1]

        stream = self.env.from_collection([(1, "hi"), (2, "lo"), (3, "hi")], Types.TUPLE([Types.INT(), Types.STRING()]))
        self.check(stream.key_by(lambda v: v[1]).process(Both(), Types.TUPLE([Types.INT(), Types.INT(), Types.STRING()])), "(1,1,hi)", "(2,2,lo)", "(4,4,hi)")

    def test_timers_fire_in_order_and_once(self):
        class Timers(KeyedProcessFunction):
            def process_element(self, value, ctx):
                service = ctx.timer_service()
                service.register_event_time_timer(value[1] + 10)
                service.register_event_time_timer(value[1] + 10)
                service.register_event_time_timer(99)
                service.delete_event_time_timer(99)

            def on_timer(self, timestamp, ctx):
                yield "%s %d %d" % (ctx.get_current_key(), timestamp, ctx.timestamp())
                if timestamp < 30:
                    ctx.timer_service().register_event_time_timer(timestamp + 20)

        stream = self.env.from_collection([("a", 1), ("b", 2), ("a", 50)]).assign_timestamps_and_watermarks(MONOTONOUS)
        self.check(stream.key_by(lambda v: v[0]).process(Timers(), Types.STRING()), "a 11 11", "b 12 12", "a 31 31", "b 32 32", "a 60 60")

    def test_keys_of_every_type(self):
        keys = [1, 1.0, True, "1", b"1", None, (1, "a"), (1, "b"), [1], Row(1)]
        stream = self.env.from_collection([(k, 1) for k in keys] * 2).key_by(lambda v: v[0]).reduce(lambda a, b: (a[0], a[1] + b[1]))
        self.check(stream.filter(lambda v: v[1] == 2).map(lambda v: str(v[0])), *map(str, keys), objects=True)

    def test_aggregations(self):
        values = [("a", 3, 0), ("a", 1, 1), ("b", 5, 0), ("a", 4, 2)]
        named = Types.ROW_NAMED(["k", "v", "w"], [Types.STRING(), Types.INT(), Types.INT()])
        for name, expected in {"sum": ["a, 3, 0", "a, 4, 0", "b, 5, 0", "a, 8, 0"], "min": ["a, 3, 0", "a, 1, 0", "b, 5, 0", "a, 1, 0"],
                               "max_by": ["a, 3, 0", "a, 3, 0", "b, 5, 0", "a, 4, 2"], "min_by": ["a, 3, 0", "a, 1, 1", "b, 5, 0", "a, 1, 1"]}.items():
            with self.subTest(name):
                keyed = self.env.from_collection(values, named).key_by(lambda v: v[0])
                self.check(getattr(keyed, name)("v"), *("+I[%s]" % e for e in expected))

    def test_side_outputs(self):
        tag = OutputTag("side", Types.INT())

        class Split(ProcessFunction):
            def process_element(self, value, ctx):
                yield value[0]
                yield tag, value[1]

        main = self.rows([("a", 0), ("b", 1)], Types.STRING(), Types.INT()).map(lambda v: (v[0], v[1] + 1)).process(Split(), Types.STRING())
        side = DataStreamTestSinkFunction()
        main.get_side_output(tag).add_sink(side)
        self.check(main, "a", "b")
        self.assertEqual(["1", "2"], sorted(side.get_results()))

    def test_key_selector_is_opened(self):
        class Selector(KeySelector):
            def open(self, context):
                self.ready = True

            def get_key(self, value):
                return self.ready and value[1]

        self.check(self.env.from_collection([("a", 1), ("b", 1)]).key_by(Selector()).reduce(lambda a, b: (a[0] + b[0], 1)), "('a', 1)", "('ab', 1)", objects=True)


class KeyedAlone(Keyed):
    parallelism = 1


class Batch(JobTest):
    def setUp(self):
        super().setUp()
        self.env.set_runtime_mode(RuntimeExecutionMode.BATCH)

    def test_reduce_gives_last_results(self):
        class Concat(ReduceFunction):
            def open(self, context):
                self.count = context.get_state(ValueStateDescriptor("count", Types.INT()))

            def reduce(self, a, b):
                self.count.update((self.count.value() or 0) + 1)
                return Row(a[0] + b[0], self.count.value())

        stream = self.rows([("a", 0), ("c", 1), ("d", 1), ("b", 0), ("e", 1)], Types.STRING(), Types.INT())
        self.check(stream.key_by(lambda v: v[1]).reduce(Concat()), "+I[ab, 1]", "+I[cde, 2]")

    def test_results_of_one_step_reach_the_next(self):
        stream = self.env.from_collection([(1, 1), (1, 2), (5, 1)], Types.TUPLE([Types.INT(), Types.INT()]))
        self.check(stream.key_by(lambda v: v[0]).sum(1).map(lambda v: v[1], Types.INT()).key_by(lambda v: 0).sum(), "4")

    def test_elements_of_a_key_come_in_order_of_time(self):
        class Collect(KeyedProcessFunction):
            def open(self, context):
                self.seen = context.get_list_state(ListStateDescriptor("seen", Types.INT()))

            def process_element(self, value, ctx):
                self.seen.add(value[1])
                ctx.timer_service().register_event_time_timer(10)

            def on_timer(self, timestamp, ctx):
                yield "%s %s %d" % (ctx.get_current_key(), list(self.seen.get()), timestamp)

        stream = self.env.from_collection([("a", 3), ("b", 2), ("a", 1)]).assign_timestamps_and_watermarks(MONOTONOUS)
        self.check(stream.key_by(lambda v: v[0]).process(Collect(), Types.STRING()), "a [1, 3] 10", "b [2] 10")


class Connected(JobTest):
    def test_co_map_and_co_flat_map(self):
        class Map(CoMapFunction):
            def map1(self, value):
                return value + 2

            def map2(self, value):
                return value + 1

        class FlatMap(CoFlatMapFunction):
            def flat_map1(self, value):
                yield value + 1

            def flat_map2(self, value):
                yield value - 1

        one = self.env.from_collection([1, 2])
        two = one.map(lambda v: v * 2)
        self.check(one.connect(two).flat_map(FlatMap()).connect(two).map(Map()), *["4", "5", "3", "5", "3", "5"], objects=True)

    def test_keyed_co_process(self):
        class Count(KeyedCoProcessFunction):
            def open(self, context):
                self.count = context.get_state(ValueStateDescriptor("count", Types.INT()))

            def _add(self, value):
                self.count.update((self.count.value() or 0) + 1)
                return [Row(value[0], self.count.value())]

            def process_element1(self, value, ctx):
                ctx.timer_service().register_event_time_timer(3)
                return self._add(value)

            def process_element2(self, value, ctx):
                return self._add(value)

            def on_timer(self, timestamp, ctx):
                return [Row("timer " + ctx.get_current_key(), timestamp)]

        pair = Types.STRING(), Types.INT()
        one = self.rows([("a", 1), ("b", 2)], *pair).assign_timestamps_and_watermarks(MONOTONOUS)
        two = self.rows([("b", 2), ("c", 4)], *pair).assign_timestamps_and_watermarks(MONOTONOUS)
        connected = one.connect(two).key_by(lambda v: v[0], lambda v: v[0])
        self.check(connected.process(Count()), "<Row('a', 1)>", "<Row('b', 1)>", "<Row('b', 2)>", "<Row('c', 1)>", "<Row('timer a', 3)>", "<Row('timer b', 3)>",
                   objects=True)

    def test_co_process_side_output(self):
        tag = OutputTag("side", Types.INT())

        class Co(CoProcessFunction):
            def process_element1(self, value, ctx):
                yield value[0]
                yield tag, value[1]

            def process_element2(self, value, ctx):
                yield value[1]

        one, two = self.rows([("a", 0)], Types.STRING(), Types.INT()), self.rows([(3, "c")], Types.INT(), Types.STRING())
        stream, side = one.connect(two).process(Co(), Types.STRING()), DataStreamTestSinkFunction()
        stream.get_side_output(tag).add_sink(side)
        self.check(stream, "a", "c")
        self.assertEqual(["0"], side.get_results())

    def test_broadcast(self):
        rules = MapStateDescriptor("rules", Types.INT(), Types.STRING())

        class Apply(BroadcastProcessFunction):
            def process_element(self, value, ctx):
                yield "element %d" % value
                with unittest.TestCase().assertRaises(TypeError):
                    ctx.get_broadcast_state(rules).put(1, "x")

            def process_broadcast_element(self, value, ctx):
                ctx.get_broadcast_state(rules).put(*value)
                yield "rules %d" % len(ctx.get_broadcast_state(rules).items())

        elements = self.env.from_collection([1, 2], Types.INT())
        stream = elements.connect(self.env.from_collection([(1, "a")]).broadcast(rules)).process(Apply(), Types.STRING())
        self.check(stream, "element 1", "element 2", *["rules 1"] * 2)

    def test_keyed_broadcast(self):
        rules = MapStateDescriptor("rules", Types.INT(), Types.STRING())

        class Apply(KeyedBroadcastProcessFunction):
            def open(self, context):
                self.sum = context.get_reducing_state(ReducingStateDescriptor("sum", lambda a, b: a + b, Types.INT()))

            def process_element(self, value, ctx):
                self.sum.add(value[1])
                yield "%s %d" % (ctx.get_current_key(), self.sum.get())

            def process_broadcast_element(self, value, ctx):
                ctx.get_broadcast_state(rules).put(value, "")
                yield "rule"

        keyed = self.rows([("a", 1), ("b", 2), ("a", 3)], Types.STRING(), Types.INT()).key_by(lambda v: v[0])
        stream = keyed.connect(self.env.from_collection([5]).broadcast(rules)).process(Apply(), Types.STRING())
        self.check(stream, "a 1", "b 2", "a 4", "rule", "rule")


if __name__ == "__main__":
    unittest.main()
