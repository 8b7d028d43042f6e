"""pack.py OUT.zip EXCLUDE FOLDER...: the modules and data below the folders, compiled, in a zip whose bytes depend on them alone.

Bytecode carries the source's hash but is never checked against it, and names the file as the guest sees it: /lib/OUT.zip/path.
"""

import importlib.util
import marshal
import os
import sys
import zipfile

out, exclude_file, *folders = sys.argv[1:]
excluded = set()
if exclude_file != "-":
    with open(exclude_file, encoding="utf-8") as f:
        excluded = {line.strip() for line in f if line.strip() and not line.startswith("#")}
seen = set()


def walk(folder):
    """Yields the paths below folder that are wanted, in the same order everywhere."""
    for parent, dirs, files in os.walk(folder):
        rel = os.path.relpath(parent, folder)
        paths = lambda names: (os.path.normpath(os.path.join(rel, n)) for n in sorted(names) if not n.startswith("."))
        dirs[:] = [os.path.basename(p) for p in paths(dirs) if p not in excluded and os.path.basename(p) != "__pycache__"]
        for path in paths(files):
            if path not in excluded and not path.endswith(".pyc"):
                seen.add(path)
                yield path


def contents(folder, path):
    """Returns a file's name in the zip and its bytes."""
    with open(os.path.join(folder, path), "rb") as f:
        data = f.read()
    if not path.endswith(".py"):
        return path, data
    code = compile(data, f"/lib/{os.path.basename(out)}/{path}", "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(data)
    return path + "c", header + marshal.dumps(code)


with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for folder in folders:
        for path in walk(folder):
            name, data = contents(folder, path)
            info = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o444 << 16
            info.create_system = 3
            archive.writestr(info, data)

for path in excluded - {"site-packages"}:
    top = [os.path.join(folder, path) for folder in folders]
    if not any(os.path.exists(p) for p in top):
        sys.exit(f"{exclude_file}: there is no {path}")
