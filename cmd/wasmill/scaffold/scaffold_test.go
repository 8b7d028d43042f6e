package scaffold_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/cmd/wasmill/scaffold"
	"github.com/wasmill/wasmill/engine/enginetest"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/internal/gobuild"
	"github.com/wasmill/wasmill/internal/rustbuild"
	"github.com/wasmill/wasmill/wasmhost"
)

func write(t *testing.T, lang string) string { return writeKind(t, lang, "map") }

func writeKind(t *testing.T, lang, kind string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new")
	paths, err := scaffold.Write(dir, lang, kind, "hello-2")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"README.md", "input.ndjson", "pipeline.yaml"} {
		if !contains(paths, filepath.Join(dir, want)) {
			t.Errorf("%s: no %s among %v", lang, want, paths)
		}
	}
	return dir
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// TestBuildsAndRuns builds what a newcomer gets, with no more than what they get, and runs the sample's rows through it.
func TestBuildsAndRuns(t *testing.T) {
	t.Run("c", func(t *testing.T) {
		dir := write(t, "c")
		shout(t, cbuild.Build(t, []string{filepath.Join(dir, "hello-2.c")}, cbuild.Freestanding...), "GRüßE")
	})
	t.Run("go", func(t *testing.T) {
		shout(t, gobuild.Build(t, write(t, "go"), "-ldflags=-s"), "GRÜßE")
	})
	t.Run("rust", func(t *testing.T) {
		dir := write(t, "rust")
		shout(t, rustbuild.Build(t, dir), "GRÜSSE")
		shout(t, makeTarget(t, dir, "hello-2.wasm"), "GRÜSSE")
		makeTarget(t, dir, "test")
	})
}

// TestProcess builds the scaffold of a process function, and runs the sample's rows through it as the engine does.
func TestProcess(t *testing.T) {
	for _, lang := range []string{"c", "go", "rust"} {
		t.Run(lang, func(t *testing.T) {
			dir := writeKind(t, lang, "process")
			var wasm []byte
			switch lang {
			case "c":
				wasm = cbuild.Build(t, []string{filepath.Join(dir, "hello-2.c")}, cbuild.Freestanding...)
			case "go":
				wasm = gobuild.Build(t, dir, "-ldflags=-s")
			case "rust":
				wasm = rustbuild.Build(t, dir)
			}
			host, err := wasmhost.New(wasmhost.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer host.Close(t.Context())
			bundle, err := host.Load(t.Context(), "hello-2.wasm", wasm)
			if err != nil {
				t.Fatal(err)
			}
			defer bundle.Close(t.Context())
			pipeline, err := os.ReadFile(filepath.Join(dir, "pipeline.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			rows, err := os.ReadFile(filepath.Join(dir, "input.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			head := strings.NewReplacer("file: {path: input.ndjson}", "script: {}", "stdout: {}", "script: {}", "\n\n", "\n").Replace(string(pipeline))
			script := head + "---\nfeed\n  " + strings.ReplaceAll(strings.TrimSpace(string(rows)), "\n", "\n  ") + "\nend\nexpect\n" +
				`  {"sensor": "cellar", "readings": 2, "last": 8}` + "\n" + `  {"sensor": "attic", "readings": 2, "last": 21}` + "\n"
			v := enginetest.Variant{Bundles: map[string]udf.Bundle{"hello-2.wasm": bundle}}
			if err := enginetest.Run(t.Context(), script, v); err != nil {
				t.Error(err)
			}
		})
	}
	_, err := scaffold.Write(t.TempDir(), "python", "process", "hello")
	const want = "there is no scaffold for a process function in Python (a PyFlink job has them: a KeyedProcessFunction in a script that `wasmill run` takes)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// makeTarget follows the scaffold's README: it runs make, with Debian's programs before others, and returns the module.
func makeTarget(t *testing.T, dir, target string) []byte {
	t.Helper()
	cmd := exec.Command("make", target)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH=/usr/bin"+string(filepath.ListSeparator)+os.Getenv("PATH"), "MAKEFLAGS=", "RUSTFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", target, err, text)
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "hello-2.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func shout(t *testing.T, wasm []byte, greetings string) {
	t.Helper()
	ctx := t.Context()
	host, err := wasmhost.New(wasmhost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close(ctx)
	bundle, err := host.Load(ctx, "hello-2.wasm", wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer bundle.Close(ctx)
	guest, err := bundle.Instantiate(ctx, udf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close(ctx)
	in := arrow.NewSchema([]arrow.Field{
		{Name: "word", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}, nil)
	fn, err := guest.Bind(ctx, "shout", udf.Map, in, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, in)
	defer b.Release()
	b.Field(0).(*array.StringBuilder).AppendValues([]string{"hello", "columns", "", "grüße"}, []bool{true, true, false, true})
	b.Field(1).(*array.Int64Builder).AppendValues([]int64{1, 3, 2, 0}, nil)
	rec := b.NewRecord()
	defer rec.Release()
	var got []string
	err = fn.Call(ctx, rec, nil, func(r udf.Result) error {
		loud := r.Record.Column(r.Record.Schema().FieldIndices("loud")[0]).(*array.String)
		for i := range loud.Len() {
			got = append(got, strings.Clone(loud.ValueStr(i)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(got, " "), "HELLO! COLUMNS!!! (null) "+greetings; got != want {
		t.Errorf("expected %q, got %q", want, got)
	}
}

func TestRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pipeline.yaml"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ lang, name, want string }{
		{"c", "hello", dir + ": there is a file `pipeline.yaml` already (nothing was written; choose an empty or a new folder)"},
		{"cobol", "hello", "there is no SDK for `cobol` (expected one of c, go, python, rust)"},
		{"c", "../up", "the name `../up` is not allowed (a small letter, then small letters, digits, `_` and `-`, at most 63)"},
		{"c", "", "the name `` is not allowed (a small letter, then small letters, digits, `_` and `-`, at most 63)"},
	} {
		_, err := scaffold.Write(dir, c.lang, "map", c.name)
		var f *fault.Fault
		if !errors.As(err, &f) || f.Code != fault.Usage || f.Error() != c.want {
			t.Errorf("%s %s:\nexpected %s\ngot      %v", c.lang, c.name, c.want, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("expected nothing but the user's file, got %v, %v", entries, err)
	}
}
