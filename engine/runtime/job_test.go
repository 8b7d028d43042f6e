package runtime_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newWorld(splits, rows int) *world {
	w := &world{inputs: make(map[string][]string), bounded: true, acked: make(map[string]int), grown: make(chan struct{})}
	for s := range splits {
		var input []string
		for i := range rows {
			input = append(input, strconv.Itoa(i))
		}
		w.inputs[fmt.Sprintf("s%d", s)] = input
	}
	return w
}

// keyedPlan is a source, a key_by and the sum per key, and a sink; width tasks keep the sums.
func keyedPlan(w *world, width int) *plan.Resolved {
	p := &plan.Plan{Name: "test", Epoch: plan.Duration(5 * time.Millisecond), Restart: plan.Restart{Delay: plan.Duration(time.Millisecond)},
		Nodes: []plan.Node{
			{ID: "in", Kind: plan.KindSource, Source: &plan.Source{}},
			{ID: "by", Kind: plan.KindKeyBy, Inputs: []string{"in"}, KeyBy: &plan.KeyBy{Columns: []string{"n"}}},
			{ID: "sum", Kind: plan.KindKeyedMap, Inputs: []string{"by"}, Call: &plan.Call{Bundle: "adder", Function: "sum"}},
			{ID: "out", Kind: plan.KindSink, Inputs: []string{"sum"}, Sink: &plan.Sink{}},
		}}
	nodes := make([]*plan.ResolvedNode, len(p.Nodes))
	for i := range p.Nodes {
		nodes[i] = &plan.ResolvedNode{Node: &p.Nodes[i], Out: numbers}
		if i > 0 {
			nodes[i].In = append(nodes[i].In, numbers)
		}
	}
	nodes[0].Source = &plan.ResolvedSource{Source: w, Format: numberFormat, Decode: numbers}
	nodes[2].Signature, nodes[2].Args = &adderSignature, numbers
	nodes[3].Sink = &plan.ResolvedSink{Sink: worldSink{w}, Format: numberFormat}
	r := &plan.Resolved{Plan: p, Nodes: nodes}
	if width == 0 {
		r.Stages = []*plan.Stage{{Nodes: nodes, Parallelism: 1}}
	} else {
		r.Stages = []*plan.Stage{
			{Nodes: nodes[:1], Parallelism: len(w.inputs)},
			{Nodes: nodes[1:], Parallelism: width, Inputs: []plan.Input{{From: "in", Exchange: plan.Hash, Keys: []string{"n"}}}},
		}
	}
	return r
}

func run(t *testing.T, r *plan.Resolved, store func() (state.Store, error)) (*runtime.Job, error) {
	t.Helper()
	job := runtime.New(runtime.Options{Plan: r, OpenStore: store, Bundle: func(string) (udf.Bundle, error) { return adder{}, nil }})
	return job, job.Run(t.Context())
}

func inMemory() func() (state.Store, error) {
	store := memstate.New()
	return func() (state.Store, error) {
		store = store.Reopen()
		return store, nil
	}
}

// wantSums checks what keyedPlan writes for splits that each hold 0..rows-1: for key n, the multiples of n up to splits*n.
func wantSums(t *testing.T, written []int64, splits, rows int) {
	t.Helper()
	var want []int64
	for n := range rows {
		for s := range splits {
			want = append(want, int64(n*(s+1)))
		}
	}
	got := slices.Clone(written)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sums differ (-want +got):\n%.2000s", diff)
	}
}

func TestABoundedJobEndsByItself(t *testing.T) {
	for _, width := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			w := newWorld(2, 500)
			w.rows = 70
			job, err := run(t, keyedPlan(w, width), inMemory())
			if err != nil {
				t.Fatal(err)
			}
			wantSums(t, w.written, 2, 500)
			if diff := cmp.Diff(map[string]int{"s0": 500, "s1": 500}, w.acked); diff != "" {
				t.Error(diff)
			}
			if job.Epochs().Commits.Load() == 0 {
				t.Error("nothing was committed")
			}
		})
	}
}

