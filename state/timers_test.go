package state_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// timerKey is a timer by value.
type timerKey struct {
	time    int64
	key, ns string
}

func (k timerKey) timer() state.Timer {
	return state.Timer{Time: k.time, Partition: partitionOf(k.key), Key: []byte(k.key), Namespace: []byte(k.ns)}
}

func partitionOf(key string) uint16 { return uint16(len(key) % 4) }

func compareTimers(a, b timerKey) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.key, b.key), cmp.Compare(a.ns, b.ns))
}

// TestTimersAreASortedSet compares timers with a set, through commits, crashes and changes of who owns them.
func TestTimersAreASortedSet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(rapid.SampledFrom([]int{1, 1 << 20}).Draw(rt, "limit"))
		most := rapid.SampledFrom([]int{2, 8, 100}).Draw(rt, "head")
		open := func() *state.Timers { return state.NewTimers(r.overlay, "op", state.EventTimers, 0, 4, most) }
		timers := open()
		now, stored := map[timerKey]bool{}, map[timerKey]bool{}
		var waiting []map[timerKey]bool // what the epochs left behind that are not committed yet
		draw := func(rt *rapid.T) timerKey {
			return timerKey{rapid.OneOf(rapid.Int64Range(0, 300), rapid.SampledFrom([]int64{math.MinInt64, -1, math.MaxInt64})).Draw(rt, "time"),
				rapid.SampledFrom([]string{"", "a", "b", "\x00", "aa", "\x00\x01", "bbb"}).Draw(rt, "key"), rapid.SampledFrom([]string{"", "w", "w2"}).Draw(rt, "ns")}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"set": func(rt *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(rt, "n") {
					k := draw(rt)
					if err := timers.Set(k.timer()); err != nil {
						rt.Fatal(err)
					}
					now[k] = true
				}
			},
			"delete": func(rt *rapid.T) {
				k := draw(rt)
				if err := timers.Delete(k.timer()); err != nil {
					rt.Fatal(err)
				}
				delete(now, k)
			},
			"due": func(rt *rapid.T) {
				at := rapid.Int64Range(-2, 300).Draw(rt, "now")
				for range rapid.IntRange(1, 30).Draw(rt, "n") {
					var due []timerKey
					for k := range now {
						if k.time <= at {
							due = append(due, k)
						}
					}
					slices.SortFunc(due, compareTimers)
					got, ok, err := timers.Due(at)
					if err != nil || ok != (len(due) > 0) {
						rt.Fatalf("got %v %v, want %v", ok, err, due)
					}
					if !ok {
						break
					}
					if want := due[0].timer(); fmt.Sprint(got) != fmt.Sprint(want) {
						rt.Fatalf("got %v, want %v", got, want)
					}
					delete(now, due[0])
				}
			},
			"barrier": func(*rapid.T) {
				r.barrier()
				waiting = append(waiting, mapsClone(now))
			},
			"commit": func(rt *rapid.T) {
				if len(waiting) > 0 {
					r.commit(rt)
					stored, waiting = waiting[0], waiting[1:]
				}
			},
			"commit all": func(rt *rapid.T) {
				r.all(rt)
				stored, waiting = mapsClone(now), nil
			},
			"crash": func(rt *rapid.T) {
				r.crash(rt)
				timers, now, waiting = open(), mapsClone(stored), nil
			},
			"next": func(rt *rapid.T) {
				want := int64(math.MaxInt64)
				for k := range now {
					want = min(want, k.time)
				}
				if got, err := timers.Next(); err != nil || got != want {
					rt.Fatalf("next is %d %v, want %d", got, err, want)
				}
			},
		})
	})
}

func mapsClone(m map[timerKey]bool) map[timerKey]bool {
	c := make(map[timerKey]bool, len(m))
	for k := range m {
		c[k] = true
	}
	return c
}

// TestTimersThatComeAndGoAreNotWritten sets timers and lets them go again within an epoch, and the other way round.
func TestTimersThatComeAndGoAreNotWritten(t *testing.T) {
	r := newRig(1 << 20)
	timers := state.NewTimers(r.overlay, "op", state.EventTimers, 0, 4, 0)
	if _, err := timers.Next(); err != nil { // from here on it is known that the store has none
		t.Fatal(err)
	}
	fired, deleted := timerKey{5, "fired", ""}, timerKey{6, "deleted", "w"}
	for _, k := range []timerKey{fired, deleted} {
		if err := timers.Set(k.timer()); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := timers.Due(5); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := timers.Delete(deleted.timer()); err != nil {
		t.Fatal(err)
	}
	if changes := r.overlay.Barrier(1); len(changes) > 0 {
		t.Errorf("changes: %q", changes)
	}
	if err := timers.Set(fired.timer()); err != nil {
		t.Fatal(err)
	}
	if changes := r.overlay.Barrier(2); len(changes) != 1 {
		t.Errorf("changes: %q", changes)
	}
	if err := timers.Delete(fired.timer()); err != nil {
		t.Fatal(err)
	}
	if err := timers.Set(fired.timer()); err != nil {
		t.Fatal(err)
	}
	if changes := r.overlay.Barrier(3); len(changes) > 0 {
		t.Errorf("changes: %q", changes)
	}
}

// TestManyTimersTakeLittleMemory sets many timers in epochs and fires all of them in order.
func TestManyTimersTakeLittleMemory(t *testing.T) {
	const n = 40_000
	r := newRig(8 << 20)
	timers := state.NewTimers(r.overlay, "op", state.EventTimers, 0, 4, 4096)
	for i := range n {
		k := timerKey{int64(i*7919%n) + 1, fmt.Sprint("key ", i%1000), ""}
		if err := timers.Set(k.timer()); err != nil {
			t.Fatal(err)
		}
		if i%8_000 == 0 {
			r.all(t)
		}
	}
	r.all(t)
	last := int64(0)
	for i := range n {
		tm, ok, err := timers.Due(math.MaxInt64)
		if err != nil || !ok || tm.Time != last+1 {
			t.Fatalf("timer %d: got %v %v %v", i, tm, ok, err)
		}
		last = tm.Time
		if i%8_000 == 0 {
			r.all(t)
		}
		if r.overlay.Bytes() > 16<<20 {
			t.Fatalf("%d bytes are at hand", r.overlay.Bytes())
		}
	}
	if _, ok, err := timers.Due(math.MaxInt64); ok || err != nil {
		t.Fatalf("there are more timers: %v", err)
	}
}

// BenchmarkTimers sets a million timers and fires them. Its time goes into the tree of uncommitted keys, and into reading them
// back from the store.
func BenchmarkTimers(b *testing.B) {
	const n = 1_000_000
	for range b.N {
		store := memstate.New()
		o := state.NewOverlay(store, 64<<20, 0, nil)
		timers := state.NewTimers(o, "op", state.EventTimers, 0, 128, 0)
		key := make([]byte, 0, 16)
		for i := range n {
			key = fmt.Appendf(key[:0], "key%07d", i%100_000)
			if err := timers.Set(state.Timer{Time: int64(i*7919%n) + 1, Partition: uint16(i % 128), Key: key}); err != nil {
				b.Fatal(err)
			}
		}
		for range n {
			if _, ok, err := timers.Due(math.MaxInt64); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "timers/s")
}
