"""Archives and packages that a script takes along: unpacked in the sandbox, where the script and its tasks see them."""

import importlib
import os
import sys

from . import host

__all__ = []

_TAR = (".tar", ".tar.gz", ".tgz")
_unpacked = {}  # path and target: done


def unpack(path, folder):
    """Unpacks an archive into a folder: tar by its name's ending, zip whatever else it is called, as PyFlink does."""
    import tarfile
    import zipfile
    import zlib

    try:
        if path.lower().endswith(_TAR):
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
        else:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as e:
        raise ValueError("%s is no archive that can be unpacked: %s; zip, jar, tar, tar.gz and tgz are" % (path, e)) from None


def there(path, what):
    """Returns the absolute path of a file that the script names, or says that there is none."""
    path = str(path)
    if path.startswith("file:"):
        path = "/" + path[len("file:"):].lstrip("/")
    at = os.path.abspath(path)
    if not os.path.exists(at):
        raise FileNotFoundError("%s: there is no %s in the sandbox; files beside the script, up to 16 MiB each, are there, as %s" % (what, path, os.getcwd()))
    return at


def add(path, target):
    """Shows what is in an archive in a folder beside the script: of the name given, in the call or behind a # in the path, or of the archive's own."""
    path = str(path)
    if target is None and "#" in path:
        path, _, target = path.partition("#")
    at = there(path, "add_python_archive")
    name = target or os.path.basename(at)
    if name in (".", "..") or "/" in name:
        raise ValueError("add_python_archive: the folder of an archive has a name, not the path %r" % name)
    if _unpacked.get(name) == at:
        return
    import tempfile

    folder = tempfile.mkdtemp(prefix="archive-")
    unpack(at, folder)
    host.link(name, folder)
    _unpacked[name] = at
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
