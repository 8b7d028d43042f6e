"""Sinks and sources, as the host is told of them and as tasks feed them."""

import base64
import pickle

from . import host
from .graph import OutputSpec

__all__ = ["Sink", "Source"]


class Sink:
    """Where elements go. `output` says what a task hands over, `plan` what the host does with it."""

    def output(self, node):
        """Says what a task hands over."""
        raise NotImplementedError

    def plan(self):
        """Says what the host reads or writes."""
        raise NotImplementedError


class Source:
    """Where elements come from. `plan` says what the host reads; decode or elements make elements of that."""

    bounded = True
    parallel = True
    type_info = None

    def plan(self):
        """Says what the host reads or writes."""
        raise NotImplementedError

    decode = None
    elements = None


class PrintSink(Sink):
    """The job's standard output. Subtasks number their lines where there are several."""

    def __init__(self, text, source, identifier):
        self._text, self._source, self._identifier = text, source, identifier

    def output(self, node):
        """Says what a task hands over."""
        def prefix(task):
            parts = [self._identifier] if self._identifier else []
            if task.parallelism > 1:
                parts.append(str(task.index + 1))
            return ":".join(parts) + "> " if parts else ""

        return OutputSpec("lines", text=self._text, source=self._source, prefix=prefix)

    def plan(self):
        """Says what the host reads or writes."""
        return {"kind": "print"}


class CollectSink(Sink):
    """Hands the elements to the script when the job has ended."""

    def __init__(self, limit=None):
        self._limit = limit
        self.number = None
        self._values = []

    def output(self, node):
        """Says what a task hands over."""
        self.number = node.number
        return OutputSpec("collect")

    def plan(self):
        """Says what the host reads or writes."""
        return {"kind": "collect", "limit": self._limit or 0}

    def take(self, pieces):
        """Takes what the host collected: pickles in base64."""
        for piece in pieces:
            self._values.extend(pickle.loads(base64.b64decode(piece)))

    def results(self):
        values, self._values = self._values, []
        return values if self._limit is None else values[:self._limit]


class CollectionSource(Source):
    """The elements of a list."""

    parallel = False

    def __init__(self, elements):
        self._elements = elements

    def plan(self):
        """Says what the host reads or writes."""
        return {"kind": "range", "count": len(self._elements)}

    def elements(self, start, count):
        """Returns a piece of the numbers."""
        return self._elements[start:start + count]


class TextSource(Source):
    """The lines of a file."""

    def __init__(self, path, charset="UTF-8"):
        self._path, self._charset = local_path(path), charset

    def plan(self):
        """Says what the host reads or writes."""
        return {"kind": "file", "paths": [self._path], "format": "lines"}

    def decode(self, payload, name, target, key):
        """Returns the elements of what the host read."""
        return lines(payload, self._charset)


def local_path(path):
    """Returns the path of a local file as the host knows it. It may be given as file:///..., and what lies beside the script by a path
    made of __file__: it becomes one relative to the script's folder."""
    path = str(path)
    if path.startswith("file:"):
        path = "/" + path[len("file:"):].lstrip("/")
    elif "://" in path:
        raise ValueError("%s: files are read and written on this machine; other file systems are not here" % path)
    return host.path(path)


def lines(payload, charset):
    """Returns the lines of a piece of a file: whole lines, whose ends are LF or CR LF."""
    text = payload.decode(charset).split("\n")
    if not text[-1]:
        text.pop()
    return [line[:-1] if line.endswith("\r") else line for line in text]
