package bundle_test

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

const script = "def map(event):\n    return event\n"

// wheeled is an archive of code, data and wheels.
func wheeled(t testing.TB) []entry {
	return []entry{
		{name: "wasmill.yaml", content: "name: clean\nmodule: src/clean.py\npaths: [lib/, vendor/b-2-py2.py3-none-any.whl]\n"},
		{name: "src/clean.py", content: script},
		{name: "lib/helper.py", content: "x = 1\n"},
		{name: "table.csv", content: "a,b\n"},
		{name: "vendor/a-1.0-py3-none-any.whl", content: string(zipped(t,
			entry{name: "a/__init__.py", content: "A = 1\n"},
			entry{name: "a-1.0.dist-info/METADATA", content: "Name: a\n"},
			entry{name: "a-1.0.data/purelib/a_more.py", content: "MORE = 1\n"},
			entry{name: "a-1.0.data/scripts/a", content: "#!python\n"}))},
		{name: "vendor/b-2-py2.py3-none-any.whl", content: string(zipped(t, entry{name: "b.py", content: "B = 2\n"}))},
	}
}

// checkPython checks what hosts take for granted of a bundle of Python code.
func checkPython(t testing.TB, b *bundle.Bundle) {
	t.Helper()
	if b.Python == nil {
		return
	}
	if _, ok := b.Files[b.Python.Main]; !ok || b.Module != b.Python.Main || !strings.HasSuffix(b.Module, ".py") {
		t.Errorf("the main file %q (%q) is not among the files", b.Python.Main, b.Module)
	}
	for name := range b.Files {
		if path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "../") {
			t.Errorf("a file %q", name)
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := b.Files[dir]; ok {
				t.Errorf("%q is a file and a folder", dir)
			}
		}
	}
	for _, p := range b.Python.Paths {
		if path.Clean(p) != p || strings.HasPrefix(p, "..") || path.IsAbs(p) {
			t.Errorf("a path %q", p)
		}
	}
}

