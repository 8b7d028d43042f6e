package operator_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// alarms sums the numbers of a key, asks for a timer ten behind each row's event time, and one of processing time five on. When one
// fires it returns the sum, and the one of event time sets another ten later while the sum is below a hundred. A number of -1
// deletes the timer of event time 20, and one of -2 fails, after it has written.
type alarms struct{ *fakeBundle }

func (a alarms) Instantiate(context.Context, udf.Options) (udf.Guest, error) {
	return alarmGuest{&fakeGuest{bundle: a.fakeBundle}}, nil
}

type alarmGuest struct{ *fakeGuest }

func (g alarmGuest) Bind(_ context.Context, _ string, _ udf.Kind, _ *arrow.Schema, _ json.RawMessage, st udf.State) (udf.Function, error) {
	return alarm{state: st.(udf.TimedState)}, nil
}

type alarm struct{ state udf.TimedState }

func (alarm) Out() *arrow.Schema         { return numbers }
func (alarm) Recheck(arrow.Record) error { return nil }
func (f alarm) Call(ctx context.Context, in arrow.Record, slots []int32, yield func(udf.Result) error) error {
	return f.CallAt(ctx, in, slots, nil, yield)
}

func (f alarm) sum(slot int32) int64 {
	v, ok, _ := f.state.Get(0, slot)
	if !ok {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(v))
}

func (f alarm) CallAt(_ context.Context, in arrow.Record, slots []int32, times []int64, yield func(udf.Result) error) error {
	for row, n := range in.Column(0).(*array.Int64).Int64Values() {
		slot := slots[row]
		if err := f.state.Put(0, slot, binary.LittleEndian.AppendUint64(nil, uint64(f.sum(slot)+n))); err != nil {
			return err
		}
		at := f.state.SetTimer(slot, udf.EventTime, times[row]+10)
		switch n {
		case -1:
			at = f.state.DeleteTimer(slot, udf.EventTime, 20)
		case -2:
			return &udf.CallError{Row: row, Err: fault.New(fault.Guest, "no good")}
		}
		if at != nil {
			return at
		}
		if err := f.state.SetTimer(slot, udf.ProcessingTime, f.state.Now()+5); err != nil {
			return err
		}
	}
	return yield(udf.Result{Record: sums(), Last: true})
}

func (f alarm) Timers(_ context.Context, timers []udf.Timer, yield func(udf.Result) error) error {
	var out []int64
	var origins []int32
	for i, t := range timers {
		out, origins = append(out, f.sum(t.Slot)), append(origins, int32(i))
		if t.Domain == udf.EventTime && f.sum(t.Slot) < 100 {
			if err := f.state.SetTimer(t.Slot, udf.EventTime, t.Time+10); err != nil {
				return err
			}
			if err := f.state.Put(0, t.Slot, binary.LittleEndian.AppendUint64(nil, uint64(f.sum(t.Slot)+50))); err != nil {
				return err
			}
		}
	}
	return yield(udf.Result{Record: sums(out...), Origins: origins, Last: true})
}

func sums(values ...int64) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, numbers)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	return b.NewRecord()
}

// heard notes results with their times, and watermarks.
type heard struct {
	counting
	lines []string
}

func (h *heard) Batch(b *stream.Batch) error {
	for row, n := range b.Record.Column(0).(*array.Int64).Int64Values() {
		at := "none"
		if b.Times[row] != stream.NoTime {
			at = fmt.Sprint(b.Times[row])
		}
		h.lines = append(h.lines, fmt.Sprintf("%d at %s", n, at))
	}
	return nil
}

func (h *heard) Watermark(to stream.Watermark) error {
	h.lines = append(h.lines, fmt.Sprintf("watermark %d", to))
	return nil
}

// processing is a process operator over a store, as a job starts it.
type processing struct {
	t     *testing.T
	store state.Store
	epoch uint64
	now   int64
	out   heard
	stats operator.Stats
	op    *operator.Process
}

