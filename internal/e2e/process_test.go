package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/state/memstate"
	"github.com/wasmill/wasmill/wasmhost"
)

// TestProcessThroughFailures sums the numbers of keys in a guest until ten minutes have gone by without a row, with one to three
// tasks and failures of everything. The timers fire at the end of the input, each key's once for each commit that stands.
func TestProcessThroughFailures(t *testing.T) {
	host, err := wasmhost.New(wasmhost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(context.Background()) })
	source := filepath.Join("..", "..", "wasmhost", "conformance", "testdata", "process.c")
	b, err := host.Load(t.Context(), "samples", cbuild.Build(t, []string{source}, cbuild.Freestanding...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(context.Background()) })
	for tasks := 1; tasks <= 3; tasks++ {
		w := &world{inputs: make([][]string, 1), rows: 2, acked: make(map[string]int), store: memstate.New(), trouble: map[int]bool{}}
		for _, at := range []int{8, 15, 30, 44} {
			w.trouble[at] = true
		}
		var want []string
		for key := range 20 {
			for i := range 3 {
				w.inputs[0] = append(w.inputs[0], fmt.Sprintf(`{"k": "k%d", "n": %d, "ts": %d}`, key, key-10, i*1000))
			}
			positive := 0
			if key > 10 {
				positive = 1
			}
			want = append(want, fmt.Sprintf(`{"sum":%d,"positive":%d}`, 3*(key-10), positive))
		}
		p := &plan.Plan{
			Version: plan.Version, Name: "samples", Parallelism: tasks,
			Restart: plan.Restart{Attempts: -1, Delay: plan.Duration(time.Microsecond), MaxDelay: plan.Duration(time.Microsecond)},
			Nodes: []plan.Node{
				{ID: "in", Kind: plan.KindSource, Source: &plan.Source{Connector: "memory", Format: "json", Schema: []plan.Field{
					{Name: "k", Type: "utf8"}, {Name: "n", Type: "int64!"}, {Name: "ts", Type: "int64"},
				}, EventTime: &plan.EventTime{Column: "ts", OutOfOrderness: plan.Duration(time.Minute)}}},
				{ID: "by", Kind: plan.KindKeyBy, Inputs: []string{"in"}, KeyBy: &plan.KeyBy{Columns: []string{"k"}}},
				{ID: "samples", Kind: plan.KindProcess, Inputs: []string{"by"}, Call: &plan.Call{Bundle: "samples", Function: "samples"}},
				{ID: "few", Kind: plan.KindProject, Inputs: []string{"samples"}, Project: &plan.Project{Columns: []plan.Column{
					{Name: "sum", From: "sum"}, {Name: "positive", From: "positive"}}}},
				{ID: "out", Kind: plan.KindSink, Inputs: []string{"few"}, Sink: &plan.Sink{Connector: "memory", Format: "json"}},
			},
		}
		if _, err := run(t.Context(), w, map[string]udf.Bundle{"samples": b}, p, 0); err != nil {
			t.Fatal(err)
		}
		// What was written before a failure may be there twice, never with another sum.
		slices.Sort(w.output)
		slices.Sort(want)
		if got := slices.Compact(slices.Clone(w.output)); !slices.Equal(got, want) {
			t.Fatalf("%d tasks:\n got %q\nwant %q", tasks, got, want)
		}
		if w.failed == 0 {
			t.Errorf("%d tasks: nothing failed", tasks)
		}
	}
}
