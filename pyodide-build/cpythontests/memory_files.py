"""Files in memory for CPython's tests, many of which write something to a file of a given name only to read it again. The sandbox has no place to
write to; with these the tests reach what they are about. Folders and everything that asks the operating system about a file still fail."""

import builtins
import errno
import io
import os
import shutil
import tempfile

from test.support import os_helper

_real_open, _real_unlink, _real_rmtree = io.open, os.unlink, shutil.rmtree
_folder = os_helper.TESTFN_ASCII + "_folder"
_files = {}


class _File(io.BytesIO):
    """A file that leaves its contents behind under its name when it is closed."""

    def __init__(self, name, data, mode):
        super().__init__(data)
        self.name, self.mode = name, mode
        if "a" in mode:
            self.seek(0, io.SEEK_END)

    def close(self):
        if not self.closed and self.name is not None and set(self.mode) & set("wax+"):
            _files[self.name] = self.getvalue()
        super().close()

    def readable(self):
        return "r" in self.mode or "+" in self.mode

    def writable(self):
        return bool(set(self.mode) & set("wax+"))


def _name(file):
    """Returns the name of a file that lives in memory, or None."""
    if not isinstance(file, (str, bytes, os.PathLike)):
        return None
    name = os.fsdecode(file)
    return name if name.startswith(_folder) or os.path.basename(name).startswith(os_helper.TESTFN_ASCII) else None


def _wrapped(file, encoding, errors, newline):
    return io.TextIOWrapper(file, encoding=encoding or "utf-8", errors=errors, newline=newline, write_through=True)


def _open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    name = _name(file)
    if name is not None and name not in _files and "r" in mode:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), file)
    if name is None:
        return _real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    if "x" in mode and name in _files:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)
    made = _File(name, b"" if "w" in mode else _files.setdefault(name, b""), mode)
    if "b" in mode:
        return made
    text = _wrapped(made, encoding, errors, newline)
    text.mode = mode
    return text


def _unlink(path, *args, **kwargs):
    name = _name(path)
    if name is None:
        _real_unlink(path, *args, **kwargs)
    elif _files.pop(name, None) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _temporary(mode="w+b", buffering=-1, encoding=None, newline=None, suffix=None, prefix=None, dir=None, *, errors=None):
    made = _File(None, b"", mode)
    return made if "b" in mode else _wrapped(made, encoding, errors, newline)


def _mkdtemp(suffix=None, prefix=None, dir=None):
    return _folder


def _rmtree(path, *args, **kwargs):
    if path != _folder:
        _real_rmtree(path, *args, **kwargs)
    for name in [name for name in _files if name.startswith(_folder)]:
        del _files[name]


def _or_in_memory(asked):
    return lambda path: _name(path) in _files or asked(path)


def install():
    """Makes open, os.unlink and tempfile serve such files, and one folder that is only a name."""
    builtins.open = io.open = _open
    os.unlink = os.remove = os_helper._unlink = _unlink
    tempfile.TemporaryFile = _temporary
    tempfile.mkdtemp, shutil.rmtree = _mkdtemp, _rmtree
    os.path.isfile, os.path.exists = _or_in_memory(os.path.isfile), _or_in_memory(os.path.exists)