func (p *processing) start(policy plan.Policy) {
	p.t.Helper()
	guest := operator.NewGuest(alarms{&fakeBundle{}}, udf.Options{})
	p.op = &operator.Process{
		Policy: operator.Policy{Node: "p", Policy: policy, Stats: &p.stats}, Function: "alarm", Where: "p.yaml:3:5", Guest: guest, In: numbers,
		Clock: func() int64 { return p.now },
		State: operator.NewProcessState(operator.ProcessStateOptions{
			Store: p.store, Operator: "p", States: []udf.StateDecl{{Name: "sum", Type: "int64"}}, From: 0, To: 4, Limit: 1 << 20, Epoch: p.epoch,
		}),
		TakeChanges: func(epoch uint64, s operator.Stateful) {
			c := state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: s.Barrier(epoch)}
			if err := p.store.Commit(context.Background(), c); err != nil {
				p.t.Fatal(err)
			}
			s.Committed(epoch)
		},
	}
	p.op.Next = &p.out
	if err := p.op.Open(context.Background()); err != nil {
		p.t.Fatal(err)
	}
}

// row passes rows of one key on.
func (p *processing) row(key string, time int64, values ...int64) error {
	rec := sums(values...)
	defer rec.Release()
	return p.op.Batch(&stream.Batch{Record: rec, Times: slices.Repeat([]int64{time}, len(values)), Keys: &stream.Keys{
		Slots: make([]int32, len(values)), Distinct: [][]byte{[]byte(key)}, Partitions: []uint16{stream.Partition([]byte(key), 4)},
	}})
}

func (p *processing) do(errs ...error) {
	p.t.Helper()
	for _, err := range errs {
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *processing) commit() {
	p.t.Helper()
	p.epoch++
	p.do(p.op.Barrier(p.epoch, false))
}

func (p *processing) expect(want ...string) {
	p.t.Helper()
	if !slices.Equal(p.out.lines, want) {
		p.t.Errorf("\n got %q\nwant %q", p.out.lines, want)
	}
	p.out.lines = nil
}

func (p *processing) tick(now int64, want int) {
	p.t.Helper()
	p.now = now
	fired, err := p.op.Tick(now)
	if err != nil || fired != want {
		p.t.Fatalf("%d timers fired at %d (%v), want %d", fired, now, err, want)
	}
}

func TestProcessFiresTimers(t *testing.T) {
	p := &processing{t: t, store: memstate.New()}
	p.start(plan.Fail)
	p.do(p.row("a", 0, 1, 2), p.row("b", 5, 7))
	p.do(p.op.Watermark(9))
	p.expect("watermark 9")
	// A timer that fires and sets the next one, which is due as well, sees what the first one wrote.
	p.do(p.op.Watermark(25))
	p.expect("3 at 10", "7 at 15", "53 at 20", "57 at 25", "watermark 25")
	p.tick(4, 0)
	p.tick(5, 2)
	if len(p.out.lines) != 2 || p.out.lines[0] != "103 at none" && p.out.lines[1] != "103 at none" {
		t.Errorf("of processing time: %q", p.out.lines)
	}
}

func TestProcessGoesOnFromACommit(t *testing.T) {
	p := &processing{t: t, store: memstate.New()}
	p.start(plan.Fail)
	p.do(p.row("a", 10, 200), p.row("b", 10, 300))
	p.commit()
	p.do(p.row("a", 0, 1), p.row("c", 3, 400)) // and is lost in a crash
	p.start(plan.Fail)
	p.do(p.row("b", 30, -1))
	p.do(p.op.Watermark(math.MaxInt64 - 1))
	p.expect("200 at 20", "299 at 40", fmt.Sprintf("watermark %d", int64(math.MaxInt64-1)))
	p.commit()
	// What has fired is gone for good; processing time has its timers still, of both keys.
	p.start(plan.Fail)
	p.do(p.op.Watermark(math.MaxInt64))
	p.expect(fmt.Sprintf("watermark %d", int64(math.MaxInt64)))
	p.tick(100, 2)
}

func TestProcessUndoesAFailedCall(t *testing.T) {
	p := &processing{t: t, store: memstate.New()}
	p.start(plan.Fail)
	err := p.row("a", 0, 150, -2)
	const want = "p.yaml:3:5: no good"
	if err == nil || err.Error() != want {
		t.Fatalf("\n got %v\nwant %s", err, want)
	}
	p.start(plan.Skip)
	p.do(p.row("a", 0, 150, -2, 50), p.op.Watermark(10))
	p.expect("200 at 10", "watermark 10")
	if n := p.stats.Rejected.Load(); n != 1 {
		t.Errorf("%d rows were rejected, want 1", n)
	}
	p.tick(5, 1)
}
