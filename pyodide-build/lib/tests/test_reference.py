"""The reference in docs/pyflink: it is that of the code, every public name has a docstring, and the examples in docstrings are true."""

import doctest
import importlib
import os
import sys
import unittest

from local_host import LocalHost

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import reference  # noqa: E402: found by the line above

# What examples find without an import, beside `env`.
NAMES = ("pyflink.common", "pyflink.common.watermark_strategy", "pyflink.datastream", "pyflink.datastream.state", "pyflink.datastream.window",
         "pyflink.datastream.functions", "pyflink.datastream.connectors.file_system", "pyflink.table")


class Reference(unittest.TestCase):
    def test_files_are_up_to_date(self):
        for path, text in reference.files().items():
            with self.subTest(path), open(path) as f:
                self.assertEqual(text, f.read(), "run pyodide-build/lib/tools/reference.py")

    def test_public_names_have_docstrings(self):
        self.assertEqual([], reference.undocumented())

    def test_examples_are_true(self):
        names = {}
        for module in NAMES:
            loaded = importlib.import_module(module)
            names.update({name: getattr(loaded, name) for name in loaded.__all__})
        finder, runner, ran = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(), 0
        classes = {value for module in reference.MODULES for value in vars(importlib.import_module(module)).values() if isinstance(value, type)}
        for cls in sorted(classes, key=lambda c: (c.__module__, c.__qualname__)):
            module = sys.modules[cls.__module__]
            for test in finder.find(cls, cls.__name__, globs={**names, **vars(module)}, module=False):
                if test.examples:
                    env = names["StreamExecutionEnvironment"].get_execution_environment()
                    env.set_parallelism(1)
                    test.globs["env"] = env
                    with self.subTest(test.name), LocalHost():
                        self.assertEqual(0, runner.run(test, out=self.told(test)).failed)
                    ran += 1
        self.assertGreater(ran, 60)

    @staticmethod
    def told(test):
        return lambda text: sys.stderr.write("%s: %s" % (test.name, text))


if __name__ == "__main__":
    unittest.main()
