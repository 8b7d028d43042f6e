package rustbuild

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func crate(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const manifest = "[package]\nname = \"guest\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\ncrate-type = [\"cdylib\"]\n"

func TestBuildGivesAModuleAndKeepsIt(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := crate(t, map[string]string{
		"Cargo.toml":       manifest + "[dependencies]\nother = { path = \"other\" }\n",
		"src/lib.rs":       "#[no_mangle]\npub extern \"C\" fn answer() -> i32 { other::ANSWER }\n",
		"other/Cargo.toml": "[package]\nname = \"other\"\nversion = \"0.0.0\"\nedition = \"2021\"\n",
		"other/src/lib.rs": "pub const ANSWER: i32 = 42;\n",
	})
	wasm := Build(t, dir)
	if !bytes.HasPrefix(wasm, []byte("\x00asm\x01\x00\x00\x00")) || !bytes.Contains(wasm, []byte("answer")) {
		t.Fatalf("expected a module with the export, got %d bytes", len(wasm))
	}
	if again := Build(t, dir); !bytes.Equal(wasm, again) {
		t.Error("the kept module differs")
	}
	kept := func() int {
		files, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "wasmill", "rustbuild", "*.wasm"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	if n := kept(); n != 1 {
		t.Errorf("expected one kept module, got %d", n)
	}
	if debug := BuildDebug(t, dir); bytes.Equal(wasm, debug) || kept() != 2 {
		t.Error("the profile dev gave the same module")
	}
	if err := os.WriteFile(filepath.Join(dir, "other", "src", "lib.rs"), []byte("pub const ANSWER: i32 = 43;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if changed := Build(t, dir); bytes.Equal(wasm, changed) || kept() != 3 {
		t.Error("a change in a folder that the crate depends on was not seen")
	}
}

func TestBuildFails(t *testing.T) {
	_, err := build(t.TempDir(), crate(t, map[string]string{"Cargo.toml": manifest, "src/lib.rs": "fn f() { undefined() }\n"}), "release")
	if err == nil || !strings.Contains(err.Error(), "cannot find function `undefined` in this scope") || !strings.Contains(err.Error(), "src/lib.rs:1:10") {
		t.Errorf("expected the compiler's words, got %v", err)
	}
}
