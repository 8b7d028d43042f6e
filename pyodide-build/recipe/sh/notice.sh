# OUT/NOTICE: the licences of everything in python.wasm and python313.zip, in the words of the sources' own files.
python=$IN_SOURCE/cpython
section() { printf '\n%s\n%s\n%s\n\n' "$(printf '%.0s=' {1..80})" "$1" "$(printf '%.0s=' {1..80})"; }
head_comment() { sed -n '/^ *\*\//q; s#^ *\(/\*\)\{0,1\} *\*\{0,1\} \{0,1\}##; p' "$1"; }
{
	echo "python.wasm and python313.zip are built from the works named below; each one's licence follows."
	section "CPython 3.13, with Debian's patches"
	cat "$python/LICENSE"
	section "Works that are part of CPython (from its Doc/license.rst)"
	sed -n '/^Licenses and Acknowledgements for Incorporated Software/,$p' "$python/Doc/license.rst"
	section "Debian's patches and packaging of CPython"
	cat "$python/debian/copyright"
	section "HACL* (md5, sha1, sha2 and sha3 in hashlib)"
	head_comment "$python/Modules/_hacl/Hacl_Hash_MD5.c"
	section "BLAKE2 (in hashlib)"
	head_comment "$python/Modules/_blake2/impl/blake2b.c"
	section "libmpdec (decimal)"
	head_comment "$python/Modules/_decimal/libmpdec/mpdecimal.c"
	section "Expat (xml)"
	cat "$python/Modules/expat/COPYING"
	section "zlib"
	cat "$IN_SOURCE/zlib/LICENSE"
	section "wasi-libc"
	cat "$IN_WASI/copyright"
	section "compiler-rt, of LLVM"
	cat /usr/share/doc/libclang-rt-19-dev-wasm32/copyright
} >"$OUT/NOTICE"
