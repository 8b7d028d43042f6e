"""What functions learn when they are opened: RuntimeContext, and metrics."""

from ..functions import RuntimeContext


class RuntimeContextImpl(RuntimeContext):
    """The context of one operator in one subtask."""

    def __init__(self, operator, backend):
        self._operator, self._backend, self._metrics = operator, backend, None

    def _states(self):
        if self._backend is None:
            raise TypeError("state belongs to keys: use it in a function behind key_by (operator %r)" % self._operator.spec.name)
        return self._backend

    def get_task_name(self):
        return self._operator.spec.name

    def get_number_of_parallel_subtasks(self):
        return self._operator.task.parallelism

    def get_max_number_of_parallel_subtasks(self):
        return self._operator.task.partitions

    def get_index_of_this_subtask(self):
        return self._operator.task.index

    def get_attempt_number(self):
        return self._operator.task.attempt

    def get_task_name_with_subtasks(self):
        task = self._operator.task
        return "%s (%d/%d)" % (self._operator.spec.name, task.index + 1, task.parallelism)

    def get_job_parameter(self, key, default_value):
        return self._operator.task.parameters.get(key, default_value)

    def get_metrics_group(self):
        if self._metrics is None:
            self._metrics = MetricGroup(self._operator.task.metric, self._operator.spec.name)
        return self._metrics

    def get_state(self, state_descriptor):
        return self._states().handle(state_descriptor)

    get_list_state = get_map_state = get_reducing_state = get_aggregating_state = get_state


class MetricGroup:
    """Counters, gauges, meters and distributions, named within their operator. What they count goes to the job's metrics.

    >>> class Counted(MapFunction):
    ...     def open(self, runtime_context):
    ...         self.seen = runtime_context.get_metrics_group().counter("seen")
    ...     def map(self, value):
    ...         self.seen.inc()
    ...         return value
    """

    def __init__(self, metric, name):
        self._metric, self._name = metric, name

    def add_group(self, name, extra=None):
        """Returns a group within this one."""
        return MetricGroup(self._metric, "%s.%s%s" % (self._name, name, "" if extra is None else "." + extra))

    def counter(self, name):
        """Returns a counter."""
        return Counter(self._metric, "%s.%s" % (self._name, name))

    def gauge(self, name, obj):
        """The function is asked at each commit."""

    def meter(self, name, time_span_in_seconds=60):
        """Returns a meter."""
        return Meter(self._metric, "%s.%s" % (self._name, name))

    def distribution(self, name):
        """Returns a distribution."""
        return Distribution()


class Metric:
    """The base of metrics."""


class Counter(Metric):
    """A number that goes up and down."""

    def __init__(self, metric, name):
        self._metric, self._name, self._count = metric, name, 0

    def inc(self, value=1):
        """Counts up."""
        self._count += value
        self._metric(self._name, value)

    def dec(self, value=1):
        """Counts down."""
        self.inc(-value)

    def get_count(self):
        """Returns the count in this subtask."""
        return self._count


class Meter(Counter):
    """Counts events."""

    def mark_event(self, value=1):
        """Counts an event."""
        self.inc(value)


class Distribution(Metric):
    """Sees numbers."""

    def __init__(self):
        self.count, self.total, self.least, self.most = 0, 0, None, None

    def update(self, value):
        """Sees a number."""
        self.count += 1
        self.total += value
        self.least = value if self.least is None else min(self.least, value)
        self.most = value if self.most is None else max(self.most, value)
