"""The window operator: assigns elements to windows, keeps what they hold, and evaluates them when their triggers say so.

Its rules are those of Flink's window operator: what is late, when a window is cleaned up, how windows of a session become one.
"""

from ..functions import TimeDomain
from ..window import EventTimeTrigger, MergingWindowAssigner
from .operators import MAX_LONG, OPERATORS, Keyed
from .states import Scope
from .tables import MISSING


class _Space:
    """State by key and window: a store of its own scope, for triggers and for per-window state of functions."""

    def __init__(self, operator, prefix):
        self._operator, self._prefix, self.scope = operator, prefix, Scope()

    def enter(self, window):
        scope = self._operator.scope
        self.scope.key, self.scope.slot = scope.key, (scope.slot, window)

    def get_state(self, state_descriptor):
        return self._operator.backend.handle(state_descriptor, self.scope, self._prefix)

    get_list_state = get_map_state = get_reducing_state = get_aggregating_state = get_state


class TriggerContext:
    """What triggers get."""

    def __init__(self, operator):
        self._operator, self._space, self.window, self.merged = operator, _Space(operator, "trigger/"), None, ()

    def get_current_processing_time(self):
        return self._operator.task.now()

    def get_current_watermark(self):
        return self._operator.current_watermark

    def get_metric_group(self):
        return self._operator.runtime.get_metrics_group()

    def register_event_time_timer(self, time):
        scope = self._operator.scope
        self._operator.event.register(time, scope.slot, scope.key, self.window)

    def register_processing_time_timer(self, time):
        scope = self._operator.scope
        self._operator.processing.register(time, scope.slot, scope.key, self.window)

    def delete_event_time_timer(self, time):
        self._operator.event.delete(time, self._operator.scope.slot, self.window)

    def delete_processing_time_timer(self, time):
        self._operator.processing.delete(time, self._operator.scope.slot, self.window)

    def get_partitioned_state(self, state_descriptor):
        self._space.enter(self.window)
        return self._space.get_state(state_descriptor)

    def merge_partitioned_state(self, state_descriptor):
        state = self.get_partitioned_state(state_descriptor)
        if not hasattr(state, "merge"):
            raise TypeError("state %r cannot be merged: it takes reducing, aggregating or list state" % state_descriptor.name)
        slot = self._operator.scope.slot
        state.merge([(slot, window) for window in self.merged])


class WindowContext:
    """What process functions of windows get, and assigners."""

    def __init__(self, operator):
        self._operator, self._space, self._window = operator, _Space(operator, "window/"), None

    def enter(self, window):
        self._window = window
        self._space.enter(window)
        return self

    def window(self):
        return self._window

    def current_processing_time(self):
        return self._operator.task.now()

    get_current_processing_time = current_processing_time

    def current_watermark(self):
        return self._operator.current_watermark

    def window_state(self):
        return self._space

    def global_state(self):
        return self._operator.runtime

    def get_runtime_context(self):
        return self._operator.runtime


