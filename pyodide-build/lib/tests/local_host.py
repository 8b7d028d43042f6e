"""A host in Python, for tests: it runs the tasks of a job by the protocol of docs/tasks.md, each in a fork of this process, as clones of
an interpreter are made in the sandbox."""

import base64
import json
import os
import pickle
import struct
import zlib
from collections import deque

from wasmill.datastream import host
from wasmill.datastream.runtime.exchange import DATA, DECLARE, END, FLUSH, IDLE, MARK, RANGE, READY, RECORDS, STATE, TIME, WATERMARK
from wasmill.datastream.runtime.keys import owner, partition
from wasmill.datastream.runtime.tables import Cache
from wasmill.datastream.runtime.task import Task


class Clone:
    """A subtask in a process of its own."""

    def __init__(self, make, state):
        self.state = state
        down, self._down = os.pipe()
        self._up, up = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(self._down), os.close(self._up)
            task = make(_Remote(down, up))
            while (request := _receive(down)) is not None:
                try:
                    task.fixed_clock = task.fixed_clock or any(row[0] == TIME for row in request or ())
                    answer = (None, task.handle(request) if request else task.close())
                except BaseException as e:  # the test sees it
                    answer = (e, None)
                _send(up, answer)
            os._exit(0)
        os.close(down), os.close(up)

    def call(self, request):
        _send(self._down, request)
        while len(answer := _receive(self._up)) > 2:  # it asks for state
            _send(self._down, self.state(*answer))
        error, rows = answer
        if error is not None:
            raise error
        return rows

    def handle(self, rows):
        return self.call(rows)

    def close(self):
        self.call([])

    def end(self):
        _send(self._down, None)
        os.close(self._down), os.close(self._up)
        os.waitpid(self.process, 0)


class _Remote:
    """The state that lies with the host, as a clone sees it."""

    def __init__(self, down, up):
        self._down, self._up = down, up

    def get(self, name, keys, spaces):
        _send(self._up, ("get", name, keys, spaces, None))
        return _receive(self._down)

    def put(self, name, keys, spaces, values):
        _send(self._up, ("put", name, keys, spaces, values))
        _receive(self._down)


def _send(fd, value):
    try:
        data = pickle.dumps(value, 5)
    except Exception as e:
        if isinstance(value[0], str):
            raise
        data = pickle.dumps((type(value[0])(str(value[0])) if value[0] is not None else e, None), 5)
    data = struct.pack("I", len(data)) + data
    while data:
        data = data[os.write(fd, data):]


def _receive(fd):
    def read(size):
        data = b""
        while len(data) < size:
            piece = os.read(fd, size - len(data))
            if not piece:
                return None
            data += piece
        return data

    head = read(4)
    return None if head is None else pickle.loads(read(struct.unpack("I", head)[0]))


