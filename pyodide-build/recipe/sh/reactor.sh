# Our C files, linked with libpython into the reactor OUT/python.wasm. With NAMES=1 it keeps the functions' names, for profiles.
flags="$(cross "$IN_WASI") -ffile-prefix-map=$ROOT/pyodide-build/runtime=/wasmill"
compile() {
	# shellcheck disable=SC2086
	$LLVM/clang $flags -std=c11 -O3 -DNDEBUG -mbulk-memory -mnontrapping-fptoint -fvisibility=hidden -flto -Wall -Wextra -Wno-unused-parameter \
		-I"$ROOT/pyodide-build/runtime" -isystem "$IN_LIBPYTHON/include" -c "$1" -o "$WORK/$(basename "$1" .c).o"
}
export -f compile
export LLVM flags WORK ROOT IN_LIBPYTHON
printf '%s\n' "$ROOT"/pyodide-build/runtime/*.c | xargs -P "$JOBS" -I{} bash -c 'compile "$1"' - {}

strip=--strip-all
[ "${NAMES:-}" != 1 ] || strip=--strip-debug
# shellcheck disable=SC2086
$LLVM/clang $flags -O3 -flto -mexec-model=reactor -z stack-size=8388608 -Wl,--stack-first -Wl,--initial-memory=20971520 "-Wl,$strip" -Wl,--wrap=PyErr_CheckSignals -Wl,--export=__stack_pointer \
	-o "$OUT/python.wasm" "$WORK"/*.o "$IN_LIBPYTHON"/lib/libpython3.13.a "$IN_LIBPYTHON"/lib/lib{mpdec,Hacl_Hash_SHA2,expat}.a \
	-lz -ldl -lm -lwasi-emulated-signal -lwasi-emulated-getpid -lwasi-emulated-process-clocks
