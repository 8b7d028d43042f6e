"""State by key: what users call, over tables."""

from ..state import AggregatingState, ListState, MapState, ReducingState, StateTtlConfig, ValueState
from .keys import slot as key_slot
from .tables import MISSING, BroadcastTable, Cache, Table


class Scope:
    """Which key is current. Operators that share a key share the scope."""

    __slots__ = ("key", "slot")

    def __init__(self):
        self.key = None
        self.slot = None

    def enter(self, key):
        self.key = key
        self.slot = key_slot(key)


class Ttl:
    """Expiry of a table's values, which are pairs of the value and the time of the last use."""

    __slots__ = ("millis", "on_read", "show_expired", "now")

    def __init__(self, config, now):
        self.millis = config._ttl_millis
        self.on_read = config.get_update_type() is StateTtlConfig.UpdateType.OnReadAndWrite
        self.show_expired = config.get_state_visibility() is StateTtlConfig.StateVisibility.ReturnExpiredIfNotCleanedUp
        self.now = now

    def expired(self, stamped):
        return stamped[1] + self.millis <= self.now()

    def sweep(self, table):
        """Removes what is over."""
        end = self.now() - self.millis
        for slot in [s for s, v in table.at_hand() if self._over(v, end)]:
            table.remove(slot)

    @staticmethod
    def _over(value, end):
        if type(value) is dict:
            for key in [k for k, v in value.items() if v[1] <= end]:
                del value[key]
            return not value
        if type(value) is list:
            value[:] = [v for v in value if v[1] > end]
            return not value
        return value[1] <= end


class _Handle:
    """A state of the current slot: without expiry the value itself, with expiry a pair of the value and a time."""

    __slots__ = ("_scope", "_table", "_values", "_dirty", "_ttl")

    def __init__(self, scope, table):
        self._scope, self._table, self._values, self._dirty, self._ttl = scope, table, table.values, table.dirty, table.ttl

    def _get(self):
        slot = self._scope.slot
        value = self._values[slot]
        ttl = self._ttl
        if ttl is None or value is MISSING:
            return value
        if ttl.expired(value):
            self._table.remove(slot)
            return value[0] if ttl.show_expired else MISSING
        if ttl.on_read:
            self._values[slot] = (value[0], ttl.now())
            self._dirty.add(slot)
        return value[0]

    def _put(self, value):
        slot = self._scope.slot
        self._values[slot] = value if self._ttl is None else (value, self._ttl.now())
        self._dirty.add(slot)

    def clear(self):
        self._table.remove(self._scope.slot)


class Value(_Handle, ValueState):
    """Without expiry."""

    __slots__ = ()

    def value(self):
        value = self._values[self._scope.slot]
        return None if value is MISSING else value

    def update(self, value):
        slot = self._scope.slot
        if value is None:
            self._table.remove(slot)
        else:
            self._values[slot] = value
            self._dirty.add(slot)


class ExpiringValue(_Handle, ValueState):
    __slots__ = ()

    def value(self):
        value = self._get()
        return None if value is MISSING else value

    def update(self, value):
        if value is None:
            self.clear()
        else:
            self._put(value)


class Reducing(_Handle, ReducingState):
    __slots__ = ("_reduce",)

    def __init__(self, scope, table, reduce):
        super().__init__(scope, table)
        self._reduce = reduce

    def get(self):
        value = self._get()
        return None if value is MISSING else value

    def add(self, value):
        if value is None:
            return
        current = self._get()
        self._put(value if current is MISSING else self._reduce(current, value))

    def merge(self, slots):
        """Makes one value of those of the slots, at the current one."""
        for slot in slots:
            value = self._table.take(slot)
            if value is not MISSING:
                self.add(value if self._ttl is None else value[0])


