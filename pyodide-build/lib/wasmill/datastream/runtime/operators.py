"""The operators of a task, as they run: each takes elements by `process`, and calls `emit` for what comes out.

The element's timestamp is the task's, so that only what changes it has to say so. An operator is built once per subtask, after the
ones that it emits to.
"""

from ...common.watermark_strategy import BoundedOutOfOrderness
from ..functions import TimeDomain
from ..output_tag import OutputTag
from .context import RuntimeContextImpl
from .keys import slot as slot_of
from .states import Backend, Scope
from .tables import MISSING, BroadcastTable
from .timers import MIN_LONG, Service, Timers

MAX_LONG = (1 << 63) - 1


class Operator:
    """The base of operators: passes watermarks on, and has nothing to keep.

    `spec` is what the plan says of it; `emit` takes main results, `side` a tag's by its name; `downstream` are the (operator, input)
    that watermarks go on to."""

    inputs = 1
    converts = False  # whether it converts to its type itself, rather than emit

    def __init__(self, task, spec, emit, side, downstream):
        self.task, self.spec, self.emit, self.side, self.downstream = task, spec, emit, side, downstream
        self.current_watermark = MIN_LONG
        self._watermarks = [MIN_LONG] * spec.inputs
        self._idle = [False] * spec.inputs
        self._ends = spec.inputs
        self.backend = None

    def input(self, index):
        """Returns what takes the elements of an input."""
        return self.process

    def open(self):
        pass

    def close(self):
        pass

    def watermark(self, index, watermark):
        """Takes an input's watermark, and goes on when the smallest of all inputs has risen."""
        if watermark <= self._watermarks[index]:
            return
        self._watermarks[index] = watermark
        self._idle[index] = False
        self._progress()

    def idle(self, index):
        """Takes note that nothing is to be expected of an input for now."""
        if not self._idle[index]:
            self._idle[index] = True
            if all(self._idle):
                for operator, i in self.downstream:
                    operator.idle(i)
            else:
                self._progress()

    def _progress(self):
        least = min(w for w, idle in zip(self._watermarks, self._idle) if not idle)
        if least > self.current_watermark:
            self.current_watermark = least
            self.advance(least)
            self.forward(least)

    def advance(self, watermark):
        """Event time has come so far."""

    def forward(self, watermark):
        for operator, i in self.downstream:
            operator.watermark(i, watermark)

    def time(self, now):
        """The wall clock has come so far."""

    def wish(self):
        """Returns when the operator wants to be told the time next, or None."""
        return None

    def end(self, index):
        """An input has ended, and event time with it. The operator finishes, and ends those behind it, when all have."""
        self._ends -= 1
        if self._ends:
            self.watermark(index, MAX_LONG)
            return
        self._watermarks[index] = self.current_watermark = MAX_LONG
        self.advance(MAX_LONG)
        self.finish()
        for operator, i in self.downstream:
            operator.end(i)

    def finish(self):
        pass

    def flush(self, put):
        """Hands what changed to the host. put(name, key bytes, space bytes, value bytes or None) is for what is no table."""
        if self.backend is not None:
            for table in self.backend.tables.values():
                table.flush()

    def forget(self):
        """There are no commits that changes would be handed over at."""

    def restore(self, name, key, space, data):
        """Takes what is to be there from the beginning: timers, and what is the operator's own rather than a key's."""
        if self.backend is not None and name.startswith("broadcast/"):
            self.backend.table(name, kind=BroadcastTable).restore(space, data)

    def results(self, iterable):
        """Emits what a user's function returned, side outputs apart."""
        if iterable is None:
            return
        emit = self.emit
        for value in iterable:
            if type(value) is tuple and len(value) == 2 and type(value[0]) is OutputTag:
                self.side(value[0], value[1])
            else:
                emit(value)

    def calling(self, function, context):
        """Returns what calls a user's function with an element and a context, and emits its results."""
        emit, side = self.emit, self.side

        def process(value):
            out = function(value, context)
            if out is not None:
                for v in out:
                    if type(v) is tuple and len(v) == 2 and type(v[0]) is OutputTag:
                        side(v[0], v[1])
                    else:
                        emit(v)

        return process


def converting(emit, type_info):
    """Returns an emit that checks and converts values to a type."""
    convert = type_info.converter()
    if convert is None:
        return emit
    return lambda value: emit(convert(value))


