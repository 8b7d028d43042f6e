package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// project is a repository with two layers: letters copies a file and counts how often it ran, and shout, which needs it, writes it in capitals.
type project struct {
	t     *testing.T
	root  string
	cache string
}

func newProject(t *testing.T) *project {
	p := &project{t: t, root: t.TempDir(), cache: t.TempDir()}
	p.write(script("common"), "set -euo pipefail\n")
	p.write(script("letters"), "echo run >>\"$ROOT/letters.runs\"\ncp \"$ROOT/in/letters.txt\" \"$OUT/\"\n")
	p.write(script("shout"), "echo run >>\"$ROOT/shout.runs\"\ntr a-z A-Z <\"$IN_LETTERS/letters.txt\" >\"$OUT/shout.txt\"\n")
	p.write("in/letters.txt", "abc")
	if err := os.Mkdir(filepath.Join(p.cache, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *project) write(path, content string) {
	p.t.Helper()
	path = filepath.Join(p.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// build runs the recipe for shout as a new process would.
func (p *project) build(compilers string) (output, error) {
	b := &builder{root: p.root, cache: p.cache, compilers: compilers, arch: "amd64", log: io.Discard, done: map[string]output{}, layers: []layer{
		{name: "letters", files: tree("in", ".txt")},
		{name: "shout", needs: []string{"letters"}, compilers: true},
	}}
	return b.build("shout")
}

// shouted builds and returns what shout wrote, and how often each script has run.
func (p *project) shouted(compilers string) (text string, letters, shout int) {
	p.t.Helper()
	if _, err := p.build(compilers); err != nil {
		p.t.Fatal(err)
	}
	read := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			p.t.Fatal(err)
		}
		return string(content)
	}
	runs := func(name string) int { return strings.Count(read(filepath.Join(p.root, name+".runs")), "run") }
	return read(filepath.Join(p.cache, "shout", "shout.txt")), runs("letters"), runs("shout")
}

func TestLayersAreCachedByTheirInputs(t *testing.T) {
	p := newProject(t)
	check := func(what, compilers, text string, letters, shout int) {
		t.Helper()
		gotText, gotLetters, gotShout := p.shouted(compilers)
		if gotText != text || gotLetters != letters || gotShout != shout {
			t.Fatalf("%s: expected %q after %d and %d runs, got %q after %d and %d", what, text, letters, shout, gotText, gotLetters, gotShout)
		}
	}
	check("first build", "clang 1", "ABC", 1, 1)
	check("nothing changed", "clang 1", "ABC", 1, 1)
	p.write("in/unrelated.md", "x")
	p.write("in/.hidden.txt", "x")
	check("a file that is no input", "clang 1", "ABC", 1, 1)
	check("another compiler", "clang 2", "ABC", 1, 2)
	p.write("in/letters.txt", "xyz")
	check("an input changed", "clang 1", "XYZ", 2, 3)
	p.write("in/letters.txt", "abc")
	check("an input changed back", "clang 1", "ABC", 2, 3)
	p.write(script("shout"), "echo run >>\"$ROOT/shout.runs\"\necho new >\"$OUT/shout.txt\"\n")
	check("a script changed", "clang 1", "new\n", 2, 4)
}

func TestFailedScriptLeavesNothing(t *testing.T) {
	p := newProject(t)
	p.write(script("shout"), "echo half >\"$OUT/shout.txt\"\necho 'no more letters' >&2\nfalse\necho not reached >&2\n")
	_, err := p.build("")
	want := "shout: exit status 1; the end of " + filepath.Join(p.cache, "shout.log") + " says:\nno more letters"
	if text := errorText(err); text != want {
		t.Fatalf("expected the error %q, got %q", want, text)
	}
	if left, _ := filepath.Glob(filepath.Join(p.cache, "layers", "shout-*")); len(left) != 0 {
		t.Errorf("%s was left", left)
	}
	if left, _ := filepath.Glob(filepath.Join(p.cache, "tmp", "*")); len(left) != 0 {
		t.Errorf("%s was left", left)
	}
	if _, err := os.Lstat(filepath.Join(p.cache, "shout")); err == nil {
		t.Error("there is a pointer to what was not built")
	}
}

func TestScriptsSeeNothingOfTheCaller(t *testing.T) {
	p := newProject(t)
	t.Setenv("CFLAGS", "-O0")
	p.write(script("shout"), "echo \"${CFLAGS:-unset} $ARCH $(basename \"$IN_LETTERS\" | cut -d- -f1)\" >\"$OUT/shout.txt\"\n")
	out, err := p.build("")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(out.dir, "shout.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "unset amd64 letters\n" {
		t.Errorf("got %q", got)
	}
}

func TestOldOutputsAreRemoved(t *testing.T) {
	p := newProject(t)
	for _, text := range []string{"a", "b", "c", "d", "e", "f"} {
		p.write("in/letters.txt", text)
		if _, err := p.build(""); err != nil {
			t.Fatal(err)
		}
	}
	dirs, err := filepath.Glob(filepath.Join(p.cache, "layers", "shout-*"))
	if err != nil || len(dirs) != kept {
		t.Errorf("expected %d outputs, got %s, error %v", kept, dirs, err)
	}
	if text, _, _ := p.shouted(""); text != "F" {
		t.Errorf("the newest output is gone: got %q", text)
	}
}

func TestSame(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	put := func(dir, name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(a, "x", "1234")
	put(b, "x", "1234")
	if err := same(a, b); err != nil {
		t.Error(err)
	}
	put(b, "x", "12")
	if text := errorText(same(a, b)); text != "x differs from byte 2 on (4 and 2 bytes)" {
		t.Errorf("got %q", text)
	}
	put(b, "y", "")
	if text := errorText(same(a, b)); text != "1 files in "+a+", 2 in "+b {
		t.Errorf("got %q", text)
	}
}

func TestCopyFiles(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	for _, content := range []string{"first", "second", "second"} {
		if err := os.WriteFile(filepath.Join(from, "f"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := copyFiles(from, to); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(to, "f"))
		if err != nil || string(got) != content {
			t.Errorf("expected %q, got %q, error %v", content, got, err)
		}
		if entries, err := os.ReadDir(to); err != nil || len(entries) != 1 {
			t.Errorf("expected one file, got %v, error %v", entries, err)
		}
	}
}
