package bundle_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

const empty = "\x00asm\x01\x00\x00\x00"

type entry struct {
	name, content string
	kind          byte // of tar; 0 is a file
}

func targz(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.content)), Typeflag: e.kind}
		if e.kind == tar.TypeSymlink || e.kind == tar.TypeLink {
			h.Linkname, h.Size = "target", 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(e.content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if w.Close() != nil || g.Close() != nil {
		t.Fatal("cannot close the archive")
	}
	return b.Bytes()
}

func zipped(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.kind == tar.TypeSymlink {
			h.SetMode(os.ModeSymlink | 0o777)
		}
		if e.kind == tar.TypeBlock {
			h.SetMode(os.ModeDevice | 0o600)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const manifest = "name: flights\nversion: 1.10\nmodule: code/flights.wasm\ndescription: |\n  Names airlines.\n"

func good() []entry {
	return []entry{
		{name: "wasmill.yaml", content: manifest},
		{name: "code/", kind: tar.TypeDir},
		{name: "code/flights.wasm", content: empty},
		{name: "data/airlines.csv", content: "code,name\n"},
	}
}

func TestRead(t *testing.T) {
	want := bundle.Bundle{
		Name: "flights", Version: "1.10", Description: "Names airlines.\n", Module: "code/flights.wasm", Wasm: []byte(empty),
		Files: map[string][]byte{"data/airlines.csv": []byte("code,name\n")},
	}
	for name, upload := range map[string][]byte{"b.zip": zipped(t, good()...), "b.tar.gz": targz(t, good()...)} {
		got, err := bundle.Read(name, upload)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(got.Digest) != 64 || got.Size != int64(len(upload)) {
			t.Errorf("%s: digest %s, size %d", name, got.Digest, got.Size)
		}
		got.Digest, got.Size = "", 0
		if d := cmp.Diff(&want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestOpenOfAModule(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clean.v2.wasm")
	if err := os.WriteFile(path, []byte(empty), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := bundle.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := &bundle.Bundle{
		Name: "clean.v2", Digest: "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476", Size: 8,
		Module: "clean.v2.wasm", Wasm: []byte(empty),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOpenFaults(t *testing.T) {
	dir := t.TempDir()
	_, err := bundle.Open(filepath.Join(dir, "none.wasm"))
	if want := filepath.Join(dir, "none.wasm") + ": there is no such file"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = bundle.Open(dir)
	if want := dir + ": this is a folder without a bundle in it (name the .py, .wasm, .zip or .tar.gz in it, or put a wasmill.yaml there)"; err == nil || err.Error() != want || fault.CodeOf(err) != fault.Bundle {
		t.Errorf("got %v, want %s", err, want)
	}
	path := filepath.Join(dir, "x.wat")
	if err := os.WriteFile(path, []byte("(module)"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := path + ": this is neither a WebAssembly module, a .py nor a .zip or .tar.gz archive (this is text; translate it with wat2wasm first)"
	if _, err := bundle.Open(path); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRefusals(t *testing.T) {
	with := func(extra ...entry) []entry { return append(good(), extra...) }
	var many []entry
	for i := range 20 {
		many = append(many, entry{name: "f" + strconv.Itoa(i)})
	}
	zeros := strings.Repeat("\x00", 60<<10)
	for _, c := range []struct {
		name    string
		entries []entry
		want    string
	}{
		{"escape", with(entry{name: "data/../../x"}), "the archive has an entry \"data/../../x\", whose path leads out of the archive"},
		{"absolute", with(entry{name: "/etc/passwd"}), "the archive has an entry \"/etc/passwd\", whose path is absolute"},
		{"drive", with(entry{name: "c:x"}), "the archive has an entry \"c:x\", whose path is absolute"},
		{"backslash", with(entry{name: `..\x`}), `the archive has an entry "..\\x", whose path holds a "\"`},
		{"newline", with(entry{name: "a\nb"}), `the archive has an entry "a\nb", whose path is not plain text`},
		{"link", with(entry{name: "l", kind: tar.TypeSymlink}), "the archive has a link `l` (only plain files and folders are allowed)"},
		{"device", with(entry{name: "d", kind: tar.TypeBlock}), "the archive has a special file `d` (only plain files and folders are allowed)"},
		{"twice", with(entry{name: "data/./airlines.csv"}), "the archive has `data/airlines.csv` twice"},
		{"folder and file", with(entry{name: "code"}), "the archive has `code` twice"},
		{"many", with(many...), "the archive has more than 20 entries"},
		{"large", with(entry{name: "z", content: zeros + zeros[:5<<10]}), "the file `z` is larger than 64 KiB"},
		{
			"large in all", with(entry{name: "1", content: zeros}, entry{name: "2", content: zeros}, entry{name: "3", content: zeros},
				entry{name: "4", content: zeros}, entry{name: "5", content: zeros}), "the archive unpacks to more than 256 KiB",
		},
		{"no manifest", []entry{{name: "a.wasm"}}, "the archive has no wasmill.yaml and no .py (it names the bundle and its module: `name: flights` and `module: flights.wasm`)"},
		{"folder around", []entry{{name: "b/wasmill.yaml"}}, "the archive has no wasmill.yaml and no .py (they belong at the archive's root, but it was packed with the folder `b` around them)"},
		{
			"no module", []entry{{name: "wasmill.yaml", content: "name: a\nmodule: b.wasm"}, {name: "c.wasm"}},
			"wasmill.yaml:2:9: the module `b.wasm` is not in the archive (did you mean `c.wasm`?)",
		},
		{
			"not wasm", []entry{{name: "wasmill.yaml", content: "name: a\nmodule: b.wasm"}, {name: "b.wasm", content: "x"}},
			"wasmill.yaml:2:9: the module `b.wasm` is neither WebAssembly nor a .py (a module starts with the bytes 00 61 73 6d)",
		},
	} {
		for kind, upload := range map[string][]byte{"zip": zipped(t, c.entries...), "tar.gz": targz(t, c.entries...)} {
			if kind == "zip" && c.name == "backslash" {
				continue // archive/zip turns it into a slash, and the escape is refused
			}
			if _, err := bundle.ReadSmall("b", upload); err == nil || err.Error() != c.want {
				t.Errorf("%s as %s: got %v, want %s", c.name, kind, err, c.want)
			}
		}
	}
	hard := targz(t, with(entry{name: "h", kind: tar.TypeLink})...)
	if _, err := bundle.ReadSmall("b", hard); err == nil || err.Error() != "the archive has a link `h` (only plain files and folders are allowed)" {
		t.Errorf("hard link: got %v", err)
	}
}

func TestTheLimits(t *testing.T) {
	for _, c := range []struct {
		size int
		want string
	}{{65 << 10, "the module is larger than 64 KiB"}, {513 << 10, "the bundle is larger than 512 KiB"}} {
		_, err := bundle.ReadSmall("m.wasm", append([]byte(empty), make([]byte, c.size)...))
		if err == nil || err.Error() != c.want || fault.CodeOf(err) != fault.Limit {
			t.Errorf("%d bytes: got %v, want %s", c.size, err, c.want)
		}
	}
	if _, err := bundle.Read("m.wasm", append([]byte(empty), make([]byte, 600<<10)...)); err != nil {
		t.Error(err)
	}
}

func TestABombBehindTheArchivesEndIsRefused(t *testing.T) {
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 10<<10)
	for range 100 {
		if _, err := g.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.ReadSmall("b", b.Bytes()); err == nil || err.Error() != "the archive unpacks to more than 256 KiB" {
		t.Errorf("got %v", err)
	}
}

func TestDamage(t *testing.T) {
	for name, upload := range map[string][]byte{"zip": zipped(t, good()...), "tar.gz": targz(t, good()...)} {
		half := upload[:len(upload)/2]
		if _, err := bundle.ReadSmall("b", half); err == nil || !strings.HasPrefix(err.Error(), "the archive is damaged: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(zipped(f, good()...))
	f.Add(targz(f, good()...))
	f.Add([]byte(empty))
	f.Add(zipped(f, wheeled(f)...))
	f.Add(targz(f, wheeled(f)...))
	f.Fuzz(func(t *testing.T, upload []byte) {
		b, err := bundle.Read("x", upload)
		if err != nil {
			if fault.CodeOf(err) == fault.Internal {
				t.Fatalf("no fault: %v", err)
			}
			return
		}
		if len(b.Files) > bundle.MaxFiles || (b.Wasm == nil) == (b.Python == nil) || b.Wasm != nil && len(b.Wasm) < 4 {
			t.Fatalf("%d files, module of %d bytes, Python %v", len(b.Files), len(b.Wasm), b.Python)
		}
		checkPython(t, b)
	})
}
