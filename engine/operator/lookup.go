package operator

import (
	"context"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
)

// Lookup adds columns to rows from a table outside, which is asked once for each batch.
type Lookup struct {
	stream.Forward
	// Policy is about rows whose entry cannot be used. Absent is about those that have none, where Null and Drop do not say.
	Policy
	Absent     Policy
	Null, Drop bool
	// Where is the step's position in the user's file; may be empty.
	Where string
	// OpenTable opens the table.
	OpenTable func(ctx context.Context) (connectors.Table, error)
	// Keys are the input columns that the table is asked with, and KeySchema their schema.
	Keys      []int
	KeySchema *arrow.Schema
	// From are the columns of the table that are added, and Out the schema of what is passed on.
	From []int
	Out  *arrow.Schema

	ctx   context.Context
	table connectors.Table
}

// Open opens the table, so that a fault shows before the first row.
func (l *Lookup) Open(ctx context.Context) (err error) {
	l.ctx = ctx
	l.table, err = l.OpenTable(ctx)
	return l.placed(err)
}

// Close closes the table.
func (l *Lookup) Close() error {
	if l.table == nil {
		return nil
	}
	return l.table.Close()
}

func (l *Lookup) placed(err error) error {
	if err == nil || l.Where == "" || l.ctx.Err() != nil {
		return err
	}
	return fault.From(err).In("%s", l.Where)
}

// Batch adds the columns to the rows.
func (l *Lookup) Batch(b *stream.Batch) error {
	start := l.Stats.enter(b.Rows())
	defer l.Stats.leave(start)
	keys := pick(b.Record, l.KeySchema, l.Keys)
	defer keys.Release()
	found, err := l.table.Find(l.ctx, keys)
	if err != nil {
		return l.placed(err)
	}
	kept, err := l.choose(b, keys, found)
	if err != nil || len(kept) == 0 {
		return err
	}
	out := &stream.Batch{Record: b.Record, Times: b.Times, Volatile: b.Volatile}
	if len(kept) < b.Rows() {
		out = b.Take(memory.DefaultAllocator, kept)
		defer out.Release()
	}
	added := l.added(found, kept)
	defer added.Release()
	columns := append(append(make([]arrow.Array, 0, len(l.Out.Fields())), out.Record.Columns()...), added.Columns()...)
	rec := array.NewRecord(l.Out, columns, int64(len(kept)))
	defer rec.Release()
	return l.Stats.Pass(l.Next, &stream.Batch{Record: rec, Times: out.Times, Volatile: out.Volatile})
}

// choose returns the rows that go on.
func (l *Lookup) choose(b *stream.Batch, keys arrow.Record, found connectors.Found) (kept []int32, err error) {
	kept = make([]int32, 0, b.Rows())
	for row, at := range found.Rows {
		switch bad := found.Bad[row]; {
		case bad != nil:
			err = l.aside(&l.Policy, b, row, bad)
		case at >= 0 || l.Null:
			kept = append(kept, int32(row))
		case !l.Drop:
			err = l.aside(&l.Absent, b, row, fault.New(fault.Decode, "%s has no entry for %s", l.table.Name(), keyText(keys, row)))
		}
		if err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func (l *Lookup) aside(p *Policy, b *stream.Batch, row int, why *fault.Fault) error {
	text := RowText(b.Record, row)
	return p.Apply(withRow(fault.From(l.placed(why)), text), text)
}

// keyText writes a key for people: carrier `AA`, at `2026-01-01`.
func keyText(keys arrow.Record, row int) string {
	var parts []string
	for i, c := range keys.Columns() {
		value := "null"
		if c.IsValid(row) {
			value = c.ValueStr(row)
		}
		parts = append(parts, keys.ColumnName(i)+" `"+value+"`")
	}
	return strings.Join(parts, ", ")
}

// added returns the table's columns for the rows that go on.
func (l *Lookup) added(found connectors.Found, kept []int32) arrow.Record {
	rec := found.Record
	rows := make([]int32, len(kept))
	for i, row := range kept {
		if rows[i] = found.Rows[row]; rows[i] < 0 {
			rows[i] = int32(rec.NumRows()) - 1 // nulls
		}
	}
	fields, columns := make([]arrow.Field, len(l.From)), make([]arrow.Array, len(l.From))
	for i, at := range l.From {
		fields[i], columns[i] = rec.Schema().Field(at), rec.Column(at)
	}
	part := array.NewRecord(arrow.NewSchema(fields, nil), columns, rec.NumRows())
	defer part.Release()
	return stream.Gather(memory.DefaultAllocator, part, rows)
}

// Miss sets what happens to rows that have no entry, as [plan.Lookup] says it.
func (l *Lookup) Miss(missing string) {
	l.Null, l.Drop = missing == "" || missing == plan.MissingNull, missing == plan.MissingDrop
	l.Absent = l.Policy
	l.Absent.Policy = plan.Policy(missing)
}
