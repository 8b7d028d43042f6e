package wasmhost

import (
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
)

func TestRefused(t *testing.T) {
	b := &loaded{describes: []byte(`{"functions": [], "refused": [{"name": "f", "why": "it is\\u001b async"}, {"name": 7}]}`)}
	if got := b.Refused("f"); got != "" {
		t.Errorf("a description that is not sound: %q", got)
	}
	b.describes = []byte(`{"functions": [], "refused": [{"name": "f", "why": "it is async"}]}`)
	if f, g := b.Refused("f"), b.Refused("g"); f != "it is async" || g != "" {
		t.Errorf("got %q, %q", f, g)
	}
}

func TestDescription(t *testing.T) {
	got, err := parseDescription([]byte(`{"abi": 1, "name": "x", "later": {}, "functions": [
		{"name": "a", "kind": "map", "doc": "two\nlines", "in": [{"name": "n", "type": "int64!"}], "out": []},
		{"name": "b", "kind": "filter", "later": 1},
		{"name": "c", "kind": "keyed_map", "state": [{"name": "s", "type": "int64"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := got[0], got[1], got[2]
	if a.Kind != udf.Map || a.Doc != "two\nlines" || schema.FormatSchema(a.In) != "n: int64!" || a.Out == nil || len(a.Out.Fields()) != 0 {
		t.Errorf("got %+v", a)
	}
	if b.In != nil || schema.FormatSchema(b.Out) != "keep: bool" {
		t.Errorf("got %+v", b)
	}
	if c.Out != nil || len(c.State) != 1 || c.State[0] != (udf.StateDecl{Name: "s", Type: "int64"}) {
		t.Errorf("got %+v", c)
	}
}

func TestDescriptionFaults(t *testing.T) {
	function := func(members string) string { return `{"abi": 1, "functions": [{"name": "f", ` + members + `}]}` }
	for text, want := range map[string]string{
		`{}`: "wasmill_describe: `abi` is missing\nwasmill_describe: expected 1 to 1000 functions, got 0",
		`{"abi": 2, "functions": [{"name": "f", "kind": "map"}]}`: "wasmill_describe: expected abi 1, got 2",
		`{"abi": 1, "functions": [{"name": "1 f", "kind": "map"}]}`: "wasmill_describe, function 0: the name \"1 f\" is not allowed " +
			"(a letter or `_`, then letters, digits, `_`, `.`, `-`, at most 128)",
		`{"abi": 1, "functions": [{"name": "f", "kind": "map"}, {"name": "f", "kind": "map"}]}`: "wasmill_describe, function f: the name is there twice with the kind `map`",
		function(`"kind": "fliter"`):                                                                      "wasmill_describe, function f: unknown kind `fliter` (did you mean `filter`?)",
		function(`"kind": "filter", "out": []`):                                                           "wasmill_describe, function f: a filter has no `out`: it returns one bool column",
		function(`"kind": "scalar"`):                                                                      "wasmill_describe, function f: a scalar has one column in `out`",
		function(`"kind": "map", "state": [{"name": "s", "type": "x"}]`):                                  "wasmill_describe, function f: only a keyed_map and a process have state",
		function(`"kind": "keyed_map", "state": [{"name": "s"}, {"name": "s"}]`):                          "wasmill_describe, function f: the state `s` is there twice",
		function(`"kind": "map", "in": [{"name": "a", "type": "itn64"}]`):                                 "wasmill_describe, function f, in column a: type \"itn64\": unknown type `itn64` (did you mean `int64`?)",
		function(`"kind": "map", "in": [{"name": "a", "type": "int64"}, {"name": "a", "type": "int64"}]`): "wasmill_describe, function f, in column a: the name is there twice",
		function(`"kind": "map", "out": [{"type": "int64"}]`):                                             "wasmill_describe, function f, out column 0: expected a name of printable text, got \"\"",
		`{"abi": 1, "abi": 1}`:                                                                            "wasmill_describe: the description is not the JSON expected: jsontext: duplicate object member name \"abi\"",
		`{"abi": 1`:                                                                                       "wasmill_describe: the description is not the JSON expected: jsontext: unexpected EOF after offset 9",
	} {
		_, err := parseDescription([]byte(text))
		if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Guest {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestDescriptionOfAProcess(t *testing.T) {
	got, err := parseDescription([]byte(`{"abi": 1, "minor": 1, "functions": [{"name": "p", "kind": "process", "state": [
		{"name": "v", "type": "int64", "kind": "value"}, {"name": "l", "type": "utf8", "kind": "list", "ttl": "90m"},
		{"name": "m", "type": "utf8, int64", "kind": "map", "ttl": "1h OnReadAndWrite ReturnExpiredIfNotCleanedUp"}],
		"sides": [{"tag": "late rows", "out": [{"name": "n", "type": "int64!"}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var stored []string
	for _, d := range got[0].State {
		stored = append(stored, d.Stored().StoredType())
	}
	if text := strings.Join(stored, "; "); text != "int64; list<utf8> with time; map<utf8, int64> with time" {
		t.Errorf("got %s", text)
	}
	if ttl := got[0].State[2].TTL; *ttl != (state.TTL{After: time.Hour, Update: state.OnReadAndWrite, Visible: state.ReturnExpiredIfNotCleanedUp}) {
		t.Errorf("got %+v", ttl)
	}
	if s := got[0]; s.Side("late rows") != 1 || s.Side("none") != 0 || schema.FormatSchema(s.Sides[0].Out) != "n: int64!" {
		t.Errorf("got %+v", s.Sides)
	}
	function := func(members string) string {
		return `{"abi": 1, "functions": [{"name": "f", ` + members + `}]}`
	}
	for text, want := range map[string]string{
		`{"abi": 1, "minor": 2, "functions": [{"name": "f", "kind": "map"}]}`:                         "wasmill_describe: expected abi 1.0 to 1.1, got 1.2 (use a newer wasmill)",
		function(`"kind": "process", "state": [{"name": "s", "kind": "lits"}]`):                       "wasmill_describe, function f, state s: unknown kind `lits` (did you mean `list`?)",
		function(`"kind": "keyed_map", "state": [{"name": "s", "kind": "list"}]`):                     "wasmill_describe, function f, state s: only a process has state other than values that do not expire",
		function(`"kind": "process", "state": [{"name": "s", "ttl": "soon"}]`):                        "wasmill_describe, function f, state s: expected a ttl that begins with a duration of 1ms or more, got \"soon\" (such as `1h` or `30m OnReadAndWrite`)",
		function(`"kind": "process", "state": [{"name": "s", "ttl": "1h OnRead"}]`):                   "wasmill_describe, function f, state s: unknown word \"OnRead\" in a ttl (there is NeverReturnExpired, OnCreateAndWrite, OnReadAndWrite, ReturnExpiredIfNotCleanedUp)",
		function(`"kind": "map", "sides": [{"tag": "t", "out": []}]`):                                 "wasmill_describe, function f: only a process has side outputs\nwasmill_describe, function f, side output t: it has no columns in `out`",
		function(`"kind": "process", "sides": [{"tag": "", "out": [{"name": "a", "type": "bool"}]}]`): "wasmill_describe, function f: a side output needs a tag of printable text, at most 128 bytes",
	} {
		if _, err := parseDescription([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func FuzzParseDescription(f *testing.F) {
	f.Add([]byte(`{"abi": 1, "minor": 1, "functions": [{"name": "f", "kind": "process", "state": [{"name": "s", "kind": "map", "ttl": "1h"}], "sides": [{"tag": "t", "out": [{"name": "a", "type": "bool"}]}]}]}`))
	f.Add([]byte(`{"abi": 1, "functions": [{"name": "f", "kind": "keyed_map", "in": [{"name": "a", "type": "list<int64>"}], "state": [{"name": "s", "type": "t"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		signatures, err := parseDescription(text)
		if err != nil {
			if fault.CodeOf(err) != fault.Guest {
				t.Fatalf("got %v", err)
			}
			return
		}
		for _, s := range signatures {
			if s.Name == "" || strings.ContainsAny(s.Name, " \n") || s.Kind == udf.Filter && s.Out != filtered {
				t.Fatalf("got %+v", s)
			}
		}
	})
}
