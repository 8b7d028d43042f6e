"""What leaves a task: elements to the subtasks of another one, lines and messages to sinks, results to the script."""

import random

from .closures import dumps
from .fusion import Entry
from .keys import encode, owner, partition

# Pieces of at most so many elements are handed over at a time.
PIECE = 4096
# Of so many keys it is remembered where they belong.
REMEMBERED = 200_000


class Exchange:
    """Sends elements to the subtasks of another task, as its partitioning says. Elements gather until the call ends."""

    def __init__(self, task, port, spec):
        self.task, self.port, self.spec = task, port, spec
        self.width = spec.width
        self.values = [[] for _ in range(self.width)]
        self.times = [[] for _ in range(self.width)]
        self.keys = [[] for _ in range(self.width)] if spec.partitioning == "hash" else None
        self.next = task.index % self.width
        self.owners = {}
        getattr(self, "_" + spec.partitioning)()

    def _send(self, target, value):
        values = self.values[target]
        values.append(value)
        self.times[target].append(self.task.timestamp)
        if len(values) >= PIECE:
            self.hand_over(target)

    def _forward(self):
        target, send = self.task.index % self.width, self._send
        self.process = lambda value: send(target, value)

    def _rebalance(self):
        send, width = self._send, self.width

        def process(value):
            send(self.next, value)
            self.next = (self.next + 1) % width

        self.process = process

    def _rescale(self):
        task, width = self.task, self.width
        if width >= task.parallelism:
            first, past = task.index * width // task.parallelism, (task.index + 1) * width // task.parallelism
        else:
            first = task.index * width // task.parallelism
            past = first + 1
        self.next = first
        send = self._send

        def process(value):
            send(self.next, value)
            self.next = self.next + 1 if self.next + 1 < past else first

        self.process = process

    def _shuffle(self):
        send, width, choose = self._send, self.width, random.Random().randrange
        self.process = lambda value: send(choose(width), value)

    def _broadcast(self):
        send, targets = self._send, range(self.width)

        def process(value):
            for target in targets:
                send(target, value)

        self.process = process

    def _custom(self):
        send, width, choose, key_of = self._send, self.width, self.spec.partitioner, self.spec.key_of

        def process(value):
            target = choose(key_of(value), width)
            if not isinstance(target, int) or not 0 <= target < width:
                raise ValueError("the partitioner returned %r, expected a number from 0 to %d" % (target, width - 1))
            send(target, value)

        self.process = process

    def _hash(self):
        key_of, owners, partitions, width, task = self.spec.key_of, self.owners, self.task.partitions, self.width, self.task
        all_values, all_times, all_keys = self.values, self.times, self.keys

        def process(value):
            key = key_of(value)
            kind = type(key)
            if kind is str or kind is int:
                target = owners.get(key)
                if target is None:
                    target = owner(partition(encode(key), partitions), partitions, width)
                    if len(owners) >= REMEMBERED:
                        owners.clear()
                    owners[key] = target
            else:
                target = owner(partition(encode(key), partitions), partitions, width)
            all_keys[target].append(key)
            all_times[target].append(task.timestamp)
            values = all_values[target]
            values.append(value)
            if len(values) >= PIECE:
                self.hand_over(target)

        self.process = process

    def hand_over(self, target):
        values, times = self.values[target], self.times[target]
        if not values:
            return
        if times.count(None) == len(times):
            times = None
        keys = None
        if self.keys is not None:
            keys = self.keys[target]
            self.keys[target] = []
        self.task.put(DATA, self.port, target, len(values), payload=dumps((values, times, keys)))
        self.values[target], self.times[target] = [], []

    def open(self):
        """Opens what the user gave to choose the subtask by."""
        self.spec.open(self.task)

    def flush(self):
        for target in range(self.width):
            self.hand_over(target)

    # As the last of a chain it stands for the operators behind it.
    def watermark(self, index, watermark):
        self.flush()
        self.task.put(WATERMARK, self.port, -1, watermark)

    def idle(self, index):
        self.flush()
        self.task.put(IDLE, self.port, -1, 0)

    def end(self, index):
        self.flush()  # the host tells the tasks behind


class Lines(Exchange):
    """Sends lines of text to a sink."""

    def __init__(self, task, port, spec):
        self.task, self.port, self.spec = task, port, spec
        self.lines = []
        self._prefix = spec.prefix(task)
        self.process = Entry(self._write)

    def _write(self, code, v):
        source, text, append = self.spec.source and self.spec.source(v), code.name(self._text), code.name(self.lines.append)
        if source is None:
            code.add("%s(%s(%s))" % (append, text, v))
        else:
            test, line = source
            prefix = "{%s}" % code.name(self._prefix) if self._prefix else ""
            code.add("%s(f'%s%s' if %s else %s(%s))" % (append, prefix, line, test, text, v))
        with code.block("if len(%s) >= %d:" % (code.name(self.lines), PIECE)):
            code.add("%s()" % code.name(self.flush))

    def _text(self, value):
        line = self.spec.text(value)
        return self._prefix + (line if type(line) is str else str(line))

    def flush(self):
        if self.lines:
            count = len(self.lines)
            self.lines.append("")
            self.task.put(DATA, self.port, self.task.index, count, payload="\n".join(self.lines).encode("utf-8", "surrogateescape"))
            self.lines.clear()


class Records(Exchange):
    """Sends messages to a sink, each with what the sink wants to know of it."""

    def __init__(self, task, port, spec):
        self.task, self.port, self.spec = task, port, spec
        put, serialize, name_of, index = task.put, spec.serialize, spec.name_of, task.index
        self.process = lambda value: put(DATA, port, index, 1, name=name_of(value), payload=serialize(value))

    def flush(self):
        pass


class Encoded(Exchange):
    """Sends elements to a sink as the bytes of a file's format, many at a time."""

    def __init__(self, task, port, spec):
        self.task, self.port, self.spec = task, port, spec
        self.encoder = spec.encoder()
        add, flush = self.encoder.add, self.flush

        def process(value):
            if add(value):
                flush()

        self.process = process

    def flush(self):
        count, payload = self.encoder.take()
        if count:
            self.task.put(DATA, self.port, self.task.index, count, payload=payload)


class Collect(Exchange):
    """Sends results to the script that waits for the job."""

    def __init__(self, task, port, spec):
        self.task, self.port, self.spec = task, port, spec
        self.values = []
        append = self.values.append

        def process(value):
            append(value)
            if len(self.values) >= PIECE:
                self.flush()

        self.process = process

    def flush(self):
        if self.values:
            self.task.put(DATA, self.port, self.task.index, len(self.values), payload=dumps(self.values))
            self.values.clear()


# What a row between the host and a task is. The numbers are the protocol's, in docs/tasks.md.
DATA, WATERMARK, TIME, FLUSH, END, STATE, READY, RANGE, RECORDS, IDLE, DECLARE, MARK = range(12)

OUTPUTS = {"exchange": Exchange, "lines": Lines, "records": Records, "encoded": Encoded, "collect": Collect}
