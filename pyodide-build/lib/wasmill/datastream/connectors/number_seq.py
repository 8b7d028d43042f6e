"""A source of numbers."""

from ...common.typeinfo import Types
from ..sinks import Source

__all__ = ["NumberSequenceSource"]


class NumberSequenceSource(Source):
    """The numbers from start to end, both included, shared out to the subtasks.

    >>> list(env.from_source(NumberSequenceSource(1, 3), WatermarkStrategy.no_watermarks(), "numbers").execute_and_collect())
    [1, 2, 3]
    """

    def __init__(self, start, end):
        if start > end:
            raise ValueError("'from' must be <= 'to', got %d and %d" % (start, end))
        self._start, self._end = start, end
        self.type_info = Types.LONG()

    def plan(self):
        """Says what the host reads or writes."""
        return {"kind": "range", "count": self._end - self._start + 1}

    def elements(self, start, count):
        """Returns a piece of the numbers."""
        first = self._start + start
        return range(first, first + count)
