package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/internal/cbuild"
)

// TestAJobGoesOnAfterALimit meets every limit that a function can meet by a row of its input: the row is set aside, the
// guest replaced, and the rows around it are passed on once.
func TestAJobGoesOnAfterALimit(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wasm := cbuild.Build(t, []string{"testdata/limits/limits.c"}, append([]string{"-I../../sdk/c"}, cbuild.Freestanding...)...)
	write("limits.wasm", string(wasm))
	write("in.ndjson", `{"what": "a"}
{"what": "b"}
{"what": "recursion"}
{"what": "log"}
{"what": "trap"}
{"what": "memory"}
{"what": "c"}
`)
	timeout := "1m" // so that only what spins is stopped by its time, however slow the machine
	pipeline := func(policy string) string {
		return `name: limits
input: {file: in.ndjson, schema: {what: utf8}}
bundles: {limits: limits.wasm}
pipeline:
  - map: {function: meet, timeout: ` + timeout + `, memory: 16MiB, on_error: ` + policy + `}
output: {file: out.ndjson}
dead_letter: {file: bad.ndjson}
`
	}
	t.Setenv("WASMILL_CACHE", t.TempDir())
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	job := func(policy string) (code int, said string) {
		write("p.yaml", pipeline(policy))
		var out bytes.Buffer
		code = run(t.Context(), []string{"run", "--ephemeral", filepath.Join(dir, "p.yaml")}, nil, &out, &out)
		return code, out.String()
	}
	passes := func(policy, want string) {
		t.Helper()
		if code, said := job(policy); code != exitDone {
			t.Fatalf("%s: exit code %d: %s", policy, code, said)
		}
		if got := read("out.ndjson"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", policy, got, want)
		}
	}
	passes("dead_letter", `{"did":"a"}
{"did":"b"}
{"did":"log"}
{"did":"c"}
`)
	bad := read("bad.ndjson")
	for _, want := range []string{
		"the guest trapped: recursion too deep", "the guest trapped: unreachable",
		"the guest trapped after it had asked for more memory than its 16 MiB",
	} {
		if strings.Count(bad, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, bad)
		}
	}
	timeout = "1s"
	write("in.ndjson", `{"what": "a"}
{"what": "spin"}
{"what": "b"}
`)
	passes("dead_letter", `{"did":"a"}
{"did":"b"}
`)
	if bad := read("bad.ndjson"); strings.Count(bad, "the guest was stopped after 1s: its time for one call is over") != 1 {
		t.Errorf("got %s", bad)
	}
	if code, said := job("fail"); code != exitFailed || !strings.Contains(said, "the guest was stopped after 1s: its time for one call is over") ||
		!strings.Contains(said, "raise `timeout`") {
		t.Errorf("exit code %d: %s", code, said)
	}
}
