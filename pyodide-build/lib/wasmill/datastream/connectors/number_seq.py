"""A source of numbers."""

from ...common.typeinfo import Types
from ..sinks import Source

__all__ = ["NumberSequenceSource"]


class NumberSequenceSource(Source):
    """The numbers from start to end, both included, shared out to the subtasks."""

    def __init__(self, start, end):
        if start > end:
            raise ValueError("'from' must be <= 'to', got %d and %d" % (start, end))
        self._start, self._end = start, end
        self.type_info = Types.LONG()

    def plan(self):
        return {"kind": "range", "count": self._end - self._start + 1}

    def elements(self, start, count):
        first = self._start + start
        return range(first, first + count)
