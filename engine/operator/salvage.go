package operator

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

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

// salvage deals with a failed call from the row on that it came to: the failing rows go to the policy, the others through
// the function. A torn row may be one that failed or not, for the guest may have been at a later row: it is run again, and the
// results that were passed on are left out. When a function behind this one broke the guest, no row failed.
func (c *Call) salvage(b *stream.Batch, got outcome, failed *udf.CallError) error {
	if err := c.function.Recheck(b.Record); err != nil {
		return c.placed(err)
	}
	// The guest may be gone, and with it the rows' memory after the next Sweep: work on a copy in Go memory.
	rest := b.Take(memory.DefaultAllocator, stream.Range(got.done, b.Rows()))
	defer rest.Release()
	keys := sliceKeys(b.Keys, got.done, b.Rows())
	c.floor = c.generation
	defer func() { c.floor = 0 }()
	if got.behind {
		return c.again(rest, keys, 0, rest.Rows(), got.done, got.skip(0))
	}
	return c.split(rest, keys, 0, rest.Rows(), got.done, got.skip(0), within(failed, got))
}

// split deals with the rows from (inclusive) to to (exclusive) of b, on which the function failed. Base is for faults. Of
// the first row skip results have been passed on.
func (c *Call) split(b *stream.Batch, keys *stream.Keys, from, to, base, skip int, failed *udf.CallError) error {
	if from+failed.Row >= to {
		failed = &udf.CallError{Row: -1, Err: failed.Err} // a row that is none
	}
	switch {
	case to-from == 1:
		return c.reject(b, from, base, failed)
	case failed.Row >= 0:
		row := from + failed.Row
		if err := c.again(b, keys, from, row, base, skip); err != nil {
			return err
		}
		if err := c.reject(b, row, base, failed); err != nil {
			return err
		}
		return c.again(b, keys, row+1, to, base, 0)
	}
	middle := from + (to-from)/2
	if err := c.again(b, keys, from, middle, base, skip); err != nil {
		return err
	}
	return c.again(b, keys, middle, to, base, 0)
}

// skip returns how many results of the row that a failed call came to have been passed on, when those of the call's first row
// had been before it that are given.
func (o outcome) skip(before int) int {
	n := 0
	if o.torn {
		n = o.passed
	}
	if o.done == 0 {
		n = max(n, before)
	}
	return n
}

// within returns a failure counted from the row that the call came to: row -1 where it is not known.
func within(failed *udf.CallError, got outcome) *udf.CallError {
	return &udf.CallError{Row: max(failed.Row-got.done, -1), Err: failed.Err}
}

func (c *Call) reject(b *stream.Batch, row, base int, failed *udf.CallError) error {
	one := b.Slice(row, row+1)
	defer one.Release()
	text := RowText(one.Record, 0)
	why := c.rowFault(one.Record, base+row, &udf.CallError{Row: 0, Err: failed.Err})
	return c.Apply(why, text)
}

// firstPart is how many rows of a batch that failed are run again at once, at first. All that a call gets is copied into the
// guest: were it always the rest of the batch, many bad rows would cost the square of their number.
const firstPart = 64

// again runs the function over some rows of a batch that failed as a whole, in parts that grow while nothing fails. Of the
// first row skip results have been passed on.
func (c *Call) again(b *stream.Batch, keys *stream.Keys, from, to, base, skip int) error {
	size := firstPart
	for from < to {
		end := min(to, from+size)
		part := b.Slice(from, end)
		got, err := c.call(part, sliceKeys(keys, from, end), skip)
		part.Release()
		if err == nil {
			from, skip, size = end, 0, 2*size
			continue
		}
		var failed *udf.CallError
		if !errors.As(err, &failed) {
			return err
		}
		from += got.done
		skip = got.skip(skip)
		if got.behind {
			continue
		}
		failed = within(failed, got)
		if failed.Row < 0 || from+failed.Row >= end || end-from == 1 {
			if err := c.split(b, keys, from, end, base, skip, failed); err != nil {
				return err
			}
			from, skip = end, 0
			continue
		}
		// The common case of many bad rows is a loop, not a recursion.
		row := from + failed.Row
		if err := c.again(b, keys, from, row, base, skip); err != nil {
			return err
		}
		if err := c.reject(b, row, base, failed); err != nil {
			return err
		}
		from, skip, size = row+1, 0, firstPart
	}
	return nil
}
