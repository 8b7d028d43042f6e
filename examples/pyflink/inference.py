"""Near-line inference: a model is loaded once, in open(), and asked about each request.

The model is a file beside the script, and its class a module beside the script. A subtask loads it before its first request.
"""

import json
import os

from model import Model
from pyflink.common import Row, Types
from pyflink.datastream import MapFunction, RuntimeContext, StreamExecutionEnvironment

HERE = os.path.dirname(os.path.abspath(__file__))

PREDICTION = Types.ROW_NAMED(["trace", "probability", "clicked"], [Types.STRING(), Types.DOUBLE(), Types.BOOLEAN()])


class Predict(MapFunction):
    def __init__(self, path):
        self.path = path
        self.model = None

    def open(self, runtime_context: RuntimeContext):
        with open(self.path) as file:
            stored = json.load(file)
        self.model, self.threshold = Model(stored["bias"], stored["weights"]), stored["threshold"]
        self.predictions = runtime_context.get_metrics_group().counter("predictions")

    def map(self, value):
        probability = self.model.predict(value)
        self.predictions.inc()
        return Row(value["trace"], round(probability, 4), probability >= self.threshold)


def inference():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    (
        env.read_text_file(os.path.join(HERE, "data", "requests.jsonl"))
        .map(json.loads)
        .map(Predict(os.path.join(HERE, "data", "model.json")), output_type=PREDICTION)
        .print()
    )
    env.execute("inference")


if __name__ == "__main__":
    inference()
