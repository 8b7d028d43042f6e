"""Timers by key and namespace, in order of time."""

import heapq
import pickle

from ..functions import TimeDomain, TimerService
from .keys import decode, slot as key_slot, slot_bytes

MIN_LONG = -(1 << 63)


class Timers:
    """The timers of one operator in one time domain. A timer is (time, key, namespace); setting it twice is setting it once."""

    __slots__ = ("name", "domain", "_heap", "_set", "_changes", "_count")

    def __init__(self, operator, domain):
        self.domain = domain
        self.name = "%s/timers/%s" % (operator, "event" if domain is TimeDomain.EVENT_TIME else "processing")
        self._heap = []  # (time, order, slot, namespace, key); entries that are no longer in _set are dead
        self._set = {}  # (time, slot, namespace): order
        self._changes = {}  # timers set (True) or gone (False) since the last commit
        self._count = 0

    def register(self, time, slot, key, space=None):
        timer = (time, slot, space)
        if timer not in self._set:
            self._count += 1
            self._set[timer] = self._count
            self._changes[timer] = True
            heapq.heappush(self._heap, (time, self._count, slot, space, key))

    def delete(self, time, slot, space=None):
        timer = (time, slot, space)
        if self._set.pop(timer, None) is not None:
            self._changes[timer] = False

    def next_time(self):
        """Returns the earliest timer's time, or None."""
        heap = self._heap
        while heap:
            time, order, slot, space, _ = heap[0]
            if self._set.get((time, slot, space)) == order:
                return time
            heapq.heappop(heap)
        return None

    def fire(self, until, call):
        """Calls call(time, key, slot, namespace) for every timer up to a time, in order, those set on the way as well."""
        heap, live = self._heap, self._set
        while heap and heap[0][0] <= until:
            time, order, slot, space, key = heapq.heappop(heap)
            timer = (time, slot, space)
            if live.get(timer) != order:
                continue
            del live[timer]
            self._changes[timer] = False
            call(time, key, slot, space)

    def take(self, slot):
        """Removes and returns the timers of a key in order, as (time, namespace)."""
        mine = sorted((t for t in self._set if t[1] == slot), key=lambda t: (t[0], self._set[t]))
        for timer in mine:
            del self._set[timer]
            self._changes[timer] = False
        return [(time, space) for time, _, space in mine]

    def flush(self, put):
        for (time, slot, space), there in self._changes.items():
            put(self.name, slot_bytes(slot), pickle.dumps((time, space), 5), b"" if there else None)
        self._changes.clear()

    def restore(self, key, space, data):
        key = decode(key)
        time, space = pickle.loads(space)
        self.register(time, key_slot(key), key, space)
        self._changes.clear()


class Service(TimerService):
    """The user's view of an operator's timers, on the current key."""

    __slots__ = ("_task", "_scope", "_event", "_processing", "_operator")

    def __init__(self, operator, scope, event, processing):
        self._operator, self._scope, self._event, self._processing = operator, scope, event, processing

    def current_processing_time(self):
        return self._operator.task.now()

    def current_watermark(self):
        return self._operator.current_watermark

    def _keyed(self):
        if self._scope is None:
            raise TypeError("timers belong to keys: use them behind key_by")
        return self._scope

    def register_processing_time_timer(self, timestamp):
        scope = self._keyed()
        self._processing.register(timestamp, scope.slot, scope.key)

    def register_event_time_timer(self, timestamp):
        scope = self._keyed()
        self._event.register(timestamp, scope.slot, scope.key)

    def delete_processing_time_timer(self, timestamp):
        self._processing.delete(timestamp, self._keyed().slot)

    def delete_event_time_timer(self, timestamp):
        self._event.delete(timestamp, self._keyed().slot)
