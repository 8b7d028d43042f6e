"""The operators of a task, as they run: each takes elements at its inputs, and goes on with `then`, or calls `emit`, for what comes out.

The element's timestamp is the task's, so that only what changes it has to say so. An operator is built once per subtask, after the
ones that it emits to.
"""

from functools import cached_property

from ...common.watermark_strategy import BoundedOutOfOrderness
from ..functions import TimeDomain
from ..output_tag import OutputTag
from .context import RuntimeContextImpl
from .fusion import Entry
from .keys import slot as slot_of
from .states import Backend, Scope
from .tables import MISSING, BroadcastTable
from .timers import MIN_LONG, Service, Timers

MAX_LONG = (1 << 63) - 1


class Operator:
    """The base of operators: passes watermarks on, and has nothing to keep.

    `spec` is what the plan says of it; `then` is the Entry that takes main results, `side` takes a tag's by its name; `downstream` are the
    (operator, input) that watermarks go on to."""

    inputs = 1

    def __init__(self, task, spec, then, side, downstream):
        self.task, self.spec, self.then, self.side, self.downstream = task, spec, then, side, downstream
        self.current_watermark = MIN_LONG
        self._watermarks = [MIN_LONG] * spec.inputs
        self._idle = [False] * spec.inputs
        self._ends = spec.inputs
        self.backend = None

    @cached_property
    def emit(self):
        """Takes a main result."""
        return self.then.function()

    def input(self, index):
        """Returns what takes the elements of an input: an Entry, or a function."""
        return self.then.before(self.write)

    def write(self, code, v):
        """Adds what is done with the element in the variable v, for operators of one input."""
        raise NotImplementedError

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
        def write(code, v):
            out, result = code.variable(), code.variable()
            code.add("%s = %s(%s, %s)" % (out, code.name(function), v, code.name(context)))
            with code.block("if %s is not None:" % out), code.block("for %s in %s:" % (result, out)):
                with code.block("if type(%s) is tuple and len(%s) == 2 and type(%s[0]) is %s:" % (result, result, result, code.name(OutputTag))):
                    code.add("%s(*%s)" % (code.name(self.side), result))
                with code.block("else:"):
                    code.then(self.then, result)

        return self.then.before(write)


class Stateless(Operator):
    """map, flat_map and filter."""

    def write(self, code, v):
        function = code.name(self.spec.call)
        if self.spec.kind == "filter":
            with code.block("if %s(%s):" % (function, v)):
                code.then(self.then, v)
            return
        result = code.variable()
        if self.spec.kind == "map":
            code.add("%s = %s(%s)" % (result, function, v))
            code.then(self.then, result)
            return
        out = code.variable()
        code.add("%s = %s(%s)" % (out, function, v))
        with code.block("if %s is not None:" % out), code.block("for %s in %s:" % (result, out)):
            code.then(self.then, result)

    def open(self):
        self.spec.open(RuntimeContextImpl(self, None))

    def close(self):
        self.spec.close()


class Pass(Operator):
    """Union, and what only exists in the plan."""

    def input(self, index):
        return self.then


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

    def write(self, code, v):
        task, generator = code.name(self.task), code.name(self.generator)
        before, time = code.variable(), code.variable()
        code.add("%s = %s.timestamp" % (before, task))
        if self.extract is None:
            code.add("%s = %s" % (time, before))
        else:
            code.add("%s.timestamp = %s = %s(%s, %d if %s is None else %s)" % (task, time, code.name(self.extract), v, MIN_LONG, before, before))
        if self.idle_millis:
            code.add("%s.last, %s.is_idle = %s.wall, False" % (code.name(self), code.name(self), task))
        code.then(self.then, v)
        if type(self.generator) is BoundedOutOfOrderness and self.extract is not None:
            with code.block("if %s > %s.latest:" % (time, generator)):
                code.add("%s.latest = %s" % (generator, time))
        else:
            with code.block("if %s is not None:" % time):
                code.add("%s.on_event(%s, %s, %s)" % (generator, v, time, code.name(self)))
        code.add("%s.timestamp = %s" % (task, before))

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

    def write(self, code, v):
        scope, key = code.name(self.scope), code.variable()
        code.add("%s.key = %s = %s(%s)" % (scope, key, code.name(self.spec.call), v))
        code.add("%s.slot = %s if type(%s) is str or type(%s) is int else %s(%s)" % (scope, key, key, key, code.name(slot_of), key))
        code.then(self.then, v)

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

    def write(self, code, v):
        scope, values = code.name(self.scope), code.name(self.table.values)
        slot, value = code.variable(), code.variable()
        code.add("%s = %s.slot" % (slot, scope))
        code.add("%s = %s[%s]" % (value, values, slot))
        with code.block("if %s is %s:" % (value, code.name(MISSING))):
            code.add("%s = %s" % (value, v))
            if self.task.batch:
                code.add("%s[%s] = %s.key" % (code.name(self.keys), slot, scope))
        with code.block("else:"):
            code.add("%s = %s(%s, %s)" % (value, code.name(self.spec.call), value, v))
            code.convert(self.spec.reduced, value)
        code.add("%s[%s] = %s" % (values, slot, value))
        code.add("%s(%s)" % (code.name(self.table.dirty.add), slot))
        if not self.task.batch:
            code.then(self.then, value)

    def finish(self):
        if self.task.batch:
            self.task.timestamp = None
            for slot, key in self.keys.items():
                self.scope.key, self.scope.slot = key, slot
                self.emit(self.table.values[slot])


OPERATORS = {"map": Stateless, "flat_map": Stateless, "filter": Stateless, "pass": Pass, "timestamps": AssignTimestamps, "key_by": KeyBy, "reduce": Reduce}