class Aggregating(_Handle, AggregatingState):
    __slots__ = ("_function",)

    def __init__(self, scope, table, function):
        super().__init__(scope, table)
        self._function = function

    def get(self):
        accumulator = self._get()
        return None if accumulator is MISSING else self._function.get_result(accumulator)

    def add(self, value):
        if value is None:
            self.clear()
            return
        accumulator = self._get()
        if accumulator is MISSING:
            accumulator = self._function.create_accumulator()
        self._put(self._function.add(value, accumulator))

    def merge(self, slots):
        for slot in slots:
            value = self._table.take(slot)
            if value is MISSING:
                continue
            value = value if self._ttl is None else value[0]
            current = self._get()
            self._put(value if current is MISSING else self._function.merge(current, value))


class List(_Handle, ListState):
    """With expiry each element has a time of its own."""

    __slots__ = ()

    def _elements(self):
        elements = self._values[self._scope.slot]
        if elements is MISSING:
            return None
        ttl = self._ttl
        if ttl is not None:
            live = [e for e in elements if not ttl.expired(e)]
            if len(live) != len(elements):
                shown = elements if ttl.show_expired else live
                self._store(live)
                if ttl.show_expired:
                    return shown
                elements = live
            if ttl.on_read and elements:
                now = ttl.now()
                elements = [(value, now) for value, _ in elements]
                self._store(elements)
        return elements

    def _store(self, elements):
        slot = self._scope.slot
        if elements:
            self._values[slot] = elements
            self._dirty.add(slot)
        else:
            self._table.remove(slot)

    def get(self):
        elements = self._elements()
        if not elements:
            return iter(())
        return iter(elements) if self._ttl is None else iter([value for value, _ in elements])

    def add(self, value):
        if value is None:
            raise TypeError("a list state takes no None")
        slot = self._scope.slot
        elements = self._values[slot]
        if elements is MISSING:
            self._values[slot] = elements = []
        elements.append(value if self._ttl is None else (value, self._ttl.now()))
        self._dirty.add(slot)

    def add_all(self, values):
        for value in values or ():
            self.add(value)

    def update(self, values):
        self._store([])
        self.add_all(values)

    def merge(self, slots):
        merged = []
        for slot in slots:
            elements = self._table.take(slot)
            if elements is not MISSING:
                merged.extend(elements)
        if merged:
            slot = self._scope.slot
            elements = self._values[slot]
            self._values[slot] = merged if elements is MISSING else elements + merged
            self._dirty.add(slot)


class Map(_Handle, MapState):
    """With expiry each entry has a time of its own. Keys that cannot be hashed go by their bytes."""

    __slots__ = ()

    def _entries(self):
        entries = self._values[self._scope.slot]
        if entries is MISSING:
            return {}
        ttl = self._ttl
        if ttl is None:
            return entries
        expired = [k for k, v in entries.items() if ttl.expired(v)]
        shown = dict(entries) if expired and ttl.show_expired else entries
        for k in expired:
            del entries[k]
        if expired:
            self._touched(entries)
        return shown

    def _touched(self, entries):
        slot = self._scope.slot
        if entries:
            self._values[slot] = entries
            self._dirty.add(slot)
        else:
            self._table.remove(slot)

    def _value(self, stored):
        return stored if self._ttl is None else stored[0]

    def _read(self, key, stored):
        if self._ttl is None:
            return stored
        if self._ttl.on_read:
            entries = self._values[self._scope.slot]
            if entries is not MISSING and key in entries:
                entries[key] = (stored[0], self._ttl.now())
                self._dirty.add(self._scope.slot)
        return stored[0]

    def get(self, key):
        if self._ttl is None:
            entries = self._values[self._scope.slot]
            return None if entries is MISSING else entries.get(key)
        stored = self._entries().get(key, MISSING)
        return None if stored is MISSING else self._read(key, stored)

    def put(self, key, value):
        slot = self._scope.slot
        entries = self._values[slot]
        if entries is MISSING:
            self._values[slot] = entries = {}
        entries[key] = value if self._ttl is None else (value, self._ttl.now())
        self._dirty.add(slot)

    def put_all(self, dict_value):
        for key, value in (dict_value or {}).items():
            self.put(key, value)

    def remove(self, key):
        entries = self._values[self._scope.slot]
        if entries is not MISSING and entries.pop(key, MISSING) is not MISSING:
            self._touched(entries)

    def contains(self, key):
        return key in self._entries()

    def items(self):
        return [(k, self._read(k, v)) for k, v in list(self._entries().items())]

    def keys(self):
        return list(self._entries())

    def values(self):
        return [self._read(k, v) for k, v in list(self._entries().items())]

    def is_empty(self):
        return not self._entries()


