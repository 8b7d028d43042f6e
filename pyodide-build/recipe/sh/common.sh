# Shared by the layers' scripts. The recipe sets for each: OUT (empty folder to fill), WORK (scratch folder), ROOT (the repository), ARCH
# (Debian's name for this machine), JOBS, and IN_<LAYER>, the finished output of each layer that it needs.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=1750000000 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
LLVM=/usr/lib/llvm-19/bin

# cross: the compiler's arguments for wasm32-wasi. The target is not called wasip1 since Debian keeps compiler-rt's builtins under wasm32-wasi alone.
# -B: clang runs any wasm-opt that it finds after every link, from this folder first, where one that does nothing lies.
# The maps keep this machine's folders out of what is compiled.
cross() {
	echo "--target=wasm32-wasi --sysroot=$1/sysroot -B$1/bin -ffile-prefix-map=$1=/python/wasi -ffile-prefix-map=$WORK=/python/build"
}
