package operator

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/window"
)

// resultRows is how many results are passed on together at most.
const resultRows = 4096

// results collects what windows fire.
type results struct {
	builder    *array.RecordBuilder
	keys, aggs []array.Builder
	start, end *array.TimestampBuilder // nil where results are without
	aggregates *aggregate.Set
	times      []int64
	rows       int
	time       int64 // of the results that are added
}

func newResults(out *arrow.Schema, running bool, a *aggregate.Set) *results {
	r := &results{builder: array.NewRecordBuilder(memory.DefaultAllocator, out), aggregates: a}
	fields := r.builder.Fields()
	keys := len(fields) - len(a.Fields())
	r.aggs = fields[keys:]
	if !running {
		keys -= 2
		r.start, r.end = fields[keys].(*array.TimestampBuilder), fields[keys+1].(*array.TimestampBuilder)
	}
	r.keys = fields[:keys]
	return r
}

func (r *results) add(key []byte, w window.Window, row aggregate.Row) error {
	if len(r.keys) > 0 {
		if err := stream.AppendKeyValues(r.keys, key); err != nil {
			return err
		}
	}
	time := r.time
	if r.start != nil {
		time = w.Last()
		if w == window.Global {
			r.start.AppendNull()
			r.end.AppendNull()
		} else {
			r.start.Append(arrow.Timestamp(w.Start))
			r.end.Append(arrow.Timestamp(w.End))
		}
	}
	r.times = append(r.times, time)
	r.rows++
	return r.aggregates.Build(r.aggs, row)
}

// take returns the results so far, nil when there are none. The caller releases the batch.
func (r *results) take() *stream.Batch {
	if r.rows == 0 {
		return nil
	}
	b := &stream.Batch{Record: r.builder.NewRecord(), Times: r.times}
	r.rows, r.times = 0, nil
	return b
}

// Gaps reads the gaps of sessions off a column of integers in milliseconds or durations.
type Gaps struct {
	row    int
	column arrow.Array
	perMs  int64 // units of the column in a millisecond, negative: milliseconds in a unit
}

// NewGaps returns a reader of a column. A fault has code Schema.
func NewGaps(f arrow.Field) (*Gaps, error) {
	switch t := f.Type.(type) {
	case *arrow.Int64Type:
		return &Gaps{perMs: 1}, nil
	case *arrow.DurationType:
		return &Gaps{perMs: map[arrow.TimeUnit]int64{arrow.Second: -1000, arrow.Millisecond: 1, arrow.Microsecond: 1000, arrow.Nanosecond: 1_000_000}[t.Unit]}, nil
	}
	return nil, fault.New(fault.Schema, "expected an int64 in milliseconds or a duration for the gap of sessions, got %s for `%s`",
		schema.Format(f.Type), f.Name)
}

func (g *Gaps) bind(column arrow.Array) { g.column = column }

// Gap returns the gap of the row at hand in milliseconds. One that is null or not positive is a fault of the row.
func (g *Gaps) Gap() (int64, error) {
	if g.column.IsNull(g.row) {
		return 0, &rowError{fault.New(fault.Decode, "the gap of the session is null")}
	}
	var v int64
	switch c := g.column.(type) {
	case *array.Int64:
		v = c.Value(g.row)
	case *array.Duration:
		v = int64(c.Value(g.row))
	}
	if g.perMs > 0 {
		v /= g.perMs
	} else if v <= maxGap {
		v *= -g.perMs
	}
	if v <= 0 {
		return 0, &rowError{fault.New(fault.Decode, "expected a gap above 0 for the session, got %d ms", v)}
	}
	return v, nil
}

// maxGap is from where on a gap in seconds is as long as time.
const maxGap = 1 << 50
