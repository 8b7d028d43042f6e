# Our own Python packages, compiled: OUT/wasmill.zip.
"$IN_HOST/python" "$ROOT/pyodide-build/recipe/sh/pack.py" "$OUT/wasmill.zip" "$ROOT/pyodide-build/recipe/sh/packages.exclude" "$ROOT/pyodide-build/lib"
