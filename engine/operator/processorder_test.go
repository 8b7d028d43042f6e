package operator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state/memstate"
)

// chains returns the time of each timer that fires. A row's number is how many more timers of its key come behind the one that it sets:
// the number is kept, and each timer sets the next, so many later as the key's number says. One of a time that divides by bad fails.
type chains struct {
	*fakeBundle
	bad int64
}

func (c chains) Instantiate(context.Context, udf.Options) (udf.Guest, error) {
	return chainGuest{&fakeGuest{bundle: c.fakeBundle}, c.bad}, nil
}

type chainGuest struct {
	*fakeGuest
	bad int64
}

func (g chainGuest) Bind(_ context.Context, _ string, _ udf.Kind, _ *arrow.Schema, _ json.RawMessage, st udf.State) (udf.Function, error) {
	return chain{alarm{state: st.(udf.TimedState)}, g.bad}, nil
}

type chain struct {
	alarm
	bad int64
}

func (c chain) CallAt(_ context.Context, in arrow.Record, slots []int32, times []int64, yield func(udf.Result) error) error {
	for row, n := range in.Column(0).(*array.Int64).Int64Values() {
		if err := c.state.Put(0, slots[row], []byte{byte(n)}); err != nil {
			return err
		}
		if err := c.state.SetTimer(slots[row], udf.EventTime, times[row]); err != nil {
			return err
		}
	}
	return yield(udf.Result{Record: sums(), Last: true})
}

func (c chain) Timers(_ context.Context, timers []udf.Timer, yield func(udf.Result) error) error {
	var out []int64
	var origins []int32
	for i, t := range timers {
		if c.bad > 0 && t.Time%c.bad == 0 {
			return &udf.CallError{Row: i, Err: fault.New(fault.Guest, "no good")}
		}
		out, origins = append(out, t.Time), append(origins, int32(i))
		v, ok, err := c.state.Get(0, t.Slot)
		if err != nil || !ok || v[0] == 0 {
			continue
		}
		left := v[0] - 1
		if err := c.state.Put(0, t.Slot, []byte{left}); err != nil {
			return err
		}
		// At least one later, so that there is one order of times that is right.
		if err := c.state.SetTimer(t.Slot, udf.EventTime, t.Time+1+(t.Time*7+int64(left)*13)%29); err != nil {
			return err
		}
	}
	return yield(udf.Result{Record: sums(out...), Origins: origins, Last: true})
}

// fired notes the times of the timers that have fired.
type fired struct {
	counting
	times []int64
}

func (f *fired) Batch(b *stream.Batch) error {
	f.times = append(f.times, b.Record.Column(0).(*array.Int64).Int64Values()...)
	return nil
}

// TestTimersFireInTheOrderOfTheirTimes: across keys too, and also where a timer sets one that comes before others that are due.
func TestTimersFireInTheOrderOfTheirTimes(t *testing.T) {
	for _, bad := range []int64{0, 5} {
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, 1))
			var out fired
			var stats operator.Stats
			p := &operator.Process{
				Policy: operator.Policy{Node: "p", Policy: plan.Skip, Stats: &stats}, Function: "chain", In: numbers,
				Guest: operator.NewGuest(chains{&fakeBundle{}, bad}, udf.Options{}), Clock: func() int64 { return 0 },
				State: operator.NewProcessState(operator.ProcessStateOptions{
					Store: memstate.New(), Operator: "p", States: []udf.StateDecl{{Name: "left", Type: "byte"}}, From: 0, To: 4, Limit: 1 << 20,
				}),
				TakeChanges: func(epoch uint64, s operator.Stateful) { s.Barrier(epoch) },
			}
			p.Next = &out
			if err := p.Open(context.Background()); err != nil {
				t.Fatal(err)
			}
			keys := &stream.Keys{}
			var values, times []int64
			total := 0
			for i := range 1 + rng.IntN(60) {
				key := fmt.Appendf(nil, "k%d", i)
				keys.Slots, keys.Distinct = append(keys.Slots, int32(i)), append(keys.Distinct, key)
				keys.Partitions = append(keys.Partitions, stream.Partition(key, 4))
				values, times = append(values, rng.Int64N(20)), append(times, rng.Int64N(200))
				total += int(values[i]) + 1
			}
			rec := sums(values...)
			if err := p.Batch(&stream.Batch{Record: rec, Times: times, Keys: keys}); err != nil {
				t.Fatal(err)
			}
			rec.Release()
			for _, w := range []stream.Watermark{50, 300, stream.Watermark(1 << 40)} {
				if err := p.Watermark(w); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.IsSorted(out.times) {
				t.Fatalf("bad %d, seed %d: timers fired at %d", bad, seed, out.times)
			}
			// A timer that fails ends the chain of its key.
			if bad == 0 && len(out.times) != total || bad > 0 && (stats.Rejected.Load() == 0 || len(out.times) >= total) {
				t.Errorf("bad %d, seed %d: %d timers fired and %d failed, of %d", bad, seed, len(out.times), stats.Rejected.Load(), total)
			}
		}
	}
}
