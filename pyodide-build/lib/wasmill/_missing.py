"""What to say of modules that are not there."""

import sys

_NATIVE = frozenset(
    """aiohttp asyncpg bcrypt boto3 cffi confluent_kafka cryptography cv2 cython duckdb faiss fastavro gevent greenlet grpc h5py jax jpype keras lightgbm
    llvmlite lxml matplotlib mmh3 msgpack mysqlclient nltk_data numba numexpr numpy onnxruntime orjson pandas pemja PIL polars psutil psycopg psycopg2 pyarrow
    pycurl pydantic_core pymongo pyodbc pyspark rapidjson rocksdb scipy shapely simdjson skimage sklearn snappy spacy statsmodels tensorflow tokenizers torch
    torchvision transformers ujson uvloop xgboost yarl zmq zstandard""".split()
)

_NO_NETWORK = "a guest has no network: sources, sinks and lookups of the pipeline talk to the world"
_NO_NATIVE_CODE = "a guest runs no machine code"
_NO_PROCESSES = "a guest has no processes besides itself; parallelism is the pipeline's"
_NO_TERMINAL = "a guest has no terminal"
_ABSENT = {
    "_socket": _NO_NETWORK, "socket": _NO_NETWORK, "_ssl": _NO_NETWORK, "ssl": _NO_NETWORK, "select": _NO_NETWORK, "selectors": _NO_NETWORK,
    "_ctypes": _NO_NATIVE_CODE, "ctypes": _NO_NATIVE_CODE, "_posixsubprocess": _NO_PROCESSES, "_multiprocessing": _NO_PROCESSES,
    "_posixshmem": _NO_PROCESSES, "fcntl": _NO_PROCESSES, "pwd": _NO_PROCESSES, "grp": _NO_PROCESSES, "resource": _NO_PROCESSES, "syslog": _NO_PROCESSES,
    "mmap": "a guest cannot map files; open() reads those of the bundle", "termios": _NO_TERMINAL, "readline": _NO_TERMINAL, "_curses": _NO_TERMINAL,
    "curses": _NO_TERMINAL, "_tkinter": _NO_TERMINAL, "tkinter": _NO_TERMINAL, "_sqlite3": "SQLite is not part of the sandbox",
    "_bz2": "bz2 is not part of the sandbox; zlib and gzip are", "_lzma": "lzma is not part of the sandbox; zlib and gzip are",
    "_dbm": "dbm is not part of the sandbox", "_gdbm": "dbm is not part of the sandbox", "_interpreters": _NO_PROCESSES,
}
_RENAMED = {"yaml": "PyYAML", "dateutil": "python-dateutil", "bs4": "beautifulsoup4", "attr": "attrs", "jwt": "PyJWT", "slugify": "python-slugify"}
_INSTEAD = {"simplejson": "json", "ujson": "json", "orjson": "json", "rapidjson": "json", "pytz": "zoneinfo", "cPickle": "pickle", "StringIO": "io", "ConfigParser": "configparser", "Queue": "queue"}


def hint(e):
    """Returns what helps against an ImportError, or ""."""
    name = (getattr(e, "name", None) or "").partition(".")[0]
    if not name:
        return ""
    if name in _ABSENT:
        return _ABSENT[name]
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
