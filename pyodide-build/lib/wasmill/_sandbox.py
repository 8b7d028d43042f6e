"""Says why what is not there is not there."""

import sys

_THREADS = "a guest has one thread: parallelism is the pipeline's, and waiting is its sources' and lookups'"
_PROCESSES = "a guest has no processes besides itself"
_NETWORK = "a guest has no network: sources, sinks and lookups of the pipeline talk to the world"


def _refusing(error, text):
    def refuse(*args, **kwargs):
        raise error(text)

    return refuse


def start():
    """Puts reasons in the place of calls that would fail without one."""
    import _thread
    import os

    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        if hasattr(_thread, name):
            setattr(_thread, name, _refusing(RuntimeError, "can't start new thread: " + _THREADS))
    if "threading" in sys.modules:
        threading = sys.modules["threading"]
        threading._start_joinable_thread = _thread.start_joinable_thread
    for name in ("system", "popen", "fork", "forkpty", "execv", "execve", "posix_spawn", "posix_spawnp", "spawnv", "spawnve", "kill"):
        setattr(os, name, _refusing(OSError, "os.%s: %s" % (name, _PROCESSES)))
