# CPython's source with Debian's patches, which carry the security fixes, in OUT/cpython, and zlib's in OUT/zlib. The files were checked against
# versions.lock, which is stricter than the signatures inside.
dpkg-source --no-check --no-copy -x "$IN_SOURCES"/python3.13_*.dsc "$OUT/cpython" >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; exit 1; }
dpkg-source --no-check --no-copy -x "$IN_SOURCES"/zlib_*.dsc "$OUT/zlib" >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; exit 1; }
