"""Archives and requirements that scripts take along."""

import io
import os
import sys
import tarfile
import tempfile
import unittest
import zipfile
from unittest import mock

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from wasmill.datastream import archives, host, requirements


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.env = StreamExecutionEnvironment.get_execution_environment()
        before, variables = list(sys.path), dict(os.environ)
        made = mock.patch.object(tempfile, "tempdir", os.path.join(self.folder, "tmp"))
        os.mkdir(os.path.join(self.folder, "tmp"))
        made.start()
        self.addCleanup(made.stop)

        def restore():
            sys.path[:] = before
            os.environ.clear()
            os.environ.update(variables)
        self.addCleanup(restore)

    def at(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with open(self.at(name), "w") as f:
            f.write(text)
        return self.at(name)

    def zip(self, name, files):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with zipfile.ZipFile(self.at(name), "w") as z:
            for path, text in files.items():
                z.writestr(path, text)
        return self.at(name)

    def tar(self, name, files):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with tarfile.open(self.at(name), "w:gz") as t:
            for path, text in files.items():
                info = tarfile.TarInfo(path)
                info.size = len(text)
                t.addfile(info, io.BytesIO(text.encode()))
        return self.at(name)


class Archives(Folder):
    def added(self, *args, by=None):
        shown = {}

        def link(name, folder):
            shown[name] = {os.path.relpath(os.path.join(at, f), folder) for at, _, files in os.walk(folder) for f in files}
        with mock.patch.object(host, "link", link), mock.patch.object(archives, "_unpacked", {}):
            (by or self.env.add_python_archive)(*args)
        return shown

    def test_names(self):
        path = self.zip("data.zip", {"a.txt": "a", "in/b.txt": "b"})
        inside = {"a.txt", os.path.join("in", "b.txt")}
        self.assertEqual({"data.zip": inside}, self.added(path))
        self.assertEqual({"other": inside}, self.added(path, "other"))
        self.assertEqual({"named": inside}, self.added("file://" + path + "#named"))
        settings = Configuration().set_string("python.archives", "%s#x,%s" % (path, self.tar("m.tgz", {"m": "1"})))
        self.assertEqual({"x": inside, "m.tgz": {"m"}}, self.added(settings, by=self.env.configure))

    def test_faults(self):
        path = self.zip("data.zip", {"a.txt": "a"})
        for args, error in (((path, "a/b"), "the folder of an archive has a name, not the path 'a/b'"), ((path, ".."), "not the path"),
                            ((self.at("none.zip"),), "add_python_archive: there is no .*none.zip in the sandbox"),
                            ((self.write("bad.tar.gz", "x"),), "bad.tar.gz is no archive that can be unpacked"), ((self.write("bad.zip", "x"),), "bad.zip is no archive"),
                            ((self.tar("up.tgz", {"../x": "1"}),), "up.tgz is no archive")):
            with self.subTest(args), self.assertRaisesRegex((ValueError, FileNotFoundError), error):
                self.added(*args)


class Requirements(Folder):
    def wheel(self, name, version, requires=(), module=None, tag="py3-none-any"):
        info = "%s-%s.dist-info/" % (name, version)
        self.zip("cache/%s-%s-%s.whl" % (name, version, tag), {
            info + "METADATA": "Name: %s\nVersion: %s\n%s\ntext\n" % (name, version, "".join("Requires-Dist: %s\n" % r for r in requires)),
            (module or name) + "/__init__.py": "version = %r\n" % version, "%s-%s.data/purelib/%s_more.py" % (name, version, name): "", "%s-%s.data/scripts/x" % (name, version): ""})

    def install(self, *lines, cache="cache"):
        self.env.set_python_requirements(self.write("requirements.txt", "\n".join(lines)), cache and self.at(cache))
        return sorted(n for n in os.listdir(os.environ["_PYTHON_REQUIREMENTS_INSTALL_DIR"]) if not n.endswith(".dist-info"))

    def test_wheels_and_what_they_require(self):
        for version in ("1.0", "1.2", "1.10", "2.0rc1"):
            self.wheel("wm_one", version, ["wm-two>=3 ; python_version >= '3'", "wm-none; sys_platform == 'amiga'", "wm_three; extra == 'more'"])
        self.wheel("wm_two", "3.1", ["wm_one"])
        self.wheel("wm_three", "1")
        self.assertEqual(["wm_one", "wm_one_more.py", "wm_two", "wm_two_more.py"], self.install("# all", "", "wm_one>=1.1  # the new one", "apache-flink==1.0", "--no-index"))
        import wm_one

        self.assertEqual("1.10", wm_one.version)
        self.assertIn("wm_three", self.install("-r other.txt") if self.write("other.txt", "Wm.One[more] \\\n  ~=1.0") else None)

    def test_source_packages(self):
        for folder in ("", "src/"):
            with self.subTest(folder):
                base = "python-package1-0.0.0/"
                self.tar("cache/python-package1-0.0.0.tar.gz", {base + "PKG-INFO": "Name: python-package1\n\n", base + "setup.py": "raise SystemExit",
                                                                base + folder + "python_package1/__init__.py": "def plus(a, b):\n    return a + b\n"})
                self.assertEqual(["python_package1"], self.install("python-package1==0.0.0"))

    def test_faults(self):
        self.wheel("wm_one", "1.0", ["wm_two"])
        self.wheel("wm_three", "1", ["wm_four<2"])
        self.wheel("wm_four", "1")
        self.wheel("wm_four", "3")
        self.wheel("fast", "1.0", tag="cp313-cp313-manylinux_2_28_x86_64")
        for line, error in (
            ("wm_none==2.2.0", "requirements.txt, line 1: wm_none==2.2.0 is not there; nothing is downloaded"),
            ("wm_one", "requirements.txt, line 1, by way of wm-one: wm_two is not there"), ("wm_one>1", "wm_one>1 is not there: .*cache has version 1.0"),
            ("fast", "fast is not there: fast-1.0-cp313-cp313-manylinux_2_28_x86_64.whl has machine code"),
            ("wm_four\nwm_three", "line 2, by way of wm-three: wm_four<2 does not go with version 3, which something else requires"),
            ("-e .", "line 1: -e . is not possible in the sandbox"), ("\na @ https://example.com/a.whl", "line 2: '@ https://example.com/a.whl' is no condition on a version"),
            ("a>>1", "line 1: '>>1' is no condition on a version"),
        ):
            with self.subTest(line), self.assertRaisesRegex((ValueError, ModuleNotFoundError), error):
                self.install(line)
        with self.assertRaisesRegex(FileNotFoundError, "set_python_requirements: there is no none in the sandbox"):
            self.env.set_python_requirements("none")

    def test_versions(self):
        ordered = ["1.dev1", "1a1", "1a2", "1b1", "1rc1.dev2", "1rc1", "1", "1.post1", "1.0.1", "1.2", "1.10", "1!0.1"]
        self.assertEqual(ordered, sorted(reversed(ordered), key=lambda v: requirements.Version(v).key))
        for version, clauses, fits in (("1.4.5", "~=1.4", True), ("2.0", "~=1.4", False), ("1.5", "~=1.4.2", False), ("1.0", "==1.0.0", True), ("1.4.9", "==1.4.*", True),
                                       ("1.5", "!=1.4.*, <2, >1", True), ("1", "===1.0", False), ("1.0+local", "==1", True)):
            self.assertEqual(fits, requirements.fits(version, clauses), (version, clauses))


if __name__ == "__main__":
    unittest.main()
