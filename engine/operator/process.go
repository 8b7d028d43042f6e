package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

// firedTogether is how many timers a call gets at most.
const firedTogether = 1024

// Process runs a process function: over each batch, and over the timers that fall due. Its results go on when a call is over.
//
// Where the policy is not to fail, and a call does, its rows or timers are run again one at a time, and those that fail are left to
// the policy.
type Process struct {
	stream.Forward
	Policy
	Function string
	// Where is the call's position in the user's file; may be empty.
	Where  string
	Config []byte
	Guest  *Guest
	// Columns are the input columns that the function reads, nil for all, and In their schema as it sees them.
	Columns []int
	In      *arrow.Schema
	State   *ProcessState
	// Clock tells processing time in ms.
	Clock func() int64
	// Sides receive the rows of the function's side outputs, in the order in which it declares them; nil: nobody wants them.
	Sides []stream.Output
	// TakeChanges receives what an epoch changed.
	TakeChanges func(epoch uint64, s Stateful)
	// Reached is how far event time has come.
	Reached Reached

	ctx        context.Context
	function   udf.TimedFunction
	generation int
	held       []result
	alone      int // so many timers fire alone: some of them made a call fail
	floor      int // the guest of that call
	together   int // how many timers a call gets at most, 0 for firedTogether
}

var _ Timed = (*Process)(nil)

// result is rows that a call made, for the output that they go to: 0, or the number of a side output.
type result struct {
	*stream.Batch
	side int
}

// Open starts a guest and prepares the function, so that a fault shows before the first row.
func (p *Process) Open(ctx context.Context) error {
	p.ctx = ctx
	p.State.now, p.State.watermark = p.Clock(), p.Reached.open()
	return p.bind()
}

func (p *Process) bind() error {
	guest, generation, err := p.Guest.Get(p.ctx)
	if err != nil {
		return p.placed(err)
	}
	if generation == p.generation && p.function != nil {
		return nil
	}
	f, err := guest.Bind(p.ctx, p.Function, udf.Process, p.In, p.Config, p.State)
	if err != nil {
		return p.placed(err)
	}
	timed, ok := f.(udf.TimedFunction)
	if !ok {
		return p.placed(fault.New(fault.Internal, "the function takes no timers"))
	}
	p.function, p.generation = timed, generation
	p.Stats.Guests.Store(uint64(generation))
	return nil
}

func (p *Process) placed(err error) error {
	f := fault.From(err)
	if p.Where != "" {
		f = f.In("%s", p.Where)
	}
	return f
}

