package runtime_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/udf"
)

// TestPartitionsAreFixed runs a job over the state of an earlier run that found it by other partitions.
func TestPartitionsAreFixed(t *testing.T) {
	store := inMemory()
	w := newWorld(1, 10)
	if _, err := run(t, keyedPlan(w, 0), store); err != nil {
		t.Fatal(err)
	}
	r := keyedPlan(w, 2)
	r.Plan.File, r.Plan.Positions = "p.yaml", map[string]string{"partitions": "3:13"}
	r.Plan.Partitions = 64
	_, err := run(t, r, store)
	want := "p.yaml:3:13: the job's state is kept in 128 partitions, not in 64 (set `partitions: 128`, or give the job another name to begin with empty state)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	r.Plan.Partitions = 128 // as nothing
	if _, err := run(t, r, store); err != nil {
		t.Error(err)
	}
}

// TestTheWidthMayChange goes on with other numbers of tasks, over inputs that have grown.
func TestTheWidthMayChange(t *testing.T) {
	store := inMemory()
	w := newWorld(2, 0)
	for round, width := range []int{1, 3, 0, 2} {
		for s := range w.inputs {
			w.inputs[s] = append(w.inputs[s], "1", "2", "3", "4", "5")
		}
		if _, err := run(t, keyedPlan(w, width), store); err != nil {
			t.Fatal(err)
		}
		if n := len(w.written); n != 10*(round+1) {
			t.Fatalf("%d rows were written after %d rounds", n, round+1)
		}
	}
	most := make(map[int64]bool)
	for _, v := range w.written {
		most[v] = true
	}
	for n := range int64(5) {
		if sum := (n + 1) * 8; !most[sum] {
			t.Errorf("key %d did not come to %d", n+1, sum)
		}
	}
	if diff := cmp.Diff(map[string]int{"s0": 20, "s1": 20}, w.acked); diff != "" {
		t.Error(diff)
	}
}

// TestOneBarrierIsEnough has state ask for a barrier, and again before it comes.
func TestOneBarrierIsEnough(t *testing.T) {
	w := newWorld(1, 0)
	w.inputs["s0"], w.bounded = []string{"1", "2"}, false
	r := keyedPlan(w, 0)
	r.Plan.Epoch = plan.Duration(time.Hour)
	pause := func() { time.Sleep(30 * time.Millisecond) } // for the barrier to be on its way
	job := runtime.New(runtime.Options{Plan: r, OpenStore: inMemory(), StateCache: 1,
		Bundle: func(string) (udf.Bundle, error) { return adder{pause}, nil }})
	done := make(chan error)
	go func() { done <- job.Run(t.Context()) }()
	for job.Epochs().Commits.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	pause() // for a second one that should not come
	job.Stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := job.Epochs().Commits.Load(); n != 2 {
		t.Errorf("%d commits, want the one that was asked for and the last", n)
	}
}

// TestTheCauseOfAStopIsReturned has an operator answer the end of its context in its own words.
func TestTheCauseOfAStopIsReturned(t *testing.T) {
	w := newWorld(1, 10)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := fault.New(fault.Connect, "stopped by hand")
	w.fail = func(int) error {
		cancel(cause)
		return fault.New(fault.Internal, "the call was stopped")
	}
	job := runtime.New(runtime.Options{Plan: keyedPlan(w, 0), OpenStore: inMemory(), Bundle: func(string) (udf.Bundle, error) { return adder{}, nil }})
	if err := job.Run(ctx); err != cause {
		t.Errorf("got %v, want %v", err, cause)
	}
}
