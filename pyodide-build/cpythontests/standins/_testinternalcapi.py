"""Stands in for the C module of this name: see _testcapi."""

from _testcapi import __getattr__


def get_config():
    """Returns what tests ask of the interpreter's configuration."""
    return {"code_debug_ranges": 1}
