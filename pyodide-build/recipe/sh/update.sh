# Writes OUT/lines: the lines that versions.lock would have with what the mirror serves now. The digests are those of the mirror's indices, whose
# signatures apt has checked. What finds the mirror is the beginning of sources.sh, up to where that one fetches.
setup=$(sed '/^cd "\$OUT"/,$d' "$ROOT/pyodide-build/recipe/sh/sources.sh")
newest() { sed -n 's/^Version: //p' | sort -V | tail -n 1; }
# uris KIND PACKAGE VERSION turns what apt prints, 'URI' FILE SIZE SHA256:DIGEST, into lines of the lock file.
uris() { awk -v begin="$1 $2 $3" '$4 ~ /^SHA256:/ { sub("SHA256:", "", $4); print begin, $2, $4 }'; }

all=$WORK
for ARCH in amd64 arm64; do
	WORK=$all/$ARCH
	eval "$setup"
	cd "$WORK"
	packages() { awk -v kind="$1" '$1 == kind { print $2 }' "$lock" | sort -u; }
	binaries() {
		for package in $(packages "$1"); do
			version=$(apt-cache "${private[@]}" show "$package" | newest)
			apt-get "${private[@]}" download --print-uris "$package=$version" | uris "$1" "$package" "$version"
		done
	}
	binaries $ARCH >>"$OUT/lines"
	[ $ARCH = amd64 ] || continue
	binaries all >>"$OUT/lines"
	for package in $(packages source); do
		version=$(apt-cache "${private[@]}" showsrc --only-source "$package" | newest)
		apt-get "${private[@]}" source --print-uris --only-source "$package=$version" | uris source "$package" "$version" >>"$OUT/lines"
	done
done
