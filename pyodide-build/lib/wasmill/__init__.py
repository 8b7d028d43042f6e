"""wasmill: functions over streams.

A file with functions is all it takes:

    def map(event):
        event["late"] = event["delay"] > 15
        return event

Annotations give columns their types; see wasmill.types. This package has what such a file may want besides: Row, the decorators
``vectorized`` and ``function``, ``config()``, ``metric()`` and ``deadline()``.
"""

try:
    from _wasmill import Column, Row, deadline, metric
except ImportError:  # outside of the sandbox: jobs that others run need no more than datastream and common
    __all__ = []
else:
    from . import types
    from ._decorators import function, vectorized
    from ._runtime import Timeout, config

    __all__ = ["Column", "Row", "Timeout", "config", "deadline", "function", "metric", "types", "vectorized"]
