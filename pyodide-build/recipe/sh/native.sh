# The same CPython for this machine, optimised as usual but without profiles, for comparisons: OUT/bin/python3.13 with its headers.
# Not part of dist, and not needed to build it.
ln -s "$IN_SOURCE/cpython" "$WORK/src"
mkdir -p "$WORK/build"
cd "$WORK/build"
env CC=$LLVM/clang CXX=$LLVM/clang++ AR=$LLVM/llvm-ar RANLIB=$LLVM/llvm-ranlib OPT="-DNDEBUG -O3 -Wall" \
	../src/configure --prefix="$OUT" --without-ensurepip --disable-test-modules --with-pymalloc
make -j"$JOBS"
make altbininstall libinstall inclinstall libainstall sharedinstall TESTSUBDIRS=
