"""Parts of the runtime that jobs show only in passing: timers between commits, what states look like in the store."""

import pickle
import unittest

from pyflink.datastream import TimeDomain
from wasmill.datastream.runtime.keys import slot
from wasmill.datastream.runtime.states import Scope
from wasmill.datastream.runtime.tables import dump
from wasmill.datastream.runtime.timers import MIN_LONG, Timers


class TimersBetweenCommits(unittest.TestCase):
    def setUp(self):
        self.timers, self.stored = Timers("op", TimeDomain.EVENT_TIME), {}

    def commit(self):
        rows = []

        def put(name, key, space, data):
            rows.append((key, pickle.loads(space), data))
            self.stored.pop((key, space), None) if data is None else self.stored.__setitem__((key, space), data)

        self.timers.flush(put)
        return rows

    def fire(self, until, then=lambda time, key: None):
        out = []

        def call(time, key, slot, space):
            out.append((time, key, space))
            then(time, key)

        self.timers.fire(until, call)
        return out

    def set(self, time, key, space=None):
        self.timers.register(time, slot(key), key, space)

    def test_in_order_of_time_then_of_setting(self):
        for time, key in ((5, "b"), (3, "a"), (5, "a"), (5, "b"), (9, "c"), (MIN_LONG, 1)):
            self.set(time, key)
        self.assertEqual([(MIN_LONG, 1, None), (3, "a", None), (5, "b", None), (5, "a", None)], self.fire(5))
        self.assertEqual(9, self.timers.next_time())

    def test_namespaces_are_apart(self):
        self.set(1, "a", "x"), self.set(1, "a"), self.set(1, "a", "x")
        self.timers.delete(1, "a", "x")
        self.assertEqual([(1, "a", None)], self.fire(1))

    def test_those_set_and_deleted_while_firing(self):
        def then(time, key):
            if key == "a" and time == 1:
                self.set(1, "b")  # is set already, and fires once
                self.set(1, "d")
                self.set(2, "a")
                self.timers.delete(1, "c")

        for key in "abc":
            self.set(1, key)
        self.assertEqual([(1, "a", None), (1, "b", None), (1, "d", None), (2, "a", None)], self.fire(2, then))
        self.assertIsNone(self.timers.next_time())

    def test_only_what_outlives_a_commit_is_stored(self):
        self.set(1, "a"), self.set(2, "b"), self.set(3, "c", "x")
        self.fire(1)
        self.assertEqual([(b"sb", (2, None), b""), (b"sc", (3, "x"), b"")], self.commit())
        self.assertEqual([], self.commit())
        self.fire(2)
        self.timers.delete(3, "c", "x")
        self.assertEqual([(b"sb", (2, None), None), (b"sc", (3, "x"), None)], self.commit())
        self.assertEqual({}, self.stored)

    def test_one_that_fires_and_is_set_again_stays(self):
        self.set(2, "a")
        self.commit()
        self.fire(2)
        self.set(2, "a")
        self.commit()
        self.assertEqual(1, len(self.stored))
        restored = Timers("op", TimeDomain.EVENT_TIME)
        for (key, space), data in self.stored.items():
            restored.restore(key, space, data)
        self.timers = restored
        self.assertEqual([], self.commit())
        self.assertEqual([(2, "a", None)], self.fire(2))
        self.assertEqual([(b"sa", (2, None), None)], self.commit())

    def test_on_a_scope(self):
        scope = Scope()
        scope.enter("a")
        register = self.timers.registering(scope)
        register(1), register(1), self.set(1, "a")
        self.assertEqual([(1, "a", None)], self.fire(1))
        self.set(2, "a")
        self.assertEqual([(2, "a", None), (2, "b", None)], self.fire(2, lambda time, key: scope.enter("b") or key == "a" and register(2)))


class Pickles(unittest.TestCase):
    def test_are_pickles(self):
        for value in (0, -1, 2**31 - 1, -2**31, 2**31, 2**70, "", "a" * 300, "ü", True, None, 1.5, (1,), ("a", 1), (1, 2, "c"), (1, 2, 3, 4), (True, 1), (),
                      ("a", None), [1], {"a": (1, 2)}):
            with self.subTest(value):
                back = pickle.loads(dump(value))
                self.assertEqual((value, type(value)), (back, type(back)))
                self.assertEqual(repr(value), repr(back))


if __name__ == "__main__":
    unittest.main()
