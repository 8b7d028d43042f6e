# The C library for wasm32-wasi and zlib, in OUT/sysroot.
mkdir -p "$OUT/bin" "$OUT/sysroot" "$WORK/deb" "$WORK/zlib"
printf '#!/bin/sh\nexit 0\n' >"$OUT/bin/wasm-opt"
chmod +x "$OUT/bin/wasm-opt"
dpkg-deb -x "$IN_SOURCES"/wasi-libc_*_all.deb "$WORK/deb"
cp -a "$WORK/deb/usr/include" "$WORK/deb/usr/lib" "$OUT/sysroot/"
cp "$WORK/deb/usr/share/doc/wasi-libc/copyright" "$OUT/copyright"

cp -a "$IN_SOURCE/zlib" "$WORK/src"
cd "$WORK/src"
objects=
for name in adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil; do
	# shellcheck disable=SC2046
	$LLVM/clang $(cross "$OUT") -O3 -mbulk-memory -c "$name.c" -o "$name.o"
	objects="$objects $name.o"
done
# shellcheck disable=SC2086
$LLVM/llvm-ar rcsD "$OUT/sysroot/lib/wasm32-wasi/libz.a" $objects
cp zlib.h zconf.h "$OUT/sysroot/include/wasm32-wasi/"
