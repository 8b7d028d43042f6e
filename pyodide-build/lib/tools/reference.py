"""Writes docs/pyflink/api.md, docs/pyflink/compatibility.md and the stubs pyflink/**.pyi out of the package:
python pyodide-build/lib/tools/reference.py [--check].

Signatures, first sentences and examples are those of the code and its docstrings. How a docstring begins says how a name is served:
"Refuses" for what raises, "Keeps", "Remembers" or "Asks" for what is accepted and has no effect. pyflink_names.txt has the public names
of PyFlink 1.20."""

import enum
import importlib
import inspect
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.dirname(HERE)
sys.path.insert(0, LIB)

import pyflink  # noqa: E402: found by the line above

DOCS = os.path.normpath(os.path.join(HERE, "..", "..", "..", "docs", "pyflink"))

MODULES = (
    "pyflink.datastream.stream_execution_environment", "pyflink.datastream.data_stream", "pyflink.datastream.functions", "pyflink.datastream.state",
    "pyflink.datastream.window", "pyflink.datastream.output_tag", "pyflink.common.typeinfo", "pyflink.common.types", "pyflink.common.time",
    "pyflink.common.watermark_strategy", "pyflink.common.serialization", "pyflink.datastream.connectors.file_system",
    "pyflink.datastream.connectors.number_seq", "pyflink.datastream.connectors.base", "wasmill.connectors", "pyflink.datastream.formats.json",
    "pyflink.datastream.formats.csv", "pyflink.datastream.formats.avro", "pyflink.datastream.formats.parquet", "pyflink.table", "pyflink.metrics", "pyflink.common.configuration", "pyflink.common.execution_config",
    "pyflink.common.job_client", "pyflink.datastream.state_backend", "pyflink.datastream.tests.test_util", "pyflink.testing.test_case_utils",
)


def doc(value, owner=None, name=""):
    """Returns a docstring, that of a base class where there is none."""
    text = inspect.getdoc(value) if not isinstance(value, type) else value.__dict__.get("__doc__")
    if not text and owner is not None:
        for base in owner.__mro__[1:]:
            text = inspect.getdoc(vars(base).get(name)) if name in vars(base) else None
            if text:
                break
    return inspect.cleandoc(text or "")


def sentence(text):
    """Returns a docstring's first paragraph, on one line."""
    return " ".join(text.split("\n\n")[0].replace(":class:", "").split())


def examples(text):
    """Returns the lines of a docstring that Python's doctest runs."""
    return [line for block in re.split(r"\n\s*\n", text) if block.lstrip().startswith(">>>") for line in block.splitlines()]


def signature(value):
    try:
        text = str(inspect.signature(value))
    except (ValueError, TypeError):
        return "()"
    text = re.sub(r"'?\b(wasmill|typing)\.[A-Za-z_.]*?(\w+)'?(?=[\],)\s=]|$)", r"\2", text)
    return re.sub(r"<object object at [^>]*>|<[^>]*>", "...", text).replace("(self, ", "(").replace("(self)", "()").replace('"', "").replace("'", "")


def members(cls):
    """Returns the public methods, properties and classes of a class, its own and those of private bases."""
    found = {}
    for base in reversed(cls.__mro__):
        if base is cls or base.__name__.startswith("_") and base is not object:
            found.update({n: v for n, v in vars(base).items() if not n.startswith("_")})
    return found


def kinds(cls):
    methods, classes, values = [], [], []
    for name, value in members(cls).items():
        raw = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        if isinstance(raw, type):
            classes.append((name, raw))
        elif isinstance(raw, property) or not callable(raw):
            values.append((name, raw))
        else:
            methods.append((name, getattr(cls, name)))
    return methods, classes, values


def class_section(name, cls, level, out):
    text = doc(cls)
    if isinstance(cls, type) and issubclass(cls, enum.Enum):
        out += ["#" * level + " " + name, "", sentence(text) + " " + ", ".join("`%s`" % m.name for m in cls) + ".", ""]
        methods = [(n, v) for n, v in kinds(cls)[0] if n not in cls.__members__]
        classes = []
    else:
        init = signature(cls) if "__init__" in vars(cls) or "__new__" in vars(cls) else ""
        out += ["#" * level + " " + name, "", "`%s%s`" % (name.split(".")[-1], init), "", sentence(text), ""]
        methods, classes, _ = kinds(cls)
    shown = examples(text)
    if shown:
        out += ["```python", *shown, "```", ""]
    if methods:
        out += ["| | |", "|---|---|"]
        for method, value in methods:
            what = sentence(doc(value, cls, method)).replace("|", "\\|")
            out.append("| `%s%s` | %s |" % (method, signature(value).replace("|", "\\|"), what))
        out.append("")
    for inner, value in classes:
        if not inner.startswith("_"):
            class_section(name + "." + inner, value, level, out)


