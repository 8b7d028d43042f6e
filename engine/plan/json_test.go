package plan_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/plan/plantest"
)

const small = `{"version": 1, "name": "p", "nodes": [
  {"id": "in", "kind": "source", "source": {"connector": "stdin", "config": null, "schema": [{"name": "a", "type": "int64"}]}},
  {"id": "out", "kind": "sink", "inputs": ["in"], "sink": {"connector": "stdout", "config": { "path" : "x" }}}
]}`

func TestReadJSON(t *testing.T) {
	p, err := plan.ReadJSON([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if p.Nodes[0].Source.Config != nil || string(p.Nodes[1].Sink.Config) != `{"path":"x"}` {
		t.Errorf("the configurations are %q and %q", p.Nodes[0].Source.Config, p.Nodes[1].Sink.Config)
	}
	first, err := plan.WriteJSON(p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := plan.ReadJSON(first)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Error(diff)
	}
}

func TestReadJSONFaults(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{``, "plan.json:1:1: the plan is not valid JSON: unexpected end of JSON input"},
		{`[]`, "plan.json:1:2: expected an object, got array"},
		{"{\"version\": 1,\n  nodes: []}", "plan.json:2:4: the plan is not valid JSON: invalid character 'n' looking for beginning of object key string"},
		{`{"name": "p"}`, "the plan has no `version` (this is version 1)"},
		{`{"version": 2, "future": true}`, "the plan is of version 2, this wasmill reads up to version 1 (use a newer wasmill)"},
		{`{"version": 0, "name": "p", "nodes": []}`, "version: expected version 1 to 1, got 0\nthere is no input\nthere is no output"},
		{`{"version": "1"}`, "plan.json:1:16: `version`: expected an integer, got string"},
		{strings.Replace(small, `"name": "p"`, `"nam": "p"`, 1), "the plan is not valid JSON: unknown field \"nam\""},
		{strings.Replace(small, `"inputs": ["in"]`, `"inputs": "in"`, 1), "plan.json:3:47: `nodes.inputs`: expected a list, got string"},
		{strings.Replace(small, `"name": "p"`, `"name": "p", "epoch": "soon"`, 1), "the plan is not valid JSON: expected a duration such as 200ms, 5s or 1h, got \"soon\""},
		{small + `{}`, "plan.json:4:4: the plan is not valid JSON: invalid character '{' after top-level value"},
	} {
		_, err := plan.ReadJSON([]byte(c.json))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.json, err, c.want)
		}
	}
	if _, err := plan.ReadJSON(make([]byte, 17<<20)); fault.CodeOf(err) != fault.Limit {
		t.Errorf("too many bytes: got %v", err)
	}
}

// FuzzReadJSON checks that any bytes give a plan that survives being written, resolved and explained, or a fault.
func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(small))
	every, err := os.ReadFile("../pipeline/testdata/every-key.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(every)
	f.Add([]byte(`{"version": 1, "name": "p", "parallelism": 3, "nodes": [
  {"id": "in", "kind": "source", "source": {"connector": "stdin", "schema": [{"name": "k", "type": "utf8"}, {"name": "n", "type": "int64"}], "metadata": {"s": "subject"}, "event_time": {"column": "n"}}},
  {"id": "f", "kind": "filter", "inputs": ["in"], "call": {"bundle": "b", "function": "keep"}},
  {"id": "u", "kind": "union", "inputs": ["in", "f"]},
  {"id": "s", "kind": "scalar", "inputs": ["u"], "call": {"bundle": "b", "function": "length", "args": ["k"], "as": "l"}},
  {"id": "d", "kind": "project", "inputs": ["s"], "project": {"drop": ["s"], "rename": [{"name": "m", "from": "n"}, {"name": "n", "from": "l"}]}},
  {"id": "k", "kind": "key_by", "inputs": ["d"], "key_by": {"columns": ["k"]}},
  {"id": "c", "kind": "keyed_map", "inputs": ["k"], "call": {"bundle": "b", "function": "sum"}},
  {"id": "out", "kind": "sink", "inputs": ["c"], "sink": {"connector": "stdout"}}
]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := plan.ReadJSON(data)
		if err != nil {
			return
		}
		b, err := plan.WriteJSON(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := plan.ReadJSON(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Fatal(diff)
		}
		r, err := plan.Resolve(context.Background(), p, plantest.Env(functions))
		if err != nil {
			return
		}
		check(t, r)
		if plan.Explain(r).String() == "" {
			t.Error("nothing is explained")
		}
	})
}
