package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// TestPythonInDocs loads every file of functions that the documents show.
func TestPythonInDocs(t *testing.T) {
	pyodide.ForTest(t)
	cache, err := filepath.Abs("../../.cache/test")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("WASMILL_CACHE", cache)
	lib, err := newLibrary("", slog.New(slog.DiscardHandler), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lib.close()
	loaded := 0
	for _, file := range []string{"../../README.md", "../../docs/python.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			code := m[1]
			if !strings.Contains(code, "return") || strings.Contains(code, "pyflink") {
				continue // a fragment, or a script
			}
			loaded++
			upload, err := bundle.Read("shown.py", []byte(code))
			if err != nil {
				t.Fatal(err)
			}
			b, err := lib.open(t.Context(), upload)
			if err != nil {
				t.Errorf("%s: %v\n%s", file, err, code)
				continue
			}
			if len(b.Functions()) == 0 {
				t.Errorf("%s: no functions\n%s", file, code)
			}
			if err := b.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	if loaded < 4 {
		t.Errorf("found %d files", loaded)
	}
}
