# The bundle that make cpython-tests runs, in OUT/bundle: the modules of Lib/test that modules.txt lists, what they import and read, the twins of
# modules that the sandbox does not have, and the function that runs them.
tests=$ROOT/pyodide-build/cpythontests
mkdir -p "$OUT/bundle/test"
cd "$IN_SOURCE/cpython/Lib"
cp -a _pydatetime.py _pydecimal.py _pyio.py "$OUT/bundle/"
cp "$tests/cpython_tests.py" "$OUT/bundle/"
cd test
# Whatever is not itself a test may be imported by one.
for entry in *; do
	case $entry in
	test_*) ;;
	audiodata | certdata | crashers | leakers | libregrtest | regrtestdata | subprocessdata | tkinterdata | wheeldata | win_console_handler.py) ;;
	*) cp -a "$entry" "$OUT/bundle/test/" ;;
	esac
done
while read -r module; do
	case $module in "" | "#"*) continue ;; esac
	if [ -d "$module" ]; then cp -a "$module" "$OUT/bundle/test/"; else cp -a "$module.py" "$OUT/bundle/test/"; fi
done <"$tests/modules.txt"
# Windows's own file and sound formats; nothing that is listed reads them.
rm -rf "$OUT/bundle/test/dtracedata" "$OUT/bundle/test/archivetestdata"
