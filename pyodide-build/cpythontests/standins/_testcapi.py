"""Stands in for the C module of this name, which exists for tests alone and is not built: a test that uses it is skipped, and the rest of its module runs.
The numbers are those of wasm32."""

import sys
import unittest

CHAR_MAX, SHRT_MAX, INT_MAX, LONG_MAX, PY_SSIZE_T_MAX = 2**7 - 1, 2**15 - 1, 2**31 - 1, 2**31 - 1, sys.maxsize
CHAR_MIN, SHRT_MIN, INT_MIN, LONG_MIN, PY_SSIZE_T_MIN = -CHAR_MAX - 1, -SHRT_MAX - 1, -INT_MAX - 1, -LONG_MAX - 1, -sys.maxsize - 1
UCHAR_MAX, USHRT_MAX, UINT_MAX, ULONG_MAX = 2**8 - 1, 2**16 - 1, 2**32 - 1, 2**32 - 1
FLT_MAX, DBL_MAX = 3.4028234663852886e38, sys.float_info.max
LLONG_MIN, LLONG_MAX, ULLONG_MAX = -(2**63), 2**63 - 1, 2**64 - 1


class _Absent:
    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **kwargs):
        raise unittest.SkipTest(f"{__name__}.{self._name} is not built")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __call__

    def __getattr__(self, name):
        raise unittest.SkipTest(f"{__name__}.{self._name} is not built")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Absent(name)
