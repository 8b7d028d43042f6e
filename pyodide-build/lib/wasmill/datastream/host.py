"""The host, as scripts and tasks see it. Outside of the sandbox a test sets `current` to a host of its own."""

import json
import os

try:
    import _wasmill
except ImportError:  # outside of the sandbox, where tests of this package run
    _wasmill = None

current = None


def execute(plan, tasks):
    """Hands a plan (JSON) to the host, and returns its answer (JSON) when the job has ended. Clones of this interpreter find the tasks
    where plan.run left them."""
    if current is not None:
        return current(plan, tasks)
    if _wasmill is None:
        raise RuntimeError("jobs run inside of wasmill: wasmill run %s" % os.path.basename(__import__("sys").argv[0] or "job.py"))
    return _wasmill.execute(plan)


def inside():
    """Tells whether this is the sandbox."""
    return _wasmill is not None


def ask(what, job):
    """Asks about a job that runs beside the script: "status", "wait" or "cancel". Returns a dict."""
    return json.loads(_wasmill.execute(json.dumps({"ask": what, "job": job})))


def link(name, folder):
    """Shows a temporary folder beside the script, under a name, where nobody writes to it."""
    if _wasmill is None:
        raise RuntimeError("archives are shown beside a script that wasmill runs")
    _wasmill.execute(json.dumps({"ask": "link", "name": name, "path": folder}))


def parallelism():
    """Returns how many subtasks an operator has where nothing else is said."""
    return int(getattr(_wasmill, "parallelism", 0) or os.cpu_count() or 1)


def path(name):
    """Returns what the host calls a file: below the folder that the sandbox shows the script in, a path relative to it."""
    if _wasmill is None:
        return name
    from .. import _errors

    return name[len(_errors.root):] or "." if name.startswith(_errors.root) else name


class State:
    """The state that lies with the host, by bytes: what is put is what is got, before the commit as behind it."""

    __slots__ = ("get", "put")


def state():
    """Returns what a subtask reads and writes its State with, or None outside of the sandbox."""
    if _wasmill is None:
        return None
    out = State()
    out.get, out.put = _wasmill.state_get, _wasmill.state_put
    return out


def metric(name, value):
    """Adds to one of the job's metrics."""
    if _wasmill is not None:
        _wasmill.metric(name, value)
