package pyodide

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

// What the recipe makes: a module, zips of bytecode alone, and the licences of all parts.
func TestBuilt(t *testing.T) {
	r := ForTest(t)
	if !bytes.HasPrefix(r.Wasm, []byte("\x00asm\x01\x00\x00\x00")) {
		t.Error("python.wasm is not a module")
	}
	stdlib, packages := names(t, r.Stdlib), names(t, r.Packages)
	for _, name := range []string{"json/__init__.pyc", "encodings/utf_8.pyc", "decimal.pyc", "zoneinfo/__init__.pyc", "_sysconfigdata__wasi_wasm32-wasi.pyc"} {
		if !slices.Contains(stdlib, name) {
			t.Errorf("%s is not in the standard library", name)
		}
	}
	for _, name := range []string{"wasmill/__init__.pyc", "pyflink/__init__.pyc"} {
		if !slices.Contains(packages, name) {
			t.Errorf("%s is not in our packages", name)
		}
	}
	for _, name := range append(stdlib, packages...) {
		if strings.HasSuffix(name, ".py") || strings.HasPrefix(name, "test") {
			t.Errorf("%s does not belong there", name)
		}
	}
	for _, part := range []string{"PYTHON SOFTWARE FOUNDATION LICENSE", "INRIA, CMU and Microsoft", "Stefan Krah", "Expat maintainers", "Jean-loup Gailly", "wasi-libc", "LLVM Exceptions"} {
		if !strings.Contains(r.Notice, part) {
			t.Errorf("NOTICE does not speak of %q", part)
		}
	}
	// Paths of the machine that built it would make every build another.
	for name, content := range map[string][]byte{WasmName: r.Wasm, StdlibName: unpacked(t, r.Stdlib), PackagesName: unpacked(t, r.Packages)} {
		for _, path := range []string{".cache/python", "/layers/", "/pyodide-build/"} {
			if i := bytes.Index(content, []byte(path)); i >= 0 {
				t.Errorf("%s holds a path of the build: %q", name, content[max(0, i-40):min(len(content), i+60)])
			}
		}
	}
}

func open(t *testing.T, content []byte) *zip.Reader {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func names(t *testing.T, content []byte) []string {
	t.Helper()
	var names []string
	for _, f := range open(t, content).File {
		names = append(names, f.Name)
	}
	return names
}

// unpacked returns the contents of all of a zip's files, one after the other.
func unpacked(t *testing.T, content []byte) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, f := range open(t, content).File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, r); err != nil {
			t.Fatal(err)
		}
	}
	return all.Bytes()
}
