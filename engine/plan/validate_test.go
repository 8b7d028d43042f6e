package plan_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/plan/plantest"
	"github.com/wasmill/wasmill/engine/udf"
)

// TestValidate has what a program can get wrong and a pipeline's YAML cannot.
func TestValidate(t *testing.T) {
	in, out := source("in", "k: utf8, n: int64"), sink("out", "in")
	for _, c := range []struct {
		name   string
		change func(p *plan.Plan)
		want   string
	}{
		{"nothing", func(p *plan.Plan) { *p = plan.Plan{} },
			"version: expected version 1 to 1, got 0\nname: `` cannot be a job's name (use up to 64 letters, digits, `-` and `_`)\nthere is no input\nthere is no output"},
		{"numbers", func(p *plan.Plan) {
			p.Parallelism, p.Partitions, p.Epoch, p.Restart = -1, 1<<15+1, plan.Duration(2*time.Hour), plan.Restart{Delay: -1}
		}, "parallelism: expected `parallelism` from 1 to 256, got -1\npartitions: expected `partitions` from 1 to 32768, got 32769\nepoch: expected an epoch from 10ms to 1h0m0s, got 2h0m0s\nrestart: a delay is not negative"},
		{"an id", func(p *plan.Plan) { p.Nodes[1].ID = "a.b" },
			"node a.b, id: `a.b` cannot be a label (use up to 64 letters, digits, `-` and `_`)"},
		{"a kind", func(p *plan.Plan) { p.Nodes[1].Kind = "snik" },
			"node out, kind: unknown kind `snik` (did you mean `sink`?)\nthere is no output"},
		{"no member", func(p *plan.Plan) { p.Nodes[1].Sink = nil }, "node out: a sink node needs `sink`"},
		{"another member", func(p *plan.Plan) { p.Nodes[1].Source = p.Nodes[0].Source }, "node out, source: a sink node has no `source`"},
		{"inputs of a source", func(p *plan.Plan) { p.Nodes[0].Inputs = []string{"out"} },
			"node in, inputs: a source has no inputs, this one has 1\nnode in, inputs[0]: the input `out` does not stand before the node (nodes are listed in the order of the data's way, which has no circles)"},
		{"no inputs", func(p *plan.Plan) { p.Nodes[1].Inputs = nil }, "node out, inputs: a sink node has one input, this one has 0"},
		{"an unknown input", func(p *plan.Plan) { p.Nodes[1].Inputs = []string{"ni"} }, "node out, inputs[0]: unknown input `ni` (did you mean `in`?)"},
		{"itself", func(p *plan.Plan) { p.Nodes[1].Inputs = []string{"out"} },
			"node out, inputs[0]: the input `out` does not stand before the node (nodes are listed in the order of the data's way, which has no circles)"},
		{"behind a sink", func(p *plan.Plan) { p.Nodes = append(p.Nodes, sink("more", "out")) },
			"node more, inputs[0]: `out` is an output: nothing comes behind it"},
		{"a union of one", func(p *plan.Plan) {
			p.Nodes = append(p.Nodes, plan.Node{ID: "u", Kind: plan.KindUnion, Inputs: []string{"in"}}, sink("more", "u"))
		}, "node u, inputs: a union needs two inputs or more, this one has 1"},
		{"a union of the same", func(p *plan.Plan) {
			p.Nodes = append(p.Nodes, plan.Node{ID: "u", Kind: plan.KindUnion, Inputs: []string{"in", "in"}}, sink("more", "u"))
		}, "node u, inputs[1]: the input `in` is named twice"},
		{"rows that nobody reads", func(p *plan.Plan) {
			p.Nodes = append(p.Nodes, project("p", "in", "k"), project("q", "p", "k"))
		}, "node q: nothing reads the rows of `q` (add an output behind it, or leave it out)"},
		{"names that are empty", func(p *plan.Plan) {
			p.Nodes[0].Source = &plan.Source{Schema: []plan.Field{{Type: "utf8"}}, Metadata: map[string]string{"": "subject"}, Infer: true}
			p.Nodes[1].Sink = &plan.Sink{}
		}, "node in, source.connector: the input names no connector\nnode in, source.schema: the schema is declared and to be inferred\nnode in, source.schema[0]: a column needs a name\nnode in, source.metadata.: a column needs a name\nnode in, source.metadata.: the column `` is in the schema and in the metadata\nnode out, sink.connector: the output names no connector"},
		{"columns twice", func(p *plan.Plan) {
			p.Nodes[0].Source.Schema = append(p.Nodes[0].Source.Schema, plan.Field{Name: "k", Type: "utf8"})
		}, "node in, source.schema[2]: the column `k` is declared twice"},
		{"configurations", func(p *plan.Plan) {
			p.Nodes[0].Source.Config, p.Nodes[0].Source.FormatConfig = []byte("{"), []byte("x")
			p.DeadLetter = &plan.Sink{Connector: "stdout", Config: []byte("]")}
		}, "dead_letter.config: the configuration is not valid JSON\nnode in, source.config: the configuration is not valid JSON\nnode in, source.format_config: the configuration is not valid JSON"},
		{"durations", func(p *plan.Plan) {
			p.Nodes[0].Source.EventTime = &plan.EventTime{Idle: -1}
			n := call("m", plan.KindMap, "", "in")
			n.Call = &plan.Call{Timeout: -1, MaxMemory: 1 << 40, OnError: "explode", Config: []byte("{")}
			p.Nodes = append(p.Nodes[:1:1], n, sink("out", "m"))
		}, "node in, source.event_time: a duration is not negative\nnode m, call.bundle: the call names no bundle\nnode m, call.function: the call names no function\nnode m, call.config: the configuration is not valid JSON\nnode m, call.max_memory: expected at most 4 GiB, got 1099511627776 bytes (guests have 32-bit memories)\nnode m, call.timeout: a duration is not negative\nnode m, call.on_error: unknown policy `explode` (there is dead_letter, fail, skip)"},
		{"arguments without a name", func(p *plan.Plan) {
			n := call("m", plan.KindScalar, "length", "in")
			n.Call.Args = []string{""}
			p.Nodes = append(p.Nodes[:1:1], n, sink("out", "m"))
		}, "node m, call.args[0]: a column needs a name"},
		{"a projection of both kinds", func(p *plan.Plan) {
			n := project("m", "in", "k", "k")
			n.Project.Drop = []string{"n"}
			p.Nodes = append(p.Nodes[:1:1], n, sink("out", "m"))
		}, "node m, project: a projection lists its columns, or what to drop and rename, not both\nnode m, project.columns[1]: there are two columns `k`"},
		{"too many nodes", func(p *plan.Plan) { p.Nodes = make([]plan.Node, 1001) }, "nodes: expected at most 1000 nodes, got 1001"},
	} {
		p := &plan.Plan{Version: 1, Name: "p", Nodes: []plan.Node{in, out}}
		src := *in.Source
		p.Nodes[0].Source = &src
		c.change(p)
		got := "fine"
		if err := p.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestResolveFaultsWithoutPositions(t *testing.T) {
	bad := source("in", "k: utf8")
	bad.Source.Config = []byte(`{"subjects": [1], "x": 2}`)
	none := call("f", plan.KindFilter, "keep", "in")
	none.Call.Bundle = "nowhere"
	p := &plan.Plan{Version: 1, Name: "p", Nodes: []plan.Node{bad, none, sink("out", "f")}}
	_, err := plan.Resolve(context.Background(), p, plantest.Env(functions))
	want := strings.Join([]string{
		"node in, source.config.subjects[0]: expected a string, got 1",
		"node in, source.config.x: unknown field `x` (there is from, path, stream, subject, subjects)",
		"node f, call.bundle, nowhere: there is no such bundle",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if code := fault.CodeOf(err); code != fault.Usage {
		t.Errorf("the code is %s", code)
	}
}

func TestNothingCanBeInferredWithoutSamples(t *testing.T) {
	in := source("in", "k: utf8")
	in.Source.Schema, in.Source.Infer = nil, true
	env := plantest.Env(nil)
	env.Sample = nil
	_, err := plan.Resolve(context.Background(), &plan.Plan{Version: 1, Name: "p", Nodes: []plan.Node{in, sink("out", "in")}}, env)
	const want = "node in, source.infer: the schema is to be inferred, and the input cannot be looked at here (declare the columns: `schema: {carrier: utf8, delay: float64}`)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestScalarOfAnyColumns covers a function that takes any columns, and is given some.
func TestScalarOfAnyColumns(t *testing.T) {
	env := plantest.Env(map[string][]udf.Signature{"b": {plantest.Function(udf.Scalar, "hash", "", "hash: int64")}})
	n := call("h", plan.KindScalar, "hash", "in")
	n.Call.Args = []string{"n", "k"}
	p := &plan.Plan{Version: 1, Name: "p", Nodes: []plan.Node{source("in", "k: utf8, n: int64, z: utf8"), n, project("p", "h", "hash"), sink("out", "p")}}
	r, err := plan.Resolve(context.Background(), p, env)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r)
	if got := r.Node("h").Args; !got.Equal(plantest.Schema("n: int64, k: utf8")) {
		t.Errorf("the function gets %v", got)
	}
	if got := r.Node("in").Source.Pruned; len(got) != 1 || got[0] != "z" {
		t.Errorf("pruned %v", got)
	}
}
