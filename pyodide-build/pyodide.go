// Package pyodide hands out CPython for the sandbox: python.wasm with its standard library, as the recipe in this folder builds it.
//
// With the build tag embed_python the files are part of the binary (make build puts them in place first). Without it they are found in the
// checkout's cache, where make python leaves them, or in the folder that WASMILL_PYTHON names.
package pyodide

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/engine/fault"
)

// The files' names, in dist and in the guest's folder /lib.
const (
	WasmName     = "python.wasm"
	StdlibName   = "python313.zip"
	PackagesName = "wasmill.zip"
	noticeName   = "NOTICE"
	sumsName     = "SHA256SUMS"
)

// Runtime is one build of Python. Its bytes are shared by all callers and must not be changed.
type Runtime struct {
	// Wasm is CPython with our C module, a WASI reactor.
	Wasm []byte
	// Stdlib and Packages are zips of bytecode: the standard library and our own packages. Tracebacks name their files as lying in the
	// guest at /lib/python313.zip and /lib/wasmill.zip.
	Stdlib, Packages []byte
	// Notice has the licences of all that is inside.
	Notice string
	// Digest is the SHA-256, in hex, over the digests of the files: what is derived from a Runtime is kept under it.
	Digest string
}

// Load returns the Python that this binary has or finds. The first call reads it, later ones return the same. The error is a Fault that
// says how to build it.
var Load = sync.OnceValues(load)

// read makes a Runtime of a folder's files. It compares them with the folder's list of digests if verify is set.
func read(dir fs.FS, where string, verify bool) (*Runtime, error) {
	sums, err := fs.ReadFile(dir, sumsName)
	if err != nil {
		return nil, missing(where, err)
	}
	digests, err := parseSums(string(sums))
	if err != nil {
		return nil, fault.From(err).At("%s", where)
	}
	r := &Runtime{}
	var notice []byte
	for name, into := range map[string]*[]byte{WasmName: &r.Wasm, StdlibName: &r.Stdlib, PackagesName: &r.Packages, noticeName: &notice} {
		content, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, missing(where, err)
		}
		if verify {
			if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != digests[name] {
				return nil, fault.New(fault.Internal, "%s is not the file that %s was written for: expected SHA-256 %s, got %x", name, sumsName, digests[name], got).
					At("%s", where).WithHint("remove the folder and run make python")
			}
		}
		*into = content
	}
	all := sha256.Sum256(sums)
	r.Notice, r.Digest = string(notice), hex.EncodeToString(all[:])
	return r, nil
}

// parseSums reads lines of "DIGEST  NAME".
func parseSums(text string) (map[string]string, error) {
	digests := map[string]string{}
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		digest, name, ok := strings.Cut(line, "  ")
		if !ok {
			return nil, fault.New(fault.Internal, "%s: expected lines of a digest and a name, got %q", sumsName, line).WithHint("remove the folder and run make python")
		}
		digests[name] = digest
	}
	return digests, nil
}

func missing(where string, err error) error {
	return fault.New(fault.Unsupported, "python for the sandbox is not there: %v", err).At("%s", where).
		WithHint("run make python in wasmill's checkout, or name a folder with its files in WASMILL_PYTHON")
}
