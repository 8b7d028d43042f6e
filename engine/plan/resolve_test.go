package plan_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/plan/plantest"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

var functions = map[string][]udf.Signature{"b": {
	plantest.Function(udf.Filter, "keep", "n: int64", ""),
	plantest.Function(udf.Filter, "any", "", ""),
	plantest.Function(udf.Map, "fresh", "k: utf8", "k: utf8, n: int64, x: float64"),
	plantest.Function(udf.Map, "same", "k: utf8, n: int64", ""),
	plantest.Function(udf.FlatMap, "all", "", ""),
	plantest.Function(udf.Scalar, "length", "text: utf8", "length: int64"),
	plantest.Function(udf.Scalar, "k", "k: utf8", "k: utf8!"),
	plantest.Function(udf.KeyedMap, "sum", "k: utf8, n: int64", "k: utf8, n: int64"),
}, "c": {plantest.Function(udf.Map, "other", "n: int64, k: utf8", "n: int64, k: utf8, y: bool")}}

// check checks what the runtime takes for granted of a resolved plan.
func check(t interface{ Errorf(string, ...any) }, r *plan.Resolved) {
	stage := make(map[string]*plan.Stage)
	for _, s := range r.Stages {
		for i, n := range s.Nodes {
			if stage[n.Node.ID] != nil {
				t.Errorf("`%s` is in two stages", n.Node.ID)
			}
			stage[n.Node.ID] = s
			if i > 0 && (len(n.Node.Inputs) != 1 || stage[n.Node.Inputs[0]] != s) {
				t.Errorf("`%s` is in a stage without its input", n.Node.ID)
			}
		}
		head := s.Nodes[0]
		if len(s.Inputs) != len(head.Node.Inputs) || s.Parallelism < 1 {
			t.Errorf("the stage of `%s` has %d inputs and %d tasks", head.Node.ID, len(s.Inputs), s.Parallelism)
		}
		for i, in := range s.Inputs {
			if in.From != head.Node.Inputs[i] || stage[in.From] == nil || stage[in.From] == s {
				t.Errorf("the stage of `%s` reads `%s`", head.Node.ID, in.From)
			}
			if (in.Exchange == plan.Hash) != (head.Node.Kind == plan.KindKeyBy && s.Parallelism > 1) {
				t.Errorf("the exchange before `%s` is %s", head.Node.ID, in.Exchange)
			}
		}
	}
	for _, n := range r.Nodes {
		if stage[n.Node.ID] == nil {
			t.Errorf("`%s` is in no stage", n.Node.ID)
		}
		for i, in := range n.In {
			if out := r.Node(n.Node.Inputs[i]).Out; !out.Equal(in) {
				t.Errorf("`%s` expects %v, and `%s` passes on %v", n.Node.ID, in, n.Node.Inputs[i], out)
			}
		}
		checkNode(t, r, n)
		if n.Node.Kind == plan.KindKeyedMap {
			from := r.Node(n.Node.Inputs[0])
			for from.Node.Kind == plan.KindProject {
				from = r.Node(from.Node.Inputs[0])
			}
			if stage[from.Node.ID] != stage[n.Node.ID] {
				t.Errorf("`%s` does not run with its keys", n.Node.ID)
			}
		}
	}
}