// TestAFailureGoesOnFromTheLastCommit has the output fail a few times in the middle. Rows may be written twice, with the
// sums that the state of the last commit gives; none is lost, and the final sums are as if nothing had happened.
func TestAFailureGoesOnFromTheLastCommit(t *testing.T) {
	for _, width := range []int{0, 2} {
		w := newWorld(3, 2000)
		w.rows = 50
		var failures atomic.Int32
		w.fail = func(rows int) error {
			time.Sleep(200 * time.Microsecond) // so that several epochs go by
			if n := failures.Load(); rows > 1500*int(n+1) && n < 3 {
				failures.Add(1)
				return fault.New(fault.Connect, "the output is gone")
			}
			return nil
		}
		job, err := run(t, keyedPlan(w, width), inMemory())
		if err != nil {
			t.Fatal(err)
		}
		if failures.Load() != 3 || job.Restarts() != 3 {
			t.Fatalf("failed %d times and restarted %d times, want 3", failures.Load(), job.Restarts())
		}
		seen := make(map[int64]bool)
		for _, v := range w.written {
			seen[v] = true
		}
		for n := range int64(2000) {
			for s := range int64(3) {
				if !seen[n*(s+1)] {
					t.Fatalf("width %d: sum %d of key %d was never written", width, n*(s+1), n)
				}
			}
			if seen[n*4] && n*4 >= 3*2000 {
				t.Fatalf("key %d was counted four times", n)
			}
		}
	}
}

func TestGivingUpSaysSo(t *testing.T) {
	w := newWorld(1, 10)
	w.fail = func(int) error { return fault.New(fault.Connect, "the output is gone") }
	r := keyedPlan(w, 0)
	r.Plan.Restart.Attempts = 3
	_, err := run(t, r, inMemory())
	want := "the output is gone (gave up after 3 attempts; restart.attempts in the pipeline sets how many)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if w.opened != 3 {
		t.Errorf("started %d times", w.opened)
	}
}

func TestBadRecordsFollowThePolicy(t *testing.T) {
	input := func() *world {
		w := newWorld(1, 3)
		w.inputs["s0"] = []string{"1", "x", "2"}
		return w
	}
	w := input()
	_, err := run(t, keyedPlan(w, 0), inMemory())
	if want := `s0, sequence 2: expected a number, got "x"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if w.opened != 1 {
		t.Errorf("bad data was tried %d times", w.opened)
	}

	w = input()
	r := keyedPlan(w, 0)
	r.Plan.Nodes[0].Source.OnError = plan.SetAway
	r.Plan.DeadLetter = &plan.Sink{}
	r.DeadLetter = &plan.ResolvedSink{Sink: deadSink{w}, Format: numberFormat}
	job, err := run(t, r, inMemory())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 2}, w.written); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`in | expected a number, got "x" | s0, sequence 2 | x | `}, w.dead); diff != "" {
		t.Error(diff)
	}
	if got := job.Stats()[0].Rejected.Load() + job.Stats()[1].Rejected.Load() + job.Stats()[2].Rejected.Load() + job.Stats()[3].Rejected.Load(); got != 1 {
		t.Errorf("counted %d rejected records", got)
	}
}

func TestStopDrains(t *testing.T) {
	w := newWorld(2, 1000)
	w.bounded = false
	job := runtime.New(runtime.Options{Plan: keyedPlan(w, 2), OpenStore: inMemory(), Bundle: func(string) (udf.Bundle, error) { return adder{}, nil }})
	done := make(chan error)
	go func() { done <- job.Run(t.Context()) }()
	for { // until all has been read
		w.mu.Lock()
		n := len(w.written)
		w.mu.Unlock()
		if n == 2000 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	job.Stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantSums(t, w.written, 2, 1000)
	if diff := cmp.Diff(map[string]int{"s0": 1000, "s1": 1000}, w.acked); diff != "" {
		t.Error(diff)
	}
}

func TestTheContextStopsAtOnce(t *testing.T) {
	w := newWorld(1, 10)
	w.bounded = false
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := fault.New(fault.Internal, "enough")
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	job := runtime.New(runtime.Options{Plan: keyedPlan(w, 2), OpenStore: inMemory(), Bundle: func(string) (udf.Bundle, error) { return adder{}, nil }})
	if err := job.Run(ctx); err != cause {
		t.Errorf("got %v, want %v", err, cause)
	}
}
