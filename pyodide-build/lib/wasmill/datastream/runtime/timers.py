"""Timers by key and namespace, in order of time."""

import pickle
import struct
from heapq import heappop, heappush

from ..functions import TimeDomain, TimerService
from .keys import decode, slot as key_slot, slot_bytes

MIN_LONG = -(1 << 63)
MAX_LONG = (1 << 63) - 1


# A timer's entry is a list. Its last field says whether it is to be stored, is stored, or no longer fires.
TIME, SLOT, SPACE, KEY, STATE = range(5)
NEW, STORED, DEAD = range(3)

_TIME = struct.Struct("<q").pack


def _space(time, space):
    """Returns the bytes of a timer beside its key's: a pickle of the time and the namespace, made by hand where there is none."""
    if space is None and -MAX_LONG <= time <= MAX_LONG:
        return b"\x80\x05\x8a\x08" + _TIME(time) + b"N\x86."
    return pickle.dumps((time, space), 5)


class Timers:
    """The timers of one operator in one time domain. A timer is (time, key, namespace); setting it twice is setting it once.

    Timers lie by their time, so that the heap is one of numbers. One that is set and fires between two commits is never stored."""

    __slots__ = ("name", "domain", "_heap", "_times", "_now", "_firing", "_new", "_gone")

    def __init__(self, operator, domain):
        self.domain = domain
        self.name = "%s/timers/%s" % (operator, "event" if domain is TimeDomain.EVENT_TIME else "processing")
        self._heap = []  # the keys of _times
        self._times = {}  # time: {slot, or slot and namespace: entry}, in the order in which they were set
        self._now, self._firing = None, {}  # the time that fires, and what was set for it
        self._new = []  # entries since the last commit
        self._gone = {}  # timers that were stored and fired or were deleted since

    def register(self, time, slot, key, space=None):
        at = slot if space is None else (slot, space)
        if time == self._now and at in self._firing and self._firing[at][STATE] != DEAD:
            return
        bucket = self._times.get(time)
        if bucket is None:
            self._times[time] = bucket = {}
            heappush(self._heap, time)
        elif at in bucket:
            return
        bucket[at] = entry = [time, slot, space, key, NEW]
        self._new.append(entry)

    def registering(self, scope):
        """Returns what sets a timer on a scope's key: register, without a call of its own."""
        times, heap, new = self._times, self._heap, self._new

        def register(timestamp):
            slot = scope.slot
            if timestamp == self._now:
                self.register(timestamp, slot, scope.key)
                return
            bucket = times.get(timestamp)
            if bucket is None:
                times[timestamp] = bucket = {}
                heappush(heap, timestamp)
            elif slot in bucket:
                return
            bucket[slot] = entry = [timestamp, slot, None, scope.key, NEW]
            new.append(entry)

        return register

    def delete(self, time, slot, space=None):
        at = slot if space is None else (slot, space)
        bucket = self._times.get(time)
        entry = bucket.pop(at, None) if bucket else None
        if entry is None and time == self._now:
            entry = self._firing.get(at)
        if entry is not None:
            self._end(entry)

    def _end(self, entry):
        if entry[STATE] == STORED:
            self._gone[tuple(entry[:KEY])] = None
        entry[STATE] = DEAD

    def next_time(self):
        """Returns the earliest timer's time, or None."""
        heap = self._heap
        while heap:
            if self._times[heap[0]]:
                return heap[0]
            del self._times[heappop(heap)]
        return None

    def fire(self, until, call):
        """Calls call(time, key, slot, namespace) for every timer up to a time, in order, those set on the way as well."""
        heap, times = self._heap, self._times
        while heap and heap[0] <= until:
            self._now = time = heappop(heap)
            self._firing = bucket = times.pop(time)
            for entry in list(bucket.values()):
                _, slot, space, key, state = entry
                if state == DEAD:
                    continue
                if state == STORED:
                    self._gone[(time, slot, space)] = None
                entry[STATE] = DEAD
                call(time, key, slot, space)
        self._now, self._firing = None, {}

    def _is_set(self, time, slot, space):
        return (slot if space is None else (slot, space)) in self._times.get(time, ())

    def forget(self):
        """Forgets what changed, where there are no commits that it could be handed over at."""
        self._gone.clear()
        self._new.clear()

    def flush(self, put):
        """Hands over what changed: those that are gone, then those that are new."""
        name = self.name
        for time, slot, space in self._gone:
            if not self._is_set(time, slot, space):
                put(name, slot_bytes(slot), _space(time, space), None)
        for entry in self._new:
            if entry[STATE] == NEW:
                put(name, slot_bytes(entry[SLOT]), _space(entry[TIME], entry[SPACE]), b"")
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
    """The user's view of an operator's timers, on the current key. Without a scope there are none."""

    def __init__(self, operator, scope, event, processing):
        self._operator, self._scope, self._event, self._processing = operator, scope, event, processing
        if scope is not None:
            self.register_event_time_timer = event.registering(scope)
            self.register_processing_time_timer = processing.registering(scope)

    def current_processing_time(self):
        return self._operator.task.now()

    def current_watermark(self):
        return self._operator.current_watermark

    def _keyed(self):
        if self._scope is None:
            raise TypeError("timers belong to keys: use them behind key_by")
        return self._scope

    def register_processing_time_timer(self, timestamp):
        self._keyed()

    def register_event_time_timer(self, timestamp):
        self._keyed()

    def delete_processing_time_timer(self, timestamp):
        self._processing.delete(timestamp, self._keyed().slot)

    def delete_event_time_timer(self, timestamp):
        self._event.delete(timestamp, self._keyed().slot)