// Batch runs the function over the rows.
func (p *Process) Batch(b *stream.Batch) error {
	start := p.Stats.enter(b.Rows())
	defer p.Stats.leave(start)
	p.State.now = max(p.State.now, p.Clock())
	if b.Volatile && !p.Fails() { // a guest that breaks may take its memory with it
		kept := b.Keep()
		defer kept.Release()
		kept.Keys = b.Keys
		b = kept
	}
	failed, err := p.rows(b, b.Keys)
	if failed == nil {
		return err
	}
	if p.Fails() {
		return p.rowFault(b, failed)
	}
	floor := p.generation // rows of others may lie in this guest and in those before
	for row := range b.Rows() {
		p.Guest.sweepAfter(p.ctx, floor)
		slot := b.Keys.Slots[row]
		one := b.Slice(row, row+1)
		failed, err := p.rows(one, &stream.Keys{
			Slots: []int32{0}, Distinct: b.Keys.Distinct[slot : slot+1], Partitions: b.Keys.Partitions[slot : slot+1],
		})
		if failed != nil {
			failed.Row = 0
			err = p.Apply(p.rowFault(one, failed), RowText(one.Record, 0))
		}
		one.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// rowFault returns the fault of a call over rows, with the row.
func (p *Process) rowFault(b *stream.Batch, failed *udf.CallError) *fault.Fault {
	f := fault.From(p.placed(failed.Err))
	if failed.Row < 0 || failed.Row >= b.Rows() || p.function.Recheck(b.Record) != nil {
		return f
	}
	return withRow(f, RowText(b.Record, failed.Row))
}

func (p *Process) rows(b *stream.Batch, keys *stream.Keys) (*udf.CallError, error) {
	return p.call(keys, b.Times, nil, func(yield func(udf.Result) error) error {
		in := b.Record
		if p.Columns != nil {
			in = pick(b.Record, p.In, p.Columns)
			defer in.Release()
		}
		return p.function.CallAt(p.ctx, in, keys.Slots, b.Times, yield)
	})
}

// side returns where the rows of a side output go, nil for nowhere.
func (p *Process) side(n int) stream.Output {
	if n > len(p.Sides) {
		return nil
	}
	return p.Sides[n-1]
}

// errUndone is returned for a call that stands may forbid.
var errUndone = errors.New("undone")

// call makes one call: its writes, its timers and its results stand only if it comes to its end, and stands (nil: yes) says so. The
// event times are those of its inputs. A failed call is returned apart from what ends the job.
func (p *Process) call(keys *stream.Keys, times []int64, stands func() bool, run func(func(udf.Result) error) error) (*udf.CallError, error) {
	if err := p.bind(); err != nil {
		return nil, err
	}
	if err := p.State.begin(keys); err != nil {
		return nil, err
	}
	defer func() {
		for _, h := range p.held {
			h.Release()
		}
		p.held = p.held[:0]
	}()
	err := run(func(r udf.Result) error {
		if r.Record.NumRows() == 0 || r.Side > 0 && p.side(r.Side) == nil {
			return nil
		}
		step := &stream.Batch{Record: r.Record, Times: times, Volatile: true}
		if r.Origins != nil {
			step.Times = stream.TakeTimes(times, r.Origins)
		}
		p.held = append(p.held, result{step.Keep(), r.Side})
		return nil
	})
	p.account()
	if err != nil {
		p.State.rollback()
		var failed *udf.CallError
		if errors.As(err, &failed) {
			return failed, failed
		}
		return nil, err
	}
	if stands != nil && !stands() {
		p.State.rollback()
		return nil, errUndone
	}
	if err := p.State.settle(); err != nil {
		return nil, p.placed(err)
	}
	for _, h := range p.held {
		next := p.Next
		if h.side > 0 {
			next = p.side(h.side)
		}
		if err := p.Stats.Pass(next, h.Batch); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (p *Process) account() {
	copied, fuel := p.Guest.spent()
	p.Stats.CopiedBytes.Add(copied)
	p.Stats.Fuel.Add(fuel)
}

// Watermark fires the timers of event time that are due.
func (p *Process) Watermark(to stream.Watermark) error {
	to = p.Reached.pass(to)
	p.State.watermark = int64(to)
	p.Stats.Watermark.Store(int64(to))
	start := time.Now()
	_, err := p.fire(udf.EventTime, int64(to))
	p.Stats.AddBusy(time.Since(start))
	if err != nil {
		return err
	}
	return p.each(func(o stream.Output) error { return o.Watermark(to) })
}

// Tick implements Timed.
func (p *Process) Tick(now int64) (int, error) {
	p.State.now = max(p.State.now, now)
	return p.fire(udf.ProcessingTime, p.State.now)
}

// fire calls the function for the timers of a domain that are due, in the order of their times. It is given several at once. Should one
// of them set another that comes before the last of them, the call is undone, and made again with those that are before that.
func (p *Process) fire(d udf.Domain, until int64) (fired int, err error) {
	for {
		most := orMost(p.together)
		if p.alone > 0 {
			most = 1
			p.Guest.sweepAfter(p.ctx, p.floor)
		}
		timers, keys, err := p.State.due(d, until, most)
		if err != nil || len(timers) == 0 {
			p.alone = 0
			return fired, err
		}
		stand := len(timers)
		failed, err := p.timers(timers, keys, func() bool {
			stand = p.State.cut(timers)
			return stand == len(timers)
		})
		switch {
		case failed == nil && err == nil:
			fired += len(timers)
			p.alone, p.together = max(p.alone-1, 0), min(2*orMost(p.together), firedTogether)
		case errors.Is(err, errUndone):
			p.together = stand
			err = p.State.putBack(timers, keys)
		case failed == nil:
		case p.Fails():
			err = p.timerFault(timers, failed)
		case len(timers) > 1:
			p.alone, p.floor = len(timers), p.generation
			err = p.State.putBack(timers, keys)
		default:
			fired++
			p.alone = max(p.alone-1, 0)
			failed.Row = 0
			err = p.Apply(p.timerFault(timers, failed), fmt.Appendf(nil, `{"timer": %d}`, timers[0].Time))
		}
		if err != nil {
			return fired, err
		}
	}
}

func orMost(together int) int {
	if together == 0 {
		return firedTogether
	}
	return together
}

// timerFault returns the fault of a call with timers, with the timer's time.
func (p *Process) timerFault(timers []udf.Timer, failed *udf.CallError) *fault.Fault {
	f := fault.From(p.placed(failed.Err))
	if failed.Row < 0 || failed.Row >= len(timers) {
		return f
	}
	at := *f
	at.Where += fmt.Sprintf(", timer at %s", time.UnixMilli(timers[failed.Row].Time).UTC().Format("2006-01-02T15:04:05.000Z"))
	return &at
}

func (p *Process) timers(timers []udf.Timer, keys *stream.Keys, stands func() bool) (*udf.CallError, error) {
	times := make([]int64, len(timers))
	for i, t := range timers {
		times[i] = stream.NoTime
		if t.Domain == udf.EventTime {
			times[i] = t.Time
		}
	}
	return p.call(keys, times, stands, func(yield func(udf.Result) error) error { return p.function.Timers(p.ctx, timers, yield) })
}

// Barrier hands over the epoch's changes, to which belongs that some of what has expired is removed.
func (p *Process) Barrier(epoch uint64, drain bool) error {
	p.State.now = max(p.State.now, p.Clock())
	if err := p.State.sweeper.sweep(); err != nil {
		return p.placed(err)
	}
	p.TakeChanges(epoch, p.State)
	p.Reached.barrier()
	return p.each(func(o stream.Output) error { return o.Barrier(epoch, drain) })
}

// Status passes the status on.
func (p *Process) Status(active bool) error {
	return p.each(func(o stream.Output) error { return o.Status(active) })
}

// End passes the end on.
func (p *Process) End() error { return p.each(func(o stream.Output) error { return o.End() }) }

// each calls do for the side outputs, and then for the output of the results.
func (p *Process) each(do func(stream.Output) error) error {
	for _, o := range p.Sides {
		if o != nil {
			if err := do(o); err != nil {
				return err
			}
		}
	}
	return do(p.Next)
}
