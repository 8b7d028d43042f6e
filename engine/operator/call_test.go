package operator_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state/memstate"
)

func newCall(b *fakeBundle, kind plan.Kind, function string, policy plan.Policy, next stream.Output, dead operator.Rejects) *operator.Call {
	return &operator.Call{
		Forward:  stream.Forward{Next: next},
		Policy:   operator.Policy{Node: "step", Policy: policy, Rejects: dead, Stats: &operator.Stats{}},
		Kind:     kind,
		Function: function,
		Where:    "p.yaml:3:5",
		Guest:    operator.NewGuest(b, udf.Options{}),
		In:       numbers,
		Out:      numbers,
	}
}

func TestFailEndsWithTheRow(t *testing.T) {
	c := newCall(&fakeBundle{bad: map[int64]bool{3: true}}, plan.KindMap, "map", plan.Fail, &collect{}, nil)
	if err := c.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := c.Batch(&stream.Batch{Record: record([]int64{1, 2, 3})})
	if want := "p.yaml:3:5, function map, row 2 of the batch: no good"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestBadRowsAreSetAside(t *testing.T) {
	var dead letters
	out := &collect{}
	c := newCall(&fakeBundle{bad: map[int64]bool{3: true}, poison: map[int64]bool{5: true}}, plan.KindMap, "map", plan.SetAway, out, &dead)
	if err := c.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Batch(&stream.Batch{Record: record([]int64{1, 2, 3, 4, 5, 6}), Times: []int64{11, 12, 13, 14, 15, 16}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{10, 20, 40, 60}, out.values); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{11, 12, 14, 16}, out.times); diff != "" {
		t.Error(diff)
	}
	want := letters{
		`step: p.yaml:3:5, function map, row 2 of the batch: no good: {"n":3}`,
		`step: p.yaml:3:5, function map, row 4 of the batch: no good: {"n":5}`,
	}
	if diff := cmp.Diff(want, dead); diff != "" {
		t.Error(diff)
	}
	if got := c.Stats.Rejected.Load(); got != 2 {
		t.Errorf("counted %d rejected rows", got)
	}
}

// TestNoRowIsLostOrDoubled runs random rows, some bad and some that break the guest, through every kind of function in steps
// of every size, and compares with the plain meaning of the function.
func TestNoRowIsLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 30), 1, 60).Draw(rt, "values")
		pick := func(name string) map[int64]bool {
			set := map[int64]bool{}
			for _, v := range rapid.SliceOfN(rapid.Int64Range(0, 30), 0, 6).Draw(rt, name) {
				set[v] = true
			}
			return set
		}
		b := &fakeBundle{bad: pick("bad"), poison: pick("poison"), step: rapid.IntRange(0, 7).Draw(rt, "step")}
		kind := rapid.SampledFrom([]plan.Kind{plan.KindMap, plan.KindFlatMap, plan.KindFilter, plan.KindScalar, plan.KindKeyedMap}).Draw(rt, "kind")
		function := map[plan.Kind]string{plan.KindMap: "map", plan.KindFlatMap: "twice", plan.KindFilter: "filter",
			plan.KindScalar: "scalar", plan.KindKeyedMap: "sum"}[kind]
		out := &collect{}
		c := newCall(b, kind, function, plan.Skip, out, nil)
		var head stream.Output = c
		if kind == plan.KindKeyedMap {
			store := memstate.New()
			c.State = operator.NewKeyedState(store, "step", []udf.StateDecl{{Name: "sum", Type: "int64"}}, 1<<20, 0, nil)
			encoder, err := stream.NewKeyEncoder(numbers, []string{"n"})
			if err != nil {
				rt.Fatal(err)
			}
			head = &operator.KeyBy{Forward: stream.Forward{Next: c}, Stats: &operator.Stats{}, Encoder: encoder, Partitions: 128}
		}
		if err := c.Open(t.Context()); err != nil {
			rt.Fatal(err)
		}
		var want []int64
		sums := map[int64]int64{}
		for _, v := range values {
			if b.bad[v] || b.poison[v] {
				continue
			}
			switch kind {
			case plan.KindMap, plan.KindScalar:
				want = append(want, v*10)
			case plan.KindFlatMap:
				want = append(want, v, v)
			case plan.KindFilter:
				if v%2 == 0 {
					want = append(want, v)
				}
			case plan.KindKeyedMap:
				sums[v] += v
				want = append(want, sums[v])
			}
		}
		// In two batches, so that state and a replaced guest are used again.
		half := len(values) / 2
		for _, part := range [][]int64{values[:half], values[half:]} {
			if len(part) == 0 {
				continue
			}
			if err := head.Batch(&stream.Batch{Record: record(part), Volatile: true}); err != nil {
				rt.Fatal(err)
			}
			c.Guest.Sweep(t.Context())
		}
		if !slices.Equal(out.values, want) {
			rt.Fatalf("%s: got %v, want %v", kind, out.values, want)
		}
	})
}

// TestAGuestBrokenFromBehindLosesNothing has a function further down the chain break the guest that both run in.
func TestAGuestBrokenFromBehindLosesNothing(t *testing.T) {
	for _, step := range []int{0, 1, 2} {
		b := &fakeBundle{poison: map[int64]bool{20: true}, step: step}
		out := &collect{}
		second := newCall(b, plan.KindMap, "map", plan.Skip, out, nil)
		first := newCall(b, plan.KindMap, "map", plan.Skip, second, nil)
		second.Guest = first.Guest
		for _, c := range []*operator.Call{first, second} {
			if err := c.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := first.Batch(&stream.Batch{Record: record([]int64{1, 2, 3, 4}), Volatile: true}); err != nil {
				t.Fatal(err)
			}
			first.Guest.Sweep(t.Context())
		}
		if diff := cmp.Diff([]int64{100, 300, 400, 100, 300, 400}, out.values); diff != "" {
			t.Errorf("step %d: %s", step, diff)
		}
	}
}
