"""Late data: what comes within five seconds of its window's end counts again, what comes later is set aside.

The watermark follows every element, less three seconds, so that the same elements are late in every run. (A strategy such as
`for_bounded_out_of_orderness` emits by the wall clock, every 200 ms: a file of this size would be over before the first.)
"""

import os

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner, WatermarkGenerator
from pyflink.datastream import OutputTag, ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.window import TumblingEventTimeWindows

HERE = os.path.dirname(os.path.abspath(__file__))

COUNT = Types.TUPLE([Types.STRING(), Types.LONG(), Types.INT()])
LATE = OutputTag("late", COUNT)


class GateTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class EveryElement(WatermarkGenerator):
    def on_event(self, event, event_timestamp, output):
        output.emit_watermark(event_timestamp - 3000)

    def on_periodic_emit(self, output):
        pass


class Total(ProcessWindowFunction):
    def process(self, key, context, elements):
        window, counts = context.window(), [count for _, _, count in elements]
        yield "%s from second %d: %d in %d" % (key, window.start // 1000 % 3600, sum(counts), len(counts))


def parse(line):
    gate, time, count = line.split(",")
    return gate, int(time), int(count)


def late():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    by_time = WatermarkStrategy.for_generator(EveryElement).with_timestamp_assigner(GateTime())
    totals = (
        env.read_text_file(os.path.join(HERE, "data", "counts.csv"))
        .map(parse, output_type=COUNT)
        .assign_timestamps_and_watermarks(by_time)
        .key_by(lambda count: count[0], key_type=Types.STRING())
        .window(TumblingEventTimeWindows.of(Time.seconds(20)))
        .allowed_lateness(5000)
        .side_output_late_data(LATE)
        .process(Total(), output_type=Types.STRING())
    )
    totals.print()
    totals.get_side_output(LATE).print("late")
    env.execute("late data")


if __name__ == "__main__":
    late()
