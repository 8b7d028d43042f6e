"""Joins samples and features by trace id: two keyed streams, a co-process function, and a timer for what finds no partner.

Whichever side comes first waits in state for the other. What is more than a minute older or newer than its other half, or has none,
goes to a side output.
"""

import os

from pyflink.common import Duration, Row, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedCoProcessFunction, OutputTag, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor

HERE = os.path.dirname(os.path.abspath(__file__))

MINUTE = 60_000

FEATURES = Types.ROW_NAMED(["trace", "time", "hour", "price"], [Types.STRING(), Types.LONG(), Types.INT(), Types.DOUBLE()])
LABEL = Types.ROW_NAMED(["trace", "time", "label"], [Types.STRING(), Types.LONG(), Types.INT()])
EXAMPLE = Types.ROW_NAMED(["trace", "hour", "price", "label"], [Types.STRING(), Types.INT(), Types.DOUBLE(), Types.INT()])

ALONE = OutputTag("alone", Types.STRING())


class RowTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value.time


def read(env, name, row_type, *readers):
    """Reads a file of comma-separated values, its first line apart."""
    def parse(line):
        return Row(*[read(field) for read, field in zip(readers, line.split(","))])

    return (
        env.read_text_file(os.path.join(HERE, "data", name))
        .filter(lambda line: not line.startswith("trace,"))
        .map(parse, output_type=row_type)
        .assign_timestamps_and_watermarks(
            WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_minutes(2)).with_timestamp_assigner(RowTime()))
    )


class Join(KeyedCoProcessFunction):
    def open(self, runtime_context: RuntimeContext):
        self.features = runtime_context.get_state(ValueStateDescriptor("features", FEATURES))
        self.label = runtime_context.get_state(ValueStateDescriptor("label", LABEL))

    def process_element1(self, value, ctx: KeyedCoProcessFunction.Context):
        self.features.update(value)
        return self.joined(ctx)

    def process_element2(self, value, ctx: KeyedCoProcessFunction.Context):
        self.label.update(value)
        return self.joined(ctx)

    def joined(self, ctx):
        features, label = self.features.value(), self.label.value()
        if features is None or label is None:
            ctx.timer_service().register_event_time_timer(ctx.timestamp() + MINUTE)
        elif abs(features.time - label.time) > MINUTE:
            yield from self.alone(ctx.get_current_key())
        else:
            self.features.clear()
            self.label.clear()
            yield Row(features.trace, features.hour, features.price, label.label)

    def on_timer(self, timestamp, ctx: KeyedCoProcessFunction.OnTimerContext):
        yield from self.alone(ctx.get_current_key())

    def alone(self, trace):
        for name, state in (("features", self.features), ("label", self.label)):
            if state.value() is not None:
                yield ALONE, "%s of %s" % (name, trace)
                state.clear()


def sample_join():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    features = read(env, "features.csv", FEATURES, str, int, int, float)
    labels = read(env, "labels.csv", LABEL, str, int, int)

    joined = (
        features.connect(labels)
        .key_by(lambda row: row.trace, lambda row: row.trace, key_type=Types.STRING())
        .process(Join(), output_type=EXAMPLE)
    )
    joined.print("joined")
    joined.get_side_output(ALONE).print("alone")
    env.execute("sample join")


if __name__ == "__main__":
    sample_join()
