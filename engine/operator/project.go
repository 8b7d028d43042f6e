package operator

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/stream"
)

// Project chooses, renames and orders columns. It copies nothing.
type Project struct {
	stream.Forward
	Stats *Stats
	// Out is the schema of what it passes on, and From the input column of each of its columns.
	Out  *arrow.Schema
	From []int
}

// Batch passes the chosen columns on.
func (p *Project) Batch(b *stream.Batch) error {
	start := p.Stats.enter(b.Rows())
	defer p.Stats.leave(start)
	rec := pick(b.Record, p.Out, p.From)
	defer rec.Release()
	return p.Stats.Pass(p.Next, &stream.Batch{Record: rec, Times: b.Times, Keys: b.Keys, Volatile: b.Volatile})
}

// pick returns a record of some columns of rec under another schema.
func pick(rec arrow.Record, schema *arrow.Schema, from []int) arrow.Record {
	columns := make([]arrow.Array, len(from))
	for i, c := range from {
		columns[i] = rec.Column(c)
	}
	return array.NewRecord(schema, columns, rec.NumRows())
}
