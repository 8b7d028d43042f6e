package script

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// The kinds of row, as docs/tasks.md numbers them.
const (
	kindData = iota
	kindWatermark
	kindTime
	kindFlush
	kindEnd
	kindState
	kindReady
	kindRange
	kindRecord
	kindIdle
	kindDeclare
	kindMark
)

// row is one row between the host and a subtask. Byte slices are nil for null.
type row struct {
	kind    int8
	port    int32
	target  int32
	number  int64
	name    string // "" for null
	key     []byte
	space   []byte
	payload []byte
}

// size is about what a row takes, in bytes.
func (r *row) size() int { return 64 + len(r.name) + len(r.key) + len(r.space) + len(r.payload) }

// Schema is that of rows in both directions.
var Schema = arrow.NewSchema([]arrow.Field{
	{Name: "kind", Type: arrow.PrimitiveTypes.Int8},
	{Name: "port", Type: arrow.PrimitiveTypes.Int32},
	{Name: "target", Type: arrow.PrimitiveTypes.Int32},
	{Name: "number", Type: arrow.PrimitiveTypes.Int64},
	{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "key", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "space", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "payload", Type: arrow.BinaryTypes.Binary, Nullable: true},
}, nil)

// record makes a record of rows. The caller releases it.
func record(rows []row) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, Schema)
	defer b.Release()
	bytes := func(i int, v []byte) {
		if f := b.Field(i).(*array.BinaryBuilder); v == nil {
			f.AppendNull()
		} else {
			f.Append(v)
		}
	}
	for _, r := range rows {
		b.Field(0).(*array.Int8Builder).Append(r.kind)
		b.Field(1).(*array.Int32Builder).Append(r.port)
		b.Field(2).(*array.Int32Builder).Append(r.target)
		b.Field(3).(*array.Int64Builder).Append(r.number)
		if r.name == "" {
			b.Field(4).AppendNull()
		} else {
			b.Field(4).(*array.StringBuilder).Append(r.name)
		}
		bytes(5, r.key)
		bytes(6, r.space)
		bytes(7, r.payload)
	}
	return b.NewRecord()
}

// rows copies the rows of a record out of the guest's memory.
func rows(rec arrow.Record, dst []row) ([]row, error) {
	for i, f := range Schema.Fields() {
		if int(rec.NumCols()) != len(Schema.Fields()) || !arrow.TypeEqual(rec.Column(i).DataType(), f.Type) {
			return dst, fmt.Errorf("expected rows of (%s), got (%s)", Schema, rec.Schema())
		}
	}
	kinds, ports := rec.Column(0).(*array.Int8), rec.Column(1).(*array.Int32)
	targets, numbers, names := rec.Column(2).(*array.Int32), rec.Column(3).(*array.Int64), rec.Column(4).(*array.String)
	bytes := func(column, i int) []byte {
		c := rec.Column(column).(*array.Binary)
		if c.IsNull(i) {
			return nil
		}
		return append([]byte{}, c.Value(i)...)
	}
	for i := range int(rec.NumRows()) {
		r := row{kind: kinds.Value(i), port: ports.Value(i), target: targets.Value(i), number: numbers.Value(i),
			key: bytes(5, i), space: bytes(6, i), payload: bytes(7, i)}
		if !names.IsNull(i) {
			r.name = string([]byte(names.Value(i)))
		}
		dst = append(dst, r)
	}
	return dst, nil
}
