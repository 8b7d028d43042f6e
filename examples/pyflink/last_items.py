"""The last items that each user watched in five minutes, every thirty seconds: a sliding window and an aggregate function.

A recommender asks for such a list as a feature. The accumulator holds no more than the list, so that a window of any number of views costs
the same; the window function adds the user and the window's end to it.
"""

import json
import os

from pyflink.common import Duration, Row, Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import AggregateFunction, ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat
from pyflink.datastream.window import SlidingEventTimeWindows

HERE = os.path.dirname(os.path.abspath(__file__))
ITEMS = 3

VIEW = Types.ROW_NAMED(["user", "item", "time"], [Types.STRING(), Types.STRING(), Types.LONG()])


def parse(line):
    view = json.loads(line)
    return Row(view["user"], view["item"], view["time"])


class ViewTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value.time


class LastItems(AggregateFunction):
    """Keeps the newest items, as (time, item), whatever order they come in."""

    def create_accumulator(self):
        return []

    def add(self, value, accumulator):
        return self.merge(accumulator, [(value.time, value.item)])

    def get_result(self, accumulator):
        return [item for _, item in accumulator]

    def merge(self, acc_a, acc_b):
        return sorted(acc_a + acc_b, reverse=True)[:ITEMS]


class WithUser(ProcessWindowFunction):
    def process(self, key, context, elements):
        items = next(iter(elements))
        seconds = context.window().end // 1000 % 86400
        yield "%02d:%02d:%02d %s %s" % (seconds // 3600, seconds // 60 % 60, seconds % 60, key, ", ".join(items))


def last_items():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), os.path.join(HERE, "data", "views.jsonl")).build()
    by_time = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(5)).with_timestamp_assigner(ViewTime())

    (
        env.from_source(source, WatermarkStrategy.no_watermarks(), "views")
        .map(parse, output_type=VIEW)
        .assign_timestamps_and_watermarks(by_time)
        .key_by(lambda view: view.user, key_type=Types.STRING())
        .window(SlidingEventTimeWindows.of(Time.minutes(5), Time.seconds(30)))
        .aggregate(LastItems(), WithUser(), accumulator_type=Types.PICKLED_BYTE_ARRAY(), output_type=Types.STRING())
        .print()
    )
    env.execute("last items")


if __name__ == "__main__":
    last_items()
