package codectest

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"
)

// Scalars are types without children, all that codecs know.
var Scalars = []arrow.DataType{
	arrow.FixedWidthTypes.Boolean,
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
	arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
	arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary,
	&arrow.FixedSizeBinaryType{ByteWidth: 5}, arrow.FixedWidthTypes.Date32,
	arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time32ms, arrow.FixedWidthTypes.Time64us, arrow.FixedWidthTypes.Time64ns,
	&arrow.TimestampType{Unit: arrow.Second}, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"},
	&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Berlin"}, &arrow.TimestampType{Unit: arrow.Nanosecond},
	arrow.FixedWidthTypes.Duration_us,
	&arrow.Decimal128Type{Precision: 38, Scale: 10}, &arrow.Decimal128Type{Precision: 5, Scale: 0}, &arrow.Decimal128Type{Precision: 9, Scale: 9},
}

// Type draws a type whose values nest at most depth deep.
func Type(t *rapid.T, depth int) arrow.DataType {
	scalar := rapid.SampledFrom(Scalars)
	if depth == 0 {
		return scalar.Draw(t, "type")
	}
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return arrow.ListOfField(field(t, "item", depth-1))
	case 1:
		return arrow.StructOf(fields(t, depth-1, 0)...)
	case 2:
		f := field(t, "value", depth-1)
		m := arrow.MapOf(arrow.BinaryTypes.String, f.Type)
		m.SetItemNullable(f.Nullable)
		return m
	case 3:
		values := rapid.SampledFrom([]arrow.DataType{arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.Binary, &arrow.FixedSizeBinaryType{ByteWidth: 5}})
		index := rapid.SampledFrom([]arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64})
		return &arrow.DictionaryType{IndexType: index.Draw(t, "index"), ValueType: values.Draw(t, "values")}
	case 4:
		return arrow.Null
	}
	return scalar.Draw(t, "type")
}

func field(t *rapid.T, name string, depth int) arrow.Field {
	typ := Type(t, depth)
	return arrow.Field{Name: name, Type: typ, Nullable: rapid.Bool().Draw(t, "nullable") || typ.ID() == arrow.NULL}
}

func fields(t *rapid.T, depth, least int) []arrow.Field {
	out := make([]arrow.Field, rapid.IntRange(least, 4).Draw(t, "fields"))
	for i := range out {
		out[i] = field(t, fmt.Sprintf("f%d", i), depth)
	}
	return out
}

// FlatSchema draws a schema of 1 to 4 columns without nested types.
func FlatSchema(t *rapid.T) *arrow.Schema {
	out := make([]arrow.Field, rapid.IntRange(1, 4).Draw(t, "fields"))
	for i := range out {
		typ := Type(t, 0)
		if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
			typ = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String}
		}
		out[i] = arrow.Field{Name: fmt.Sprintf("f%d", i), Type: typ, Nullable: rapid.Bool().Draw(t, "nullable")}
	}
	return arrow.NewSchema(out, nil)
}

// RandomSchema draws a schema of 1 to 4 columns.
func RandomSchema(t *rapid.T, depth int) *arrow.Schema {
	return arrow.NewSchema(fields(t, depth, 1), nil)
}

// Record draws a record, which is sometimes a slice of a longer one. Times lie within what their text can say, floats
// are finite. The caller releases it.
func Record(t *rapid.T, schema *arrow.Schema, most int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	n := rapid.IntRange(1, most).Draw(t, "rows")
	for i, f := range schema.Fields() {
		for range n {
			appendRandom(t, b.Field(i), f.Type, f.Nullable)
		}
	}
	r := b.NewRecord()
	if n > 1 && rapid.Bool().Draw(t, "sliced") {
		from := rapid.IntRange(0, n-1).Draw(t, "from")
		to := rapid.IntRange(from+1, n).Draw(t, "to")
		s := r.NewSlice(int64(from), int64(to))
		r.Release()
		return s
	}
	return r
}

func within(t *rapid.T, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, "v") }

func appendRandom(t *rapid.T, b array.Builder, typ arrow.DataType, nullable bool) {
	if nullable && rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BooleanBuilder:
		b.Append(rapid.Bool().Draw(t, "v"))
	case *array.Int8Builder:
		b.Append(rapid.Int8().Draw(t, "v"))
	case *array.Int16Builder:
		b.Append(rapid.Int16().Draw(t, "v"))
	case *array.Int32Builder:
		b.Append(rapid.Int32().Draw(t, "v"))
	case *array.Int64Builder:
		b.Append(rapid.Int64().Draw(t, "v"))
	case *array.Uint8Builder:
		b.Append(rapid.Uint8().Draw(t, "v"))
	case *array.Uint16Builder:
		b.Append(rapid.Uint16().Draw(t, "v"))
	case *array.Uint32Builder:
		b.Append(rapid.Uint32().Draw(t, "v"))
	case *array.Uint64Builder:
		b.Append(rapid.Uint64().Draw(t, "v"))
	case *array.Float32Builder:
		b.Append(rapid.Float32Range(-math.MaxFloat32, math.MaxFloat32).Draw(t, "v"))
	case *array.Float64Builder:
		b.Append(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "v"))
	case *array.StringBuilder:
		b.Append(rapid.String().Draw(t, "v"))
	case *array.LargeStringBuilder:
		b.Append(rapid.String().Draw(t, "v"))
	case *array.BinaryBuilder:
		b.Append(rapid.SliceOf(rapid.Byte()).Draw(t, "v"))
	case *array.FixedSizeBinaryBuilder:
		w := typ.(*arrow.FixedSizeBinaryType).ByteWidth
		b.Append(rapid.SliceOfN(rapid.Byte(), w, w).Draw(t, "v"))
	case *array.Date32Builder:
		b.Append(arrow.Date32(within(t, -719528, 2932896)))
	case *array.Time32Builder:
		b.Append(arrow.Time32(within(t, 0, 86399)))
	case *array.Time64Builder:
		b.Append(arrow.Time64(within(t, 0, 86399_999999)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(within(t, -62167219200, 253402300799)))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(rapid.Int64().Draw(t, "v")))
	case *array.Decimal128Builder:
		high := int64(99999)
		if typ.(*arrow.Decimal128Type).Precision == 38 {
			b.Append(decimal128.New(within(t, -5e18, 5e18), rapid.Uint64().Draw(t, "lo")))
			return
		}
		b.Append(decimal128.FromI64(within(t, -high, high)))
	case *array.StructBuilder:
		b.Append(true)
		for i, f := range typ.(*arrow.StructType).Fields() {
			appendRandom(t, b.FieldBuilder(i), f.Type, f.Nullable)
		}
	case *array.MapBuilder:
		b.Append(true)
		m := typ.(*arrow.MapType)
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			appendRandom(t, b.KeyBuilder(), m.KeyType(), false)
			appendRandom(t, b.ItemBuilder(), m.ItemType(), m.ItemField().Nullable)
		}
	case *array.ListBuilder:
		b.Append(true)
		f := typ.(*arrow.ListType).ElemField()
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			appendRandom(t, b.ValueBuilder(), f.Type, f.Nullable)
		}
	case *array.Int64DictionaryBuilder:
		must(b.Append(rapid.Int64().Draw(t, "v")))
	case *array.BinaryDictionaryBuilder:
		must(b.AppendString(rapid.String().Draw(t, "v")))
	case *array.FixedSizeBinaryDictionaryBuilder:
		must(b.Append(rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "v")))
	default:
		panic(fmt.Sprintf("codectest: no values for %s in %T", typ, b))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
