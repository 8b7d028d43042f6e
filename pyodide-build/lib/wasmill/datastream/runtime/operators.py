"""The operators of a task, as they run: each takes elements by `process`, and calls `emit` for what comes out.

The element's timestamp is the task's, so that only what changes it has to say so. An operator is built once per subtask, after the
ones that it emits to.
"""

from ..functions import TimeDomain
from ..output_tag import OutputTag
from .context import RuntimeContextImpl
from .states import Backend, Scope
from .timers import MIN_LONG, Service, Timers

MAX_LONG = (1 << 63) - 1


class Operator:
    """The base of operators: passes watermarks on, and has nothing to keep.

    `spec` is what the plan says of it; `emit` takes main results, `side` a tag's by its name; `downstream` are the (operator, input)
    that watermarks go on to."""

    inputs = 1

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
        if self.backend is not None:
            for table in self.backend.tables.values():
                if table.dirty or table.ttl is not None:
                    table.flush(put)

    def restore(self, name, key, space, data):
        if self.backend is not None:
            kind = self.restored_kind(name)
            self.backend.table(name, kind=kind).restore(key, space, data)

    def restored_kind(self, name):
        from .states import BroadcastTable, Table

        return BroadcastTable if name.startswith("broadcast/") else Table

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


def converting(emit, type_info):
    """Returns an emit that checks and converts values to a type."""
    convert = type_info.converter()
    if convert is None:
        return emit
    return lambda value: emit(convert(value))


class Stateless(Operator):
    """map, flat_map and filter."""

    def __init__(self, *args):
        super().__init__(*args)
        function, emit = self.spec.call, self.emit
        kind = self.spec.kind
        if kind == "map":
            self.process = lambda value: emit(function(value))
        elif kind == "filter":
            def process(value):
                if function(value):
                    emit(value)
            self.process = process
        else:
            def process(value):
                out = function(value)
                if out is not None:
                    for v in out:
                        emit(v)
            self.process = process

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
        self.is_idle = False
        self.due = self.task.wall + self.task.interval
        task, emit, extract, generator = self.task, self.emit, self.extract, self.generator

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

        self.process = process

    def watermark(self, index, watermark):
        """What comes from before is not of these timestamps."""

    def idle(self, index):
        pass

    def emit_watermark(self, watermark):
        watermark = getattr(watermark, "timestamp", watermark)
        if watermark > self.current_watermark:
            self.current_watermark = watermark
            self.forward(watermark)

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


class KeyBy(Operator):
    """Makes the key of each element current. Behind an exchange the key came along."""

    def __init__(self, *args):
        super().__init__(*args)
        self.scope = next((operator.scope for operator, _ in self.downstream if isinstance(operator, Keyed)), None) or Scope()
        enter, emit, key_of = self.scope.enter, self.emit, self.spec.call

        def process(value):
            enter(key_of(value))
            emit(value)

        self.process = process

    def keyed(self, key, value):
        self.scope.enter(key)
        self.emit(value)

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
        self.backend = Backend(self.spec.uid, self.scope, now)
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
        self._timer(TimeDomain.EVENT_TIME, time, key, slot, space)

    def _on_processing(self, time, key, slot, space):
        self.task.timestamp = None
        self._timer(TimeDomain.PROCESSING_TIME, time, key, slot, space)

    def _timer(self, domain, time, key, slot, space):
        scope = self.scope
        scope.key, scope.slot = key, slot
        self.on_timer(domain, time, space)

    def on_timer(self, domain, time, space):
        pass

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

    def open(self):
        super().open()
        values, dirty, scope, emit, reduce = self.table.values, self.table.dirty, self.scope, self.emit, self.spec.call
        batch = self.task.batch

        def process(value):
            slot = scope.slot
            if slot in values:
                value = reduce(values[slot], value)
            elif batch:
                self.keys[slot] = scope.key
            values[slot] = value
            dirty.add(slot)
            if not batch:
                emit(value)

        self.keys = {}
        self.process = process

    def input(self, index):
        return lambda value: self.process(value)

    def finish(self):
        if self.task.batch:
            self.task.timestamp = None
            for slot, key in self.keys.items():
                self.scope.key, self.scope.slot = key, slot
                self.emit(self.table.values[slot])


OPERATORS = {"map": Stateless, "flat_map": Stateless, "filter": Stateless, "pass": Pass, "timestamps": AssignTimestamps, "key_by": KeyBy, "reduce": Reduce}
