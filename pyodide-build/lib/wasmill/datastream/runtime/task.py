"""A task: the operators of one chain in one subtask, and its conversation with the host.

The host hands over rows (kind, port, target, number, name, key, space, payload) and gets rows of the same shape back; docs/tasks.md
has the protocol. A task is built in the clone that runs it, from the plan that the script left in its memory.
"""

import pickle
import time

from . import panes, process, windows  # noqa: F401: they add their operators
from .exchange import DATA, DECLARE, END, FLUSH, IDLE, MARK, OUTPUTS, RANGE, READY, RECORDS, STATE, TIME, WATERMARK
from .fusion import Entry, converting, fan_out
from .operators import OPERATORS
from .tables import PIECE, Cache


class Task:
    """One subtask. `plan` is the graph.TaskPlan; the other arguments are what the host says of this subtask."""

    def __init__(self, plan, index=0, parallelism=1, partitions=128, attempt=0, metric=None, cache=None):
        self.plan, self.index, self.parallelism, self.partitions, self.attempt = plan, index, parallelism, partitions, attempt
        self.batch, self.interval, self.parameters = plan.batch, plan.watermark_interval, plan.parameters
        self.metric = metric or (lambda name, value: None)
        self.cache = cache if cache is not None else Cache()
        self._calls = 0
        self.timestamp = None
        self.wall = int(time.time() * 1000)
        self.fixed_clock = False
        self.told = None  # when the host was last asked to tell the time
        self.rows = []
        self.operators = {}  # by number, in the order of the data's way
        self._entries = {}  # by port
        self._marks = {}  # by port: what the host knows of the watermark
        self.outputs = [OUTPUTS[spec.kind](self, port, spec) for port, spec in enumerate(plan.outputs)]
        self._build()

    def now(self):
        """Returns the wall clock in milliseconds."""
        if not self.fixed_clock:
            self.wall = int(time.time() * 1000)
        return self.wall

    def put(self, kind, port=0, target=-1, number=0, name=None, key=None, space=None, payload=None):
        """Adds a row for the host."""
        self.rows.append((kind, port, target, number, name, key, space, payload))

    def _build(self):
        built = {}
        for spec in reversed(self.plan.operators):
            entries, downstream, sides = [], [], {}
            for edge in spec.edges:
                if edge.output is not None:
                    out = self.outputs[edge.output]
                    take, follower = out.process, (out, 0)
                else:
                    operator = built[edge.operator]
                    take, follower = operator.input(edge.input), (operator, edge.input)
                downstream.append(follower)
                entry = Entry.of(take)
                if edge.tag is None:
                    entries.append(entry)
                else:
                    sides.setdefault(edge.tag, []).append(converting(entry, edge.tag_type).function())
            then = converting(fan_out(entries), spec.type_info)
            built[spec.number] = OPERATORS[spec.kind](self, spec, then, _side(sides), downstream)
        self.operators = {spec.number: built[spec.number] for spec in self.plan.operators}
        self._timed = [(port, self.operators[spec.timed]) for port, spec in enumerate(self.plan.inputs) if spec.timed is not None]

    def open(self):
        """Opens the operators, the last first, so that each finds those behind it ready."""
        for output in self.outputs:
            output.open()
        for operator in reversed(self.operators.values()):
            operator.open()

    def close(self):
        """Closes them in the data's order."""
        for operator in self.operators.values():
            operator.close()

    def handle(self, rows):
        """Takes the host's rows and returns the task's."""
        for kind, port, target, number, name, key, space, payload in rows:
            if kind == DATA:
                self._data(port, payload)
            elif kind == RECORDS:
                self._records(port, target, number, name, key, payload)
                self._marks.pop(port, None)
            elif kind == RANGE:
                self._range(port, number, target)
                self._marks.pop(port, None)
            elif kind == WATERMARK:
                operator, index = self._input(port)
                operator.watermark(index, number)
            elif kind == IDLE:
                operator, index = self._input(port)
                operator.idle(index)
            elif kind == TIME:
                self._time(number)
            elif kind == FLUSH:
                self._flush()
            elif kind == END:
                self._end(port)
            elif kind == STATE:
                number, _, rest = name.partition("/")
                self._restore(number, rest, key, space, payload)
            elif kind == READY:
                self.open()
            else:
                raise ValueError("unknown row of kind %r from the host" % kind)
        if self._timed:
            self._mark()
        for output in self.outputs:
            output.flush()
        self._wish()
        self._calls += 1
        if not self._calls & 7:
            self.cache.check()
            if not self.cache.keeps:
                for operator in self.operators.values():
                    operator.forget()
        if self.cache.declared:
            self._declare()
        out, self.rows = self.rows, []
        return out

    def _mark(self):
        """Tells the host how far aligned sources have come: after each of their pieces, for which it waits, and whenever that changes."""
        for port, operator in self._timed:
            if port not in self._marks:
                operator.generator.on_periodic_emit(operator)
            now = (operator.emitted, operator.is_idle)
            if self._marks.get(port) != now:
                self._marks[port] = now
                self.put(MARK, port, int(operator.is_idle), operator.emitted)

    def _input(self, port):
        spec = self.plan.inputs[port]
        return self.operators[spec.operator], spec.input

    def _entry(self, port):
        entry = self._entries.get(port)
        if entry is None:
            operator, index = self._input(port)
            entry = self._entries[port] = Entry.of(operator.input(index))
        return entry

    def _data(self, port, payload):
        values, times, keys = pickle.loads(payload)
        if keys is not None:
            self._input(port)[0].keyed(values, times, keys)
        elif times is None:
            self.timestamp = None
            self._entry(port).each()(values)
        else:
            entry = self._entry(port).function()
            for value, self.timestamp in zip(values, times):
                entry(value)
        self.timestamp = None

    def _records(self, port, target, number, name, key, payload):
        """A record of a source: its bytes, its time if it has one, its name (subject, file), and what its format says of it in target and key."""
        self.timestamp = number if number >= 0 else None
        self._entry(port).each()(self.plan.inputs[port].decode(payload, name, target, key))
        self.timestamp = None

    def _range(self, port, start, count):
        """So many elements of a collection or sequence, from the start-th on."""
        self.timestamp = None
        self._entry(port).each()(self.plan.inputs[port].elements(start, count))

    def _time(self, now):
        self.wall, self.told = now, None
        if not self.batch:
            for operator in self.operators.values():
                operator.time(now)

    def _declare(self):
        declared = self.cache.declared
        if self.cache.store is not None:
            for name, layout in declared:
                self.put(DECLARE, name=name, payload=layout.encode())
        declared.clear()

    def _flush(self):
        if self.cache.store is None:
            return
        gathered = {}

        def put(name, *entry):
            lists = gathered.get(name)
            if lists is None:
                lists = gathered[name] = ([], [], [])
            for values, value in zip(lists, entry):
                values.append(value)
            if len(lists[0]) >= PIECE:
                self.cache.store.put(name, *lists)
                del gathered[name]

        for operator in self.operators.values():
            operator.flush(put)
        for name, lists in gathered.items():
            self.cache.store.put(name, *lists)
        self.cache.check()

    def _restore(self, uid, name, key, space, data):
        for operator in self.operators.values():
            if operator.spec.uid == uid:
                operator.restore(name, key, space, data)
                return
        raise ValueError("there is stored state %r of an operator %r that the job does not have; give operators uids to keep their state" % (name, uid))

    def _end(self, port):
        operator, index = self._input(port)
        operator.end(index)

    def _wish(self):
        wishes = [w for w in (operator.wish() for operator in self.operators.values()) if w is not None]
        if wishes and not self.batch and min(wishes) != self.told:
            self.told = min(wishes)
            self.put(TIME, number=self.told)


def _side(sides):
    def side(tag, value):
        for entry in sides.get(tag.tag_id, ()):
            entry(value)

    return side
