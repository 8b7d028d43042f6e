"""Process functions: of one stream and of two, keyed or not, with broadcast state or without."""

from ..functions import TimeDomain
from ..output_tag import OutputTag
from .context import RuntimeContextImpl
from .operators import MAX_LONG, OPERATORS, Keyed, Operator
from .states import Backend
from .timers import MIN_LONG, Service


class Context:
    """What process_element and on_timer get: one object for all the contexts of process functions."""

    __slots__ = ("_operator", "_service", "_domain")

    def __init__(self, operator, service):
        self._operator, self._service, self._domain = operator, service, None

    def timer_service(self):
        return self._service

    def timestamp(self):
        return self._operator.task.timestamp

    def get_current_key(self):
        return self._operator.scope.key

    def time_domain(self):
        return self._domain

    def current_processing_time(self):
        return self._operator.task.now()

    def current_watermark(self):
        return self._operator.current_watermark


class BroadcastContext(Context):
    """As Context, with broadcast state."""

    __slots__ = ("_writable",)

    def __init__(self, operator, service, writable):
        super().__init__(operator, service)
        self._writable = writable

    def get_broadcast_state(self, state_descriptor):
        self._operator.spec.check_broadcast(state_descriptor)
        return self._operator.backend.broadcast(state_descriptor, self._writable)


class Process(Operator):
    """ProcessFunction and CoProcessFunction: no state by key, no timers."""

    def __init__(self, *args):
        super().__init__(*args)
        self.context = Context(self, Service(self, None, None, None))
        self.runtime = RuntimeContextImpl(self, None)

    def open(self):
        self.spec.open(self.runtime)

    def close(self):
        self.spec.close()

    def input(self, index):
        return self.calling(self.spec.calls[index], self.context)


class KeyedProcess(Keyed):
    """KeyedProcessFunction and KeyedCoProcessFunction."""

    def __init__(self, *args):
        super().__init__(*args)
        self.context = Context(self, self.service)
        self.collected = {} if self.task.batch else None
        self._on_event = self._firing(TimeDomain.EVENT_TIME)
        self._on_processing = self._firing(TimeDomain.PROCESSING_TIME)

    def _firing(self, domain):
        """Returns what takes a timer of a domain to the user's function."""
        scope, task, context, event = self.scope, self.task, self.context, domain is TimeDomain.EVENT_TIME
        function, emit, side = self.spec.on_timer, self.emit, self.side

        def fire(time, key, slot, space):
            task.timestamp = time if event else None
            scope.key, scope.slot, context._domain = key, slot, domain
            out = function(time, context)
            if out is not None:
                for v in out:
                    if type(v) is tuple and len(v) == 2 and type(v[0]) is OutputTag:
                        side(v[0], v[1])
                    else:
                        emit(v)

        return fire

    def input(self, index):
        if self.collected is None:
            return self.calling(self.spec.calls[index], self.context)

        def collect(value):  # in batch a key's elements are processed together, in order of time
            scope = self.scope
            timestamp = self.task.timestamp
            _, elements = self.collected.setdefault(scope.slot, (scope.key, []))
            elements.append((timestamp, index, value))

        return collect

    def finish(self):
        if self.collected is None:
            return
        task, scope = self.task, self.scope
        for slot, (key, elements) in self.collected.items():
            self.current_watermark = MIN_LONG
            elements.sort(key=lambda e: e[0] if e[0] is not None else 0)
            for timestamp, index, value in elements:
                scope.key, scope.slot = key, slot
                task.timestamp = timestamp
                self.results(self.spec.calls[index](value, self.context))
            self.current_watermark = MAX_LONG
            self.event.fire(MAX_LONG, self._on_event)
        task.timestamp = None
        self.collected.clear()


class BroadcastProcess(Operator):
    """BroadcastProcessFunction: input 1 is the broadcast stream."""

    def __init__(self, *args):
        super().__init__(*args)
        self.backend = Backend(self.spec.uid, None, self.task.now, self.task.cache)
        service = Service(self, None, None, None)
        self.contexts = [BroadcastContext(self, service, writable) for writable in (False, True)]
        self.runtime = RuntimeContextImpl(self, None)

    def open(self):
        self.spec.open(self.runtime)

    def close(self):
        self.spec.close()

    def input(self, index):
        return self.calling(self.spec.calls[index], self.contexts[index])


class KeyedBroadcastProcess(Keyed):
    """KeyedBroadcastProcessFunction: input 1 is the broadcast stream, which has no key."""

    def __init__(self, *args):
        super().__init__(*args)
        self.contexts = [BroadcastContext(self, self.service, writable) for writable in (False, True)]

    def input(self, index):
        return self.calling(self.spec.calls[index], self.contexts[index])

    def on_timer(self, domain, time, space):
        context = self.contexts[0]
        context._domain = domain
        self.results(self.spec.on_timer(time, context))
        context._domain = None


OPERATORS.update({
    "process": Process, "co_process": Process, "keyed_process": KeyedProcess, "keyed_co_process": KeyedProcess,
    "broadcast_process": BroadcastProcess, "keyed_broadcast_process": KeyedBroadcastProcess,
})
