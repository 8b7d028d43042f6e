# CPython's own tests, in OUT/lib as they lie in Lib, with the modules that stdlib.exclude leaves out of the sandbox and tests of others want.
mkdir "$OUT/lib"
cd "$IN_SOURCE/cpython/Lib"
cp -a test _pydatetime.py _pydecimal.py _pyio.py "$OUT/lib/"
cd "$OUT/lib/test"
# What needs other processes, other systems or C modules for tests alone, and is large.
rm -rf libregrtest test_asyncio test_capi test_cext test_concurrent_futures test_cppext test_ctypes test_free_threading test_gdb test_idle* test_interpreters \
	test_multiprocessing_* test_peg_generator test_pyrepl test_sqlite3 test_tkinter test_tools test_ttk* test_venv* leakers audiodata certdata crashers bisect_cmd.py
