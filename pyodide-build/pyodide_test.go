package pyodide

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"testing/fstest"
)

// folder returns a dist folder with contents of our own.
func folder() fstest.MapFS {
	dir, sums := fstest.MapFS{}, ""
	for _, name := range []string{WasmName, StdlibName, PackagesName, noticeName} {
		content := []byte("content of " + name)
		dir[name] = &fstest.MapFile{Data: content}
		sums += fmt.Sprintf("%x  %s\n", sha256.Sum256(content), name)
	}
	dir[sumsName] = &fstest.MapFile{Data: []byte(sums)}
	return dir
}

func TestRead(t *testing.T) {
	r, err := read(folder(), "here", true)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s|%s|%s|%s", r.Wasm, r.Stdlib, r.Packages, r.Notice)
	if want := "content of python.wasm|content of python313.zip|content of wasmill.zip|content of NOTICE"; got != want {
		t.Errorf("expected %q, got %q", want, got)
	}
	changed := folder()
	changed[sumsName].Data = append(changed[sumsName].Data, []byte("00  more\n")...)
	other, err := read(changed, "here", true)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Digest) != 64 || other.Digest == r.Digest {
		t.Errorf("digests %q and %q do not tell two builds apart", r.Digest, other.Digest)
	}
}

func TestReadFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(fstest.MapFS)
		fault  string
	}{
		{"never built", func(d fstest.MapFS) { clear(d) },
			"here: python for the sandbox is not there: open SHA256SUMS: file does not exist (run make python in wasmill's checkout, or name a folder with its files in WASMILL_PYTHON)"},
		{"half there", func(d fstest.MapFS) { delete(d, StdlibName) },
			"here: python for the sandbox is not there: open python313.zip: file does not exist (run make python in wasmill's checkout, or name a folder with its files in WASMILL_PYTHON)"},
		{"another build's file", func(d fstest.MapFS) { d[WasmName].Data = []byte("x") },
			"here: python.wasm is not the file that SHA256SUMS was written for: expected SHA-256 " + fmt.Sprintf("%x", sha256.Sum256([]byte("content of python.wasm"))) +
				", got 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 (remove the folder and run make python)"},
		{"damaged list", func(d fstest.MapFS) { d[sumsName].Data = []byte("abc\n") },
			`here: SHA256SUMS: expected lines of a digest and a name, got "abc" (remove the folder and run make python)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder()
			c.change(dir)
			if _, err := read(dir, "here", true); err == nil || err.Error() != c.fault {
				t.Errorf("expected\n%s\ngot\n%v", c.fault, err)
			}
		})
	}
}
