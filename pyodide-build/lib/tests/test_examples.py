"""The examples in examples/pyflink: each runs, and prints what expected/ says. Where subtasks or keys take turns, order is free."""

import os
import re
import runpy
import sys
import unittest
from unittest import mock

from local_host import LocalHost

FOLDER = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "pyflink"))


def run(name, *args):
    """Runs an example as a script, and returns the lines that it printed."""
    with LocalHost(folder=FOLDER) as host, mock.patch.object(sys, "argv", [name + ".py", *args]), mock.patch.object(sys, "path", [FOLDER, *sys.path]):
        runpy.run_path(os.path.join(FOLDER, name + ".py"), run_name="__main__")
        return host.output.get("print", []), host.output.get("file", [])


class Examples(unittest.TestCase):
    pass


def _test(name):
    def test(self):
        with open(os.path.join(FOLDER, "expected", name + ".txt")) as f:
            self.assertEqual(sorted(f.read().splitlines()), sorted(run(name)[0]))

    return test


NAMES = sorted(f[:-3] for f in os.listdir(FOLDER) if f.endswith(".py") and f != "model.py")
for _name in NAMES:
    setattr(Examples, "test_" + _name, _test(_name))


class WordCount(unittest.TestCase):
    def test_options(self):
        words = os.path.join(FOLDER, "data", "words.txt")
        printed, written = run("word_count", "--input", words, "--output", "counts")
        self.assertEqual([], printed)
        self.assertIn("(stream,3)", written)
        self.assertIn("(stream,1)", run("word_count", "--streaming")[0])


class Walkthrough(unittest.TestCase):
    def test_shows_what_the_examples_print(self):
        with open(os.path.join(FOLDER, "..", "README.md")) as f:
            blocks = re.findall(r"wasmill run examples/pyflink/(\w+)\.py\n```\n\n```\n(.*?)```", f.read(), re.S)
        self.assertEqual(NAMES, sorted(name for name, _ in blocks))
        for name, block in blocks:
            with self.subTest(name), open(os.path.join(FOLDER, "expected", name + ".txt")) as f:
                self.assertEqual(set(), set(block.splitlines()) - {"…"} - set(f.read().splitlines()))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for name in NAMES:
            with open(os.path.join(FOLDER, "expected", name + ".txt"), "w") as f:
                f.write("".join(line + "\n" for line in sorted(run(name)[0])))
    else:
        unittest.main()
