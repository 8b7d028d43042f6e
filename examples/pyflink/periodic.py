"""Periodic inference: each pump's temperatures gather in state, and once a minute a timer asks whether they are still what they were.

The answer comes by time and not by event: a minute without readings says so.
"""

import os

from pyflink.common import Row, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

HERE = os.path.dirname(os.path.abspath(__file__))
MINUTE = 60_000

READING = Types.ROW_NAMED(["pump", "time", "celsius"], [Types.STRING(), Types.LONG(), Types.DOUBLE()])


class ReadingTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value.time


class Watch(KeyedProcessFunction):
    """Compares each minute's mean with an average that follows slowly. That is the model.

    Readings gather by their minute, so that those of the next one, which may come before the timer, do not mix with this one's."""

    def open(self, runtime_context: RuntimeContext):
        self.minutes = runtime_context.get_map_state(MapStateDescriptor("minutes", Types.LONG(), Types.LIST(Types.DOUBLE())))
        self.usual = runtime_context.get_state(ValueStateDescriptor("usual", Types.DOUBLE()))
        self.newest = runtime_context.get_state(ValueStateDescriptor("newest", Types.LONG()))

    def process_element(self, value, ctx: KeyedProcessFunction.Context):
        end = value.time - value.time % MINUTE + MINUTE
        self.minutes.put(end, (self.minutes.get(end) or []) + [value.celsius])
        self.newest.update(max(end, self.newest.value() or end))
        ctx.timer_service().register_event_time_timer(end)

    def on_timer(self, timestamp, ctx: KeyedProcessFunction.OnTimerContext):
        name = "%s minute %d" % (ctx.get_current_key(), timestamp // MINUTE % 60)
        readings = self.minutes.get(timestamp)
        if readings is None:
            yield name + ": silent"
        else:
            self.minutes.remove(timestamp)
            mean = sum(readings) / len(readings)
            usual = self.usual.value() or mean
            yield "%s: %.1f, %s" % (name, mean, "drifts" if abs(mean - usual) > 1.5 else "as usual")
            self.usual.update(0.8 * usual + 0.2 * mean)
        if timestamp < self.newest.value() + 2 * MINUTE:  # two minutes of silence are worth telling
            ctx.timer_service().register_event_time_timer(timestamp + MINUTE)


def parse(line):
    pump, time, celsius = line.split(",")
    return Row(pump, int(time), float(celsius))


def periodic():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    by_time = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(ReadingTime())
    (
        env.read_text_file(os.path.join(HERE, "data", "temperatures.csv"))
        .map(parse, output_type=READING)
        .assign_timestamps_and_watermarks(by_time)
        .key_by(lambda reading: reading.pump, key_type=Types.STRING())
        .process(Watch(), output_type=Types.STRING())
        .print()
    )
    env.execute("periodic inference")


if __name__ == "__main__":
    periodic()
