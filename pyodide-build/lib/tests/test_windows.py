"""Windows: which elements are in which, when they are evaluated, what is late."""

import random
import unittest

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner, WatermarkGenerator
from pyflink.datastream import AggregateFunction, OutputTag, ProcessAllWindowFunction, ProcessWindowFunction, WindowFunction
from pyflink.datastream.state import ReducingStateDescriptor, ValueStateDescriptor
from pyflink.datastream.window import (
    ContinuousEventTimeTrigger, CountSlidingWindowAssigner, CountTrigger, EventTimeSessionWindows, GlobalWindows, PurgingTrigger,
    SessionWindowTimeGapExtractor, SlidingEventTimeWindows, Trigger, TriggerResult, TumblingEventTimeWindows, TumblingProcessingTimeWindows,
)
from test_datastream import MONOTONOUS, JobTest, local_host
from pyflink.datastream.tests.test_util import DataStreamTestSinkFunction

PAIR = Types.TUPLE([Types.STRING(), Types.INT()])


class Count(ProcessWindowFunction):
    def process(self, key, context, elements):
        window = context.window()
        return [(key, window.start, window.end, len(list(elements)))]


class Sum(WindowFunction):
    def apply(self, key, window, inputs):
        return [(key, sum(v[1] for v in inputs))]


class Mean(AggregateFunction):
    def create_accumulator(self):
        return 0, 0

    def add(self, value, accumulator):
        return accumulator[0] + value[1], accumulator[1] + 1

    def get_result(self, accumulator):
        return accumulator[0] / accumulator[1]

    def merge(self, a, b):
        return a[0] + b[0], a[1] + b[1]


class Each(WatermarkGenerator):
    """A watermark with every element."""

    def on_event(self, event, event_timestamp, output):
        output.emit_watermark(event_timestamp - 1)

    def on_periodic_emit(self, output):
        pass


