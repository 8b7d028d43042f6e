"""Runs CPython's own tests inside the sandbox. The program beside this file sends one event for each module, {"module": "test_json"}, and then
one for each group of tests that came back, with the field "group"; what comes back then says how its tests went."""

import traceback
import unittest

import memory_files
import test.support
from test.support import os_helper

test.support.verbose = 0
test.support.use_resources = {}
# Asked by writing a file, which the sandbox does not let them.
os_helper._can_chmod = os_helper._can_symlink = os_helper._can_xattr = False
memory_files.install()


def map(event):
    try:
        groups = load("test." + event["module"])
    except unittest.SkipTest as skip:
        return {"groups": [], "reason": str(skip)}
    if "group" not in event:
        return {"groups": list(groups)}
    result = Result()
    unittest.TestSuite(groups[event["group"]]).run(result)
    return {"passed": result.passed, "failed": result.failed, "skipped": result.skip_count}


def load(module):
    """Returns a module's tests, grouped by class so that a group which never returns takes no other with it."""
    groups = {}
    pending = [unittest.defaultTestLoader.loadTestsFromName(module)]
    while pending:
        item = pending.pop(0)
        if isinstance(item, unittest.TestSuite):
            pending[:0] = list(item)
        else:
            groups.setdefault(f"{type(item).__module__}.{type(item).__qualname__}", []).append(item)
    return groups


class Result(unittest.TestResult):
    """Counts tests, and keeps the end of the traceback of each that fails. A subtest that fails makes its test fail once."""

    def __init__(self):
        super().__init__()
        self.passed = self.skip_count = 0
        self.failed = {}

    def addSuccess(self, test):
        if test.id() not in self.failed:
            self.passed += 1

    def addExpectedFailure(self, test, err):
        self.passed += 1

    def addUnexpectedSuccess(self, test):
        self.failed[test.id()] = "it passes, and CPython expects it to fail"

    def addSkip(self, test, reason):
        self.skip_count += 1

    def addError(self, test, err):
        self.failed[test.id()] = "".join(traceback.format_exception(*err))[-2000:]

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.failed.setdefault(test.id(), f"{subtest}\n" + "".join(traceback.format_exception(*err))[-2000:])
