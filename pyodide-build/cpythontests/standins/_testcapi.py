"""Stands in for the C module of this name, which exists for tests alone and is not built: a test that uses it is skipped, and the rest of its module runs."""

import unittest


class _Absent:
    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **kwargs):
        raise unittest.SkipTest(f"{__name__}.{self._name} is not built")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __call__

    def __getattr__(self, name):
        raise unittest.SkipTest(f"{__name__}.{self._name} is not built")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Absent(name)
