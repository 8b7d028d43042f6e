package badgerdb

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/wasmill/wasmill/state"
)

// BenchmarkTimers sets a million timers of a hundred thousand keys and fires all of them in order, with a commit every 100,000,
// beside which it goes on as a job does. Most of its time goes into the commits; little memory is taken, for all but the first
// timers are in the store alone.
func BenchmarkTimers(b *testing.B) {
	const n, each = 1_000_000, 100_000
	for b.Loop() {
		s, err := Open(Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		o := state.NewOverlay(s, 64<<20, 0, nil)
		timers := state.NewTimers(o, "op", state.EventTimers, 0, 128, 0)
		epoch, most := uint64(0), 0
		committed := make(chan error, 1)
		committed <- nil
		commit := func() {
			if err := <-committed; err != nil {
				b.Fatal(err)
			}
			epoch++
			most = max(most, o.Bytes())
			c := state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: o.Barrier(epoch)}
			go func() {
				err := s.Commit(context.Background(), c)
				o.Committed(c.Epoch)
				committed <- err
			}()
		}
		key := make([]byte, 0, 16)
		for i := range n {
			key = fmt.Appendf(key[:0], "key%07d", i%100_000)
			if err := timers.Set(state.Timer{Time: int64(i*7919%n) + 1, Partition: uint16(i % 128), Key: key}); err != nil {
				b.Fatal(err)
			}
			if i%each == each-1 {
				commit()
			}
		}
		last := int64(0)
		for i := range n {
			t, ok, err := timers.Due(math.MaxInt64)
			if err != nil || !ok || t.Time < last {
				b.Fatal(t, ok, err)
			}
			last = t.Time
			if i%each == each-1 {
				commit()
			}
		}
		if err := <-committed; err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(most)/(1<<20), "MB")
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "timers/s")
}
