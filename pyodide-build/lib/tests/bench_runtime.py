"""Benchmarks of tasks, without a host: nanoseconds per element of the chains that jobs are made of. Run as a script: `python bench_runtime.py [NAME ...]`."""

import pickle
import random
import sys
import time

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import AggregateFunction, FlatMapFunction, KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor
from pyflink.datastream.window import TumblingEventTimeWindows
from wasmill.datastream.graph import build
from wasmill.datastream.runtime.exchange import DATA, FLUSH, RANGE, READY, WATERMARK
from wasmill.datastream.runtime.task import Task


class Second(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def lines(count=20_000, keys=5_000):
    rng = random.Random(1)
    return [" ".join("word%d" % rng.randrange(keys) for _ in range(10)) for _ in range(count)]


def events(count=200_000, keys=100_000):
    rng = random.Random(2)
    return [("user%d" % rng.randrange(keys), i) for i in range(count)]


def word_count(env, elements):
    """flat_map, key_by and reduce, per word."""
    class Split(FlatMapFunction):
        def flat_map(self, value):
            for word in value.split():
                yield word, 1

    stream = env.from_collection(elements).flat_map(Split(), Types.TUPLE([Types.STRING(), Types.INT()]))
    stream.key_by(lambda pair: pair[0]).reduce(lambda a, b: (a[0], a[1] + b[1])).filter(lambda pair: False).print()
    return 10


def word_count_untyped(env, elements):
    """As word_count, with lambdas and no types, per word."""
    stream = env.from_collection(elements).flat_map(lambda line: line.split()).map(lambda word: (word, 1))
    stream.key_by(lambda pair: pair[0]).reduce(lambda a, b: (a[0], a[1] + b[1])).filter(lambda pair: False).print()
    return 10


def keyed_process(env, elements):
    """A keyed process function with value state and a timer, per event."""
    class Last(KeyedProcessFunction):
        def open(self, runtime_context):
            self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

        def process_element(self, value, ctx):
            self.count.update((self.count.value() or 0) + 1)
            ctx.timer_service().register_event_time_timer(value[1] + 1000)

        def on_timer(self, timestamp, ctx):
            yield ctx.get_current_key(), self.count.value()

    stream = env.from_collection(elements).assign_timestamps_and_watermarks(WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second()))
    stream.key_by(lambda e: e[0]).process(Last()).filter(lambda pair: False).print()
    return 1


def map_state(env, elements):
    """A keyed process function with map state, per event."""
    class Seen(KeyedProcessFunction):
        def open(self, runtime_context):
            self.seen = runtime_context.get_map_state(MapStateDescriptor("seen", Types.LONG(), Types.LONG()))

        def process_element(self, value, ctx):
            at = value[1] % 10
            self.seen.put(at, (self.seen.get(at) or 0) + 1)
            yield value[0], at

    env.from_collection(elements).key_by(lambda e: e[0]).process(Seen(), Types.TUPLE([Types.STRING(), Types.LONG()])).filter(lambda pair: False).print()
    return 1


def window(env, elements):
    """A tumbling window with an aggregate function, per event."""
    class Count(AggregateFunction):
        def create_accumulator(self):
            return 0

        def add(self, value, accumulator):
            return accumulator + 1

        def get_result(self, accumulator):
            return accumulator

        def merge(self, a, b):
            return a + b

    stream = env.from_collection(elements).assign_timestamps_and_watermarks(WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second()))
    stream.key_by(lambda e: e[0][:6]).window(TumblingEventTimeWindows.of(Time.milliseconds(10_000))).aggregate(Count(), output_type=Types.LONG()).print()
    return 1


def exchange(env, elements):
    """What the subtask before an exchange by key and the one behind it spend, per event."""
    env.set_parallelism(2)
    env.from_collection(elements).map(lambda e: e).key_by(lambda e: e[0]).reduce(lambda a, b: b).filter(lambda pair: False).print()
    return 1


JOBS = {word_count: lines, word_count_untyped: lines, keyed_process: events, map_state: events, window: events, exchange: events}
ROW = (None,) * 4


def run(job, elements, piece=2_000):
    """Runs a job's tasks in this process, and returns the seconds spent in them."""
    env = StreamExecutionEnvironment()
    env.set_parallelism(1)
    job(env, elements)
    tasks, plan = build(env, env._sinks)
    first = Task(tasks[0], 0, 1, 128)
    behind = [Task(tasks[-1], i, tasks[-1].width, 128) for i in range(tasks[-1].width)] if len(tasks) > 1 else []
    for middle in tasks[1:-1]:
        behind.insert(0, Task(middle, 0, middle.width, 128))
    rest = [Task(t, i, t.width, 128) for t in tasks[1:] for i in range(t.width)] if behind else []
    for task in [first, *rest]:
        task.handle([(READY, 0, -1, 0, *ROW)])
    ahead = {(e["from"], e["output"]): (e["to"], e["port"]) for e in plan["edges"]}
    by_number = {}
    for task in [first, *rest]:
        by_number.setdefault(task.plan.number, []).append(task)
    start = time.process_time()
    for at in range(0, len(elements), piece):
        queue = [(first, (RANGE, 0, min(piece, len(elements) - at), at, *ROW))]
        for task, row in queue:
            for kind, port, target, number, _, _, _, payload in task.handle([row]):
                if kind == DATA and (task.plan.number, port) in ahead:
                    to, to_port = ahead[(task.plan.number, port)]
                    queue.append((by_number[to][target], (DATA, to_port, target, number, None, None, None, payload)))
        for operator in first.operators.values():  # what the wall clock would do
            operator.time(first.wall + at)
        if at % (20 * piece) == 0:
            for task in [first, *rest]:
                task.handle([(FLUSH, 0, -1, 0, *ROW)])
    return time.process_time() - start


def main(names):
    for job, make in JOBS.items():
        if names and job.__name__ not in names:
            continue
        elements = make()
        per = 10 if make is lines else 1
        best = min(run(job, elements) for _ in range(3))
        print("%-20s %6.0f ns  %s" % (job.__name__, best * 1e9 / (len(elements) * per), job.__doc__))


if __name__ == "__main__":
    main(sys.argv[1:])
