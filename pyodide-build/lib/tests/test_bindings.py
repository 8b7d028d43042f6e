"""Functions see their variables as they were when a stream got them; objects that several operators have are several; what is no stream is refused."""

import contextlib
import importlib.util
import unittest

from local_host import LocalHost
from pyflink.common import Types
from pyflink.datastream import AggregateFunction, KeySelector, MapFunction, ProcessFunction, ProcessWindowFunction, StreamExecutionEnvironment

SANDBOX = importlib.util.find_spec("_wasmill") is not None

factor, calls, unit = 0, 0, None


class Numbered(MapFunction):
    def __init__(self):
        self.number, self.shown = 0, {"number": self.show}

    def show(self):
        return self.number

    def map(self, value):
        self.number += 1
        return value, self.shown["number"]()


class NumberedProcess(ProcessFunction):
    number = 0

    def process_element(self, value, ctx):
        self.number += 1
        yield value, self.number


class Locked(Numbered):
    def __deepcopy__(self, memo):
        raise TypeError("there is one of it")


class Unit:
    def __init__(self, factor):
        self.factor = factor


class Bindings(unittest.TestCase):
    def setUp(self):
        self.env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)

    def collected(self, stream):
        with contextlib.nullcontext() if SANDBOX else LocalHost():
            return list(stream.execute_and_collect())

    def test_closures_of_a_loop(self):
        streams = []
        for limit in (1, 2, 3):
            streams.append(self.env.from_collection([1, 2, 3]).filter(lambda v: v >= limit).map(lambda v, n=limit: (n, v)))
        self.assertEqual([(1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)], sorted(self.collected(streams[0].union(*streams[1:]))))

    def test_variables_of_the_script(self):
        global factor
        named = lambda v: [v * factor for _ in range(1)][0]  # noqa: E731
        streams = []
        for factor in (1, 10, 1000):
            streams.append(self.env.from_collection([1, 2]).map(named).key_by(lambda v: v % factor).reduce(lambda a, b: a + b * factor))
        self.assertEqual([1, 3, 10, 210, 1000, 2001000], sorted(self.collected(streams[0].union(*streams[1:]))))
        self.assertEqual(2000, named(2), "the script's own function has changed")

    def test_variables_that_are_gone(self):
        global unit
        unit = 7
        stream = self.env.from_collection([1]).map(lambda v: v * unit)
        del unit
        self.assertEqual([7], self.collected(stream))

    def test_attributes_are_not_variables(self):
        global factor
        factor = 5
        stream = self.env.from_collection([Unit(3)]).map(lambda v: v.factor)
        factor = 6
        self.assertEqual([3], self.collected(stream))

    def test_variables_that_a_function_sets(self):
        global calls

        def counted(value):
            global calls
            calls += 1
            return calls

        stream = self.env.from_collection(["a", "b"]).map(counted)
        calls = 10
        self.assertEqual([11, 12], self.collected(stream))

    def test_functions_that_are_defined_later(self):
        def first(value):
            return second(value) + later(value)

        stream = self.env.from_collection([1]).map(first)

        def second(value):
            return value + 1

        self.assertEqual([12], self.collected(stream))

    def test_what_a_function_has_beside_its_code(self):
        def scaled(value, *, by=3):
            return value * by

        scaled.unit = "km"
        number = 1

        def shown(value):
            return number, scaled(value), scaled.unit

        shown.note = "kept"
        stream = self.env.from_collection([2]).map(shown)
        function = stream._node.details["call"]
        self.assertEqual(("shown", "kept"), (function.__name__, function.note))
        number = 9
        self.assertEqual([(1, 6, "km")], self.collected(stream))

    def test_objects_given_twice(self):
        numbered, process = Numbered(), NumberedProcess()
        stream = self.env.from_collection(["a", "b"]).map(numbered).map(numbered).process(process).process(process)
        self.assertEqual([(((("a", 1), 1), 1), 1), (((("b", 2), 2), 2), 2)], self.collected(stream))

    def test_objects_that_cannot_be_copied_are_one(self):
        locked = Locked()
        self.assertEqual([(("a", 1), 2)], self.collected(self.env.from_collection(["a"]).map(locked).map(locked)))

    def test_functions_of_windows_given_twice(self):
        class Count(AggregateFunction):
            seen = 0

            def create_accumulator(self):
                return 0

            def add(self, value, accumulator):
                self.seen += 1
                return accumulator + 1

            def get_result(self, accumulator):
                return accumulator, self.seen

            def merge(self, a, b):
                return a + b

        class Show(ProcessWindowFunction):
            times = 0

            def process(self, key, context, elements):
                self.times += 1
                yield key, *next(iter(elements)), self.times

        class Same(KeySelector):
            def get_key(self, value):
                return value

        count, show, same = Count(), Show(), Same()
        streams = [self.env.from_collection([key, key]).key_by(same, Types.STRING()).count_window(2).aggregate(count, show) for key in ("a", "b")]
        self.assertEqual([("a", 2, 2, 1), ("b", 2, 2, 1)], sorted(self.collected(streams[0].union(streams[1]))))


class Mistakes(unittest.TestCase):
    def test_streams_of_what_is_none(self):
        stream = StreamExecutionEnvironment.get_execution_environment().from_collection([1])
        with self.assertRaisesRegex(TypeError, "expected a DataStream, got 5"):
            stream.union(5)
        with self.assertRaisesRegex(TypeError, "expected a DataStream or a BroadcastStream, got 5"):
            stream.connect(5)

    def test_async_functions_are_refused(self):
        async def twice(value):
            return 2 * value

        async def both(value):
            yield value

        stream = StreamExecutionEnvironment.get_execution_environment().from_collection([1])
        for give, function in ((stream.map, twice), (stream.flat_map, both), (stream.filter, twice), (stream.key_by, twice)):
            with self.assertRaisesRegex(TypeError, "%s: async functions" % function.__name__):
                give(function)


def later(value):
    return value * 10


if __name__ == "__main__":
    unittest.main()
