"""Stands in for the tests of Tools, which is not part of Python: others take this function from them."""

import unittest


def skip_if_missing(tool=None):
    raise unittest.SkipTest(f"there is no {tool or 'scripts'}")
