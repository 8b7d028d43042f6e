"""What a subtask holds of its state is bounded; the rest lies with the host. How much it holds must not be seen in results."""

import pickle
import random
import unittest
from unittest import mock

from pyflink.common import Time, Types
from pyflink.datastream import AggregateFunction
from pyflink.datastream.state import (AggregatingStateDescriptor, ListStateDescriptor, MapStateDescriptor, ReducingStateDescriptor, StateTtlConfig,
                                      ValueStateDescriptor)
from wasmill.datastream.runtime.states import Backend, Scope
from wasmill.datastream.runtime.tables import Cache

import test_datastream
import test_windows
from local_host import LocalHost
from test_datastream import SANDBOX


class Stored:
    """The state that lies with the host."""

    def __init__(self):
        self.entries, self.gets, self.puts = {}, 0, 0

    def get(self, name, keys, spaces):
        self.gets += 1
        return [self.entries.get((name, key, space)) for key, space in zip(keys, spaces)]

    def put(self, name, keys, spaces, values):
        self.puts += 1
        for key, space, value in zip(keys, spaces, values):
            if value is None:
                self.entries.pop((name, key, space), None)
            else:
                self.entries[(name, key, space)] = value


class Total(AggregateFunction):
    def create_accumulator(self):
        return 0, 0

    def add(self, value, accumulator):
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator):
        return accumulator

    def merge(self, a, b):
        return a[0] + b[0], a[1] + b[1]


class Operations:
    """Every state of one operator, some of them expiring, some by namespace, under operations at random."""

    def __init__(self, limit, store, resumes, now):
        self.scope, self.space = Scope(), Scope()
        self.cache = Cache(limit, store, resumes)
        self.backend = Backend("op", self.scope, lambda: now[0])
        self.backend._cache = self.cache
        expiring = []
        for descriptor in (ValueStateDescriptor("value ttl", Types.LONG()), ListStateDescriptor("list ttl", Types.LONG()),
                           MapStateDescriptor("map ttl", Types.LONG(), Types.LONG()), ReducingStateDescriptor("reducing ttl", min)):
            descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.milliseconds(50)).update_ttl_on_read_and_write().build())
            expiring.append(descriptor)
        descriptors = [ValueStateDescriptor("value", Types.LONG()), ListStateDescriptor("list"), MapStateDescriptor("map"),
                       ReducingStateDescriptor("reducing", lambda a, b: a + b), AggregatingStateDescriptor("aggregating", Total()), *expiring]
        self.states = [self.backend.handle(d) for d in descriptors]
        self.spaced = [self.backend.handle(d, self.space, "window/") for d in descriptors[:5]]

    def run(self, rng):
        """Does one operation, and returns what it shows."""
        self.scope.enter(rng.choice(("a", "b", 1, True, 2.5, ("c", 1), b"a")) if rng.random() < 0.5 else rng.randrange(50))
        self.space.key, self.space.slot = self.scope.key, (self.scope.slot, rng.randrange(3))
        state, value = rng.choice(self.states + self.spaced), rng.randrange(20)
        kind = type(state).__name__
        does = rng.randrange(6)
        if does == 0:
            return state.clear()
        if kind.endswith("Value"):
            return state.value() if does < 4 else state.update(None if value == 0 else value)
        if kind == "List":
            return list(state.get()) if does < 3 else state.add(value) if does < 5 else state.update([value, value])
        if kind == "Map":
            return (list(state.items()), state.is_empty())[does % 2] if does < 3 else state.put(value % 4, value) if does == 3 else (
                state.remove(value % 4) if does == 4 else (state.get(value % 4), state.contains(value % 3)))
        if does == 5 and state in self.spaced:
            return state.merge([(self.scope.slot, w) for w in range(3) if w != self.space.slot[1]])
        return state.get() if does < 3 else state.add(value)

    def flush(self):
        for table in self.backend.tables.values():
            table.flush()


