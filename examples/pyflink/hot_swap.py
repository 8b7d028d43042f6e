"""Swaps the model of a running job: models arrive on a stream of their own and are broadcast to every subtask.

A request waits for the watermark to reach its time, which both streams move on. So each is answered by the model that was in force
then, however fast either file is read.
"""

import json
import os

from model import Model
from pyflink.common import Row, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedBroadcastProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor

HERE = os.path.dirname(os.path.abspath(__file__))

MODELS = MapStateDescriptor("models", Types.LONG(), Types.PICKLED_BYTE_ARRAY())
PREDICTION = Types.ROW_NAMED(["trace", "version", "probability"], [Types.STRING(), Types.INT(), Types.DOUBLE()])


class EventTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value["time"]


class Predict(KeyedBroadcastProcessFunction):
    def open(self, runtime_context: RuntimeContext):
        self.waiting = runtime_context.get_list_state(ListStateDescriptor("waiting", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext):
        self.waiting.add(value)
        ctx.timer_service().register_event_time_timer(value["time"])

    def process_broadcast_element(self, value, ctx: KeyedBroadcastProcessFunction.Context):
        ctx.get_broadcast_state(MODELS).put(value["time"], Model(value["bias"], value["weights"], value["version"]))

    def on_timer(self, timestamp, ctx: KeyedBroadcastProcessFunction.OnTimerContext):
        models = ctx.get_broadcast_state(MODELS)
        model = models.get(max(since for since in models.keys() if since <= timestamp))
        later = []
        for request in self.waiting.get():
            if request["time"] > timestamp:
                later.append(request)
            else:
                yield Row(request["trace"], model.version, round(model.predict(request), 4))
        self.waiting.update(later)


def hot_swap():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    by_time = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(EventTime())

    def read(name):
        lines = env.read_text_file(os.path.join(HERE, "data", name)).set_parallelism(1)
        return lines.map(json.loads).set_parallelism(1).assign_timestamps_and_watermarks(by_time).set_parallelism(1)

    (
        read("requests.jsonl")
        .key_by(lambda request: request["user"], key_type=Types.STRING())
        .connect(read("models.jsonl").broadcast(MODELS))
        .process(Predict(), output_type=PREDICTION)
        .print()
        .set_parallelism(1)
    )
    env.execute("hot swap")


if __name__ == "__main__":
    hot_swap()