func checkNode(t interface{ Errorf(string, ...any) }, r *plan.Resolved, n *plan.ResolvedNode) {
	id := n.Node.ID
	switch {
	case n.Source != nil:
		if len(n.Source.Decode.Fields()) == 0 || len(n.Source.Decode.Fields())+len(n.Source.Pruned) != len(n.Source.Schema.Fields()) {
			t.Errorf("`%s` decodes %v, leaves %v, of %v", id, n.Source.Decode, n.Source.Pruned, n.Source.Schema)
		}
		for _, f := range n.Out.Fields() {
			if !n.Source.Decode.HasField(f.Name) && n.Node.Source.Metadata[f.Name] == "" {
				t.Errorf("`%s` passes on `%s`, which it does not decode", id, f.Name)
			}
		}
		if e := n.Node.Source.EventTime; e != nil && e.Column != "" && !n.Source.Decode.HasField(e.Column) && !n.Out.HasField(e.Column) {
			t.Errorf("`%s` does not have the event time", id)
		}
	case n.Node.Kind == plan.KindProject:
		for i, from := range n.From {
			if !arrow.TypeEqual(n.In[0].Field(from).Type, n.Out.Field(i).Type) {
				t.Errorf("`%s` makes a column of another", id)
			}
		}
	case n.Signature != nil:
		if n.Columns == nil && !n.Args.Equal(n.In[0]) {
			t.Errorf("`%s` gets %v of %v", id, n.Args, n.In[0])
		}
		for i, c := range n.Columns {
			if !arrow.TypeEqual(n.In[0].Field(c).Type, n.Args.Field(i).Type) {
				t.Errorf("`%s` gets a column of another type", id)
			}
		}
		if n.Node.Kind == plan.KindScalar {
			want := len(n.In[0].Fields())
			if n.At == want {
				want++
			}
			if len(n.Out.Fields()) != want || n.At >= want {
				t.Errorf("`%s` puts its column at %d of %v", id, n.At, n.Out)
			}
		}
	}
}

func resolve(t testing.TB, nodes ...plan.Node) *plan.Resolved {
	t.Helper()
	p := &plan.Plan{Version: 1, Name: "p", Nodes: nodes}
	r, err := plan.Resolve(context.Background(), p, plantest.Env(functions))
	if err != nil {
		t.Fatal(err)
	}
	check(t, r)
	return r
}

func source(id, columns string) plan.Node {
	s := &plan.Source{Connector: "stdin"}
	for _, f := range plantest.Schema(columns).Fields() {
		s.Schema = append(s.Schema, plan.Field{Name: f.Name, Type: schema.FormatNullable(f.Type, f.Nullable)})
	}
	return plan.Node{ID: id, Kind: plan.KindSource, Source: s}
}

func call(id string, kind plan.Kind, function, input string) plan.Node {
	return plan.Node{ID: id, Kind: kind, Inputs: []string{input}, Call: &plan.Call{Bundle: "b", Function: function}}
}

func sink(id, input string) plan.Node {
	return plan.Node{ID: id, Kind: plan.KindSink, Inputs: []string{input}, Sink: &plan.Sink{Connector: "stdout"}}
}

func project(id, input string, columns ...string) plan.Node {
	p := &plan.Project{}
	for _, c := range columns {
		p.Columns = append(p.Columns, plan.Column{Name: c, From: c})
	}
	return plan.Node{ID: id, Kind: plan.KindProject, Inputs: []string{input}, Project: p}
}

// TestUnionKeepsItsInputsAlike has a filter before one input of a union, which reads a column that nobody else does.
func TestUnionKeepsItsInputsAlike(t *testing.T) {
	r := resolve(t, source("a", "k: utf8, n: int64, z: utf8"), source("b", "k: utf8, n: int64, z: utf8"),
		call("f", plan.KindFilter, "keep", "a"),
		plan.Node{ID: "u", Kind: plan.KindUnion, Inputs: []string{"f", "b"}},
		project("p", "u", "k"), sink("out", "p"))
	if got, want := schema.FormatSchema(r.Node("u").Out), "k: utf8, n: int64, z: utf8"; got != want {
		t.Errorf("the union passes on %s, want %s", got, want)
	}
	r = resolve(t, source("a", "k: utf8, n: int64, z: utf8"), source("b", "k: utf8, n: int64, z: utf8"),
		plan.Node{ID: "u", Kind: plan.KindUnion, Inputs: []string{"a", "b"}},
		project("p", "u", "k"), sink("out", "p"))
	if got, want := schema.FormatSchema(r.Node("u").Out), "k: utf8"; got != want {
		t.Errorf("the union passes on %s, want %s", got, want)
	}
}

func TestBranchesPruneTogether(t *testing.T) {
	r := resolve(t, source("a", "k: utf8, n: int64, y: utf8, z: utf8"), call("f", plan.KindFilter, "keep", "a"),
		project("p", "f", "k"), sink("one", "p"), project("q", "a", "z"), sink("two", "q"))
	if got, want := r.Node("a").Source.Pruned, []string{"y"}; !slices.Equal(got, want) {
		t.Errorf("pruned %v, want %v", got, want)
	}
	if n := len(r.Stages); n != 1 {
		t.Errorf("a tree of one width has %d stages", n)
	}
}

