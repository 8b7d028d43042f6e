"""Tables: the values of a state by slot, as live objects while they are in use.

A slot is what the scope says it is: the current key's, or with a namespace (a window) the pair of both. What changed since the last commit
is known, and handed to the host then. What there is no room for lies with the host, pickled, and is fetched when somebody asks for it.

A table has two generations. What is read moves to the younger; when that has grown to half of what the subtask may hold, the older is let go
of and the younger becomes the older. So what is used stays, and using it costs nothing but a look-up in a dict. Values of the current key are never
let go of: somebody may have them in hand.
"""

import pickle
import struct
from itertools import islice

from .closures import dumps
from .keys import decode, encode, slot_bytes

MISSING = object()

_INT, _SIZE = struct.Struct("<i").pack, struct.Struct("<I").pack
_TUPLES = {1: b"\x85.", 2: b"\x86.", 3: b"\x87."}


def _piece(value):
    """Returns the opcodes of a pickle for a small number or plain text, else None."""
    kind = type(value)
    if kind is int:
        return b"J" + _INT(value) if -0x80000000 <= value <= 0x7FFFFFFF else None
    if kind is str and value.isascii():
        return b"X" + _SIZE(len(value)) + value.encode()
    return None


def dump(value):
    """Returns a pickle. Numbers, text and small tuples of them are most of what states hold: theirs is put together here, in a fraction
    of the time that a pickler takes to be set up."""
    if type(value) is tuple and len(value) in _TUPLES:
        pieces = [_piece(v) for v in value]
        if None not in pieces:
            return b"\x80\x05" + b"".join(pieces) + _TUPLES[len(value)]
    else:
        piece = _piece(value)
        if piece is not None:
            return b"\x80\x05" + piece + b"."
    return dumps(value)


class Cache:
    """What the tables of a subtask hold in all: about so many bytes. `store` is the host's, with get(name, keys, spaces) and
    put(name, keys, spaces, values); without one tables hold everything."""

    def __init__(self, limit=0, store=None, resumes=False, first=True, keeps=True):
        self.limit, self.store = limit, store
        self.keeps = keeps  # whether there are commits that hand over what changed
        self.first = first  # of the subtasks of its task
        self.lazy = resumes and store is not None  # whether a table may lack what the host has
        self.tables = []
        self.declared = []  # (name, layout) of tables that the host has not been told of
        self._misses, self._every = 0, 64 if limit >= 1 << 20 else 1

    def missed(self):
        """Takes note that a table was asked for what it did not have at hand."""
        self._misses += 1
        if self._misses >= self._every:
            self.check()

    def check(self):
        """Lets go of what was not used for long when there is too much."""
        self._misses = 0
        if self.store is None:
            return
        held = 0
        for table in self.tables:
            held += table.weigh()
        if held > self.limit // 2:
            for table in self.tables:
                table.turn_over()


class Values(dict):
    """The younger generation of a table. values[slot] finds what lies elsewhere, and is MISSING where there is nothing; values.get(slot) is
    of what is at hand."""

    __slots__ = ("_find",)

    def __missing__(self, slot):
        return self._find(slot)


# What a value takes beside its pickle's bytes, and how much more than these: a dict's entry, the key, the objects. In bytes.
_ENTRY, _OBJECTS = 200, 3
# So many values are handed to the host in one piece.
PIECE = 512


