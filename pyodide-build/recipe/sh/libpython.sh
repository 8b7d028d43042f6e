# libpython3.13.a and its companions for wasm32-wasi in OUT/lib, all headers in OUT/include, the build's variables for sysconfig in OUT/sysconfig.
ln -s "$IN_SOURCE/cpython" "$WORK/src"
mkdir -p "$WORK/build" "$OUT/lib" "$OUT/sysconfig"
cd "$WORK/build"
flags="$(cross "$IN_WASI") -ffile-prefix-map=$IN_SOURCE/cpython=/python/src"
export PATH=$LLVM:$PATH

# Without the two about clock_nanosleep, time.sleep raises OSError; without aligned_required, strings are hashed with FNV. There is no
# pkg-config, so that what the machine has installed cannot matter.
env CC="$LLVM/clang $flags" CPP="$LLVM/clang $flags -E" CXX="$LLVM/clang++ $flags" \
	AR=$LLVM/llvm-ar RANLIB=$LLVM/llvm-ranlib NM=$LLVM/llvm-nm READELF=$LLVM/llvm-readelf PKG_CONFIG=false ZLIB_CFLAGS=" " ZLIB_LIBS=-lz \
	CONFIG_SITE=../src/Tools/wasm/config.site-wasm32-wasi CFLAGS="-mbulk-memory -mnontrapping-fptoint" OPT="-DNDEBUG -O3 -Wall" \
	../src/configure --host=wasm32-wasip1 --build="$(../src/config.guess)" --with-build-python="$IN_HOST/python" --prefix=/python \
	--disable-test-modules --without-ensurepip --with-pymalloc \
	ac_cv_aligned_required=no ac_cv_func_clock_nanosleep=no ac_cv_lib_rt_clock_nanosleep=no
grep -q '^MODULE_ZLIB_STATE=yes' Makefile

companions="Modules/_decimal/libmpdec/libmpdec.a Modules/_hacl/libHacl_Hash_SHA2.a Modules/expat/libexpat.a"
# shellcheck disable=SC2086
make -j"$JOBS" libpython3.13.a $companions pybuilddir.txt
# shellcheck disable=SC2086
cp libpython3.13.a $companions "$OUT/lib/"
cp -a ../src/Include "$OUT/include"
cp pyconfig.h "$OUT/include/"
for file in "$(cat pybuilddir.txt)"/_sysconfigdata_*.py; do
	sed -e "s#$WORK#/python/build#g" -e "s#$IN_SOURCE/cpython#/python/src#g" -e "s#$IN_WASI#/python/wasi#g" -e "s#$IN_HOST#/python/host#g" "$file" \
		>"$OUT/sysconfig/$(basename "$file")"
done
