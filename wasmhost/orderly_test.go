package wasmhost_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/wasmhost"
)

func orderly(t *testing.T) []byte {
	t.Helper()
	return cbuild.Build(t, []string{"testdata/orderly.c"}, append([]string{"-Itestdata", "-Wl,--export=__stack_pointer"}, cbuild.Freestanding...)...)
}

// session starts a guest, opens its function with a word, calls it if that is asked for, and closes the guest.
func session(t *testing.T, b udf.Bundle, word string, call bool) (said string, failed error, broken bool, closed error) {
	t.Helper()
	var log []string
	o := udf.Options{CallTimeout: 50 * time.Millisecond, Log: func(_ int, line string) { log = append(log, line) }}
	if strings.HasSuffix(word, "fuel") {
		o.Fuel, o.CallTimeout = 1_000_000, time.Minute
	}
	g, err := b.Instantiate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	none := arrow.NewSchema(nil, nil)
	config, err := json.Marshal(word)
	if err != nil {
		t.Fatal(err)
	}
	f, err := g.Bind(t.Context(), "f", udf.Map, none, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if call {
		in := array.NewRecord(none, nil, 0)
		defer in.Release()
		failed = f.Call(t.Context(), in, nil, func(udf.Result) error { return nil })
	}
	broken = g.Broken()
	ended, cancel := context.WithCancel(t.Context())
	cancel() // the job was cancelled
	closed = g.Close(ended)
	return strings.Join(log, "; "), failed, broken, closed
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestGuestsAreInterrupted(t *testing.T) {
	const stopped = "function f: the guest was stopped after 50ms: its time for one call is over (raise `timeout`, or give the function less to do)"
	const atCall = "function f, wasmill_call: the guest was stopped after 50ms: its time for one call is over (raise `timeout`, or give the function less to do)"
	const fuel = ": the guest was stopped after 1000000 units of fuel: its budget for one call is spent (raise its budget of fuel, or give the function less to do)"
	b, err := newHost(t, wasmhost.Options{}).Load(t.Context(), "orderly", orderly(t))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(t.Context())
	for word, c := range map[string]struct {
		said, failed string
		broken       bool
	}{
		"stops":           {"interrupted; closed", stopped, false},
		"ok":              {"interrupted; closed", "", false},
		"deaf":            {"", atCall, true},
		"lies":            {"", atCall, true},
		"value":           {"", atCall, true},
		"stopped by fuel": {"interrupted; closed", "function f" + fuel, false},
		"deaf to fuel":    {"", "function f, wasmill_call" + fuel, true},
		"job":             {"", "function f, wasmill_call: a job was started where there is none to start: execute() belongs into a driver script (call execute() in the script itself, not in a function that a stream calls)", true},
	} {
		said, failed, broken, closed := session(t, b, word, true)
		if said != c.said || text(failed) != c.failed || broken != c.broken || closed != nil {
			t.Errorf("%s: got %q, %v, %v, %v", word, said, failed, broken, closed)
		}
		if detail := fault.From(failed); word == "stops" && detail.Detail != "stopped\nin a loop" {
			t.Errorf("the detail is %q", detail.Detail)
		}
	}
}

func TestGuestsAreClosedInOrder(t *testing.T) {
	host, wasm := newHost(t, wasmhost.Options{}), orderly(t)
	plain, err := host.Load(t.Context(), "orderly", wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close(t.Context())
	template, err := host.Template(t.Context(), "orderly", wasm, false)
	if err != nil {
		t.Fatal(err)
	}
	defer template.Close(t.Context())
	seed, err := template.Seed(t.Context(), nil, nil, udf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	image, err := seed.Image(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := seed.Close(t.Context()); err != nil {
		t.Error(err)
	}
	cloned, err := template.Bundle(t.Context(), "orderly", "d", image, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cloned.Close(t.Context())
	for name, b := range map[string]udf.Bundle{"plain": plain, "cloned": cloned} {
		for _, c := range []struct{ word, said, want string }{
			{"fine", "closed", ""},
			{"complains", "closed; stopped", "stopped"},
			{"traps", "closed; wasmill_close: the guest trapped: unreachable", "wasmill_close: the guest trapped: unreachable"},
			{"nonsense", "closed; wasmill_close: expected status OK or ERROR, got 9", "wasmill_close: expected status OK or ERROR, got 9"},
			{"fine", "closed", ""},
		} {
			if said, _, _, closed := session(t, b, c.word, false); said != c.said || text(closed) != c.want {
				t.Errorf("%s, %s: got %q, %v", name, c.word, said, closed)
			}
		}
	}
}

func TestModulesThatCannotBeImaged(t *testing.T) {
	host := newHost(t, wasmhost.Options{})
	_, err := host.Template(t.Context(), "m", misfit(t), false)
	const want = "m: the mutable global 0 is not exported, so that an image cannot hold it (link with `-Wl,--export=__stack_pointer`, and let there be no other)"
	if text(err) != want || fault.CodeOf(err) != fault.Admission {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := host.Template(t.Context(), "m", []byte("\x00asm\x01\x00\x00\x00"), true); fault.CodeOf(err) != fault.Admission {
		t.Errorf("a trusted module that is none: %v", err)
	}
}
