// Package column builds Arrow records row by row in the memory of an allocator that holds no more than was reserved in
// it: a guest's arena.
//
// It differs from Arrow's builders in three ways. Buffers are sized from what earlier batches needed, so that in a
// steady stream none is ever moved; how much a batch may come to take is known before (see [Builder.Need]); and a row
// that turns out to be bad halfway is taken back ([Builder.Undo]), nested values included.
package column

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// Builder builds one batch after another. It is used by one goroutine.
type Builder struct {
	schema  *arrow.Schema
	alloc   memory.Allocator
	columns []*Column
	all     []*Column // columns and all that nest in them
	rows    int
	most    int    // rows
	in      int    // bytes of input that went into the batch
	stamp   uint64 // differs from batch to batch
	hint    int    // bytes of input that are expected in the batch, from Need or the first Begin
}

// New returns a builder for batches of at most rows rows. Types that it cannot build, and names that occur twice, are
// faults of codes Unsupported and Schema.
func New(s *arrow.Schema, alloc memory.Allocator, rows int) (*Builder, error) {
	b := &Builder{schema: s, alloc: alloc, most: rows, stamp: 1}
	var faults fault.List
	names := map[string]bool{}
	for _, f := range s.Fields() {
		if names[f.Name] {
			faults.Add(fault.Schema, "column "+f.Name, "the name occurs twice")
			continue
		}
		names[f.Name] = true
		c, err := b.column(f, f.Name, topLevel)
		faults.Append(err)
		b.columns = append(b.columns, c)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return b, nil
}

// The two kinds of columns for the purpose of sizes: those with one value for each row, and those below a list or
// dictionary, whose length the data decides.
const (
	topLevel = false
	element  = true
)

func (b *Builder) column(f arrow.Field, path string, elem bool) (*Column, error) {
	c := &Column{Name: f.Name, Path: path, Type: f.Type, ID: f.Type.ID(), Nullable: f.Nullable, builder: b, elem: elem, form: formOf(f.Type)}
	if !elem {
		c.perByte = 1.0 / 128 // until a batch has shown it
	}
	b.all = append(b.all, c)
	child := func(f arrow.Field, path string, elem bool) error {
		k, err := b.column(f, path, elem)
		c.Children = append(c.Children, k)
		return err
	}
	var faults fault.List
	switch t := f.Type.(type) {
	case *arrow.NullType, *arrow.BooleanType:
	case *arrow.StringType, *arrow.BinaryType:
		c.offset = 4
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		c.offset = 8
	case *arrow.MapType:
		c.offset = 4
		entries := t.Elem().(*arrow.StructType)
		entry, err := b.column(arrow.Field{Name: "entries", Type: entries}, path, element)
		faults.Append(err)
		c.Children = append(c.Children, entry)
	case *arrow.ListType:
		c.offset = 4
		faults.Append(child(t.ElemField(), path+"[]", element))
	case *arrow.StructType:
		names := map[string]bool{}
		for _, f := range t.Fields() {
			if names[f.Name] {
				faults.Add(fault.Schema, "column "+path, "the field `%s` occurs twice", f.Name)
			}
			names[f.Name] = true
			faults.Append(child(f, path+"."+f.Name, elem))
		}
	case *arrow.DictionaryType:
		c.width = t.IndexType.(arrow.FixedWidthDataType).Bytes()
		c.indexMax = maxIndex(t.IndexType)
		c.index = map[string]int{}
		faults.Append(child(arrow.Field{Name: f.Name, Type: t.ValueType}, path, element))
		if arrow.IsNested(t.ValueType.ID()) || t.ValueType.ID() == arrow.DICTIONARY || t.ValueType.ID() == arrow.NULL {
			faults.Add(fault.Unsupported, "column "+path, "a dictionary of %s values cannot be built", schema.Format(t.ValueType))
		}
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type,
		*arrow.Float32Type, *arrow.Float64Type, *arrow.Date32Type, *arrow.Time32Type, *arrow.Time64Type,
		*arrow.TimestampType, *arrow.DurationType, *arrow.Decimal128Type, *arrow.FixedSizeBinaryType:
		c.width = t.(arrow.FixedWidthDataType).Bytes()
		if d, ok := t.(*arrow.Decimal128Type); ok && (d.Precision < 1 || d.Precision > 38 || d.Scale < 0 || d.Scale > d.Precision) {
			faults.Add(fault.Unsupported, "column "+path, "type %s cannot be decoded", schema.Format(f.Type))
		}
	default:
		faults.Add(fault.Unsupported, "column "+path, "type %s cannot be decoded", schema.Format(f.Type))
	}
	return c, faults.Err()
}

// Schema returns the schema of the records.
func (b *Builder) Schema() *arrow.Schema { return b.schema }

// Columns returns the columns in the schema's order.
func (b *Builder) Columns() []*Column { return b.columns }

// Rows returns the number of whole rows in the batch.
func (b *Builder) Rows() int { return b.rows }

// Room returns how many rows the batch still takes.
func (b *Builder) Room() int { return b.most - b.rows }

// Full says that the batch takes no more rows.
func (b *Builder) Full() bool { return b.rows >= b.most }

// In returns how many bytes of input went into the batch, as told to [Builder.Took].
func (b *Builder) In() int { return b.in }

// Begin says that n bytes of input are about to be decoded. It must be called before values are appended.
func (b *Builder) Begin(n int) { b.hint = max(b.hint, b.in+n) }

// Took counts n bytes of input to the batch.
func (b *Builder) Took(n int) { b.in += n }

// EndRow ends a row: every column must have got one value more.
func (b *Builder) EndRow() { b.rows++ }

// EndRows ends n rows.
func (b *Builder) EndRows(n int) { b.rows += n }

// Undo takes back all values of the row that was not ended.
func (b *Builder) Undo() {
	for _, c := range b.columns {
		c.truncate(b.rows)
	}
}

// Record ends the batch and returns it, or nil when it has no rows. The caller releases it.
func (b *Builder) Record() arrow.Record {
	if b.rows == 0 {
		return nil
	}
	arrays := make([]arrow.Array, len(b.columns))
	for i, c := range b.columns {
		data := c.data()
		arrays[i] = array.MakeFromData(data)
		data.Release()
	}
	r := array.NewRecord(b.schema, arrays, int64(b.rows))
	for _, a := range arrays {
		a.Release()
	}
	b.learn()
	b.reset()
	return r
}

// Close frees the batch being built.
func (b *Builder) Close() { b.reset() }

func (b *Builder) reset() {
	for _, c := range b.all {
		c.reset()
	}
	b.rows, b.in, b.hint = 0, 0, 0
	b.stamp++
}
