"""Where the host enters a clone that runs a subtask."""

from .. import host, plan
from .task import Task

_running = None


def start(number, index, parallelism, partitions, attempt):
    """Makes this clone the index-th subtask of a task of the job that the script handed over."""
    global _running
    _running = Task(plan.tasks[number], index, parallelism, partitions, attempt, host.metric)


def handle(rows):
    """Takes rows of the host, and returns those of the task; docs/tasks.md has the protocol."""
    return _running.handle(rows)


def close():
    """Closes the operators."""
    _running.close()