// TestPruningChangesNothing builds plans at random and checks that outputs get the columns they would get without pruning.
func TestPruningChangesNothing(t *testing.T) {
	tried, resolved := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := &plan.Plan{Version: 1, Name: "p", Parallelism: rapid.IntRange(0, 3).Draw(t, "parallelism")}
		add := func(n plan.Node) { p.Nodes = append(p.Nodes, n) }
		for i := range rapid.IntRange(1, 2).Draw(t, "sources") {
			s := source(fmt.Sprintf("s%d", i), "k: utf8, n: int64, z: utf8, length: utf8")
			if rapid.Bool().Draw(t, "metadata") {
				s.Source.Metadata = map[string]string{"m": "timestamp"}
				s.Source.EventTime = &plan.EventTime{Column: rapid.SampledFrom([]string{"m", "n", ""}).Draw(t, "time")}
			}
			add(s)
		}
		open := func() string { return p.Nodes[rapid.IntRange(0, len(p.Nodes)-1).Draw(t, "input")].ID }
		for i := range rapid.IntRange(0, 8).Draw(t, "steps") {
			id, from := fmt.Sprintf("x%d", i), open()
			switch rapid.IntRange(0, 11).Draw(t, "kind") {
			case 0:
				add(call(id, plan.KindFilter, rapid.SampledFrom([]string{"keep", "any"}).Draw(t, "filter"), from))
			case 1:
				add(call(id, plan.KindMap, rapid.SampledFrom([]string{"fresh", "same"}).Draw(t, "map"), from))
			case 2:
				add(call(id, plan.KindFlatMap, "all", from))
			case 3:
				n := call(id, plan.KindScalar, "length", from)
				n.Call.Args, n.Call.As = []string{"k"}, rapid.SampledFrom([]string{"", "n", "l"}).Draw(t, "as")
				add(n)
			case 4:
				add(call(id, plan.KindScalar, "k", from))
			case 5:
				add(project(id, from, rapid.SampledFrom([][]string{{"k"}, {"n", "k"}, {"z", "n"}, {"x"}}).Draw(t, "columns")...))
			case 6:
				add(plan.Node{ID: id, Kind: plan.KindProject, Inputs: []string{from}, Project: &plan.Project{Drop: []string{"z"}}})
			case 7:
				rename := []plan.Column{{Name: "k2", From: "k"}, {Name: "k", From: "z"}}
				add(plan.Node{ID: id, Kind: plan.KindProject, Inputs: []string{from}, Project: &plan.Project{Rename: rename}})
			case 8, 9:
				add(plan.Node{ID: id, Kind: plan.KindKeyBy, Inputs: []string{from}, KeyBy: &plan.KeyBy{Columns: []string{"k"}},
					Parallelism: rapid.IntRange(0, 2).Draw(t, "tasks")})
				add(call(id+"-sum", plan.KindKeyedMap, "sum", id))
			case 10:
				if other := open(); other != from {
					add(plan.Node{ID: id, Kind: plan.KindUnion, Inputs: []string{from, other}})
				}
			case 11:
				n := call(id, plan.KindMap, "other", from)
				n.Call.Bundle = "c"
				add(n)
			}
		}
		read := make(map[string]bool)
		for _, n := range p.Nodes {
			for _, id := range n.Inputs {
				read[id] = true
			}
		}
		for _, n := range p.Nodes {
			if !read[n.ID] {
				add(sink("to-"+n.ID, n.ID))
			}
		}
		r, err := plan.Resolve(context.Background(), p, plantest.Env(functions))
		if tried++; err != nil {
			return // a step had no column of the name
		}
		resolved++
		check(t, r)
		want := plan.SinkColumns(context.Background(), p, plantest.Env(functions))
		for _, n := range r.Nodes {
			if n.Node.Kind != plan.KindSink {
				continue
			}
			if got, want := schema.FormatSchema(n.In[0]), strings.Join(want[n.Node.ID], ", "); got != want {
				t.Errorf("`%s` gets %s, want %s", n.Node.ID, got, want)
			}
		}
	})
	if resolved*10 < tried {
		t.Errorf("of %d plans only %d had no faults", tried, resolved)
	}
}
