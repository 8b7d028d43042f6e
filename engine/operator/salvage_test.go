package operator_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state/memstate"
)

// twoInOneGuest is a chain of two functions that run in one guest.
func twoInOneGuest(t *testing.T, b *fakeBundle, first, second *operator.Call) {
	t.Helper()
	first.Next = second
	second.Guest = first.Guest
	for _, c := range []*operator.Call{second, first} {
		if err := c.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRowsBehindBreakTheGuestOfRowsBefore has functions give their results in many steps, while rows of them break the guest
// further down the chain. The first function's policy has no say in it: none of its rows failed.
func TestRowsBehindBreakTheGuestOfRowsBefore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 9), 1, 20).Draw(rt, "values")
		b := &fakeBundle{poison: map[int64]bool{}, step: rapid.IntRange(1, 7).Draw(rt, "step")}
		for _, v := range rapid.SliceOfN(rapid.Int64Range(0, 29), 0, 6).Draw(rt, "poison") {
			b.poison[10000+v/10*1000*10+v%10*10] = true // what the first functions make of v
			b.poison[10000+v%10+v/10*1000] = true
		}
		kind := rapid.SampledFrom([]plan.Kind{plan.KindMap, plan.KindScalar, plan.KindFlatMap}).Draw(rt, "kind")
		policy := rapid.SampledFrom([]plan.Policy{plan.Fail, plan.Skip}).Draw(rt, "policy")
		var want []int64
		for i := range values {
			values[i] += 10000
			switch made := values[i]; kind {
			case plan.KindFlatMap:
				for j := range int64(3) {
					if !b.poison[made+j*1000] {
						want = append(want, (made+j*1000)*10)
					}
				}
			default:
				if !b.poison[made*10] {
					want = append(want, made*100)
				}
			}
		}
		function := map[plan.Kind]string{plan.KindMap: "map", plan.KindScalar: "scalar", plan.KindFlatMap: "spread"}[kind]
		if kind != plan.KindFlatMap {
			for _, v := range values {
				delete(b.poison, v) // would break the first function itself
			}
		}
		out := &collect{}
		first := newCall(b, kind, function, policy, nil, nil)
		twoInOneGuest(t, b, first, newCall(b, plan.KindMap, "map", plan.Skip, out, nil))
		for range 2 {
			if err := first.Batch(&stream.Batch{Record: record(values), Volatile: true}); err != nil {
				rt.Fatal(err)
			}
			first.Guest.Sweep(t.Context())
		}
		if want = slices.Concat(want, want); !slices.Equal(out.values, want) {
			rt.Fatalf("%s: got %v, want %v", kind, out.values, want)
		}
		if n := first.Stats.Rejected.Load(); n != 0 {
			rt.Fatalf("%d rows of the first function were rejected", n)
		}
	})
}

// TestBothFail has rows fail in both functions of a guest: each row goes to the policy once, in the function that it failed in.
func TestBothFail(t *testing.T) {
	for step := 1; step < 10; step++ {
		b := &fakeBundle{bad: map[int64]bool{3: true}, poison: map[int64]bool{1002: true, 4: true}, step: step}
		out := &collect{}
		first := newCall(b, plan.KindFlatMap, "spread", plan.Skip, nil, nil)
		second := newCall(b, plan.KindMap, "map", plan.Skip, out, nil)
		twoInOneGuest(t, b, first, second)
		if err := first.Batch(&stream.Batch{Record: record([]int64{1, 2, 3, 4, 5})}); err != nil {
			t.Fatal(err)
		}
		want := []int64{10, 10010, 20010, 20, 20020, 10040, 20040, 50, 10050, 20050}
		if !slices.Equal(out.values, want) {
			t.Errorf("step %d: got %v, want %v", step, out.values, want)
		}
		if a, b := first.Stats.Rejected.Load(), second.Stats.Rejected.Load(); a != 1 || b != 2 {
			t.Errorf("step %d: %d and %d rows were rejected, want 1 and 2", step, a, b)
		}
	}
}

// TestManyPoisonedRowsKeepFewGuests has every row of a batch break its guest.
func TestManyPoisonedRowsKeepFewGuests(t *testing.T) {
	b := &fakeBundle{poison: map[int64]bool{}}
	var values []int64
	for v := range int64(500) {
		values = append(values, v)
		b.poison[v] = true
	}
	c := newCall(b, plan.KindMap, "map", plan.Skip, &collect{}, nil)
	if err := c.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Batch(&stream.Batch{Record: record(values), Volatile: true}); err != nil {
		t.Fatal(err)
	}
	if b.started < 500 || b.most > 3 {
		t.Errorf("%d guests were started and %d open at once, want 500 or more and at most 3", b.started, b.most)
	}
	c.Guest.Close(t.Context())
	if b.open != 0 {
		t.Errorf("%d guests are left open", b.open)
	}
}

// TestSpoiledRowsAreNotRead has guests change rows at every entry that comes between a check and a use.
func TestSpoiledRowsAreNotRead(t *testing.T) {
	t.Run("held steps", func(t *testing.T) {
		b := &fakeBundle{step: 1}
		first := newCall(b, plan.KindKeyedMap, "sum", plan.Skip, nil, nil)
		first.State = operator.NewKeyedState(memstate.New(), "step", []udf.StateDecl{{Name: "sum", Type: "int64"}}, 1<<20, 0, nil)
		twoInOneGuest(t, b, first, newCall(b, plan.KindMap, "spoil", plan.Skip, &collect{}, nil))
		wantSpoiled(t, keyBy(t, first).Batch(&stream.Batch{Record: record([]int64{1, 2})}))
	})
	t.Run("a filter without room", func(t *testing.T) {
		c := newCall(&fakeBundle{small: true}, plan.KindFilter, "filter", plan.Skip, &collect{}, nil)
		c.Arena = true
		if err := c.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSpoiled(t, c.Batch(&stream.Batch{Record: record([]int64{1, 2}), Volatile: true}))
	})
	t.Run("a scalar in steps", func(t *testing.T) {
		b := &fakeBundle{step: 1}
		first := newCall(b, plan.KindScalar, "scalar", plan.Skip, nil, nil)
		twoInOneGuest(t, b, first, newCall(b, plan.KindMap, "spoil", plan.Skip, &collect{}, nil))
		wantSpoiled(t, first.Batch(&stream.Batch{Record: record([]int64{1, 2}), Volatile: true}))
	})
}

func wantSpoiled(t *testing.T, err error) {
	t.Helper()
	if want := "p.yaml:3:5: spoiled"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
