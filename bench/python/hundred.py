"""A script of a hundred lines, as jobs are: what comes in is parsed, checked, counted, watched, and told."""

import dataclasses
import json

from pyflink.common import Configuration, Row, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, OutputTag, ProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor

LINES = [
    '{"id": 1, "customer": "ada", "price": 12.5, "quantity": 2, "time": 1000}',
    '{"id": 2, "customer": "bob", "price": 3.25, "quantity": 1, "time": 2000}',
    '{"id": 3, "customer": "ada", "price": 99.0, "quantity": 4, "time": 3000}',
    '{"id": 4, "customer": "cyd", "price": -1.0, "quantity": 1, "time": 4000}',
    "no order",
    '{"id": 5, "customer": "bob", "price": 7.75, "quantity": 8, "time": 6000}',
]

BROKEN = OutputTag("broken", Types.STRING())
ORDER = Types.ROW_NAMED(["id", "customer", "total", "time"], [Types.LONG(), Types.STRING(), Types.DOUBLE(), Types.LONG()])


@dataclasses.dataclass(frozen=True)
class Limits:
    cheapest: float = 0.0
    dearest: float = 1000.0
    large: float = 100.0

    def accept(self, price):
        return self.cheapest <= price <= self.dearest


LIMITS = Limits()


class Parse(ProcessFunction):
    """Makes rows of lines; those that cannot be read, or whose price cannot be, go aside."""

    def process_element(self, value, ctx):
        try:
            order = json.loads(value)
        except ValueError as e:
            yield BROKEN, "%s: %s" % (value, e)
            return
        if not LIMITS.accept(order["price"]):
            yield BROKEN, "order %d: a price of %s" % (order["id"], order["price"])
            return
        yield Row(order["id"], order["customer"], order["price"] * order["quantity"], order["time"])


class OrderTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value.time


class Watch(KeyedProcessFunction):
    """Adds up what customers order, and tells of those who order much within ten seconds."""

    def __init__(self, large):
        self.large = large

    def open(self, runtime_context):
        self.total = runtime_context.get_state(ValueStateDescriptor("total", Types.DOUBLE()))
        self.recent = runtime_context.get_list_state(ListStateDescriptor("recent", Types.LONG()))

    def process_element(self, value, ctx):
        total = (self.total.value() or 0.0) + value.total
        self.total.update(total)
        self.recent.add(value.id)
        ctx.timer_service().register_event_time_timer(value.time + 10_000)
        if total > self.large:
            yield "%s: %.2f in orders %s" % (value.customer, total, list(self.recent.get()))

    def on_timer(self, timestamp, ctx):
        self.total.clear()
        self.recent.clear()
        yield "%s: done at %d" % (ctx.get_current_key(), timestamp)


def short(text):
    return text if len(text) <= 60 else text[:57] + "..."


def main():
    settings = Configuration()
    settings.set_string("pipeline.name", "orders")
    env = StreamExecutionEnvironment.get_execution_environment(settings)
    env.set_parallelism(1)
    lines = env.from_collection(LINES, Types.STRING())
    orders = lines.process(Parse(), ORDER)
    orders.get_side_output(BROKEN).map(short, Types.STRING()).print("broken")
    timed = orders.assign_timestamps_and_watermarks(WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(OrderTime()))
    timed.key_by(lambda order: order.customer, Types.STRING()).process(Watch(LIMITS.large), Types.STRING()).print("watch")
    timed.map(lambda order: order.total, Types.DOUBLE()).filter(lambda total: total > 50).map(str, Types.STRING()).print("large")
    env.execute()


if __name__ == "__main__":
    main()