class LocalHost:
    """Runs jobs. `cache` is what a subtask holds, in bytes; `output` holds what sinks wrote, by the kind of sink; `committed` the state. A job that resumes begins with it."""

    cache = 1 << 40

    def __init__(self, piece=3, files=None, folder=""):
        """files holds the records of files by path; others are read, `piece` lines at a time, below folder."""
        self.piece, self.files, self.folder, self.output, self.committed = piece, files or {}, folder, {}, {}
        self.now, self.resumes, self.asked = None, False, 0
        self.first = 0  # -1: files are read on behind their first piece

    def __enter__(self):
        self._before, host.current = host.current, self
        return self

    def __exit__(self, *_):
        host.current = self._before

    def __call__(self, text, plans):
        job = json.loads(text)
        if not self.resumes:
            self.committed = {}
        tasks = {}
        try:
            for p in plans:
                for i in range(p.width):
                    tasks[(p.number, i)] = Clone(lambda remote, p=p, i=i: Task(p, i, p.width, job["partitions"], cache=Cache(
                        self.cache, remote, self.resumes, i == 0)), lambda *request, p=p: self.state(p.number, *request))
            return self.run(job, plans, tasks)
        finally:
            for task in tasks.values():
                task.end()

    def run(self, job, plans, tasks):
        widths = {p.number: p.width for p in plans}
        ahead = {(e["from"], e["output"]): (e["to"], e["port"]) for e in job["edges"]}
        sinks = {(s["from"], s["output"]): s for s in job["sinks"]}
        collected = {}
        queue = deque()
        # For each input: which subtasks feed it, and what they said last.
        feeding = {}
        for e in job["edges"]:
            for i in range(widths[e["to"]]):
                feeding[(e["to"], i, e["port"])] = {(e["from"], j): None for j in range(widths[e["from"]])}
        inputs = {key: len(plans[key[0]].inputs) for key in tasks}

        def deliver(key, rows):
            for kind, port, target, number, name, key_bytes, space, payload in tasks[key].handle(rows):
                take(key, kind, port, target, number, name, key_bytes, space, payload)

        def take(key, kind, port, target, number, name, key_bytes, space, payload):
            if kind in (TIME, DECLARE, MARK):
                pass
            elif (key[0], port) in sinks:
                if kind == DATA:
                    write(sinks[(key[0], port)], name, number, payload)
            else:
                to, to_port = ahead[(key[0], port)]
                targets = range(widths[to]) if target < 0 else [target]
                for i in targets:
                    if kind == WATERMARK:
                        said = feeding[(to, i, to_port)]
                        said[key] = number
                        if None not in said.values():
                            queue.append(((to, i), (WATERMARK, to_port, -1, min(said.values()), None, None, None, None)))
                    elif kind == DATA:
                        queue.append(((to, i), (DATA, to_port, i, number, name, None, None, payload)))

        def write(sink, name, number, payload):
            if sink["kind"] == "collect":
                collected.setdefault(str(sink["number"]), []).append(base64.b64encode(payload).decode())
            elif sink.get("format", "lines") != "lines":
                self.output.setdefault(sink["format"], []).append((number, payload))
            elif sink["kind"] in ("print", "file"):
                self.output.setdefault(sink["kind"], []).extend(payload.decode().split("\n")[:-1])
            else:
                self.output.setdefault(sink["kind"], []).append((name, payload))

        def drain():
            while queue:
                key, row = queue.popleft()
                deliver(key, [row])

        for key in tasks:
            rows = self.restored(key, widths[key[0]], job["partitions"])
            deliver(key, rows + [(READY, 0, -1, 0, None, None, None, None)])
        left = {}
        for source in job["sources"]:
            pieces = list(self.pieces(source))
            left[source["number"]] = (source, deque(pieces))
        turn = 0
        while any(pieces for _, pieces in left.values()):
            for source, pieces in left.values():
                if pieces:
                    width = source["parallelism"]
                    deliver((source["to"], turn % width), [pieces.popleft()])
            turn += 1
            drain()
            self.tick(tasks, deliver, turn)
            drain()
            if turn % 2 == 0:
                for key in tasks:
                    deliver(key, [(FLUSH, 0, -1, turn, None, None, None, None)])
                drain()
        # Ends, in the order of the data's way: a port ends when all that feed it have.
        ended = set()
        pending = {key: inputs[key] for key in tasks}
        ready = deque()
        for source in job["sources"]:
            for i in range(widths[source["to"]]):
                ready.append(((source["to"], i), source["port"]))
        while ready:
            key, port = ready.popleft()
            deliver(key, [(END, port, -1, 0, None, None, None, None)])
            drain()
            pending[key] -= 1
            if pending[key]:
                continue
            ended.add(key)
            for (task, output), (to, to_port) in ahead.items():
                if task == key[0] and all((task, j) in ended for j in range(widths[task])):
                    ready.extend((((to, i), to_port)) for i in range(widths[to]))
        for key in tasks:
            deliver(key, [(FLUSH, 0, -1, turn, None, None, None, None)])
            tasks[key].close()
        return json.dumps({"runtime_ms": 1, "collected": collected})

    def tick(self, tasks, deliver, turn):
        """Tells the tasks the time, if the test has one."""
        if self.now is not None:
            for key in tasks:
                deliver(key, [(TIME, 0, -1, self.now(turn), None, None, None, None)])

    def pieces(self, source):
        if source["kind"] == "range":
            for start in range(0, source["count"], self.piece):
                yield (RANGE, source["port"], min(self.piece, source["count"] - start), start, None, None, None, None)
        else:
            for path in source["paths"]:
                for i, piece in enumerate(self.files.get(path) or self.read(path)):
                    if isinstance(piece, tuple):  # of a format that is not lines: how many records, what the format says of them, their bytes
                        yield (RECORDS, source["port"], piece[0], -1, path, piece[1], None, piece[2])
                    else:
                        yield (RECORDS, source["port"], self.first if i == 0 else -1, -1, path, None, None, piece)

    def read(self, path):
        with open(os.path.join(self.folder, path), "rb") as f:
            if path.endswith(".avro"):
                return list(blocks(f.read()))
            lines = f.readlines()
        return [b"".join(lines[i:i + self.piece]) for i in range(0, len(lines), self.piece)]

    def state(self, task, request, name, keys, spaces, values):
        """Answers what a clone asks for. What is put is committed at once, for nothing here fails in the middle."""
        if request == "get":
            self.asked += 1
            return [self.committed.get((task, name, key, space)) for key, space in zip(keys, spaces)]
        for key, space, value in zip(keys, spaces, values):
            if value is None:
                self.committed.pop((task, name, key, space), None)
            else:
                self.committed[(task, name, key, space)] = value
        return None

    def restored(self, key, width, partitions):
        rows = []
        for (task, name, key_bytes, space), payload in self.committed.items():
            at_once = key_bytes is None or "/timers/" in name
            if task == key[0] and at_once and (key_bytes is None or owner(partition(key_bytes, partitions), partitions, width) == key[1]):
                rows.append((STATE, 0, -1, 0, name, key_bytes, space, payload))
        return rows


def blocks(data):
    """Yields the blocks of a container file of Avro: how many records, the file's schema, their bytes. The file is believed."""
    at = 4

    def long():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value >> 1 ^ -(value & 1)

    def take(size):
        nonlocal at
        at += size
        return data[at - size:at]

    meta = {}
    while count := long():
        for _ in range(count):
            name = take(long())
            meta[name] = take(long())
    take(16)
    while at < len(data):
        count = long()
        piece = take(long())
        take(16)
        yield count, meta[b"avro.schema"], zlib.decompress(piece, -15) if meta.get(b"avro.codec") == b"deflate" else piece


def load(pieces):
    """Returns the values of collected pieces."""
    return [v for piece in pieces for v in pickle.loads(base64.b64decode(piece))]
