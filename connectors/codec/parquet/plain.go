package parquet

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/stream"
)

// The library keeps the least and the largest text of a row group by reference, misreads slices, and says of times without a zone that
// they are in UTC and of times in a zone that they are not. So it gets copies, with types that it writes as they should be.

// plainType returns the type that the library is given for t.
func plainType(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.TimestampType:
		zone := "UTC"
		if t.TimeZone == "" {
			zone = "none" // the library writes any name but UTC as a time without a zone
		}
		return &arrow.TimestampType{Unit: t.Unit, TimeZone: zone}
	case *arrow.DictionaryType:
		return plainType(t.ValueType)
	case *arrow.ListType:
		f := t.ElemField()
		f.Type = plainType(f.Type)
		return arrow.ListOfField(f)
	case *arrow.MapType:
		m := arrow.MapOf(plainType(t.KeyType()), plainType(t.ItemType()))
		m.SetItemNullable(t.ItemField().Nullable)
		m.KeysSorted = t.KeysSorted
		return m
	case *arrow.StructType:
		return arrow.StructOf(plainFields(t.Fields())...)
	}
	return t
}

func plainFields(fields []arrow.Field) []arrow.Field {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		out[i] = arrow.Field{Name: f.Name, Type: plainType(f.Type), Nullable: f.Nullable}
	}
	return out
}

// plain returns a copy of a record in Go's memory, with the types of plainType.
func plain(rec arrow.Record, s *arrow.Schema) arrow.Record {
	kept := stream.Gather(memory.DefaultAllocator, rec, stream.Range(0, int(rec.NumRows())))
	columns := make([]arrow.Array, kept.NumCols())
	for i, c := range kept.Columns() {
		columns[i] = array.MakeFromData(plainData(c.Data()))
	}
	return array.NewRecord(s, columns, rec.NumRows())
}

func plainData(d arrow.ArrayData) arrow.ArrayData {
	switch t := d.DataType().(type) {
	case *arrow.DictionaryType:
		return plainData(dense(d, t))
	case *arrow.TimestampType:
		return array.NewData(plainType(t), d.Len(), d.Buffers(), nil, d.NullN(), d.Offset())
	case *arrow.ListType, *arrow.MapType, *arrow.StructType:
		children := make([]arrow.ArrayData, len(d.Children()))
		for i, c := range d.Children() {
			children[i] = plainData(c)
		}
		return array.NewData(plainType(t), d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
	}
	return d
}

// dense returns the values of a dictionary column, one for each row.
func dense(d arrow.ArrayData, t *arrow.DictionaryType) arrow.ArrayData {
	indexes := array.NewDictionaryData(d)
	values := indexes.Dictionary()
	if values.Len() == 0 {
		return array.MakeArrayOfNull(memory.DefaultAllocator, t.ValueType, d.Len()).Data()
	}
	valid := make([]byte, bitutil.BytesForBits(int64(d.Len())))
	rows, nulls := make([]int32, d.Len()), 0
	for i := range rows {
		if indexes.IsValid(i) {
			rows[i] = int32(indexes.GetValueIndex(i))
		}
		if indexes.IsValid(i) && values.IsValid(int(rows[i])) {
			bitutil.SetBit(valid, i)
		} else {
			nulls++
		}
	}
	one := array.NewRecord(arrow.NewSchema([]arrow.Field{{Type: t.ValueType}}, nil), []arrow.Array{values}, int64(values.Len()))
	taken := stream.Gather(memory.DefaultAllocator, one, rows).Column(0).Data()
	buffers := append([]*memory.Buffer{memory.NewBufferBytes(valid)}, taken.Buffers()[1:]...)
	return array.NewData(t.ValueType, len(rows), buffers, taken.Children(), nulls, 0)
}
