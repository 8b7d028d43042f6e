package conformance_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
)

// TestFuelIsExact makes the same calls in two guests, one of which starts when the other has worked.
func TestFuelIsExact(t *testing.T) {
	b, err := load(t, newHost(t, wasmhost.Options{}), "reference.c")
	if err != nil {
		t.Fatal(err)
	}
	spend := func() (start uint64, calls []uint64) {
		g, err := b.Instantiate(t.Context(), udf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close(t.Context())
		rec := pairs(memory.DefaultAllocator, 100)
		defer rec.Release()
		f := bind(t, g, "gcd", rec.Schema())
		start = g.Stats().Fuel
		for range 5 {
			before := g.Stats().Fuel
			if err := f.Call(t.Context(), rec, nil, func(udf.Result) error { return nil }); err != nil {
				t.Fatal(err)
			}
			calls = append(calls, g.Stats().Fuel-before)
		}
		return start, calls
	}
	start, calls := spend()
	again, callsAgain := spend()
	if start == 0 || start != again {
		t.Errorf("starting cost %d, then %d", start, again)
	}
	for i := range calls {
		if calls[i] < 100*100 || calls[i] != callsAgain[i] {
			t.Errorf("call %d cost %d, then %d", i, calls[i], callsAgain[i])
		}
	}
	if calls[3] != calls[4] { // the first ones take memory
		t.Errorf("the same call cost %d, then %d", calls[3], calls[4])
	}
}

func TestABudgetOfFuel(t *testing.T) {
	b, err := load(t, newHost(t, wasmhost.Options{}), "hostile.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"spin", "calls", "random_large", "log_forever", "state_forever"} {
		err, broken := provoke(t, b, name, udf.Options{Fuel: 3_000_000})
		want := "function " + name + ", wasmill_call: the guest was stopped after 3000000 units of fuel: its budget for one call is spent " +
			"(raise its budget of fuel, or give the function less to do)"
		var failed *udf.CallError
		if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Limit || !broken || !errors.As(err, &failed) {
			t.Errorf("broken %v, got %v\nwant %s", broken, err, want)
		}
	}
	// The budget is one call's, and not the guest's.
	b, err = load(t, newHost(t, wasmhost.Options{}), "reference.c")
	if err != nil {
		t.Fatal(err)
	}
	g, err := b.Instantiate(t.Context(), udf.Options{Fuel: 200_000})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(t.Context())
	rec := pairs(memory.DefaultAllocator, 100)
	defer rec.Release()
	f := bind(t, g, "add", rec.Schema())
	for g.Stats().Fuel < 500_000 {
		if err := f.Call(t.Context(), rec, nil, func(udf.Result) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// TestANeighbourIsNotHeldUp lets a guest spin while another works and the garbage collector runs, which waits for every
// goroutine to come by.
func TestANeighbourIsNotHeldUp(t *testing.T) {
	host := newHost(t, wasmhost.Options{})
	hostile, err := load(t, host, "hostile.c")
	if err != nil {
		t.Fatal(err)
	}
	sound, err := load(t, host, "reference.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"spin", "calls"} {
		g, err := hostile.Instantiate(t.Context(), udf.Options{CallTimeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		rec := record(t, memory.DefaultAllocator, hostile.Functions()[1].In)
		f := bind(t, g, name, rec.Schema())
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- f.Call(ctx, rec, nil, func(udf.Result) error { return nil }) }()
		neighbour, err := sound.Instantiate(t.Context(), udf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		numbers := pairs(memory.DefaultAllocator, 1000)
		work := bind(t, neighbour, "gcd", numbers.Schema())
		for range 20 {
			runtime.GC()
			if err := work.Call(t.Context(), numbers, nil, func(udf.Result) error { return nil }); err != nil {
				t.Error(err)
			}
		}
		select {
		case err := <-ended:
			t.Errorf("%s ended by itself: %v", name, err)
		default:
			stop()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		stop()
		numbers.Release()
		rec.Release()
		for _, g := range []udf.Guest{g, neighbour} {
			if err := g.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}