class RandomOperations(unittest.TestCase):
    def test_what_is_held_is_not_seen(self):
        for seed in range(12):
            now = [0]
            stores = [Stored() for _ in range(4)]
            limits = (1 << 40, 1, 3000, 20000)
            made = [Operations(limit, store, False, now) for limit, store in zip(limits, stores)]
            rng = random.Random(seed)
            for step in range(1500):
                now[0] += rng.randrange(3)
                numbers = rng.getrandbits(64)
                shown = [one.run(random.Random(numbers)) for one in made]
                self.assertEqual([shown[0]] * 4, shown, "seed %d, step %d" % (seed, step))
                if step % 100 == 99:
                    for one in made:
                        one.flush()
                    views = [{at: pickle.loads(data) for at, data in store.entries.items() if " ttl" not in at[0]} for store in stores]
                    self.assertEqual([views[0]] * 4, views)
                if step % 300 == 299:  # it goes on from the commit, in another subtask
                    made[1:] = [Operations(limit, store, True, now) for limit, store in zip(limits[1:], stores[1:])]
            self.assertEqual(0, stores[0].gets)
            self.assertGreater(stores[1].gets, 500)

    def test_what_is_used_stays(self):
        store, scope = Stored(), Scope()
        cache = Cache(100_000, store)
        backend = Backend("op", scope, None)
        backend._cache = cache
        state = backend.handle(ValueStateDescriptor("n", Types.LONG()))
        for i in range(20_000):
            for key in ("hot", i):
                scope.enter(key)
                state.update((state.value() or 0) + 1)
        scope.enter("hot")
        self.assertEqual(20_000, state.value())
        table = backend.tables["n"]
        self.assertLess(len(table.at_hand()), 1500)
        self.assertGreater(len(store.entries), 18_000)
        self.assertLess(store.puts, 200)

    def test_without_commits_nothing_is_remembered_of_what_is_gone(self):
        scope = Scope()
        backend = Backend("op", scope, None)
        backend._cache = Cache(1 << 30, Stored(), keeps=False)
        state = backend.handle(ValueStateDescriptor("n", Types.LONG()))
        for i in range(10_000):
            scope.enter(i)
            state.update(i)
            if i >= 10:
                scope.enter(i - 10)
                state.clear()
            if i % 100 == 0:
                backend._cache.check()
        self.assertLess(len(backend.tables["n"].dirty), 1500)

    def test_what_cannot_be_stored_stays(self):
        store, scope = Stored(), Scope()
        backend = Backend("op", scope, None)
        backend._cache = Cache(1, store)
        state = backend.handle(ValueStateDescriptor("n"))
        for i in range(100):
            scope.enter(i)
            state.value()
            state.update((n for n in range(i)))
        for i in range(100):
            scope.enter(i)
            self.assertEqual(i, sum(1 for _ in state.value()))

    def test_of_many_keys_at_once(self):
        store, scope = Stored(), Scope()
        for resumes in (False, True):
            backend = Backend("op", scope, None)
            backend._cache = Cache(1 << 30, store, resumes)
            state = backend.handle(ValueStateDescriptor("n", Types.LONG()))
            if resumes:
                backend.tables["n"].prefetch(range(150))
            for i in range(150):
                scope.enter(i)
                self.assertEqual(i if resumes and i < 100 else None, state.value())
                if i < 100:
                    state.update(i)
            backend.tables["n"].flush()
        self.assertEqual(1, store.gets)


def _again(cases, cache):
    """Returns the tests of a class once more, with a host whose subtasks hold so much."""

    class Again(cases):
        def setUp(self):
            super().setUp()
            self.host.cache = cache

    Again.__name__ = Again.__qualname__ = "%sWith%d" % (cases.__name__, cache)
    return Again


if not SANDBOX:
    for _cases in (test_datastream.Keyed, test_datastream.KeyedAlone, test_datastream.Batch, test_datastream.Connected, test_windows.Windows, test_windows.WindowsAlone):
        for _cache in (1, 2000):
            _made = _again(_cases, _cache)
            globals()[_made.__name__] = _made
    del _cases, _made


if __name__ == "__main__":
    unittest.main()
