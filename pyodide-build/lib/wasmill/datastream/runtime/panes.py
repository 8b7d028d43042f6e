"""Sliding windows whose panes are shared: an element is added once, to its pane, and the panes of a window are merged when it fires."""

import pickle

from ..window import TimeWindow
from .operators import OPERATORS
from .states import MISSING
from .windows import Window

_PLAIN = (int, float, str, bytes, bool, type(None))


def _copy(value):
    """Returns what a function may change: the pane's own value goes into other windows, too."""
    return value if type(value) in _PLAIN else pickle.loads(pickle.dumps(value, 5))


class PanedWindow(Window):
    """The operator. A pane is as long as the greatest common divisor of size and slide; its contents lie under the pane's own window."""

    contents = "window-panes"

    def input(self, index):
        return self._paned

    def _paned(self, value):
        task, assigner = self.task, self.assigner
        timestamp = task.timestamp
        time = assigner._time(timestamp, self.assigning)
        pane = assigner._pane_at(time)
        at, values = (self.scope.slot, pane), self.table.values
        contents = values[at]
        passed = self.event_time and pane[1] - 1 <= self.current_watermark
        if contents is not MISSING and not passed:
            values[at] = self.spec.add(contents, value)
            self.table.dirty.add(at)
            return  # the timers of all windows that it is in are set, and none of them has fired
        windows = assigner._windows_at(time)
        if self.event_time:
            windows = [w for w in windows if w.max_timestamp() + self.lateness > self.current_watermark]
        if not windows:
            self._skipped(value, timestamp)
            return
        values[at] = self.spec.add(contents, value)
        self.table.dirty.add(at)
        for window in windows:
            if contents is MISSING or window.max_timestamp() <= self.current_watermark:
                self.triggers.window = window
                self._act(self.trigger.on_element(value, timestamp, window, self.triggers), window, (self.scope.slot, window))
                self._clean_up_later(window)
        task.timestamp = timestamp

    def _act(self, result, window, at):
        if result.value[0]:
            contents = self._merged(at[0], window)
            if contents is not MISSING:
                self.task.timestamp = window.max_timestamp()
                self.results(self.spec.evaluate(self.scope.key, window, contents, self.context.enter(window)))

    def _merged(self, slot, window):
        values, length, merged = self.table.values, self.assigner._pane, MISSING
        for start in range(window.start, window.end, length):
            contents = values[slot, TimeWindow(start, start + length)]
            if contents is not MISSING:
                contents = _copy(contents)
                merged = contents if merged is MISSING else self.spec.merge(merged, contents)
        return merged

    def _clear(self, window, at):
        slot, length = at[0], self.assigner._pane
        for start in range(window.start, min(window.end, window.start + self.assigner._slide), length):
            self.table.remove((slot, TimeWindow(start, start + length)))  # later windows begin behind it
        super()._clear(window, at)


OPERATORS["paned_window"] = PanedWindow
