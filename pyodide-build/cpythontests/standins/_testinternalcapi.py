"""Stands in for the C module of this name: see _testcapi. What Python can tell is told."""

import sys

from _testcapi import __getattr__


def get_config():
    """Returns what tests ask of the interpreter's configuration."""
    return {"code_debug_ranges": 1}


def get_recursion_depth():
    """Returns the number of Python frames below the caller's, itself included."""
    depth, frame = 0, sys._getframe(1)
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return depth
