package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wasmill/wasmill/connectors/nats/natstest"
	"github.com/wasmill/wasmill/internal/cbuild"
	pyodide "github.com/wasmill/wasmill/pyodide-build"
)

// TestMain lets the test binary be the command: scripts and kill tests run it as a process of its own.
func TestMain(m *testing.M) {
	natstest.Main()
	testscript.Main(m, map[string]func(){
		"wasmill": main,
	})
}

// flightsWasm builds the example's functions.
func flightsWasm(t *testing.T) []byte {
	t.Helper()
	return cbuild.Build(t, []string{"../../examples/flights/flights.c"}, append([]string{"-I../../sdk/c"}, cbuild.Freestanding...)...)
}

func TestScripts(t *testing.T) { scripts(t, "testdata", t.TempDir()) }

// TestPythonScripts keeps its cache in the checkout: to compile Python takes long, and what is kept is checked before it is used.
func TestPythonScripts(t *testing.T) {
	pyodide.ForTest(t)
	cache, err := filepath.Abs("../../.cache/test")
	if err != nil {
		t.Fatal(err)
	}
	scripts(t, "testdata/python", cache)
}

// scripts runs the scripts of a folder, each with the examples beside it.
func scripts(t *testing.T, dir, cache string) {
	t.Helper()
	wasm := flightsWasm(t)
	testscript.Run(t, testscript.Params{
		Dir:  dir,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"cmpjson": compareJSON},
		Setup: func(e *testscript.Env) error {
			e.Setenv("WASMILL_NATS_PORT", "-1")
			e.Setenv("WASMILL_CACHE", cache)
			// The example as it is, with its functions built.
			if err := os.CopyFS(filepath.Join(e.WorkDir, "examples"), os.DirFS("../../examples/flights")); err != nil {
				return err
			}
			if err := os.CopyFS(filepath.Join(e.WorkDir, "python"), os.DirFS("../../examples/python")); err != nil {
				return err
			}
			if err := os.CopyFS(filepath.Join(e.WorkDir, "lookup"), os.DirFS("../../examples/lookup")); err != nil {
				return err
			}
			january, err := os.ReadFile("../../examples/flights/data/january.ndjson.gz")
			if err != nil {
				return err
			}
			for name, data := range map[string][]byte{"flights.wasm": wasm, "examples/flights.wasm": wasm, "january.ndjson.gz": january} {
				path := filepath.Join(e.WorkDir, name)
				if err := os.RemoveAll(path); err != nil {
					return err
				}
				if err := os.WriteFile(path, data, 0o666); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// compareJSON is the script command `cmpjson FILE1 FILE2`: as cmp, but for white space between tokens.
func compareJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cmpjson FILE1 FILE2")
	}
	var texts [2]bytes.Buffer
	for i, name := range args {
		for line := range strings.Lines(ts.ReadFile(name)) {
			ts.Check(json.Compact(&texts[i], []byte(strings.TrimSpace(line))))
			texts[i].WriteByte('\n')
		}
	}
	if texts[0].String() != texts[1].String() {
		ts.Fatalf("%s:\n%s%s:\n%s", args[0], &texts[0], args[1], &texts[1])
	}
}

func TestExitCodesOfUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"version"}, exitDone},
		{[]string{"--help"}, exitDone},
		{nil, exitDone},
		{[]string{"help"}, exitDone},
		{[]string{"help", "bundle", "inspect"}, exitDone},
		{[]string{"help", "frobnicate"}, exitUsage},
		{[]string{"frobnicate"}, exitUsage},
		{[]string{"run"}, exitUsage},
		{[]string{"run", "nothing.yaml"}, exitUsage},
		{[]string{"run", "nothing.txt"}, exitUsage},
	} {
		if got := run(context.Background(), c.args, nil, testWriter{t}, testWriter{t}); got != c.code {
			t.Errorf("%q: exit code %d, want %d", c.args, got, c.code)
		}
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Logf("%s", b)
	return len(b), nil
}
