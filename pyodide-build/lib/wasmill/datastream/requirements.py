"""Packages that a script requires: those that are there, and those of a folder of packages of pure Python. Nothing is downloaded."""

import importlib
import os
import re
import sys

from . import archives

__all__ = []

PROVIDED = {"apache-flink", "apache-flink-libraries", "py4j"}  # of which wasmill is the whole
OPTIONS = ("-i", "--index-url", "--extra-index-url", "--trusted-host", "--no-index", "-f", "--find-links", "--prefer-binary", "--only-binary", "--no-binary", "--pre")
_REQUIREMENT = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*\(?([^;()]*)\)?\s*(?:;(.*))?$")
_CLAUSE = re.compile(r"(===|==|!=|<=|>=|~=|<|>)\s*([A-Za-z0-9.*+!_-]+)$")
_VERSION = re.compile(r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[._-]?(a|b|c|rc|alpha|beta|pre|preview)[._-]?(\d*))?(?:-(\d+)|[._-]?(?:post|rev|r)[._-]?(\d*))?"
                      r"(?:[._-]?(dev)[._-]?(\d*))?(?:\+[a-z0-9._-]+)?$", re.I)


def canonical(name):
    """Returns a project's name as all its spellings are written."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Version:
    """A version in the order of PEP 440; local parts are not looked at."""

    def __init__(self, text):
        found = _VERSION.match(text.strip())
        if found is None:
            raise ValueError("%r is no version" % text)
        epoch, release, pre, pre_number, dash, post, dev, dev_number = found.groups()
        self.release = tuple(map(int, release.split(".")))
        self.pre = pre is not None or dev is not None
        self.epoch = int(epoch or 0)
        short = self.release
        while len(short) > 1 and short[-1] == 0:
            short = short[:-1]
        stage = {"a": 0, "alpha": 0, "b": 1, "beta": 1}.get(pre.lower(), 2) if pre else 3
        late = int(dash or post or 0) if dash is not None or post is not None else -1
        if dev and pre is None and late < 0:
            stage = -1
        self.key = (self.epoch, short, stage, int(pre_number or 0), late, int(dev_number or 0) if dev else float("inf"))


def fits(version, clauses):
    """Tells whether a version is one that the clauses, as `>=1.2, <2`, allow."""
    for clause in filter(None, (part.strip() for part in clauses.split(","))):
        found = _CLAUSE.match(clause)
        if found is None:
            raise ValueError("%r is no condition on a version" % clause)
        op, text = found.groups()
        v = Version(version)
        if op == "===":
            ok = version == text
        elif text.endswith(".*"):
            prefix = Version(text[:-2]).release
            ok = (v.release + (0,) * len(prefix))[:len(prefix)] == prefix
            ok = ok if op == "==" else not ok
        else:
            w = Version(text)
            ok = {"==": v.key == w.key, "!=": v.key != w.key, "<=": v.key <= w.key, ">=": v.key >= w.key, "<": v.key < w.key, ">": v.key > w.key,
                  "~=": v.key >= w.key and v.release[:len(w.release) - 1] == w.release[:-1]}[op]
        if not ok:
            return False
    return True


def _marks(marker, extras):
    """Tells whether a marker, as `python_version < "3.9" and extra == "x"`, is true here."""
    import platform

    here = {"python_version": "%d.%d" % sys.version_info[:2], "python_full_version": platform.python_version(), "os_name": os.name, "sys_platform": sys.platform,
            "platform_system": platform.system(), "platform_machine": platform.machine(), "platform_python_implementation": "CPython", "implementation_name": "cpython"}

    def one(text):
        found = re.match(r"""\(*\s*(\w+|"[^"]*"|'[^']*')\s*(===|==|!=|<=|>=|~=|<|>|not\s+in|in)\s*(\w+|"[^"]*"|'[^']*')\s*\)*$""", text.strip())
        if found is None:
            raise ValueError("the condition %r is not understood" % marker)
        a, op, b = found.groups()
        if "extra" in (a, b):
            return (b if a == "extra" else a).strip("'\"") in extras
        left, right = (here[side] if side in here else side.strip("'\"") for side in (a, b))
        if op.endswith("in"):
            return (left in right) == (op == "in")
        try:
            return fits(left, op + right)
        except ValueError:
            return {"==": left == right, "!=": left != right}.get(op, False)

    return any(all(one(part) for part in re.split(r"\band\b", side)) for side in re.split(r"\bor\b", marker))


def parse(text, extras=()):
    """Takes a requirement apart: its name, extras and conditions, or None where it is not for here."""
    found = _REQUIREMENT.match(text.strip())
    if found is None:
        raise ValueError("%r is not understood; expected a name and versions, as numbers>=1.2" % text)
    name, wants, clauses, marker = found.groups()
    if marker and not _marks(marker, extras):
        return None
    fits("0", clauses)
    return canonical(name), {e.strip() for e in (wants or "").split(",") if e.strip()}, clauses.strip()


def lines(path):
    """Yields the requirements of a file, each with its place."""
    with open(path, encoding="utf-8") as f:
        text = f.read().replace("\\\n", " ").split("\n")
    for number, line in enumerate(text, 1):
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        line = re.sub(r"\s--hash=\S+", "", line).strip()
        place = "%s, line %d" % (os.path.basename(path), number)
        if line.startswith(("-r ", "--requirement ", "--requirement=")):
            yield from lines(os.path.join(os.path.dirname(path), re.split(r"[ =]", line, maxsplit=1)[1].strip()))
        elif line.startswith("-"):
            if re.split(r"[ =]", line)[0] not in OPTIONS:
                raise ValueError("%s: %s is not possible in the sandbox" % (place, line))
        elif line:
            yield place, line


class Cache:
    """A folder of wheels and source packages."""

    def __init__(self, folder):
        self.found, self.refused = {}, {}
        for file in sorted(os.listdir(folder)) if folder else ():
            path = os.path.join(folder, file)
            if file.endswith(".whl") and file.count("-") >= 4:
                name, version = file.split("-")[:2]
                if not file.endswith("-none-any.whl"):
                    self.refused[canonical(name)] = file
                    continue
            elif file.endswith((".tar.gz", ".tgz", ".zip")):
                name, _, version = re.sub(r"\.(tar\.gz|tgz|zip)$", "", file).rpartition("-")
            else:
                continue
            try:
                self.found.setdefault(canonical(name), []).append((Version(version).key, file.endswith(".whl"), version, path))
            except ValueError:
                continue  # the name is not that of a package

    def best(self, name, clauses):
        """Returns the newest version that fits, and its file; those before a release only if there is no other."""
        fitting = [p for p in self.found.get(name, ()) if fits(p[2], clauses)]
        return max(fitting, key=lambda p: (not Version(p[2]).pre, *p[:2]), default=(None, None, None, None))[2:]


def install(path, cache):
    """Makes what a file requires importable. Returns the folder that it is in."""
    import tempfile
    from importlib import metadata

    cached = Cache(cache)
    folder = tempfile.mkdtemp(prefix="requirements-")
    there, requires = {}, {}
    for d in metadata.distributions():
        if d.metadata["Name"]:
            there.setdefault(canonical(d.metadata["Name"]), d.version)
            requires.setdefault(canonical(d.metadata["Name"]), d.requires or ())
    todo = []
    for place, line in lines(path):
        try:
            todo.append((place, line, parse(line)))
        except ValueError as e:
            raise ValueError("%s: %s" % (place, e)) from None
    unpacked, seen = set(), set()
    while todo:
        place, line, wanted = todo.pop(0)
        if wanted is None or wanted[0] in PROVIDED:
            continue
        name, extras, clauses = wanted
        if name not in there or not fits(there[name], clauses):
            version, file = cached.best(name, clauses)
            if file is None:
                raise ModuleNotFoundError("%s: %s is not there%s" % (place, line, _why(name, there, cached, cache)), name=name)
            if name in unpacked:
                raise ValueError("%s: %s does not go with version %s, which something else requires" % (place, line, there[name]))
            requires[name] = unpack(file, folder)
            there[name] = version
            unpacked.add(name)
        for extra in {"", *extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in requires[name]:
                todo.append(("%s, by way of %s" % (place, name), text, parse(text, (extra,))))
    os.environ["_PYTHON_REQUIREMENTS_INSTALL_DIR"] = folder
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    return folder


def _why(name, there, cached, cache):
    if name in there:
        return ", version %s is" % there[name]
    if name in cached.refused:
        return ": %s has machine code, which the sandbox does not run" % cached.refused[name]
    if name in cached.found:
        return ": %s has version %s" % (cache, ", ".join(p[2] for p in cached.found[name]))
    return "; nothing is downloaded: put a wheel of pure Python into a folder beside the script and give that as requirements_cache_dir"


def unpack(file, folder):
    """Unpacks a wheel or a source package into a folder. Returns what it requires."""
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory() as work:
        archives.unpack(file, work)
        if file.endswith(".whl"):
            requires = []
            for entry in os.listdir(work):
                if entry.endswith(".dist-info"):
                    with open(os.path.join(work, entry, "METADATA"), encoding="utf-8") as f:
                        requires = _requires(f.read())
                if entry.endswith(".data"):
                    for kind in ("purelib", "platlib"):
                        if os.path.isdir(os.path.join(work, entry, kind)):
                            _move(os.path.join(work, entry, kind), folder)
                    shutil.rmtree(os.path.join(work, entry))
            _move(work, folder)
            return requires
        inner = os.listdir(work)
        root = os.path.join(work, inner[0]) if len(inner) == 1 else work
        with open(os.path.join(root, "PKG-INFO"), encoding="utf-8") as f:
            requires = _requires(f.read())
        if os.path.isdir(os.path.join(root, "src")):
            root = os.path.join(root, "src")
        for entry in os.listdir(root):
            at = os.path.join(root, entry)
            if os.path.exists(os.path.join(at, "__init__.py")) or entry.endswith(".py") and entry not in ("setup.py", "conftest.py"):
                shutil.move(at, os.path.join(folder, entry))
        return requires


def _requires(text):
    return [line.partition(":")[2].strip() for line in text.partition("\n\n")[0].split("\n") if line.startswith("Requires-Dist:")]


def _move(source, folder):
    import shutil

    for entry in os.listdir(source):
        at, to = os.path.join(source, entry), os.path.join(folder, entry)
        if os.path.isdir(at) and os.path.isdir(to):
            _move(at, to)
        else:
            shutil.move(at, to)
