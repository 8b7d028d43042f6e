// Package operator holds the steps of a chain: calls of user functions, projections, keys.
package operator

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

// Call runs a function of a bundle over each batch.
//
// A row on which the function fails is dealt with by the policy, and never costs the rows around it: those before and
// behind it are run again in parts, by halving where the guest did not say which row it was. A guest that broke is replaced.
type Call struct {
	stream.Forward
	Policy
	Kind     plan.Kind
	Function string
	// Where is the call's position in the user's file; may be empty.
	Where  string
	Config []byte
	Guest  *Guest
	// Columns are the input columns that the function reads, and In their schema as it sees them.
	Columns []int
	In      *arrow.Schema
	// Out is the schema of what the operator passes on; for scalar functions At is the column that the result goes to.
	Out *arrow.Schema
	At  int
	// Arena says that the next function of the chain runs in the same guest: rows kept by a filter are gathered there.
	Arena bool
	// State is set for a keyed_map. TakeChanges receives what an epoch changed in it.
	State       *KeyedState
	TakeChanges func(epoch uint64, s *KeyedState)

	ctx        context.Context
	guest      udf.Guest
	function   udf.Function
	generation int
	held       []*stream.Batch // steps of a keyed call that is not over
}

// Open starts a guest and prepares the function, so that a fault shows before the first row.
func (c *Call) Open(ctx context.Context) error {
	c.ctx = ctx
	return c.bind()
}

// bind makes sure that the function is bound to a guest that works.
func (c *Call) bind() error {
	guest, generation, err := c.Guest.Get(c.ctx)
	if err != nil {
		return c.placed(err)
	}
	if generation == c.generation && c.function != nil {
		return nil
	}
	var st udf.State
	if c.State != nil {
		st = c.State
	}
	function, err := guest.Bind(c.ctx, c.Function, c.In, c.Config, st)
	if err != nil {
		return c.placed(err)
	}
	c.guest, c.function, c.generation = guest, function, generation
	c.Stats.Guests.Store(uint64(generation))
	return nil
}

func (c *Call) placed(err error) error {
	f := fault.From(err)
	if c.Where != "" {
		f = f.In("%s", c.Where)
	}
	return f
}

// Batch runs the function over the rows.
func (c *Call) Batch(b *stream.Batch) error {
	start := c.Stats.enter(b.Rows())
	defer c.Stats.leave(start)
	done, torn, err := c.call(b, b.Keys)
	c.account()
	if err == nil {
		return nil
	}
	var failed *udf.CallError
	if !errors.As(err, &failed) {
		return err
	}
	if c.Fails() {
		return c.rowFault(b.Record, 0, failed)
	}
	return c.salvage(b, done, torn, failed)
}

// account adds what was copied into the guest, and the fuel that it used, to this function's count. It runs before results
// go on to functions that may share the guest, and at the end.
func (c *Call) account() {
	copied, fuel := c.Guest.spent()
	c.Stats.CopiedBytes.Add(copied)
	c.Stats.Fuel.Add(fuel)
	c.Stats.GuestBytes.Store(c.guest.Stats().MemoryBytes)
}

// Barrier hands over the epoch's changes.
func (c *Call) Barrier(epoch uint64, drain bool) error {
	if c.State != nil {
		c.TakeChanges(epoch, c.State)
	}
	return c.Next.Barrier(epoch, drain)
}

// rowFault is the fault of a failed call, with the row where it is known; base is the row of the batch that rec begins with.
func (c *Call) rowFault(rec arrow.Record, base int, failed *udf.CallError) *fault.Fault {
	f := fault.From(c.placed(failed.Err))
	row := failed.Row
	if row < 0 && rec.NumRows() == 1 {
		row = 0
	}
	if row < 0 || int64(row) >= rec.NumRows() {
		return f
	}
	if err := c.function.Recheck(rec); err != nil {
		return f // the guest spoiled its input: not to be read
	}
	at := *f
	if at.Where != "" {
		at.Where += ", "
	}
	at.Where += fmt.Sprintf("row %d of the batch", base+row)
	return withRow(&at, RowText(rec, row))
}

