"""Chains whose operators run as one function: what they give must not depend on how much of a chain one function takes in."""

import unittest
from unittest import mock

from local_host import LocalHost
from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction, StreamExecutionEnvironment
from wasmill.datastream.runtime import fusion

PAIR = Types.TUPLE([Types.STRING(), Types.INT()])
ODD = OutputTag("odd", Types.LONG())
MAPS, FLAT_MAPS = 2 * fusion.OPERATORS, 2 * fusion.BLOCKS


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield (ODD, value) if value % 2 else value
        yield value * 10


def printed(check=None):
    """Runs a job with every operator that is written as source, with branches, and more of them than one function takes in."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    numbers = env.from_collection(list(range(40)), Types.LONG())
    for _ in range(MAPS):
        numbers = numbers.map(lambda n: n + 1, Types.LONG())
    split = numbers.process(Split(), Types.LONG())
    for _ in range(FLAT_MAPS):
        split = split.flat_map(lambda n: [n], Types.LONG())
    low, high = split.filter(lambda n: n < 500), split.filter(lambda n: n >= 500)
    odd = numbers.process(Split(), Types.LONG()).get_side_output(ODD)
    pairs = low.union(high, odd).map(check or (lambda n: ("k%d" % (n % 7), n)), PAIR)
    pairs.key_by(lambda pair: pair[0]).reduce(lambda a, b: (a[0], a[1] + b[1])).print()
    with LocalHost() as host:
        env.execute()
        return host.output["print"]


class Chains(unittest.TestCase):
    def test_results_do_not_depend_on_the_size_of_functions(self):
        sums = {}
        for n in range(MAPS, MAPS + 40):
            for v in (n, n * 10):
                sums["k%d" % (v % 7)] = sums.get("k%d" % (v % 7), 0) + v
        fused = printed()
        self.assertEqual(80, len(fused))
        self.assertLessEqual({"(%s,%d)" % item for item in sums.items()}, set(fused))
        for name, size in (("BLOCKS", 0), ("OPERATORS", 1)):
            with self.subTest(name), mock.patch.object(fusion, name, size):
                self.assertEqual(fused, printed())

    def test_values_are_converted(self):
        with self.assertRaisesRegex(OverflowError, "field 1: 2147483708 does not fit"):
            printed(lambda n: ("k", n + (1 << 31)))
        self.assertEqual("(k,%d)" % MAPS, printed(lambda n: ["k", n])[0])


if __name__ == "__main__":
    unittest.main()