class Stateless(Operator):
    """map, flat_map and filter. They convert to their type themselves, which saves a call."""

    converts = True

    def __init__(self, *args):
        super().__init__(*args)
        convert, kind = self.spec.type_info.converter(), self.spec.kind
        make = {"map": self._map, "flat_map": self._flat_map, "filter": self._filter}[kind]
        self.process = make(self.spec.call, self.emit, convert)

    @staticmethod
    def _map(function, emit, convert):
        if convert is None:
            return lambda value: emit(function(value))
        return lambda value: emit(convert(function(value)))

    @staticmethod
    def _filter(function, emit, convert):
        def process(value):
            if function(value):
                emit(value)

        return process

    @staticmethod
    def _flat_map(function, emit, convert):
        def process(value):
            out = function(value)
            if out is not None:
                for v in out:
                    emit(v)

        def converting(value):
            out = function(value)
            if out is not None:
                for v in out:
                    emit(convert(v))

        return process if convert is None else converting

    def open(self):
        self.spec.open(RuntimeContextImpl(self, None))

    def close(self):
        self.spec.close()


class Pass(Operator):
    """Union, and what only exists in the plan."""

    def input(self, index):
        return self.emit


class AssignTimestamps(Operator):
    """Timestamps and watermarks by a strategy."""

    def __init__(self, *args):
        super().__init__(*args)
        strategy = self.spec.strategy
        self.extract = strategy._timestamp_assigner.extract_timestamp if strategy._timestamp_assigner is not None else None
        self.generator = strategy._generator()
        self.idle_millis = strategy._idle_millis
        self.last = None
        self.emitted, self.stored, self.restored, self.others = MIN_LONG, None, None, []
        self.is_idle = False
        self.due = self.task.wall + self.task.interval
        task, emit, extract, generator = self.task, self.emit, self.extract, self.generator

        def bounded(value):
            before = task.timestamp
            task.timestamp = timestamp = extract(value, MIN_LONG if before is None else before)
            emit(value)
            if timestamp > generator.latest:
                generator.latest = timestamp
            task.timestamp = before

        def process(value):
            before = task.timestamp
            if extract is not None:
                task.timestamp = extract(value, MIN_LONG if before is None else before)
            timestamp = task.timestamp
            self.last, self.is_idle = task.wall, False
            emit(value)
            if timestamp is not None:
                generator.on_event(value, timestamp, self)
            task.timestamp = before

        plain = type(generator) is BoundedOutOfOrderness and extract is not None and not self.idle_millis
        self.process = bounded if plain else process

    def watermark(self, index, watermark):
        """What comes from before is not of these timestamps."""

    def idle(self, index):
        pass

    def emit_watermark(self, watermark):
        watermark = getattr(watermark, "timestamp", watermark)
        if watermark > self.current_watermark:
            self.current_watermark = self.emitted = watermark
            self.forward(watermark)

    def flush(self, put):
        """Each subtask stores the watermark that it has come to."""
        for index in self.others:
            if index >= self.task.parallelism and self.task.index == 0:
                put("%s/watermark" % self.spec.uid, None, b"%d" % index, None)
        self.others.clear()
        if self.emitted != self.stored:
            put("%s/watermark" % self.spec.uid, None, b"%d" % self.task.index, b"%d" % self.emitted)
            self.stored = self.emitted

    def restore(self, name, key, space, data):
        """Begins with the least of the watermarks of all subtasks that there were."""
        if name == "watermark":
            self.others.append(int(space))
            watermark = int(data)
            self.restored = watermark if self.restored is None else min(self.restored, watermark)

    def open(self):
        if self.restored is not None:
            self.emit_watermark(self.restored)

    def mark_idle(self):
        self.is_idle = True
        for operator, i in self.downstream:
            operator.idle(i)

    def mark_active(self):
        self.is_idle = False

    def time(self, now):
        if now >= self.due:
            self.due = now + self.task.interval
            self.generator.on_periodic_emit(self)
        if self.idle_millis and not self.is_idle:
            if self.last is None:
                self.last = now
            elif now - self.last >= self.idle_millis:
                self.mark_idle()

    def wish(self):
        return self.due


# State is fetched for the keys of so many elements at once.
PREFETCH = 256


