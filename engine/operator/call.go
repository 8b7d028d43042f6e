// Package operator holds the steps of a chain: calls of user functions, projections, keys.
package operator

import (
	"context"
	"errors"

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
	// Copy says that rows that lie in a guest are copied before the call: in one of another place than this function's,
	// which functions behind it run in while the call goes on, and which may change them.
	Copy bool
	// State is set for a keyed_map. TakeChanges receives what an epoch changed in it.
	State       *KeyedState
	TakeChanges func(epoch uint64, s *KeyedState)

	ctx        context.Context
	guest      udf.Guest
	function   udf.Function
	generation int
	held       []*stream.Batch // steps of a keyed call that is not over
	// rows of the batch under way may lie in the guest of generation floor and in those before, 0 outside of salvage.
	floor int
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
	function, err := guest.Bind(c.ctx, c.Function, udf.Kind(c.Kind), c.In, c.Config, st)
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
	if c.Copy && b.Volatile {
		kept := b.Keep()
		defer kept.Release()
		kept.Keys = b.Keys
		b = kept
	}
	got, err := c.call(b, b.Keys, 0)
	c.account()
	if err == nil {
		return nil
	}
	var failed *udf.CallError
	if !errors.As(err, &failed) {
		return err
	}
	if c.Fails() && !got.behind {
		return c.rowFault(b.Record, 0, failed)
	}
	return c.salvage(b, got, failed)
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

// outcome is how far a call came that failed.
type outcome struct {
	// done is how many input rows are dealt with.
	done int
	// torn says that of the row behind them some results have been passed on: the first passed.
	torn   bool
	passed int
	// behind says that it was a function behind this one that broke the guest that both run in, and dealt with its rows.
	behind bool
}

// call runs the function over all rows of b and passes the results on, but for the first skip of the first row.
func (c *Call) call(b *stream.Batch, keys *stream.Keys, skip int) (got outcome, err error) {
	if err := c.bind(); err != nil {
		return got, err
	}
	if c.floor > 0 {
		c.Guest.sweepAfter(c.ctx, c.floor)
	}
	in := b.Record
	if c.Columns != nil {
		in = pick(b.Record, c.In, c.Columns)
		defer in.Release()
	}
	var slots []int32
	if c.State != nil {
		if err := c.State.Begin(keys); err != nil {
			return got, err
		}
		slots = keys.Slots
		defer c.dropHeld()
	}
	n, last := b.Rows(), false
	var kept []int32 // of a filter
	err = c.function.Call(c.ctx, in, slots, func(r udf.Result) error {
		c.account()
		var err error
		switch {
		case c.Kind == plan.KindFilter:
			kept = appendTrue(kept, r.Record.Column(0).(*array.Boolean), got.done)
		case c.State != nil && !r.Last:
			c.hold(b, r)
		case c.State != nil:
			// Every row is through: the writes stand, and only now are the results passed on.
			err = c.passKeyed(b, r)
		default:
			rest := r
			if skip > 0 {
				rest = without(r, &skip)
				defer rest.Record.Release()
			}
			err = c.pass(b, rest, got.done)
			got.behind = c.guest.Broken()
		}
		if err != nil {
			return err
		}
		last = r.Last
		switch {
		case last:
			got.done, got.torn = n, false
		case c.State != nil:
			// Nothing is done before all is.
		default:
			got.step(r)
		}
		return nil
	})
	if err != nil {
		var failed *udf.CallError
		if !errors.As(err, &failed) {
			return got, err
		}
		if !last {
			if c.State != nil {
				c.State.Rollback()
			}
			if c.Kind == plan.KindFilter {
				return outcome{}, err
			}
			return got, err
		}
		// All results had been passed on; a function behind this one broke the guest that both run in.
	}
	if c.Kind == plan.KindFilter {
		return got, c.passKept(b, kept)
	}
	return got, nil
}

// step notes how far a step came that is not the last.
func (o *outcome) step(r udf.Result) {
	rows := int(r.Record.NumRows())
	if r.Origins == nil || rows == 0 {
		o.done += rows
		return
	}
	newest := r.Origins[rows-1]
	first := rows
	for first > 0 && r.Origins[first-1] == newest {
		first--
	}
	switch {
	case !r.Partial:
		o.done, o.torn, o.passed = int(newest)+1, false, 0
	case o.torn && o.done == int(newest):
		o.passed += rows - first
	default:
		o.done, o.torn, o.passed = int(newest), true, rows-first
	}
}

// without returns a step of a flat_map's result without the first skip rows of the first input row, which it counts down. The
// caller releases the record.
func without(r udf.Result, skip *int) udf.Result {
	rows := int(r.Record.NumRows())
	if r.Origins == nil { // row by row
		r.Origins = stream.Range(0, rows)
	}
	n := 0
	for n < min(rows, *skip) && r.Origins[n] == 0 {
		n++
	}
	*skip -= n
	r.Record, r.Origins = r.Record.NewSlice(int64(n), int64(rows)), r.Origins[n:]
	return r
}

func appendTrue(rows []int32, mask *array.Boolean, base int) []int32 {
	for i := range mask.Len() {
		if mask.IsValid(i) && mask.Value(i) {
			rows = append(rows, int32(base+i))
		}
	}
	return rows
}

// pass hands one step of a result on, which begins with input row done where it has no origins.
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
		}
		if b.Volatile { // reserving may have entered the guest, also where it came to nothing
			if err := c.function.Recheck(b.Record); err != nil {
				return c.placed(err)
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
	if len(c.held) > 0 { // functions behind this one may have run in its guest
		if err := c.function.Recheck(r.Record); err != nil {
			return c.placed(err)
		}
	}
	return c.Stats.Pass(c.Next, &stream.Batch{Record: r.Record, Times: c.keyedTimes(b, r), Volatile: true})
}
