"""What the C module calls: the start, a user's file, functions to open, the end."""

import atexit
import gc
import importlib.util
import io
import json
import os
import sys
import types as _types

import _wasmill

from . import _describe, _errors, _log, _rows, _sandbox, _warm


class Timeout(BaseException):
    """A call has taken longer than it may. It is no Exception, so that `except Exception` does not swallow it."""

    def __str__(self):
        return super().__str__() or "the call took longer than it may"


Timeout.__module__ = "wasmill"


class NoFunction(Exception):
    """A file has nothing that a stream could call."""


NoFunction.__module__ = "wasmill"


_BUNDLE = "/bundle"  # where the host shows the upload
_stdout = _stderr = None
_module = None  # the user's
_functions, _refused = [], {}
_opened, _instances = False, {}
_config = {}


def start():
    """Prepares the interpreter that all images come from."""
    global _stdout, _stderr
    for name, fd in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, io.open(fd, "w", encoding="utf-8", closefd=False))
        getattr(sys, name).reconfigure(line_buffering=True, errors="backslashreplace")
    sys.stdin = io.StringIO()  # input() gets EOFError
    _stdout, _stderr = sys.stdout, sys.stderr
    _log.start()
    _sandbox.start()
    _warm.rehearse(sys.modules[__name__], _describe, _errors)
    gc.collect()
    gc.freeze()


def flush():
    """Writes out what was printed without an end of line."""
    try:
        _stdout.flush()
        _stderr.flush()
    except (ValueError, OSError):
        pass  # the user has closed it


def load(job):
    """Executes the user's file: {"path", "name", "main", "paths"}."""
    global _module
    job = json.loads(job)
    path, name = job["path"], "__main__" if job.get("main") else job["name"]
    folder = os.path.dirname(path)
    root = _BUNDLE if path.startswith(_BUNDLE + "/") else folder  # the whole upload, of which the file may be in a folder
    _errors.root = root.rstrip("/") + "/"
    sys.path[:0] = dict.fromkeys([root, folder, *(job.get("paths") or ())])
    os.chdir(root)
    sys.argv = [path, *job.get("argv", ())]
    _wasmill.parallelism = job.get("parallelism", 1)
    if "temporary" in job:
        os.environ["TMPDIR"] = job["temporary"]
    with io.open(path, "rb") as f:
        source = f.read()
    code = compile(source, path, "exec", dont_inherit=True)
    module = _types.ModuleType(name)
    module.__file__ = path
    module.__spec__ = importlib.util.spec_from_file_location(name, path)
    module.__loader__ = module.__spec__.loader
    module.__builtins__ = __builtins__
    if job.get("main"):
        module.__spec__ = None  # as for any script
    sys.modules[name] = _module = module
    if job.get("main"):
        _execute(code, module.__dict__)
    else:
        exec(code, module.__dict__)
    _learn(module, job)
    wrong = [name for name in _refused if name in _describe.KINDS]
    if wrong and not job.get("main"):
        raise NoFunction("`%s` cannot be called: %s (%s)" % (wrong[0], _refused[wrong[0]], os.path.basename(path)))
    if not _functions and not job.get("main"):
        reasons = "".join("; `%s`: %s" % item for item in _refused.items())
        raise NoFunction("%s has no function to call: def map(event), filter or flat_map%s" % (os.path.basename(path), reasons))
    _sandbox.close_archives()
    gc.collect()
    gc.freeze()


def _execute(code, names):
    """Executes a script as python does, down to its exit code."""
    status = 0
    try:
        exec(code, names)
    except SystemExit as e:
        status = 0 if e.code is None else e.code
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    finally:
        atexit._run_exitfuncs()
    if status:
        flush()
        os._exit(status & 255)


def _learn(module, job):
    mine = os.path.dirname(job["path"]).rstrip("/") + "/"
    paths = tuple(p.rstrip("/") + "/" for p in job.get("paths") or () if p.rstrip("/") + "/" not in (_errors.root, mine))

    def of_file(path):
        if not path or not path.startswith(_errors.root):
            return False
        return mine != _errors.root and path.startswith(mine) or not path.startswith(paths or ("\0",))

    def ours(value):
        if isinstance(value, type):
            source = sys.modules.get(value.__module__)
            return of_file(getattr(source, "__file__", None))
        code = getattr(getattr(value, "func", value), "__wrapped__", getattr(value, "func", value))
        code = getattr(code, "__func__", code)
        return of_file(getattr(getattr(code, "__code__", None), "co_filename", None))

    _functions[:], refused = _describe.functions(module, ours)
    _refused.clear()
    _refused.update(refused)