class KeyBy(Operator):
    """Makes the key of each element current. Behind an exchange the key came along."""

    def __init__(self, *args):
        super().__init__(*args)
        self.scope = next((operator.scope for operator, _ in self.downstream if isinstance(operator, Keyed)), None) or Scope()
        scope, emit, key_of = self.scope, self.emit, self.spec.call

        def process(value):
            scope.key = key = key_of(value)
            kind = type(key)
            scope.slot = key if kind is str or kind is int else slot_of(key)
            emit(value)

        self.process = process

    def keyed(self, values, times, keys):
        """Takes elements with their keys, and their timestamps or None. State that is not at hand is fetched for many keys at once."""
        scope, emit, task, count = self.scope, self.emit, self.task, len(keys)
        task.timestamp = None
        step = PREFETCH if task.cache.lazy else count
        for start in range(0, count, step or 1):
            if step < count or task.cache.lazy:
                self._prefetch(keys[start:start + step])
            for i in range(start, min(start + step, count)):
                key = keys[i]
                if times is not None:
                    task.timestamp = times[i]
                scope.key = key
                kind = type(key)
                scope.slot = key if kind is str or kind is int else slot_of(key)
                emit(values[i])

    def _prefetch(self, keys):
        tables = [table for operator, _ in self.downstream if operator.backend is not None for table in operator.backend.tables.values()
                  if not table.complete and not table.spaced]
        if tables:
            slots = {slot_of(key) for key in keys}
            for table in tables:
                table.prefetch(slots)

    def open(self):
        self.spec.open(RuntimeContextImpl(self, None))

    def close(self):
        self.spec.close()


class Keyed(Operator):
    """The base of what works by key: a scope that its key_by set, state and timers."""

    def __init__(self, *args):
        super().__init__(*args)
        self.scope = Scope()
        now = self.task.now
        self.backend = Backend(self.spec.uid, self.scope, now, self.task.cache)
        self.event = Timers(self.spec.uid, TimeDomain.EVENT_TIME)
        self.processing = Timers(self.spec.uid, TimeDomain.PROCESSING_TIME)
        self.service = Service(self, self.scope, self.event, self.processing)
        self.runtime = RuntimeContextImpl(self, self.backend)

    def open(self):
        self.spec.open(self.runtime)

    def close(self):
        self.spec.close()

    def advance(self, watermark):
        if self.event.next_time() is not None:
            before = self.task.timestamp
            self.event.fire(watermark, self._on_event)
            self.task.timestamp = before

    def time(self, now):
        if self.processing.next_time() is not None:
            before = self.task.timestamp
            self.processing.fire(now, self._on_processing)
            self.task.timestamp = before

    def wish(self):
        return self.processing.next_time()

    def _on_event(self, time, key, slot, space):
        self.task.timestamp = time
        scope = self.scope
        scope.key, scope.slot = key, slot
        self.on_timer(TimeDomain.EVENT_TIME, time, space)

    def _on_processing(self, time, key, slot, space):
        self.task.timestamp = None
        scope = self.scope
        scope.key, scope.slot = key, slot
        self.on_timer(TimeDomain.PROCESSING_TIME, time, space)

    def on_timer(self, domain, time, space):
        pass

    def forget(self):
        self.event.forget()
        self.processing.forget()

    def flush(self, put):
        super().flush(put)
        self.event.flush(put)
        self.processing.flush(put)

    def restore(self, name, key, space, data):
        if name == "timers/event":
            self.event.restore(key, space, data)
        elif name == "timers/processing":
            self.processing.restore(key, space, data)
        else:
            super().restore(name, key, space, data)


class Reduce(Keyed):
    """One value by key. In streaming each element gives a result, in batch a key gives one at the end."""

    def __init__(self, *args):
        super().__init__(*args)
        self.table = self.backend.table("reduce", "value")
        self.keys = {}  # of batch, by slot
        values, changed, scope, emit, reduce, keys = self.table.values, self.table.dirty.add, self.scope, self.emit, self.spec.call, self.keys

        def process(value):
            slot = scope.slot
            before = values[slot]
            if before is not MISSING:
                value = reduce(before, value)
            values[slot] = value
            changed(slot)
            emit(value)

        def gather(value):
            slot = scope.slot
            before = values[slot]
            if before is not MISSING:
                value = reduce(before, value)
            else:
                keys[slot] = scope.key
            values[slot] = value
            changed(slot)

        self.process = gather if self.task.batch else process

    def finish(self):
        if self.task.batch:
            self.task.timestamp = None
            for slot, key in self.keys.items():
                self.scope.key, self.scope.slot = key, slot
                self.emit(self.table.values[slot])


OPERATORS = {"map": Stateless, "flat_map": Stateless, "filter": Stateless, "pass": Pass, "timestamps": AssignTimestamps, "key_by": KeyBy, "reduce": Reduce}
