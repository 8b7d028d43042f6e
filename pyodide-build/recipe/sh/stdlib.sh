# The standard library, compiled: OUT/python313.zip.
"$IN_HOST/python" "$ROOT/pyodide-build/recipe/sh/pack.py" "$OUT/python313.zip" "$ROOT/pyodide-build/recipe/sh/stdlib.exclude" "$IN_SOURCE/cpython/Lib" "$IN_LIBPYTHON/sysconfig"
