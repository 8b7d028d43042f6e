package runtime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/udf"
)

// fragile is a bundle whose guests own their memory: using it after they were closed, and closing them while something lies
// in it, are complaints.
type fragile struct {
	mu         sync.Mutex
	started    int
	open       int
	complaints []string
}

func (b *fragile) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
}

func (b *fragile) Digest() string              { return "fragile" }
func (b *fragile) Functions() []udf.Signature  { return nil }
func (b *fragile) Close(context.Context) error { return nil }
func (b *fragile) Instantiate(context.Context, udf.Options) (udf.Guest, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.started++
	b.open++
	return &fragileGuest{bundle: b, number: b.started}, nil
}

type fragileGuest struct {
	bundle         *fragile
	number, live   int
	broken, closed bool
	given          [][]int64 // what scribble returned
}

func (g *fragileGuest) Allocate(n int) []byte {
	if g.closed {
		g.bundle.complain("guest %d: memory taken after its end", g.number)
	}
	g.live++
	return memory.DefaultAllocator.Allocate(n)
}
func (g *fragileGuest) Reallocate(n int, b []byte) []byte {
	if b == nil {
		return g.Allocate(n)
	}
	return memory.DefaultAllocator.Reallocate(n, b)
}
func (g *fragileGuest) Free([]byte) {
	if g.closed {
		g.bundle.complain("guest %d: memory given back after its end", g.number)
	}
	g.live--
}
func (g *fragileGuest) Reserve(int) error {
	if g.broken {
		g.bundle.complain("guest %d: memory reserved after it broke", g.number)
	}
	return nil
}

func (g *fragileGuest) Arena() udf.Arena { return g }
func (g *fragileGuest) Broken() bool     { return g.broken }
func (g *fragileGuest) Stats() udf.Stats { return udf.Stats{} }
func (g *fragileGuest) Close(context.Context) error {
	if g.live != 0 || g.closed {
		g.bundle.complain("guest %d: closed with %d buffers in it", g.number, g.live)
	}
	g.bundle.mu.Lock()
	defer g.bundle.mu.Unlock()
	g.bundle.open--
	g.closed = true
	return nil
}
func (g *fragileGuest) Bind(_ context.Context, name string, _ udf.Kind, _ *arrow.Schema, _ json.RawMessage, _ udf.State) (udf.Function, error) {
	return &fragileFunction{g, name}, nil
}

// fragileFunction is one of three: tenfold multiplies and breaks at negative numbers, slow returns a row a step, and scribble
// returns what it is given and writes over all that it returned before.
type fragileFunction struct {
	*fragileGuest
	name string
}

func (f *fragileFunction) Out() *arrow.Schema         { return numbers }
func (f *fragileFunction) Recheck(arrow.Record) error { return nil }
func (f *fragileFunction) Call(_ context.Context, in arrow.Record, _ []int32, yield func(udf.Result) error) error {
	values := slices.Clone(in.Column(0).(*array.Int64).Int64Values())
	for _, g := range f.given {
		clear(g)
	}
	f.given = nil
	give := func(values []int64, last bool) error {
		b := array.NewRecordBuilder(f.fragileGuest, numbers)
		defer b.Release()
		b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
		rec := b.NewRecord()
		defer rec.Release()
		if f.name == "scribble" {
			f.given = append(f.given, rec.Column(0).(*array.Int64).Int64Values())
		}
		return yield(udf.Result{Record: rec, Last: last})
	}
	switch f.name {
	case "tenfold":
		for i := range values {
			if values[i] < 0 {
				f.broken = true
				return &udf.CallError{Row: -1, Err: fault.New(fault.Guest, "trapped")}
			}
			values[i] *= 10
		}
	case "slow":
		for i := range values {
			if err := give(values[i:i+1], i == len(values)-1); err != nil {
				return err
			}
		}
		return nil
	}
	return give(values, true)
}

