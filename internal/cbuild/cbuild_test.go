package cbuild

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBuildGivesAModuleAndKeepsIt(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	source := write(t, "one.c", `__attribute__((export_name("one"))) int one(void) { return 1; }`)
	first := Build(t, []string{source}, Freestanding...)
	if !bytes.HasPrefix(first, []byte("\x00asm\x01\x00\x00\x00")) {
		t.Fatalf("got %d bytes that are no module", len(first))
	}
	if again := Build(t, []string{source}, Freestanding...); !bytes.Equal(first, again) {
		t.Error("the kept module differs")
	}
	kept, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "wasmill", "cbuild", "*.wasm"))
	if err != nil || len(kept) != 1 {
		t.Errorf("kept %v, %v", kept, err)
	}
}

func mustFind(t *testing.T) string {
	t.Helper()
	path, err := find()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAChangedHeaderBuildsAgain(t *testing.T) {
	source := write(t, "two.c", `#include "two.h"`)
	header := filepath.Join(filepath.Dir(source), "two.h")
	compiler := mustFind(t)
	keys := map[string]bool{}
	for _, text := range []string{"int a;", "int b;"} {
		if err := os.WriteFile(header, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		key, err := digest(compiler, []string{source}, Freestanding)
		if err != nil {
			t.Fatal(err)
		}
		keys[key] = true
	}
	if len(keys) != 2 {
		t.Error("two headers give the same digest")
	}
}

func TestTheCompilersMessageIsShown(t *testing.T) {
	source := write(t, "bad.c", "int f( {")
	_, err := build(t.TempDir(), []string{source}, Freestanding)
	if err == nil || !strings.Contains(err.Error(), "bad.c:1:8: error: expected parameter declarator") {
		t.Errorf("got %v", err)
	}
}