class Broadcast(MapState):
    """A mapping that belongs to no key. Subtasks hold the same; the first hands it over at a commit."""

    def __init__(self, table, writable):
        self._table, self._values, self._writable = table, table.values, writable

    def _change(self, key):
        if not self._writable:
            raise TypeError("broadcast state %r can only be changed where the broadcast stream's elements are processed" % self._table.name)
        self._table.dirty.add(key)

    def get(self, key):
        return self._values.get(key)

    def put(self, key, value):
        self._change(key)
        self._values[key] = value

    def put_all(self, dict_value):
        for key, value in dict_value.items():
            self.put(key, value)

    def remove(self, key):
        self._change(key)
        self._values.pop(key, None)

    def clear(self):
        for key in list(self._values):
            self.remove(key)

    def contains(self, key):
        return key in self._values

    def items(self):
        return list(self._values.items())

    def keys(self):
        return list(self._values)

    def values(self):
        return list(self._values.values())

    def is_empty(self):
        return not self._values


class Backend:
    """The states of one operator."""

    def __init__(self, operator, scope, now, cache=None):
        self._operator, self._scope, self._now = operator, scope, now
        self._cache = cache if cache is not None else Cache()
        self.tables = {}
        self._handles = {}

    def table(self, name, layout="", spaced=False, ttl=None, kind=Table):
        """Returns the table of that name, made when it is not there."""
        table = self.tables.get(name)
        if table is None:
            table = self.tables[name] = kind("%s/%s" % (self._operator, name), layout, spaced, ttl, self._cache, self._scope)
        elif not table.layout:
            table.layout, table.ttl = layout, ttl
        elif layout == table.layout:
            return table
        elif layout and table.layout != layout:
            raise TypeError("state %r was declared as %s before, and as %s now" % (name, table.layout, layout))
        if layout:
            self._cache.declared.append((table.name, layout))
        return table

    def handle(self, descriptor, scope=None, prefix=""):
        """Returns the state of a descriptor. With a scope of its own, slots have namespaces."""
        name = prefix + descriptor.name
        handle = self._handles.get((name, id(scope)))
        if handle is None:
            config = descriptor._ttl_config
            ttl = Ttl(config, self._now) if config is not None and config.is_enabled() else None
            layout = descriptor._layout() if ttl is None else descriptor._layout() + " with time"
            table = self.table(name, layout, scope is not None, ttl)
            handle = self._handles[(name, id(scope))] = _make(descriptor, scope or self._scope, table)
        return handle

    def broadcast(self, descriptor, writable):
        return Broadcast(self.table("broadcast/" + descriptor.name, descriptor._layout(), kind=BroadcastTable), writable)


def _make(descriptor, scope, table):
    kind = descriptor.kind
    if kind == "value":
        return Value(scope, table) if table.ttl is None else ExpiringValue(scope, table)
    if kind == "list":
        return List(scope, table)
    if kind == "map":
        return Map(scope, table)
    if kind == "reducing":
        return Reducing(scope, table, descriptor._reduce)
    if kind == "aggregating":
        return Aggregating(scope, table, descriptor._agg_function)
    raise TypeError("unknown state descriptor %r" % (descriptor,))
