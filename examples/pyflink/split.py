"""Splits samples into training and validation by a side output: one in five, chosen by the user's name.

All samples of a user go the same way, and the same way in every run. `hash()` would not do: Python salts it in each process.
"""

import json
import os
import zlib

from pyflink.common import Row, Types
from pyflink.datastream import OutputTag, ProcessFunction, StreamExecutionEnvironment

HERE = os.path.dirname(os.path.abspath(__file__))

SAMPLE = Types.ROW_NAMED(["trace", "user", "price"], [Types.STRING(), Types.STRING(), Types.DOUBLE()])
VALIDATION = OutputTag("validation", SAMPLE)


class Split(ProcessFunction):
    def __init__(self, one_in):
        self.one_in = one_in

    def process_element(self, value, ctx: ProcessFunction.Context):
        sample = Row(value["trace"], value["user"], value["price"])
        if zlib.crc32(value["user"].encode()) % self.one_in == 0:
            yield VALIDATION, sample
        else:
            yield sample


def split():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    requests = env.read_text_file(os.path.join(HERE, "data", "requests.jsonl")).map(json.loads)
    train = requests.process(Split(one_in=5), output_type=SAMPLE)
    train.print("train")
    train.get_side_output(VALIDATION).print("validation")
    env.execute("split")


if __name__ == "__main__":
    split()
