package operator

import (
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/engine/stream"
)

// Stats counts the work of one operator of one task. Any goroutine may read it.
type Stats struct {
	// Node is the operator's id in the plan, Kind its kind, Task the number of its task.
	Node, Kind string
	Task       int

	RowsIn, RowsOut, Batches atomic.Uint64
	// BytesIn counts the bytes that a source read.
	BytesIn atomic.Uint64
	// Rejected counts rows or records that failed and were skipped or set aside.
	Rejected atomic.Uint64
	// Late counts rows that came after the end of their windows.
	Late atomic.Uint64
	// CopiedBytes counts bytes of columns that had to be copied into a guest, GuestBytes its memory, Guests how many were started.
	CopiedBytes, GuestBytes, Guests atomic.Uint64
	// Fuel is what the function used, in units of package wasmhost/admit.
	Fuel atomic.Uint64
	// Watermark is the operator's event time in milliseconds.
	Watermark atomic.Int64
	// busy is the time spent here and below; below is the part spent in the operators behind this one.
	busy, below atomic.Int64
}

// Busy returns the time spent in the operator itself, without the ones behind it in its chain.
func (s *Stats) Busy() time.Duration { return time.Duration(s.busy.Load() - s.below.Load()) }

// enter counts a batch and starts the clock that leave stops.
func (s *Stats) enter(rows int) time.Time {
	s.RowsIn.Add(uint64(rows))
	s.Batches.Add(1)
	return time.Now()
}

func (s *Stats) leave(start time.Time) { s.busy.Add(int64(time.Since(start))) }

// AddBusy counts time that a source spent reading and decoding.
func (s *Stats) AddBusy(d time.Duration) { s.busy.Add(int64(d)) }

// Pass hands a batch to the next operator, and leaves the time spent there out of this one's.
func (s *Stats) Pass(next stream.Output, b *stream.Batch) error {
	s.RowsOut.Add(uint64(b.Rows()))
	start := time.Now()
	err := next.Batch(b)
	s.below.Add(int64(time.Since(start)))
	return err
}