class Table:
    """The values of one state of an operator by slot."""

    __slots__ = ("name", "layout", "values", "dirty", "ttl", "spaced", "complete", "scope", "_cache", "_old", "_cost", "_until", "_pinned")

    def __init__(self, name, layout, spaced=False, ttl=None, cache=None, scope=None):
        self.name, self.layout, self.ttl, self.scope = name, layout, ttl, scope
        self.spaced = spaced  # slots are (slot of the key, namespace)
        self.values = Values()
        self.values._find = self._find
        self.dirty = set()
        self._old = {}
        self._cache = cache if cache is not None else Cache()
        self.complete = not self._cache.lazy  # nothing lies with the host that is not here
        self._cost, self._until, self._pinned = _ENTRY, 0, False
        self._cache.tables.append(self)

    def _find(self, slot):
        old = self._old
        if slot in old:
            value = self.values[slot] = old.pop(slot)
            return value
        self._cache.missed()
        if self.complete:
            return MISSING
        if self.spaced:
            key, space = slot_bytes(slot[0]), pickle.dumps(slot[1], 5)
        else:
            key, space = slot_bytes(slot), b""
        data = self._cache.store.get(self.name, [key], [space])[0]
        value = self.values[slot] = MISSING if data is None else pickle.loads(data)
        return value

    def prefetch(self, slots):
        """Fetches what is not at hand of these slots, all at once."""
        if self.complete or self.spaced:
            return
        values, old = self.values, self._old
        slots = [slot for slot in slots if slot not in values and slot not in old]
        if slots:
            found = self._cache.store.get(self.name, [slot_bytes(slot) for slot in slots], [b""] * len(slots))
            for slot, data in zip(slots, found):
                values[slot] = MISSING if data is None else pickle.loads(data)

    def remove(self, slot):
        """Removes a slot's value, if there is one."""
        if not self.complete:
            self.values[slot] = MISSING
        elif self.values.pop(slot, MISSING) is MISSING and self._old.pop(slot, MISSING) is MISSING:
            return
        else:
            self._old.pop(slot, None)
        self.dirty.add(slot)

    def take(self, slot):
        """Removes a slot's value and returns it, or MISSING."""
        value = self.values[slot]
        if value is not MISSING:
            self.remove(slot)
        return value

    def at_hand(self):
        """Returns a list of the slots and values that are here."""
        values = self.values
        out = [(slot, value) for slot, value in values.items() if value is not MISSING]
        out.extend((slot, value) for slot, value in self._old.items() if value is not MISSING and slot not in values)
        return out

    def weigh(self):
        """Returns about how many bytes the younger generation takes."""
        values = self.values
        if not self._cache.keeps and len(self.dirty) > 2 * (len(values) + len(self._old)) + 1000:
            self._forget()
        self._until -= 1
        if self._until <= 0 and values and not self._pinned:
            try:
                sizes = [len(dump(value)) for value in islice(reversed(values.values()), 4) if value is not MISSING]
            except Exception:  # it cannot be stored, and nobody may ever want it to be
                self._pinned = True
                return 0
            if sizes:
                self._cost += (_ENTRY + _OBJECTS * sum(sizes) // len(sizes) - self._cost) // 2
                self._until = 16 + sum(sizes) // 4096
        return 0 if self._pinned else len(values) * self._cost

    def _forget(self):
        """Forgets that slots changed of which nothing is left, here or with the host."""
        if self.complete:
            self.dirty.intersection_update({*self.values, *self._old})

    def turn_over(self):
        """Lets go of the older generation and makes the younger the older."""
        if self._pinned:
            return
        values, old, dirty = self.values, self._old, self.dirty
        current = self.scope.slot if self.scope is not None else None
        keep = {}
        for generation in (old, values):
            if self.spaced:
                keep.update([(slot, value) for slot, value in generation.items() if slot[0] == current])
            elif current in generation:
                keep[current] = generation[current]
        leaving = [slot for slot in old if slot not in values and slot not in keep]
        if leaving:
            try:
                if self.complete:  # what was removed is nowhere here, and the host may have it still
                    self._hand_over([slot for slot in dirty if slot not in values and slot not in old], values)
                self._hand_over([slot for slot in leaving if slot in dirty], old)
            except Exception:  # it cannot be stored, so that all stay
                self._pinned = True
                return
            self.complete, self._cache.lazy = False, True
        self._old = dict(values)
        values.clear()
        values.update(keep)
        for slot in keep:
            self._old.pop(slot, None)

    def _hand_over(self, slots, values):
        """Has the host store these slots."""
        name, spaced, put, size = self.name, self.spaced, self._cache.store.put, 0
        for start in range(0, len(slots), PIECE):
            piece = slots[start:start + PIECE]
            if spaced:
                keys, spaces = [slot_bytes(slot[0]) for slot in piece], [pickle.dumps(slot[1], 5) for slot in piece]
            else:
                keys, spaces = [slot_bytes(slot) for slot in piece], [b""] * len(piece)
            data = [None if value is MISSING else dump(value) for value in map(values.get, piece, [MISSING] * len(piece))]
            put(name, keys, spaces, data)
            size += sum(len(d) for d in data if d is not None)
            self.dirty.difference_update(piece)
        if len(slots) >= 16:
            self._cost += (_ENTRY + _OBJECTS * size // len(slots) - self._cost) // 2

    def flush(self):
        """Hands what changed to the host."""
        if self.ttl is not None:
            self.ttl.sweep(self)
        dirty, values, old = self.dirty, self.values, self._old
        if not dirty:
            return
        if old:
            self._hand_over([slot for slot in dirty if slot not in values and slot in old], old)
        self._hand_over(list(dirty), values)


class BroadcastTable(Table):
    """The entries of one broadcast state: all are here. Subtasks hold the same; the first hands it over."""

    __slots__ = ()

    def __init__(self, *args):
        super().__init__(*args)
        self.complete = True

    def weigh(self):
        return 0

    def turn_over(self):
        pass

    def flush(self):
        keys = list(self.dirty)
        self.dirty.clear()
        if keys and self._cache.first:
            data = [None if key not in self.values else dumps(self.values[key]) for key in keys]
            self._cache.store.put(self.name, [None] * len(keys), [encode(key) for key in keys], data)

    def restore(self, space, data):
        self.values[decode(space)] = pickle.loads(data)