func TestPython(t *testing.T) {
	for name, upload := range map[string][]byte{"c.zip": zipped(t, wheeled(t)...), "c.tar.gz": targz(t, wheeled(t)...)} {
		b, err := bundle.Read(name, upload)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkPython(t, b)
		if b.Name != "clean" || b.Wasm != nil {
			t.Errorf("%s: %+v", name, b)
		}
		want := &bundle.Python{Main: "src/clean.py", Paths: []string{"src", "lib", "vendor/b-2-py2.py3-none-any.whl", "vendor/a-1.0-py3-none-any.whl"}}
		if d := cmp.Diff(want, b.Python); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		files := []string{
			"lib/helper.py", "src/clean.py", "table.csv",
			"vendor/a-1.0-py3-none-any.whl/a-1.0.dist-info/METADATA", "vendor/a-1.0-py3-none-any.whl/a/__init__.py",
			"vendor/a-1.0-py3-none-any.whl/a_more.py", "vendor/b-2-py2.py3-none-any.whl/b.py",
		}
		if d := cmp.Diff(files, slices.Sorted(maps.Keys(b.Files))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	b, err := bundle.Read("hello.py", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	want := &bundle.Bundle{
		Name: "hello", Module: "hello.py", Digest: b.Digest, Size: int64(len(script)),
		Python: &bundle.Python{Main: "hello.py"}, Files: map[string][]byte{"hello.py": []byte(script)},
	}
	if d := cmp.Diff(want, b); d != "" {
		t.Error(d)
	}
}

func TestTheMainFileWithoutAManifest(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		want  string
	}{
		{"one", []string{"clean.py", "data.csv", "lib/other.py"}, "clean.py"},
		{"main", []string{"a.py", "main.py", "b.py"}, "main.py"},
		{"several", []string{"b.py", "a.py"}, "which of the files has the functions: a.py, b.py? (say so in wasmill.yaml, with `name: NAME` and `module: FILE.py`, or call it main.py)"},
		{"a folder around", []string{"clean/clean.py", "clean/lib/x.py"}, "the archive has no wasmill.yaml and no .py (they belong at the archive's root, but it was packed with the folder `clean` around them)"},
		{"none", []string{"a.txt"}, "the archive has no wasmill.yaml and no .py (it names the bundle and its module: `name: flights` and `module: flights.wasm`)"},
	} {
		var entries []entry
		for _, f := range c.files {
			entries = append(entries, entry{name: f, content: script})
		}
		b, err := bundle.ReadSmall("b", zipped(t, entries...))
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = b.Python.Main
			checkPython(t, b)
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestPythonRefusals(t *testing.T) {
	const native = " (the sandbox runs no machine code: take a version in pure Python; C extensions run in the native runtime only)"
	pe := append([]byte("MZ"), make([]byte, 200)...)
	pe[0x3c] = 100
	copy(pe[100:], "PE\x00\x00")
	with := func(more ...entry) []entry { return append([]entry{{name: "a.py", content: script}}, more...) }
	whl := func(name string, inner ...entry) entry {
		return entry{name: name, content: string(zipped(t, inner...))}
	}
	for _, c := range []struct {
		name    string
		entries []entry
		want    string
	}{
		{"extension", with(entry{name: "fast.cpython-313-x86_64-linux-gnu.so"}), "`fast.cpython-313-x86_64-linux-gnu.so` is machine code: a .so" + native},
		{"versioned", with(entry{name: "lib/libz.so.1"}), "`lib/libz.so.1` is machine code: a .so" + native},
		{"pyd", with(entry{name: "fast.pyd"}), "`fast.pyd` is machine code: a .pyd" + native},
		{"ELF", with(entry{name: "tool", content: "\x7fELF\x02"}), "`tool` is machine code: an ELF file" + native},
		{"Mach-O", with(entry{name: "tool", content: "\xcf\xfa\xed\xfe\x07"}), "`tool` is machine code: a Mach-O file" + native},
		{"fat Mach-O", with(entry{name: "tool", content: "\xca\xfe\xba\xbe\x00\x00\x00\x02"}), "`tool` is machine code: a Mach-O file" + native},
		{"PE", with(entry{name: "tool", content: string(pe)}), "`tool` is machine code: a Windows program" + native},
		{
			"platform wheel", with(whl("numpy-2.0-cp313-cp313-manylinux_2_17_x86_64.whl")),
			"numpy-2.0-cp313-cp313-manylinux_2_17_x86_64.whl: this wheel holds machine code: it is for cp313-manylinux_2_17_x86_64" + native,
		},
		{
			"pure by its name only", with(whl("a-1-py3-none-any.whl", entry{name: "a/_fast.so"})),
			"`a-1-py3-none-any.whl/a/_fast.so` is machine code: a .so" + native,
		},
		{"Python 2", with(whl("lib/a-1-py2-none-any.whl")), "lib/a-1-py2-none-any.whl: this wheel is for Python py2, expected py3"},
		{"name", with(whl("a.whl")), "a.whl: this wheel is not named as wheels are (expected NAME-VERSION-py3-none-any.whl: keep the name that it came with)"},
		{"escape", with(whl("a-1-py3-none-any.whl", entry{name: "../../a.py"})), "a-1-py3-none-any.whl: the archive has an entry \"../../a.py\", whose path leads out of the archive"},
		{"escape by data", with(whl("a-1-py3-none-any.whl", entry{name: "a-1.data/purelib/../../../a.py"})), "a-1-py3-none-any.whl: the archive has an entry \"a-1.data/purelib/../../../a.py\", whose path leads out of the archive"},
		{"no zip", with(entry{name: "a-1-py3-none-any.whl", content: "x"}), "a-1-py3-none-any.whl: the archive is damaged: zip: not a valid zip file"},
		{"bomb", with(whl("a-1-py3-none-any.whl", entry{name: "z", content: strings.Repeat("\x00", 65<<10)})), "a-1-py3-none-any.whl: the file `a-1-py3-none-any.whl/z` is larger than 64 KiB"},
		{"file and folder", with(entry{name: "b/c.py"}, entry{name: "b", content: "x"}), "the archive has `b` twice"},
		{"no path", with(entry{name: "wasmill.yaml", content: "name: a\nmodule: a.py\npaths: [lib]\n"}), "wasmill.yaml:3:9: there is no folder `lib` in the archive"},
		{"bad path", with(entry{name: "wasmill.yaml", content: "name: a\nmodule: a.py\npaths: [../x, [y]]\n"}), "wasmill.yaml:3:9: the folder \"../x\" leads out of the archive\nwasmill.yaml:3:15: expected a folder in `paths`, got a list"},
		{"no list", with(entry{name: "wasmill.yaml", content: "name: a\nmodule: a.py\npaths: lib\n"}), "wasmill.yaml:3:1: expected a list of folders for `paths`, got text (write `paths: [lib]`)"},
		{"paths of a module", []entry{{name: "m.wasm", content: empty}, {name: "wasmill.yaml", content: "name: a\nmodule: m.wasm\npaths: [lib]\n"}}, "wasmill.yaml:3:9: `paths` are for imports of Python code, and the module is WebAssembly"},
		{"no module", with(entry{name: "wasmill.yaml", content: "name: a\nmodule: b.py\n"}), "wasmill.yaml:2:9: the module `b.py` is not in the archive (did you mean `a.py`?)"},
	} {
		if _, err := bundle.ReadSmall("b", zipped(t, c.entries...)); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
	class := with(entry{name: "A.class", content: "\xca\xfe\xba\xbe\x00\x00\x00\x41"}, entry{name: "mz.txt", content: "MZ and more"})
	if _, err := bundle.ReadSmall("b", zipped(t, class...)); err != nil {
		t.Errorf("data that only looks like machine code: %v", err)
	}
	if _, err := bundle.ReadSmall("a.py", make([]byte, 65<<10)); err == nil || err.Error() != "the file is larger than 64 KiB" || fault.CodeOf(err) != fault.Limit {
		t.Errorf("large: %v", err)
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range wheeled(t) {
		write(e.name, e.content)
	}
	write("__pycache__/clean.pyc", "x")
	write(".git/config", "x")
	write(".venv/lib/fast.so", "x")
	first, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	checkPython(t, first)
	if first.Python.Main != "src/clean.py" || len(first.Files) != 7 || len(first.Digest) != 64 || first.Size == 0 {
		t.Errorf("%+v", first)
	}
	write("table.csv", "a,c\n")
	second, err := bundle.Open(dir)
	if err != nil || second.Digest == first.Digest || second.Size != first.Size {
		t.Errorf("a changed file: %v, digest %s and %s", err, first.Digest, second.Digest)
	}
	if err := os.Symlink("table.csv", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Open(dir); err == nil || err.Error() != dir+": the folder has a link `link` (only plain files and folders are allowed)" {
		t.Errorf("got %v", err)
	}
}
