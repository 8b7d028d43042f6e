"""Says why what is not there is not there."""

import gc
import sys

from ._missing import ABSENT, NO_NETWORK, NO_THREADS, attribute_hint


def _refusing(error, text):
    def refuse(*args, **kwargs):
        raise error(text)

    return refuse


class Absent:
    """The last finder of modules: it knows which parts of the standard library a guest has not, and why."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in ABSENT:
            raise ModuleNotFoundError("No module named %r: %s" % (name, ABSENT[name]), name=name)
        return None


def _sockets():
    import _socket

    def refuse(self, *args, **kwargs):
        raise OSError(58, NO_NETWORK)

    _socket.socket = type("socket", (_socket.socket,), {"__init__": refuse, "__module__": "_socket", "__slots__": ()})
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo", "socketpair"):
        setattr(_socket, name, _refusing(OSError, NO_NETWORK))


def _explain(module):
    """Gives a module a __getattr__ whose AttributeErrors say why."""

    def absent(name):
        text = "module %r has no attribute %r" % (module.__name__, name)
        why = attribute_hint(module.__name__, name)
        raise AttributeError(text + ": " + why if why else text, name=name, obj=module)

    module.__getattr__ = absent


def close_archives():
    """Closes the archives of modules that importlib.metadata has open since somebody asked for a version: clones may not share them."""
    metadata = sys.modules.get("importlib.metadata")
    if metadata is not None:
        metadata.MetadataPathFinder().invalidate_caches()
        gc.collect()  # they are held in cycles


def start():
    """Puts reasons in the place of calls that would fail without one. What Python has not on this platform stays away, for code asks
    with hasattr."""
    import _thread
    import os
    import signal

    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        setattr(_thread, name, _refusing(RuntimeError, "can't start new thread: " + NO_THREADS))
    if "threading" in sys.modules:
        sys.modules["threading"]._start_joinable_thread = _thread.start_joinable_thread
    _explain(os)
    _explain(signal)
    try:
        _sockets()
    except ImportError:
        pass  # a build without them says so by itself
    sys.meta_path.append(Absent)
