package operator

import (
	"context"
	"errors"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/window"
	"github.com/wasmill/wasmill/state"
)

// Stateful is what hands over its changes at a barrier.
type Stateful interface {
	// Barrier closes the epoch and returns what it changed.
	Barrier(epoch uint64) []state.Change
	// Committed says that the store holds the epoch. It may be called from any goroutine.
	Committed(epoch uint64)
}

// Timed is an operator that acts when processing time goes on, without any row.
type Timed interface {
	// Tick says that processing time is now, in milliseconds since 1970 UTC, and returns how many timers fired.
	Tick(now int64) (fired int, err error)
}

var _ Timed = (*Window)(nil)

// Window aggregates the rows of each key in windows.
type Window struct {
	stream.Forward
	Policy
	// Where is the step's position in the user's file; may be empty.
	Where string
	Logic window.Logic
	// EventTime says that windows are spans of event time, which every row must have.
	EventTime bool
	// Listed says that the windows of a key's panes are kept as a list: because they merge, or overlap.
	Listed bool
	// Keep is how many rows a window has at most: the last ones; 0: all.
	Keep int
	// Running emits results as rows of their own: without the columns of the window, at the time of the row that brought them.
	Running    bool
	Aggregates *aggregate.Set
	// All takes the rows as those of one key, whose columns do not come out.
	All bool
	// Out is what is passed on: the columns of the key, window_start and window_end (unless Running), the aggregates.
	Out *arrow.Schema
	// Late receives rows that came too late; nil: they are counted alone.
	Late stream.Output
	// Gap is the column of a session's gap, -1 for none.
	Gap  int
	Gaps *Gaps
	// State keeps what the operator remembers.
	State *WindowState
	// Now tells processing time in ms.
	Now func() int64
	// TakeChanges receives what an epoch changed.
	TakeChanges func(epoch uint64, s Stateful)
	// Reached is how far event time has come.
	Reached Reached

	watermark int64
	now       int64
	row       int
	key       *windowKey
	slots     []*windowKey
	late      []int32
	results   *results
	scratch   aggregate.Row
}

// oneKey are the keys of rows that have none.
var oneKey = [][]byte{{}}

// Open prepares the results.
func (w *Window) Open(context.Context) error {
	w.watermark, w.now = w.Reached.open(), w.Now()
	w.results = newResults(w.Out, w.Running, w.Aggregates)
	return nil
}

// Close frees the results.
func (w *Window) Close() error {
	if w.results != nil {
		w.results.builder.Release()
	}
	return nil
}

// Batch adds the rows to their windows.
func (w *Window) Batch(b *stream.Batch) error {
	start := w.Stats.enter(b.Rows())
	defer w.Stats.leave(start)
	w.now = max(w.now, w.Now())
	if err := w.begin(b); err != nil {
		return err
	}
	w.Aggregates.Bind(b.Record)
	if w.Gaps != nil {
		w.Gaps.bind(b.Record.Column(w.Gap))
	}
	for row := range b.Rows() {
		ts := stream.NoTime
		if b.Times != nil {
			ts = b.Times[row]
		}
		slot := 0
		if !w.All {
			slot = int(b.Keys.Slots[row])
		}
		w.key, w.row, w.results.time = w.slots[slot], row, ts
		late, err := false, error(nil)
		if ts == stream.NoTime && w.EventTime {
			err = &rowError{fault.New(fault.Decode, "the row has no event time").WithHint("fill the column of event times, or set `time: processing`")}
		} else {
			if w.Gaps != nil {
				w.Gaps.row = row
			}
			late, err = w.Logic.Element(windowHost{w}, ts)
		}
		var bad *rowError
		if errors.As(err, &bad) {
			text := RowText(b.Record, row)
			err = w.Apply(withRow(fault.From(w.placed(bad.fault)), text), text)
		}
		if err != nil {
			return w.placed(err)
		}
		if late {
			w.late = append(w.late, int32(row))
		}
	}
	if err := w.passLate(b); err != nil {
		return err
	}
	return w.flush()
}

// rowError is a fault of the row at hand alone.
type rowError struct{ fault *fault.Fault }

func (e *rowError) Error() string { return e.fault.Error() }

func (w *Window) begin(b *stream.Batch) error {
	distinct, partitions := oneKey, []uint16{0}
	if !w.All {
		distinct, partitions = b.Keys.Distinct, b.Keys.Partitions
	}
	w.State.makeRoom()
	w.slots = w.slots[:0]
	for i, key := range distinct {
		w.slots = append(w.slots, w.State.key(key, partitions[i]))
	}
	return nil
}

func (w *Window) passLate(b *stream.Batch) error {
	if len(w.late) == 0 {
		return nil
	}
	rows := w.late
	w.late = w.late[:0]
	w.Stats.Late.Add(uint64(len(rows)))
	if w.Late == nil {
		return nil
	}
	part := b.Take(memory.DefaultAllocator, rows)
	defer part.Release()
	return w.Late.Batch(part)
}

func (w *Window) placed(err error) error {
	var f *fault.Fault
	if w.Where == "" || !errors.As(err, &f) {
		return err
	}
	return f.At("%s", w.Where)
}

// flush passes the results on.
func (w *Window) flush() error {
	b := w.results.take()
	if b == nil {
		return nil
	}
	defer b.Release()
	return w.Stats.Pass(w.Next, b)
}

// Watermark fires what falls due.
func (w *Window) Watermark(to stream.Watermark) error {
	to = w.Reached.pass(to)
	w.watermark = int64(to)
	w.Stats.Watermark.Store(w.watermark)
	start := time.Now()
	_, err := w.fire(window.EventTime, w.watermark)
	w.Stats.AddBusy(time.Since(start))
	if err != nil {
		return err
	}
	if w.Late != nil {
		if err := w.Late.Watermark(to); err != nil {
			return err
		}
	}
	return w.Next.Watermark(to)
}

// Tick implements Timed.
func (w *Window) Tick(now int64) (int, error) {
	w.now = max(w.now, now)
	return w.fire(window.ProcessingTime, w.now-1) // a millisecond has to be over
}

// fire deals with the timers of a domain that are due.
func (w *Window) fire(d window.Domain, until int64) (fired int, err error) {
	timers := w.State.timers[d]
	if timers == nil {
		return 0, nil
	}
	for {
		t, ok, err := timers.Due(until)
		if err != nil {
			return fired, err
		}
		if !ok {
			return fired, w.flush()
		}
		win, err := window.Read(t.Namespace)
		if err != nil {
			return fired, err
		}
		w.key, w.results.time = w.State.key(t.Key, t.Partition), win.Last()
		if err := w.Logic.Timer(windowHost{w}, d, t.Time, win); err != nil {
			return fired, w.placed(err)
		}
		if fired++; fired%1024 == 0 {
			w.State.makeRoom()
		}
	}
}

// Status passes the status on.
func (w *Window) Status(active bool) error {
	return w.both(func(o stream.Output) error { return o.Status(active) })
}

// End passes the end on.
func (w *Window) End() error { return w.both(func(o stream.Output) error { return o.End() }) }

// Barrier hands over the epoch's changes.
func (w *Window) Barrier(epoch uint64, drain bool) error {
	if err := w.State.store(epoch); err != nil {
		return w.placed(err)
	}
	w.TakeChanges(epoch, w.State.overlay)
	w.Reached.barrier()
	return w.both(func(o stream.Output) error { return o.Barrier(epoch, drain) })
}

func (w *Window) both(do func(stream.Output) error) error {
	if w.Late != nil {
		if err := do(w.Late); err != nil {
			return err
		}
	}
	return do(w.Next)
}
