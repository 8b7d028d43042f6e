# The bundle that make cpython-tests runs, in OUT/bundle: the modules of Lib/test that modules.txt lists, what they import and read, modules that
# the sandbox does not have, and the function that runs them.
tests=$ROOT/pyodide-build/cpythontests
mkdir -p "$OUT/bundle/test"
cd "$IN_SOURCE/cpython/Lib"
cp -a _pydatetime.py _pydecimal.py _pyio.py _pyrepl pydoc.py test/test_genericpath.py "$OUT/bundle/"
mv "$OUT/bundle/test_genericpath.py" "$OUT/bundle/test/"
cd test
# Whatever is not itself a test may be imported by one; these large or foreign ones are not.
for entry in *; do
	case $entry in
	test_*) ;;
	audiodata | certdata | crashers | dtracedata | leakers | libregrtest | regrtestdata | subprocessdata | tkinterdata | wheeldata | win_console_handler.py) ;;
	*) cp -a "$entry" "$OUT/bundle/test/" ;;
	esac
done
cp test_difflib_expect.html "$OUT/bundle/test/"
while read -r module; do
	case $module in "" | "#"*) continue ;; esac
	if [ -d "$module" ]; then cp -a "$module" "$OUT/bundle/test/"; else cp -a "$module.py" "$OUT/bundle/test/"; fi
done <"$tests/modules.txt"
cp "$tests"/*.py "$tests/wasmill.yaml" "$OUT/bundle/"
cp -a "$tests/standins/." "$OUT/bundle/"
cp "$tests/standins/_testcapi.py" "$OUT/bundle/_testlimitedcapi.py"
