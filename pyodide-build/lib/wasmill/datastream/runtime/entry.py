"""Where the host enters a clone that runs a subtask: the function `task`, and what it is made of."""

from .. import host, plan
from .tables import Cache
from .task import Task

COLUMNS = {"kind": "int8", "port": "int32", "target": "int32", "number": "int64", "name": "utf8", "key": "binary", "space": "binary", "payload": "binary"}
OPTIONAL = ("name", "key", "space", "payload")


class Subtask:
    """One subtask of the job that the script handed over; docs/tasks.md has the protocol."""

    def open(self, context):
        """Makes this clone a subtask, as the host's configuration says."""
        at = context.config
        cache = Cache(at["cache"], host.state(), at["resumes"], at["index"] == 0, at["keeps"])
        self._task = Task(plan.tasks[at["task"]], at["index"], at["parallelism"], at["partitions"], at["attempt"], host.metric, cache)

    def flat_map(self, kind, port, target, number, name, key, space, payload):
        """Takes a row of the host, and returns those of the task."""
        return self._task.handle(((kind, port, target, number, name, key, space, payload),))

    def close(self):
        """Closes the operators."""
        self._task.close()


def functions():
    """Returns the functions of a clone, for the description."""
    from ... import _describe, types

    subtask = Subtask()
    shape = _describe.Shape(subtask.flat_map, "task")
    shape.owner, shape.style, shape.kinds, shape.single = subtask, _describe.POSITIONAL, (_describe.FLAT_MAP,), False
    fields = tuple(types.Field(name, getattr(types, kind), name in OPTIONAL) for name, kind in COLUMNS.items())
    shape.columns = shape.result = fields
    shape.parameters = tuple(COLUMNS)
    return [_describe.Function("task", _describe.FLAT_MAP, shape)]