// salvage deals with a failed call from row done on: the failing rows go to the policy, the others through the function.
// Torn says that row done was partly passed on: then it is the one that failed.
func (c *Call) salvage(b *stream.Batch, done int, torn bool, failed *udf.CallError) error {
	if err := c.function.Recheck(b.Record); err != nil {
		return c.placed(err)
	}
	// The guest may be gone, and with it the rows' memory after the next Sweep: work on a copy in Go memory.
	rest := b.Take(memory.DefaultAllocator, stream.Range(done, b.Rows()))
	defer rest.Release()
	failed = within(failed, done, torn)
	return c.split(rest, sliceKeys(b.Keys, done, b.Rows()), 0, rest.Rows(), done, failed)
}

// split deals with the rows from (inclusive) to to (exclusive) of b, on which the function failed. Base is for faults.
func (c *Call) split(b *stream.Batch, keys *stream.Keys, from, to, base int, failed *udf.CallError) error {
	if from+failed.Row >= to {
		failed = &udf.CallError{Row: -1, Err: failed.Err} // a row that is none
	}
	switch {
	case to-from == 1:
		return c.reject(b, from, base, failed)
	case failed.Row >= 0:
		row := from + failed.Row
		if err := c.again(b, keys, from, row, base); err != nil {
			return err
		}
		if err := c.reject(b, row, base, failed); err != nil {
			return err
		}
		return c.again(b, keys, row+1, to, base)
	}
	middle := from + (to-from)/2
	if err := c.again(b, keys, from, middle, base); err != nil {
		return err
	}
	return c.again(b, keys, middle, to, base)
}

// within returns a failure counted from row done on: row -1 where it is not known.
func within(failed *udf.CallError, done int, torn bool) *udf.CallError {
	row := failed.Row - done
	if torn {
		row = 0
	}
	return &udf.CallError{Row: max(row, -1), Err: failed.Err}
}

func (c *Call) reject(b *stream.Batch, row, base int, failed *udf.CallError) error {
	one := b.Slice(row, row+1)
	defer one.Release()
	text := RowText(one.Record, 0)
	why := c.rowFault(one.Record, base+row, &udf.CallError{Row: 0, Err: failed.Err})
	return c.Apply(why, text)
}

// again runs the function over some rows of a batch that failed as a whole.
func (c *Call) again(b *stream.Batch, keys *stream.Keys, from, to, base int) error {
	for from < to {
		part := b.Slice(from, to)
		done, torn, err := c.call(part, sliceKeys(keys, from, to))
		part.Release()
		var failed *udf.CallError
		if err == nil || !errors.As(err, &failed) {
			return err
		}
		failed = within(failed, done, torn)
		from += done
		if failed.Row < 0 || from+failed.Row >= to || to-from == 1 {
			return c.split(b, keys, from, to, base, failed)
		}
		// The common case of many bad rows is a loop, not a recursion.
		row := from + failed.Row
		if err := c.again(b, keys, from, row, base); err != nil {
			return err
		}
		if err := c.reject(b, row, base, failed); err != nil {
			return err
		}
		from = row + 1
	}
	return nil
}

// call runs the function over all rows of b and passes the results on. When it fails it returns how many input rows are dealt
// with, and whether the one behind them is torn: some of its results have been passed on.
func (c *Call) call(b *stream.Batch, keys *stream.Keys) (done int, torn bool, err error) {
	if err := c.bind(); err != nil {
		return 0, false, err
	}
	in := b.Record
	if c.Columns != nil {
		in = pick(b.Record, c.In, c.Columns)
		defer in.Release()
	}
	var slots []int32
	if c.State != nil {
		if err := c.State.Begin(keys); err != nil {
			return 0, false, err
		}
		slots = keys.Slots
		defer c.dropHeld()
	}
	n, last := b.Rows(), false
	var kept []int32 // of a filter
	err = c.function.Call(c.ctx, in, slots, func(r udf.Result) error {
		rows := int(r.Record.NumRows())
		c.account()
		var err error
		switch {
		case c.Kind == plan.KindFilter:
			kept = appendTrue(kept, r.Record.Column(0).(*array.Boolean), done)
		case c.State != nil && !r.Last:
			c.hold(b, r)
		case c.State != nil:
			// Every row is through: the writes stand, and only now are the results passed on.
			err = c.passKeyed(b, r)
		default:
			err = c.pass(b, r, done)
		}
		if err != nil {
			return err
		}
		last = r.Last
		switch {
		case last:
			done, torn = n, false
		case c.State != nil:
			// Nothing is done before all is.
		case r.Origins != nil && rows > 0:
			done = int(r.Origins[rows-1])
			if torn = r.Partial; !torn {
				done++
			}
		default:
			done += rows
		}
		return nil
	})
	if err != nil {
		var failed *udf.CallError
		if !errors.As(err, &failed) {
			return done, torn, err
		}
		if !last {
			if c.State != nil {
				c.State.Rollback()
			}
			if c.Kind == plan.KindFilter {
				return 0, false, err
			}
			return done, torn, err
		}
		// All results had been passed on; a function behind this one broke the guest that both run in.
	}
	if c.Kind == plan.KindFilter {
		return n, false, c.passKept(b, kept)
	}
	return n, false, nil
}