class Second(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


PUNCTUATED = WatermarkStrategy.for_generator(Each).with_timestamp_assigner(Second())


class Windows(JobTest):
    def keyed(self, *values, strategy=MONOTONOUS):
        if strategy is PUNCTUATED:
            self.env.set_parallelism(1)  # each subtask would have watermarks of its own
        stream = self.env.from_collection([("hi", v) for v in values], PAIR).assign_timestamps_and_watermarks(strategy)
        return stream.key_by(lambda v: v[0], Types.STRING())

    def counts(self, stream, *expected):
        self.check(stream, *(str(("hi", *e)) for e in expected), objects=True)

    def test_tumbling(self):
        stream = self.keyed(1, 2, 3, 4, 5, 8, 9, 15).window(TumblingEventTimeWindows.of(Time.milliseconds(5)))
        self.counts(stream.process(Count()), (0, 5, 4), (5, 10, 3), (15, 20, 1))

    def test_offset_and_times_before_1970(self):
        stream = self.keyed(-7, -1, 0, 4).window(TumblingEventTimeWindows.of(Time.milliseconds(5), Time.milliseconds(1)))
        self.counts(stream.process(Count()), (-9, -4, 1), (-4, 1, 2), (1, 6, 1))

    def test_sliding(self):
        stream = self.keyed(1, 2, 3, 4, 5, 8, 9, 15).window(SlidingEventTimeWindows.of(Time.milliseconds(5), Time.milliseconds(2)))
        self.counts(stream.process(Count()), (-2, 3, 2), (0, 5, 4), (2, 7, 4), (4, 9, 3), (6, 11, 2), (8, 13, 2), (12, 17, 1), (14, 19, 1))

    def test_shared_panes_give_the_same_windows(self):
        class Gathered(AggregateFunction):
            """Changes what it is given, as PyFlink lets it."""

            def create_accumulator(self):
                return []

            def add(self, value, accumulator):
                accumulator.append(value[1])
                return accumulator

            def get_result(self, accumulator):
                return sorted(accumulator)

            def merge(self, a, b):
                a.extend(b)
                return a

        class Show(ProcessWindowFunction):
            def process(self, key, context, elements):
                return [(key, context.window().start, context.window().end, *elements)]

        draw = random.Random(7)
        for size, slide, offset, lateness in ((5, 2, 0, 0), (6, 2, 1, 3), (10, 4, -1, 20), (4, 4, 0, 2), (3, 7, 2, 0)):
            times = [max(0, t + draw.randint(-8, 4)) for t in range(0, 60, 2)]
            windows = SlidingEventTimeWindows.of(Time.milliseconds(size), Time.milliseconds(slide), Time.milliseconds(offset))
            results = []
            for assigner in (windows, windows.share_panes()):
                stream = self.keyed(*times, strategy=PUNCTUATED).window(assigner).allowed_lateness(lateness)
                late, tag = DataStreamTestSinkFunction(), OutputTag("late", PAIR)
                stream = stream.side_output_late_data(tag).aggregate(Gathered(), Show())
                stream.get_side_output(tag).add_sink(late)
                results.append((sorted(stream.execute_and_collect()), late.get_results()))
            with self.subTest(size=size, slide=slide):
                self.assertEqual(*results)
                self.assertTrue(results[0][0])

    def test_what_shared_panes_refuse(self):
        windows = SlidingEventTimeWindows.of(Time.milliseconds(5), Time.milliseconds(2)).share_panes()
        with self.assertRaisesRegex(TypeError, r"share_panes\(\) is for reduce\(\) and aggregate\(\)"):
            self.keyed(1).window(windows).process(Count())
        with self.assertRaisesRegex(TypeError, "takes the trigger of the assigner, not a CountTrigger"):
            self.keyed(1).window(windows).trigger(CountTrigger.of(2)).reduce(lambda a, b: a)
        with self.assertRaisesRegex(ValueError, "have panes of 1 ms, more than 1000 in each window"):
            SlidingEventTimeWindows.of(Time.milliseconds(5001), Time.milliseconds(7)).share_panes()

    def test_sessions(self):
        stream = self.keyed(1, 2, 3, 4, 8, 9, 15).window(EventTimeSessionWindows.with_gap(Time.milliseconds(5)))
        self.counts(stream.process(Count()), (1, 14, 6), (15, 20, 1))

    def test_sessions_merge_whatever_the_order(self):
        stream = self.keyed(10, 1, 5, 20, 14, 3, strategy=WatermarkStrategy.for_bounded_out_of_orderness(Time.milliseconds(100)).with_timestamp_assigner(Second()))
        self.counts(stream.window(EventTimeSessionWindows.with_gap(Time.milliseconds(5))).process(Count()), (1, 19, 5), (20, 25, 1))

    def test_sessions_with_dynamic_gap(self):
        class Gap(SessionWindowTimeGapExtractor):
            def extract(self, element):
                return element[1]

        stream = self.keyed(1, 2, 3, 4, 9, 9, 15).window(EventTimeSessionWindows.with_dynamic_gap(Gap()))
        self.counts(stream.process(Count()), (1, 8, 4), (9, 30, 3))

    def test_reduce_aggregate_and_both_with_a_function(self):
        windows = lambda: self.keyed(1, 2, 6).window(TumblingEventTimeWindows.of(Time.milliseconds(5)))  # noqa: E731

        class Show(ProcessWindowFunction):
            def process(self, key, context, elements):
                return ["%s %d %s" % (key, context.window().start, list(elements))]

        self.check(windows().reduce(lambda a, b: (a[0], a[1] + b[1])), "(hi,3)", "(hi,6)")
        self.check(windows().aggregate(Mean(), output_type=Types.DOUBLE()), "1.5", "6.0")
        self.check(windows().aggregate(Mean(), Show(), Types.PICKLED_BYTE_ARRAY(), Types.STRING()), "hi 0 [1.5]", "hi 5 [6.0]")

    def test_count_windows(self):
        values = [(v, k) for v, k in zip((1, 2, 3, 4, 5, 6, 6), ("hi", "lo", "hi", "lo", "hi", "lo", "lo"))]
        stream = self.env.from_collection([(k, v) for v, k in values], PAIR).key_by(lambda v: v[0])
        self.check(stream.count_window(3).apply(Sum(), PAIR), "(hi,9)", "(lo,12)")
        stream = self.env.from_collection([(k, v) for v, k in values[:6]], PAIR).key_by(lambda v: v[0])
        self.check(stream.window(CountSlidingWindowAssigner(2, 1)).apply(Sum(), PAIR), "(lo,6)", "(hi,8)", "(hi,4)", "(lo,10)")

    def test_late_elements_go_aside_or_fire_again(self):
        tag = OutputTag("late", PAIR)
        window = self.keyed(1, 6, 2, 12, 3, strategy=PUNCTUATED).window(TumblingEventTimeWindows.of(Time.milliseconds(5))).allowed_lateness(3)
        stream = window.side_output_late_data(tag).process(Count())
        late = DataStreamTestSinkFunction()
        stream.get_side_output(tag).add_sink(late)
        self.counts(stream, (0, 5, 1), (0, 5, 2), (5, 10, 1), (10, 15, 1))
        self.assertEqual(["(hi,3)"], late.get_results())

    def test_triggers(self):
        window = TumblingEventTimeWindows.of(Time.milliseconds(10))
        self.counts(self.keyed(1, 2, 3, 4).window(window).trigger(CountTrigger.of(2)).process(Count()), (0, 10, 2), (0, 10, 4))
        self.counts(self.keyed(1, 2, 3, 4).window(window).trigger(PurgingTrigger.of(CountTrigger.of(2))).process(Count()), (0, 10, 2), (0, 10, 2))
        stream = self.keyed(1, 5, 9, 12, strategy=PUNCTUATED).window(window).trigger(ContinuousEventTimeTrigger.of(Time.milliseconds(4)))
        self.counts(stream.process(Count()), (0, 10, 2), (0, 10, 3), (0, 10, 3), (10, 20, 1), (10, 20, 1))

    def test_global_window_with_a_trigger_of_the_users(self):
        class Every(Trigger):
            def __init__(self, n):
                self.n, self.seen = n, ReducingStateDescriptor("seen", lambda a, b: a + b, Types.INT())

            def on_element(self, element, timestamp, window, ctx):
                seen = ctx.get_partitioned_state(self.seen)
                seen.add(1)
                return TriggerResult.FIRE_AND_PURGE if seen.get() % self.n == 0 else TriggerResult.CONTINUE

            def on_processing_time(self, time, window, ctx):
                return TriggerResult.CONTINUE

            def on_event_time(self, time, window, ctx):
                return TriggerResult.CONTINUE

            def on_merge(self, window, ctx):
                pass

            def clear(self, window, ctx):
                ctx.get_partitioned_state(self.seen).clear()

        self.env.set_parallelism(1)
        self.check(self.keyed(1, 2, 3, 4, 5).window(GlobalWindows.create()).trigger(Every(2)).apply(Sum(), PAIR), "(hi,3)", "(hi,7)")

    def test_state_by_window_and_by_key(self):
        class States(ProcessWindowFunction):
            def process(self, key, context, elements):
                counts = []
                for store in (context.window_state(), context.global_state()):
                    state = store.get_state(ValueStateDescriptor("count", Types.INT()))
                    state.update((state.value() or 0) + 1)
                    counts.append(state.value())
                yield str(counts)

            def clear(self, context):
                context.window_state().get_state(ValueStateDescriptor("count", Types.INT())).clear()

        stream = self.keyed(1, 6, 2, strategy=PUNCTUATED).window(TumblingEventTimeWindows.of(Time.milliseconds(5))).allowed_lateness(3)
        self.check(stream.process(States(), Types.STRING()), "[1, 1]", "[2, 2]", "[1, 3]")

    def test_windows_of_all(self):
        class All(ProcessAllWindowFunction):
            def process(self, context, elements):
                return [(context.window().start, len(list(elements)))]

        stream = self.env.from_collection([("a", 1), ("b", 2), ("c", 7)], PAIR).assign_timestamps_and_watermarks(MONOTONOUS)
        self.check(stream.window_all(TumblingEventTimeWindows.of(Time.milliseconds(5))).process(All()), "(0, 2)", "(5, 1)", objects=True)

    @local_host
    def test_processing_time(self):
        self.host.now, self.host.piece = lambda turn: turn * 600, 1
        stream = self.keyed(1, 2, 3, 4).window(TumblingProcessingTimeWindows.of(Time.seconds(1)))
        self.check(stream.apply(Sum(), PAIR), "(hi,2)", "(hi,7)")  # the host tells the time behind the first element

    def test_without_timestamps(self):
        self.env.from_collection([("a", 1)], PAIR).key_by(lambda v: v[0]).window(TumblingEventTimeWindows.of(Time.milliseconds(5))).process(Count()).add_sink(self.sink)
        with self.assertRaisesRegex(Exception, "assign_timestamps_and_watermarks"):
            self.env.execute()


class WindowsAlone(Windows):
    parallelism = 1


if __name__ == "__main__":
    unittest.main()
