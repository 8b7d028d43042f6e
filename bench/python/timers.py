"""A value and a timer for each event, over 100,000 keys; each thousandth key tells of its timers: timers.py EVENTS."""

import sys

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor

KEYS = 100_000


class Time(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Count(KeyedProcessFunction):
    def open(self, runtime_context):
        self.seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.LONG()))

    def process_element(self, value, ctx):
        self.seen.update((self.seen.value() or 0) + 1)
        ctx.timer_service().register_event_time_timer(value + 1000)

    def on_timer(self, timestamp, ctx):
        key = ctx.get_current_key()
        if key % 1000 == 0:
            yield "%d at %d" % (key, timestamp)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Time())
numbers = env.from_source(NumberSequenceSource(0, int(sys.argv[1]) - 1), strategy, "numbers", Types.LONG())
numbers.key_by(lambda n: n % KEYS, Types.LONG()).process(Count(), Types.STRING()).print()
env.execute("timers")