def describe():
    """Returns the description of docs/abi.md, and how many functions it has."""
    functions = [f.declaration() for f in _functions]
    refused = [{"name": n, "why": w} for n, w in _refused.items()]
    text = json.dumps({"abi": 1, "name": getattr(_module, "__name__", ""), "functions": functions, "refused": refused}, ensure_ascii=False)
    return text, len(functions)


def config():
    """Returns the configuration that the pipeline gives to the function at work, as JSON's values."""
    return _config


class Context:
    """What open() gets, in the manner of PyFlink's RuntimeContext."""

    def __init__(self, name, values):
        self._name, self.config = name, values

    def get_task_name(self):
        return self._name

    def get_job_parameter(self, key, default_value=None):
        return self.config.get(key, default_value)


def _call_open(owner, context):
    """Calls the open() of a module, a class's instance or nobody."""
    hook = getattr(owner, "open", None)
    if not callable(hook) or (isinstance(owner, _types.ModuleType) and "open" not in vars(owner)):
        return
    if isinstance(owner, _types.ModuleType) and getattr(hook, "__module__", None) in ("io", "_io"):
        return  # `from io import open`
    import inspect

    try:
        takes = len([p for p in inspect.signature(hook).parameters.values() if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)])
    except (ValueError, TypeError):
        takes = 0
    hook(*([context] if takes else []))


def open_module(context):
    global _opened
    if not _opened:
        _call_open(_module, context)
        _opened = True


def open(index, columns, text):  # in this module the builtin is io.open
    """Makes a function ready. columns is ((name, is a document), ...); returns what configure() in open.c reads."""
    global _config
    f = _functions[index]
    s = f.shape
    _config = json.loads(text) if text else {}
    context = Context(f.name, _config)
    open_module(context)
    target = s.target
    if s.owner is not None:
        owner = _instances.get(id(s.owner))
        if owner is None:
            owner = s.owner() if isinstance(s.owner, type) else s.owner
            _call_open(owner, context)
            _instances[id(s.owner)] = owner
        if target is not owner:
            target = getattr(owner, f.kind)
    names = tuple(name for name, _ in columns)
    documents = len(columns) == 1 and columns[0][1]
    style, cls, args = s.style, s.cls, ()
    if style == _describe.EVENT and documents and s.columns is None:
        style = _describe.DOCUMENT
        if cls is _rows.Row:
            target = _rows.from_document(target)
    elif style == _describe.EVENT and cls is _rows.Row:
        cls = _rows.row_type(names)
    elif style in (_describe.POSITIONAL, _describe.VECTOR):
        args = _arguments(f, names, documents)
    if style != _describe.EVENT:
        cls = None
    specs = None if s.columns is None else tuple(c.spec() for c in s.columns)
    out = None if f.out is None else tuple(c.spec() for c in f.out)
    return f.name, _describe.KINDS.index(f.kind), style, target, args, specs, cls, out, f.single, s.gives_out


def _arguments(f, names, documents):
    """Returns which column each argument is."""
    s = f.shape
    if s.columns is not None:
        return tuple(range(len(s.columns)))
    if documents:
        raise TypeError("%s takes the columns %s, and the stream has documents; annotate the parameters or take one event" % (f.name, ", ".join(s.parameters)))
    missing = [p for p in s.parameters if p not in names]
    if missing:
        raise TypeError("%s takes a column `%s`, and the stream has %s" % (f.name, missing[0], ", ".join(names)))
    return tuple(names.index(p) for p in s.parameters)


def close():
    """Calls the user's close(), once each."""
    global _opened
    owners = [*_instances.values(), *([_module] if _opened else [])]
    _instances.clear()
    _opened = False
    for owner in owners:
        hook = getattr(owner, "close", None)
        if callable(hook):
            hook()


def after_clone(seed):
    """Makes a clone differ from its image where it should."""
    random = sys.modules.get("random")
    if random is not None:
        random.seed(seed)
    uuid = sys.modules.get("uuid")
    if uuid is not None:
        uuid._last_timestamp = None
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile._name_sequence = None
    plan = sys.modules.get("wasmill.datastream.plan")
    if plan is not None and plan.tasks:  # a clone made within execute(): it runs a part of the job, and nothing else
        from .datastream.runtime import entry

        _functions[:] = entry.functions()


error_text = _errors.text