def api():
    """Returns the text of api.md."""
    out = ["# API reference", "", "Written by `pyodide-build/lib/tools/reference.py` out of the code. What is of PyFlink and how far it is here: "
           "[compatibility](compatibility.md).", ""]
    seen = set()
    for module in MODULES:
        loaded = importlib.import_module(module)
        names = [n for n in loaded.__all__ if not isinstance(getattr(loaded, n), type) or getattr(loaded, n) not in seen]
        if not names:
            continue
        out += ["## " + module, "", sentence(doc(loaded)), ""]
        for name in names:
            value = getattr(loaded, name)
            if isinstance(value, type):
                seen.add(value)
                class_section(name, value, 3, out)
            elif callable(value):
                out += ["### " + name, "", "`%s%s`" % (name, signature(value)), "", sentence(doc(value)), ""]
    return "\n".join(out).rstrip() + "\n"


def find(module, path):
    """Returns the thing of a name of PyFlink's, its owner, and why there is none."""
    try:
        value = importlib.import_module("pyflink." + module)
    except ModuleNotFoundError as e:
        return None, None, str(e).partition(": ")[2] or "not here"
    owner = None
    for part in path.split("."):
        owner, value = value, getattr(value, part, None)
        if value is None:
            return None, None, "not here"
    return value, owner, None


def served(value, owner, name):
    """Returns how a name is served, by how its docstring begins."""
    text = sentence(doc(value, owner if isinstance(owner, type) else None, name))
    first = text.split(" ")[0].rstrip(":,")
    if first == "Refuses":
        return "refused", text[len("Refuses"):].lstrip(":, ")
    if first in ("Keeps", "Remembers", "Asks"):
        return "accepted, no effect", text
    return "yes", ""


def compatibility():
    """Returns the text of compatibility.md."""
    with open(os.path.join(HERE, "pyflink_names.txt")) as f:
        names = [line.strip().split(":") for line in f]
    out = ["# Compatibility", "", "Which of PyFlink 1.20's public names are here. Written by `pyodide-build/lib/tools/reference.py` out of the code; "
           "signatures are in the [API reference](api.md).", "",
           "A row stands for a class with all its methods, but for those named in the rows below it.", "", "| PyFlink | here | |", "|---|---|---|"]
    absent, count = {}, {"yes": 0, "accepted, no effect": 0, "refused": 0, "no": 0}
    for module, path in names:
        value, owner, why = find(module, path)
        shown = "pyflink.%s.%s" % (module, path)
        if why and why != "not here":
            absent.setdefault("pyflink." + module, why)
            continue
        if value is None:
            if path.count(".") and find(module, path.rpartition(".")[0])[0] is None:
                continue
            count["no"] += 1
            out.append("| `%s` | no | |" % shown)
            continue
        how, text = served(value, owner, path.rpartition(".")[2])
        count[how] += 1
        if how != "yes" or isinstance(value, type) and "." not in path:
            out.append("| `%s` | %s | %s |" % (shown, how, text))
    for module, why in absent.items():
        out.append("| `%s` | refused | %s |" % (module, why))
    for module, why in pyflink._ABSENT.items():
        if "pyflink." + module not in absent:
            out.append("| `pyflink.%s` | refused | %s |" % (module, why))
    out += ["", "Of %d names %d are here, %d are accepted without effect, %d are refused with a sentence that says what to use instead, and %d are not here."
            % (sum(count.values()), count["yes"], count["accepted, no effect"], count["refused"], count["no"])]
    return "\n".join(out) + "\n"


def undocumented():
    """Returns the public names without a docstring, as module.Class.method."""
    missing = []

    def visit(path, cls):
        if not doc(cls):
            missing.append(path)
        methods, classes, _ = kinds(cls)
        for name, value in methods:
            if not doc(value, cls, name) and not (issubclass(cls, enum.Enum) and name in cls.__members__):
                missing.append(path + "." + name)
        for name, value in classes:
            visit(path + "." + name, value)

    for module in MODULES:
        loaded = importlib.import_module(module)
        for name in loaded.__all__:
            value = getattr(loaded, name)
            if isinstance(value, type) and value.__module__.startswith("wasmill"):
                visit(module + "." + name, value)
    return list(dict.fromkeys(missing))


def stub(name, origins):
    """Returns the stub of a module of PyFlink's: where editors find its names, which the finder in pyflink/__init__.py makes."""
    out = ['"""%s"""' % sentence(doc(importlib.import_module("pyflink." + name))), ""]
    for origin in origins:
        loaded = importlib.import_module(origin)
        names = getattr(loaded, "__all__", None) or [n for n, v in vars(loaded).items() if not n.startswith("_") and isinstance(v, type)]
        if names:
            out += ["from %s import (" % origin, *("    %s as %s," % (n, n) for n in sorted(names)), ")"]
    return "\n".join(out) + "\n"


def files():
    """Returns the texts of all files that are written, by path."""
    out = {os.path.join(DOCS, "api.md"): api(), os.path.join(DOCS, "compatibility.md"): compatibility()}
    for name, origins in pyflink._MODULES.items():
        package = any(other.startswith(name + ".") for other in pyflink._MODULES)
        out[os.path.join(LIB, "pyflink", *name.split(".")) + ("/__init__.pyi" if package else ".pyi")] = stub(name, origins)
    return out


def main(arguments):
    stale = []
    for path, text in files().items():
        if arguments == ["--check"]:
            with open(path) as f:
                if f.read() != text:
                    stale.append(os.path.basename(path))
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text)
    if stale:
        sys.exit("%s: out of date, run %s" % (", ".join(stale), os.path.basename(__file__)))


if __name__ == "__main__":
    main(sys.argv[1:])
