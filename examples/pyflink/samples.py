"""Positive and negative samples for training, by a ten-minute timer.

A show that is clicked within ten minutes makes a positive sample at once. A show that is not makes a negative one when its timer fires.
A click that comes later finds its show already told as negative, and is dropped.
"""

import json
import os

from pyflink.common import Row, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor

HERE = os.path.dirname(os.path.abspath(__file__))
WAIT = 10 * 60 * 1000

SAMPLE = Types.ROW_NAMED(["trace", "user", "item", "label"], [Types.STRING(), Types.STRING(), Types.STRING(), Types.INT()])


class EventTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value["time"]


class Samples(KeyedProcessFunction):
    """Waits for the click of a show."""

    def open(self, runtime_context: RuntimeContext):
        self.show = runtime_context.get_state(ValueStateDescriptor("show", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx: KeyedProcessFunction.Context):
        if value["event"] == "show":
            self.show.update(value)
            ctx.timer_service().register_event_time_timer(value["time"] + WAIT)
            return
        show = self.show.value()
        if show is not None and value["time"] < show["time"] + WAIT:
            ctx.timer_service().delete_event_time_timer(show["time"] + WAIT)
            yield self.sample(1)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext):
        yield self.sample(0)

    def sample(self, label):
        show = self.show.value()
        self.show.clear()
        return Row(show["trace"], show["user"], show["item"], label)


def samples():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    by_time = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(EventTime())

    (
        env.read_text_file(os.path.join(HERE, "data", "shows.jsonl"))
        .map(json.loads)
        .assign_timestamps_and_watermarks(by_time)
        .key_by(lambda event: event["trace"], key_type=Types.STRING())
        .process(Samples(), output_type=SAMPLE)
        .print()
    )
    env.execute("samples")


if __name__ == "__main__":
    samples()
