"""What to say of modules that are not there."""

import sys

_NATIVE = frozenset(
    """aiohttp asyncpg bcrypt boto3 cffi confluent_kafka cryptography cv2 cython duckdb faiss fastavro gevent greenlet grpc h5py jax jpype keras lightgbm
    llvmlite lxml matplotlib mmh3 msgpack mysqlclient nltk_data numba numexpr numpy onnxruntime orjson pandas pemja PIL polars psutil psycopg psycopg2 pyarrow
    pycurl pydantic_core pymongo pyodbc pyspark rapidjson rocksdb scipy shapely simdjson skimage sklearn snappy spacy statsmodels tensorflow tokenizers torch
    torchvision transformers ujson uvloop xgboost yarl zmq zstandard""".split()
)

NO_NETWORK = "a guest has no network: sources, sinks and lookups of the pipeline talk to the world"
NO_THREADS = "a guest has one thread: parallelism is the pipeline's, and waiting is that of its sources and lookups"
_NO_NATIVE_CODE = "a guest runs no machine code"
NO_PROCESSES = "a guest has no processes besides itself; parallelism is the pipeline's"
_NO_TERMINAL = "a guest has no terminal"
ABSENT = {
    "_socket": NO_NETWORK, "_ssl": NO_NETWORK, "ssl": NO_NETWORK,
    "_ctypes": _NO_NATIVE_CODE, "ctypes": _NO_NATIVE_CODE, "_posixsubprocess": NO_PROCESSES, "_multiprocessing": NO_PROCESSES, "multiprocessing": NO_PROCESSES,
    "_posixshmem": NO_PROCESSES, "fcntl": NO_PROCESSES, "pwd": NO_PROCESSES, "grp": NO_PROCESSES, "resource": NO_PROCESSES, "syslog": NO_PROCESSES,
    "mmap": "a guest cannot map files; open() reads those of the bundle", "termios": _NO_TERMINAL, "readline": _NO_TERMINAL, "_curses": _NO_TERMINAL,
    "curses": _NO_TERMINAL, "_tkinter": _NO_TERMINAL, "tkinter": _NO_TERMINAL, "_sqlite3": "SQLite is not part of the sandbox",
    "_bz2": "bz2 is not part of the sandbox; zlib and gzip are", "_lzma": "lzma is not part of the sandbox; zlib and gzip are",
    "_dbm": "dbm is not part of the sandbox", "_gdbm": "dbm is not part of the sandbox", "_interpreters": NO_PROCESSES,
}
_RENAMED = {"yaml": "PyYAML", "dateutil": "python-dateutil", "bs4": "beautifulsoup4", "attr": "attrs", "jwt": "PyJWT", "slugify": "python-slugify"}
_INSTEAD = {"simplejson": "json", "ujson": "json", "orjson": "json", "rapidjson": "json", "pytz": "zoneinfo", "cPickle": "pickle", "StringIO": "io", "ConfigParser": "configparser", "Queue": "queue"}


_PROCESS_CALLS = frozenset(
    """WNOHANG abort execl execle execlp execv execve execvp execvpe fork forkpty getppid getuid kill killpg nice pipe popen posix_spawn posix_spawnp
    register_at_fork setsid spawnl spawnv spawnve startfile system wait wait3 wait4 waitid waitpid""".split()
)


def attribute_hint(module, name):
    """Returns why a module of the standard library has no such attribute, or ""."""
    if module == "os" and name in _PROCESS_CALLS:
        return NO_PROCESSES
    if module == "signal":
        return "a guest gets no signals; the host ends calls at their deadline, see wasmill.deadline()"
    return ""


def hint(e):
    """Returns what helps against an ImportError, or ""."""
    name = (getattr(e, "name", None) or "").partition(".")[0]
    if not name:
        return ""
    if name in ABSENT:
        return ABSENT[name]
    if not isinstance(e, ModuleNotFoundError):
        return ""
    if name in _INSTEAD:
        return "`%s` is in the sandbox and does the same%s" % (_INSTEAD[name], "; %s has C extensions" % name if name in _NATIVE else "")
    if name in _NATIVE:
        return "%s has C extensions: it runs only in the native runtime" % name
    if "." in (e.name or "") and name in sys.modules:
        return "%s is there, and has no module of that name" % name
    near = _near(name)
    if near:
        return "there is a module `%s`" % near
    return "put `%s` into the bundle: its folder beside the file, or its pure-Python wheel (py3-none-any)" % _RENAMED.get(name, name)


def _near(name):
    import difflib

    close = difflib.get_close_matches(name, sorted(m for m in sys.stdlib_module_names if not m.startswith("_")), 1, 0.85)
    return close[0] if close else ""