func appendTrue(rows []int32, mask *array.Boolean, base int) []int32 {
	for i := range mask.Len() {
		if mask.IsValid(i) && mask.Value(i) {
			rows = append(rows, int32(base+i))
		}
	}
	return rows
}

// pass hands one step of a result on.
func (c *Call) pass(b *stream.Batch, r udf.Result, done int) error {
	rows := int(r.Record.NumRows())
	if rows == 0 {
		return nil
	}
	out := &stream.Batch{Volatile: true}
	switch {
	case c.Kind == plan.KindScalar:
		part := b.Slice(done, done+rows)
		defer part.Release()
		if b.Volatile {
			if err := c.function.Recheck(part.Record); err != nil {
				return c.placed(err)
			}
		}
		out.Times = part.Times
		out.Record = c.withColumn(part.Record, r.Record.Column(0))
		defer out.Record.Release()
	case r.Origins != nil:
		out.Record, out.Times = r.Record, stream.TakeTimes(b.Times, r.Origins)
	default:
		out.Record = r.Record
		if b.Times != nil {
			out.Times = b.Times[done : done+rows]
		}
	}
	return c.Stats.Pass(c.Next, out)
}

// withColumn returns rec with a scalar function's result at its place.
func (c *Call) withColumn(rec arrow.Record, result arrow.Array) arrow.Record {
	columns := append([]arrow.Array(nil), rec.Columns()...)
	if c.At == len(columns) {
		columns = append(columns, result)
	} else {
		columns[c.At] = result
	}
	return array.NewRecord(c.Out, columns, rec.NumRows())
}

// passKept hands the rows on that a filter keeps.
func (c *Call) passKept(b *stream.Batch, kept []int32) error {
	if len(kept) == 0 {
		return nil
	}
	if b.Volatile {
		// The guest has run since these columns were checked.
		if err := c.function.Recheck(b.Record); err != nil {
			return c.placed(err)
		}
	}
	if len(kept) == b.Rows() {
		return c.Stats.Pass(c.Next, &stream.Batch{Record: b.Record, Times: b.Times, Volatile: b.Volatile})
	}
	var alloc memory.Allocator = memory.DefaultAllocator
	inGuest := false
	if c.Arena && !c.guest.Broken() {
		if c.guest.Arena().Reserve(stream.GatherSize(b.Record, len(kept))) == nil {
			alloc, inGuest = c.guest.Arena(), true
			if b.Volatile { // reserving may have entered the guest
				if err := c.function.Recheck(b.Record); err != nil {
					return c.placed(err)
				}
			}
		}
	}
	out := b.Take(alloc, kept)
	out.Volatile = inGuest
	defer out.Release()
	return c.Stats.Pass(c.Next, out)
}

func (c *Call) keyedTimes(b *stream.Batch, r udf.Result) []int64 {
	if r.Origins == nil {
		return b.Times
	}
	return stream.TakeTimes(b.Times, r.Origins)
}

func (c *Call) hold(b *stream.Batch, r udf.Result) {
	if r.Record.NumRows() == 0 {
		return
	}
	step := &stream.Batch{Record: r.Record, Times: c.keyedTimes(b, r), Volatile: true}
	c.held = append(c.held, step.Keep())
}

func (c *Call) dropHeld() {
	for _, h := range c.held {
		h.Release()
	}
	c.held = c.held[:0]
}

func (c *Call) passKeyed(b *stream.Batch, r udf.Result) error {
	for _, h := range c.held {
		if err := c.Stats.Pass(c.Next, h); err != nil {
			return err
		}
	}
	if r.Record.NumRows() == 0 {
		return nil
	}
	return c.Stats.Pass(c.Next, &stream.Batch{Record: r.Record, Times: c.keyedTimes(b, r), Volatile: true})
}
