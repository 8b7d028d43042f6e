# Fetches the files that versions.lock names into OUT. apt runs with a state folder of its own, so that the system's is left alone, and
# checks Debian's signatures; the mirror is whichever of the machine's own serves the suite.
lock=$ROOT/pyodide-build/versions.lock
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
suite=$(awk '$1 == "suite" { print $2 }' "$lock")
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
state=$WORK/apt
mkdir -p "$state/lists/partial" "$state/archives/partial"
: >"$state/status"
private=(-qq -o APT::Sandbox::User=root -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status"
	-o "Dir::Cache=$state" -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
	-o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3 -o "APT::Architecture=$ARCH")

mirrors=$(apt-get update --print-uris | sed -n "s#^'\(.*\)/dists/$codename/InRelease'.*#\1#p" | sort -u)
found=
for mirror in $mirrors; do
	printf '%s [signed-by=%s] %s %s main\n' deb "$keyring" "$mirror" "$suite" deb-src "$keyring" "$mirror" "$suite" >"$state/sources.list"
	if apt-get "${private[@]}" -o APT::Update::Error-Mode=any update; then found=$mirror; break; fi
done
[ -n "$found" ] || { echo "none of the machine's apt mirrors for $codename serves $suite with Debian's signature: ${mirrors:-there are none}" >&2; exit 1; }

cd "$OUT"
awk '$1 == "source" { print $2 "=" $3 }' "$lock" | sort -u | xargs -n 1 apt-get "${private[@]}" source --download-only --only-source
awk -v arch="$ARCH" '$1 == "all" || $1 == arch { print $2 "=" $3 }' "$lock" | xargs apt-get "${private[@]}" download

awk -v arch="$ARCH" '$1 == "source" || $1 == "all" || $1 == arch { print $5 "  " $4 }' "$lock" >"$WORK/sums"
sha256sum --quiet --check "$WORK/sums"
