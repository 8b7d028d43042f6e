"""Timers by key and namespace, in order of time."""

import pickle
from heapq import heappop, heappush

from ..functions import TimeDomain, TimerService
from .keys import decode, slot as key_slot, slot_bytes

MIN_LONG = -(1 << 63)


# What an entry of the heap is: a list, compared by time and order. Its last field says whether it fires, and whether it has been stored.
TIME, ORDER, SLOT, SPACE, KEY, STATE = range(6)
NEW, STORED, DEAD = range(3)


class Timers:
    """The timers of one operator in one time domain. A timer is (time, key, namespace); setting it twice is setting it once.

    A timer that is set and fires between two commits costs two look-ups and is never stored."""

    __slots__ = ("name", "domain", "_heap", "_set", "_new", "_gone", "_count")

    def __init__(self, operator, domain):
        self.domain = domain
        self.name = "%s/timers/%s" % (operator, "event" if domain is TimeDomain.EVENT_TIME else "processing")
        self._heap = []
        self._set = {}  # (time, slot, namespace): its entry
        self._new = []  # entries since the last commit
        self._gone = {}  # timers that were stored and are no longer set
        self._count = 0

    def register(self, time, slot, key, space=None):
        timer = (time, slot, space)
        if timer in self._set:
            return
        self._count = count = self._count + 1
        self._set[timer] = entry = [time, count, slot, space, key, NEW]
        self._new.append(entry)
        heappush(self._heap, entry)

    def delete(self, time, slot, space=None):
        entry = self._set.pop((time, slot, space), None)
        if entry is not None:
            self._end(entry)

    def _end(self, entry):
        if entry[STATE] == STORED:
            self._gone[(entry[TIME], entry[SLOT], entry[SPACE])] = None
        entry[STATE] = DEAD

    def next_time(self):
        """Returns the earliest timer's time, or None."""
        heap = self._heap
        while heap:
            entry = heap[0]
            if entry[STATE] != DEAD:
                return entry[TIME]
            heappop(heap)
        return None

    def fire(self, until, call):
        """Calls call(time, key, slot, namespace) for every timer up to a time, in order, those set on the way as well."""
        heap, live = self._heap, self._set
        while heap and heap[0][TIME] <= until:
            entry = heappop(heap)
            time, _, slot, space, key, state = entry
            if state == DEAD:
                continue
            timer = (time, slot, space)
            del live[timer]
            if state == STORED:
                self._gone[timer] = None
            entry[STATE] = DEAD
            call(time, key, slot, space)

    def take(self, slot):
        """Removes and returns the timers of a key in order, as (time, namespace)."""
        mine = sorted(entry for timer, entry in self._set.items() if timer[1] == slot)
        for entry in mine:
            del self._set[(entry[TIME], slot, entry[SPACE])]
            self._end(entry)
        return [(entry[TIME], entry[SPACE]) for entry in mine]

    def flush(self, put):
        """Hands over what changed: those that are gone, then those that are new."""
        for timer in self._gone:
            if timer not in self._set:
                put(self.name, slot_bytes(timer[1]), pickle.dumps((timer[0], timer[2]), 5), None)
        for entry in self._new:
            if entry[STATE] == NEW:
                put(self.name, slot_bytes(entry[SLOT]), pickle.dumps((entry[TIME], entry[SPACE]), 5), b"")
                entry[STATE] = STORED
        self._gone.clear()
        self._new.clear()

    def restore(self, key, space, data):
        key = decode(key)
        time, space = pickle.loads(space)
        self.register(time, key_slot(key), key, space)
        for entry in self._new:
            entry[STATE] = STORED
        self._new.clear()


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
        scope = self._scope or self._keyed()
        self._processing.register(timestamp, scope.slot, scope.key)

    def register_event_time_timer(self, timestamp):
        scope = self._scope or self._keyed()
        self._event.register(timestamp, scope.slot, scope.key)

    def delete_processing_time_timer(self, timestamp):
        self._processing.delete(timestamp, self._keyed().slot)

    def delete_event_time_timer(self, timestamp):
        self._event.delete(timestamp, self._keyed().slot)