// callsPlan is a source, calls one after another in one task, and a sink.
func callsPlan(w *world, calls ...plan.Node) *plan.Resolved {
	p := &plan.Plan{Name: "test", Nodes: []plan.Node{{ID: "in", Kind: plan.KindSource, Source: &plan.Source{}}}}
	for i, c := range calls {
		c.ID, c.Inputs = fmt.Sprintf("call%d", i), []string{p.Nodes[i].ID}
		p.Nodes = append(p.Nodes, c)
	}
	p.Nodes = append(p.Nodes, plan.Node{ID: "out", Kind: plan.KindSink, Inputs: []string{p.Nodes[len(calls)].ID}, Sink: &plan.Sink{}})
	r := &plan.Resolved{Plan: p}
	schema := numbers
	for i := range p.Nodes {
		n := &plan.ResolvedNode{Node: &p.Nodes[i], In: []*arrow.Schema{schema}, Args: numbers, Columns: []int{0}}
		if schema = numbers; n.Node.Kind == plan.KindScalar {
			n.At, schema = 1, arrow.NewSchema([]arrow.Field{numbers.Field(0), {Name: "m", Type: arrow.PrimitiveTypes.Int64}}, nil)
		}
		n.Out = schema
		r.Nodes = append(r.Nodes, n)
	}
	r.Nodes[0].Source = &plan.ResolvedSource{Source: w, Format: numberFormat, Decode: numbers}
	r.Nodes[len(r.Nodes)-1].Sink = &plan.ResolvedSink{Sink: worldSink{w}, Format: numberFormat}
	r.Stages = []*plan.Stage{{Nodes: r.Nodes, Parallelism: 1}}
	return r
}

// TestGuestsAreReplacedUnderTheDecoder has a source decode into guests of which many break, within batches and as the last
// row of one. Two functions share each guest, of which either breaks it.
func TestGuestsAreReplacedUnderTheDecoder(t *testing.T) {
	for _, rows := range []int{1, 2, 3, 5, 8, 100} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			w := newWorld(2, 0)
			var want []int64
			for s := range w.inputs {
				for i := range int64(60) {
					v := i
					if i%7 == 3 || i%11 == 4 || i > 50 && i < 55 {
						v = -v
					} else {
						want = append(want, v*100)
					}
					w.inputs[s] = append(w.inputs[s], fmt.Sprint(v))
				}
			}
			w.rows = rows
			b := &fragile{}
			tenfold := plan.Node{Kind: plan.KindMap, Call: &plan.Call{Bundle: "a", Function: "tenfold", OnError: plan.Skip}}
			again := tenfold
			job := runtime.New(runtime.Options{Plan: callsPlan(w, tenfold, again), OpenStore: inMemory(), Bundle: func(string) (udf.Bundle, error) { return b, nil }})
			if err := job.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			slices.Sort(want)
			slices.Sort(w.written)
			if diff := cmp.Diff(want, w.written); diff != "" {
				t.Error(diff)
			}
			if len(b.complaints) != 0 || b.open != 0 || b.started < 10 {
				t.Errorf("%d of %d guests are open; %v", b.open, b.started, b.complaints)
			}
		})
	}
}

// TestRowsOfAnotherGuestAreCopied has rows lie in one guest, go through a function of a second in steps, and into the first
// again, which writes over them at each step.
func TestRowsOfAnotherGuestAreCopied(t *testing.T) {
	w := newWorld(1, 5)
	b := &fragile{}
	r := callsPlan(w,
		plan.Node{Kind: plan.KindMap, Call: &plan.Call{Bundle: "a", Function: "scribble"}},
		plan.Node{Kind: plan.KindScalar, Call: &plan.Call{Bundle: "b", Function: "slow"}},
		plan.Node{Kind: plan.KindMap, Call: &plan.Call{Bundle: "a", Function: "scribble"}},
	)
	job := runtime.New(runtime.Options{Plan: r, OpenStore: inMemory(), Bundle: func(string) (udf.Bundle, error) { return b, nil }})
	if err := job.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{0, 1, 2, 3, 4}, w.written); diff != "" {
		t.Error(diff)
	}
	if len(b.complaints) != 0 {
		t.Error(b.complaints)
	}
}
