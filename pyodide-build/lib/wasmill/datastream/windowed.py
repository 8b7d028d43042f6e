"""Windowed streams: what becomes of the elements of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from .bindings import own
from .functions import (
    AggregateFunction, AllWindowFunction, NullByteKeySelector, ProcessAllWindowFunction, ProcessWindowFunction, ReduceFunction, WindowFunction,
)
from .graph import Call
from .output_tag import OutputTag
from .runtime.states import MISSING
from .stream import declared
from .window import EventTimeTrigger, ProcessingTimeTrigger, Trigger, WindowAssigner

if TYPE_CHECKING:
    from ..common.typeinfo import TypeInformation
    from .environment import StreamExecutionEnvironment
    from .stream import DataStream

__all__ = ["AllWindowedStream", "WindowedStream"]


class WindowedStream:
    """The windows of a keyed stream.

    >>> pairs = env.from_collection([("a", 1), ("a", 2), ("a", 5)])
    >>> list(pairs.key_by(lambda v: v[0]).count_window(2).reduce(lambda a, b: (a[0], a[1] + b[1])).execute_and_collect())
    [('a', 3)]
    """

    _functions = (WindowFunction, ProcessWindowFunction)

    def __init__(self, keyed_stream, window_assigner):
        if not isinstance(window_assigner, WindowAssigner):
            raise TypeError("expected a WindowAssigner, got %r" % (window_assigner,))
        self._keyed_stream, self._assigner = keyed_stream, window_assigner
        self._lateness, self._late_tag, self._trigger = 0, None, None

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        """Returns the environment."""
        return self._keyed_stream.get_execution_environment()

    def get_input_type(self) -> TypeInformation:
        """Returns the type of the elements."""
        return self._keyed_stream.get_type()

    def trigger(self, trigger: Trigger) -> WindowedStream:
        """Says when windows are evaluated, in place of the assigner's own trigger."""
        if not isinstance(trigger, Trigger):
            raise TypeError("expected a Trigger, got %r" % (trigger,))
        self._trigger = trigger
        return self

    def allowed_lateness(self, time_ms: int) -> WindowedStream:
        """Lets windows of event time stay so long for late elements, in milliseconds; each evaluates the window anew."""
        if time_ms < 0:
            raise ValueError("The allowed lateness must not be negative, got %r" % (time_ms,))
        self._lateness = time_ms
        return self

    def side_output_late_data(self, output_tag: OutputTag) -> WindowedStream:
        """Sends elements that come too late to a side output instead of dropping them."""
        if not isinstance(output_tag, OutputTag):
            raise TypeError("expected an OutputTag, got %r" % (output_tag,))
        self._late_tag = output_tag
        return self

    def reduce(self, reduce_function, window_function=None, output_type: Optional[TypeInformation] = None) -> DataStream:
        """Reduces the elements of each window to one as they come; a window function may see the result."""
        if not isinstance(reduce_function, ReduceFunction) and not callable(reduce_function):
            raise TypeError("The input must be a ReduceFunction or a callable function")
        call = Call(reduce_function, "reduce", ReduceFunction)
        reduce = call.call
        if window_function is None and output_type is None:
            output_type = self.get_input_type()
        return self._window("reduce", lambda contents, value: value if contents is MISSING else reduce(contents, value), reduce,
                            lambda value: (value,), window_function, output_type, (call,))

    def aggregate(
            self, aggregate_function, window_function=None, accumulator_type: Optional[TypeInformation] = None, output_type: Optional[TypeInformation] = None
    ) -> DataStream:
        """Aggregates the elements of each window as they come; a window function may see the result."""
        if not isinstance(aggregate_function, AggregateFunction):
            raise TypeError("The input must be an AggregateFunction, got %r" % (aggregate_function,))
        function = own(aggregate_function)

        def add(contents, value):
            return function.add(value, function.create_accumulator() if contents is MISSING else contents)

        return self._window("aggregate", add, function.merge, lambda accumulator: (function.get_result(accumulator),), window_function, output_type,
                            (function,))

    def apply(self, window_function, output_type: Optional[TypeInformation] = None) -> DataStream:
        """Calls a WindowFunction with the elements of each window."""
        if not isinstance(window_function, self._functions[0]):
            raise TypeError("The input must be a %s, got %r" % (self._functions[0].__name__, window_function))
        return self._elements(window_function, output_type)

    def process(self, process_window_function, output_type: Optional[TypeInformation] = None) -> DataStream:
        """Calls a ProcessWindowFunction with the elements of each window."""
        if not isinstance(process_window_function, self._functions[1]):
            raise TypeError("The input must be a %s, got %r" % (self._functions[1].__name__, process_window_function))
        return self._elements(process_window_function, output_type)

    def _elements(self, function, output_type):
        def add(contents, value):
            if contents is MISSING:
                return [value]
            contents.append(value)
            return contents

        return self._window("list", add, lambda a, b: a + b, list, function, output_type, ())

    def _window(self, contents, add, merge, elements, function, output_type, functions):
        clear = _nothing
        if function is None:
            def evaluate(key, window, held, context):
                return elements(held)
        elif isinstance(function, self._functions[0]):
            function = own(function)
            evaluate = self._applied(function, elements)
        elif isinstance(function, self._functions[1]):
            function = own(function)
            evaluate, clear = self._processed(function, elements), function.clear
        else:
            raise TypeError("window_function should be a %s or %s, got %r" % (self._functions[0].__name__, self._functions[1].__name__, function))
        if function is not None:
            functions = (*functions, function)
        trigger = self._trigger or self._assigner.get_default_trigger(self.get_execution_environment())
        kind = "window"
        if getattr(self._assigner, "_pane", None):
            kind = "paned_window"
            if contents == "list":
                raise TypeError("share_panes() is for reduce() and aggregate(): the elements of apply() and process() are not merged")
            if type(trigger) not in (EventTimeTrigger, ProcessingTimeTrigger):
                raise TypeError("share_panes() takes the trigger of the assigner, not a %s" % type(trigger).__name__)
        return self._keyed_stream._by_key(
            kind, "WINDOW", declared(output_type), assigner=self._assigner, trigger=trigger, lateness=self._lateness, late_tag=self._late_tag,
            contents=contents, add=add, merge=merge, evaluate=evaluate, clear=clear, functions=functions)

    @staticmethod
    def _applied(function, elements):
        return lambda key, window, held, context: function.apply(key, window, elements(held))

    @staticmethod
    def _processed(function, elements):
        return lambda key, window, held, context: function.process(key, context, elements(held))


def _nothing(context):
    pass


class AllWindowedStream(WindowedStream):
    """The windows of a whole stream, in one subtask.

    >>> list(env.from_collection([1, 2, 3, 4]).count_window_all(2).reduce(lambda a, b: a + b).execute_and_collect())
    [3, 7]
    """

    _functions = (AllWindowFunction, ProcessAllWindowFunction)

    def __init__(self, data_stream, window_assigner):
        super().__init__(data_stream.key_by(NullByteKeySelector()), window_assigner)

    def _window(self, *args):
        return super()._window(*args).force_non_parallel()

    @staticmethod
    def _applied(function, elements):
        return lambda key, window, held, context: function.apply(window, elements(held))

    @staticmethod
    def _processed(function, elements):
        return lambda key, window, held, context: function.process(context, elements(held))
