# The Python that runs during the build: Debian's binary of the same source, with the C library it was built for, under OUT/root.
# OUT/python starts it. A native build of our own would do the same in minutes.
mkdir "$OUT/root"
for package in python3.13-minimal libpython3.13-minimal libpython3.13-stdlib libc6 zlib1g libexpat1; do
	dpkg-deb -x "$IN_SOURCES/$package"_*_"$ARCH".deb "$OUT/root"
done
loader=$(cd "$OUT/root/usr" && find lib lib64 -name 'ld-linux*' -type f | head -n 1)
libraries=$(cd "$OUT/root/usr" && dirname lib/*/libexpat.so.1)
cat >"$OUT/python" <<SCRIPT
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/root
PYTHONHOME=\$root/usr exec "\$root/usr/$loader" --inhibit-cache --library-path "\$root/usr/$libraries" --argv0 "\$0" "\$root/usr/bin/python3.13" "\$@"
SCRIPT
chmod +x "$OUT/python"
"$OUT/python" -c 'import zlib, zipfile'