class Window(Keyed):
    """The operator. A window's contents are a list, a reduced value or an accumulator, as spec.add says."""

    contents = "window-contents"

    def __init__(self, *args):
        super().__init__(*args)
        spec = self.spec
        self.assigner, self.trigger, self.lateness = spec.assigner, spec.trigger, spec.lateness
        self.event_time = spec.assigner.is_event_time()
        self.merging = isinstance(spec.assigner, MergingWindowAssigner)
        if self.merging and not spec.trigger.can_merge():
            raise TypeError("a merging window assigner needs a trigger whose windows can be merged, %s's cannot" % type(spec.trigger).__name__)
        self.simple = type(spec.trigger) is EventTimeTrigger and self.event_time
        self.table = self.backend.table(self.contents, spec.contents, spaced=True)
        self.sets = self.backend.table("merging-window-set", "map")
        self.triggers, self.context, self.assigning = TriggerContext(self), WindowContext(self), WindowContext(self)
        self.late = 0
        self.process = self._merging if self.merging else self._plain

    def input(self, index):
        return self.process

    def _plain(self, value):
        task, scope, watermark, lateness = self.task, self.scope, self.current_watermark, self.lateness
        timestamp = task.timestamp
        values, changed, slot, add, skipped = self.table.values, self.table.dirty.add, scope.slot, self.spec.add, True
        for window in self.assigner.assign_windows(value, timestamp, self.assigning):
            if self.event_time:
                end = window.max_timestamp()
                if end + lateness <= watermark:
                    continue
            skipped = False
            at = (slot, window)
            contents = values[at]
            values[at] = add(contents, value)
            changed(at)
            if self.simple and contents is not MISSING and end > watermark:
                continue  # its timers are set
            self.triggers.window = window
            self._act(self.trigger.on_element(value, timestamp, window, self.triggers), window, at)
            self._clean_up_later(window)
        task.timestamp = timestamp
        if skipped:
            self._skipped(value, timestamp)

    def _merging(self, value):
        task, table, scope = self.task, self.table, self.scope
        timestamp, skipped = task.timestamp, True
        for window in self.assigner.assign_windows(value, timestamp, self.assigning):
            actual = self._add(window)
            sets = self.sets.values[scope.slot]
            if self._over(actual):
                self._retire(actual)
                continue
            skipped = False
            at = (scope.slot, sets[actual])
            table.values[at] = self.spec.add(table.values[at], value)
            table.dirty.add(at)
            self.triggers.window = actual
            self._act(self.trigger.on_element(value, timestamp, actual, self.triggers), actual, at)
            self._clean_up_later(actual)
        task.timestamp = timestamp
        if skipped:
            self._skipped(value, timestamp)

    def _skipped(self, value, timestamp):
        if self.event_time and timestamp is not None and timestamp + self.lateness <= self.current_watermark:
            self.late += 1
            if self.spec.late_tag is not None:
                self.side(self.spec.late_tag, value)
            else:
                self.task.metric(self.spec.name + ".numLateRecordsDropped", 1)

    def _act(self, result, window, at):
        fire, purge = result.value
        if fire:
            contents = self.table.values[at]
            if contents is not MISSING:
                self.task.timestamp = window.max_timestamp()
                self.results(self.spec.evaluate(self.scope.key, window, contents, self.context.enter(window)))
        if purge:
            self.table.remove(at)

    def on_timer(self, domain, time, window):
        slot = self.scope.slot
        if self.merging:
            windows = self.sets.values[slot]
            state_window = None if windows is MISSING else windows.get(window)
            if state_window is None:
                return  # the window has been merged or cleaned up
        else:
            state_window = window
        at = (slot, state_window)
        self.triggers.window = window
        on_time = self.trigger.on_event_time if domain is TimeDomain.EVENT_TIME else self.trigger.on_processing_time
        self._act(on_time(time, window, self.triggers), window, at)
        if self.event_time == (domain is TimeDomain.EVENT_TIME) and time == self._clean_up_time(window):
            self._clear(window, at)

    def _clear(self, window, at):
        self.table.remove(at)
        self.triggers.window = window
        self.trigger.clear(window, self.triggers)
        self.spec.clear(self.context.enter(window))
        if self.merging:
            self._retire(window)

    def _clean_up_time(self, window):
        end = window.max_timestamp()
        return min(MAX_LONG, end + self.lateness) if self.event_time else end

    def _over(self, window):
        return self.event_time and self._clean_up_time(window) <= self.current_watermark

    def _clean_up_later(self, window):
        time = self._clean_up_time(window)
        if time != MAX_LONG:
            timers = self.event if self.event_time else self.processing
            timers.register(time, self.scope.slot, self.scope.key, window)

    def _retire(self, window):
        slot = self.scope.slot
        windows = self.sets.values[slot]
        if windows is not MISSING and windows.pop(window, None) is not None:
            if windows:
                self.sets.dirty.add(slot)
            else:
                self.sets.remove(slot)

    def _add(self, window):
        """Adds a window to the key's, merges those that become one, and returns the one that window is part of.

        The key's windows are kept as window: window under which its contents lie."""
        slot = self.scope.slot
        windows = self.sets.values[slot]
        if windows is MISSING:
            windows = self.sets.values[slot] = {}
        if window in windows:
            return window
        merges = []

        class Callback(MergingWindowAssigner.MergeCallback):
            def merge(self, to_be_merged, merge_result):
                merges.append((list(to_be_merged), merge_result))

        self.assigner.merge_windows(list(windows) + [window], Callback())
        result = window
        for parts, whole in merges:
            if window in parts:
                parts.remove(window)
                result = whole
            if not parts:
                continue
            parts.sort(key=lambda w: (w.max_timestamp()))
            homes = [windows.pop(part) for part in parts]
            windows[whole] = homes[0]
            if parts != [whole]:
                self._merge(whole, parts, homes[0], homes[1:])
        if result not in windows:
            windows[result] = result
        self.sets.dirty.add(slot)
        return result

    def _merge(self, whole, parts, home, others):
        slot = self.scope.slot
        self.triggers.window, self.triggers.merged = whole, parts
        self.trigger.on_merge(whole, self.triggers)
        self.triggers.merged = ()
        for part in parts:
            self.triggers.window = part
            self.trigger.clear(part, self.triggers)
            time = self._clean_up_time(part)
            if time != MAX_LONG:
                (self.event if self.event_time else self.processing).delete(time, slot, part)
        values, dirty = self.table.values, self.table.dirty
        for other in others:
            contents = self.table.take((slot, other))
            if contents is not MISSING:
                there = values[(slot, home)]
                values[(slot, home)] = contents if there is MISSING else self.spec.merge(there, contents)
                dirty.add((slot, home))


OPERATORS["window"] = Window
