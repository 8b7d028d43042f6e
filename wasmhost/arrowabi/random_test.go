package arrowabi_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

// leaves are the types without children that cross.
var leaves = []arrow.DataType{
	arrow.Null, arrow.FixedWidthTypes.Boolean,
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
	arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
	arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary,
	&arrow.FixedSizeBinaryType{ByteWidth: 3}, arrow.FixedWidthTypes.Date32,
	arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time32ms, arrow.FixedWidthTypes.Time64us, arrow.FixedWidthTypes.Time64ns,
	arrow.FixedWidthTypes.Duration_s, arrow.FixedWidthTypes.Duration_ms, arrow.FixedWidthTypes.Duration_us, arrow.FixedWidthTypes.Duration_ns,
	&arrow.TimestampType{Unit: arrow.Millisecond}, &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "Europe/Paris"},
	&arrow.Decimal128Type{Precision: 20, Scale: 3},
}

var indexTypes = []arrow.DataType{
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Uint16,
	arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
}

func randomType(t *rapid.T, depth int) arrow.DataType {
	most := len(leaves) + 3
	if depth == 0 {
		most = len(leaves) - 1
	}
	switch i := rapid.IntRange(0, most).Draw(t, "type"); i - len(leaves) {
	case 0:
		return arrow.ListOfField(randomField(t, "item", depth-1))
	case 1:
		fields := make([]arrow.Field, rapid.IntRange(0, 3).Draw(t, "fields"))
		for i := range fields {
			fields[i] = randomField(t, fmt.Sprint("f", i), depth-1)
		}
		return arrow.StructOf(fields...)
	case 2:
		key := leaves[rapid.IntRange(1, len(leaves)-1).Draw(t, "key")]
		value := randomField(t, "value", depth-1)
		m := arrow.MapOf(key, value.Type)
		m.SetItemNullable(value.Nullable)
		return m
	case 3:
		return &arrow.DictionaryType{
			IndexType: rapid.SampledFrom(indexTypes).Draw(t, "index"),
			ValueType: rapid.SampledFrom([]arrow.DataType{arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.Binary}).Draw(t, "values"),
		}
	default:
		return leaves[i]
	}
}

func randomField(t *rapid.T, name string, depth int) arrow.Field {
	typ := randomType(t, depth)
	return arrow.Field{Name: name, Type: typ, Nullable: typ.ID() == arrow.NULL || rapid.Bool().Draw(t, "nullable")}
}

func randomSchema(t *rapid.T) *arrow.Schema {
	fields := make([]arrow.Field, rapid.IntRange(0, 4).Draw(t, "columns"))
	for i := range fields {
		fields[i] = randomField(t, fmt.Sprint("c", i), 3)
	}
	return arrow.NewSchema(fields, nil)
}

// appendRandom appends one value, below a nullable field sometimes a null.
func appendRandom(t *rapid.T, b array.Builder, nullable bool) {
	if nullable && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		b.AppendNull()
		return
	}
	v := rapid.Int64Range(-40, 40).Draw(t, "value")
	text := rapid.StringN(0, 5, 12).Draw(t, "text")
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BooleanBuilder:
		b.Append(v > 0)
	case *array.Int8Builder:
		b.Append(int8(v))
	case *array.Int16Builder:
		b.Append(int16(v))
	case *array.Int32Builder:
		b.Append(int32(v))
	case *array.Int64Builder:
		b.Append(v)
	case *array.Uint8Builder:
		b.Append(uint8(v))
	case *array.Uint16Builder:
		b.Append(uint16(v))
	case *array.Uint32Builder:
		b.Append(uint32(v))
	case *array.Uint64Builder:
		b.Append(uint64(v))
	case *array.Float32Builder:
		b.Append(float32(v) / 4)
	case *array.Float64Builder:
		b.Append(float64(v) / 8)
	case *array.StringBuilder:
		b.Append(text)
	case *array.LargeStringBuilder:
		b.Append(text)
	case *array.BinaryBuilder: // binary and large_binary
		b.Append([]byte(text))
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte{byte(v), 1, 2})
	case *array.Date32Builder:
		b.Append(arrow.Date32(v))
	case *array.Time32Builder:
		b.Append(arrow.Time32(v))
	case *array.Time64Builder:
		b.Append(arrow.Time64(v))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(v))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(v))
	case *array.BinaryDictionaryBuilder:
		if err := b.AppendString(text); err != nil {
			t.Fatal(err)
		}
	case *array.Int64DictionaryBuilder:
		if err := b.Append(v); err != nil {
			t.Fatal(err)
		}
	case *array.MapBuilder:
		b.Append(true)
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			appendRandom(t, b.KeyBuilder(), false)
			appendRandom(t, b.ItemBuilder(), b.Type().(*arrow.MapType).ItemField().Nullable)
		}
	case *array.ListBuilder:
		b.Append(true)
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			appendRandom(t, b.ValueBuilder(), b.Type().(*arrow.ListType).ElemField().Nullable)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i, f := range b.Type().(*arrow.StructType).Fields() {
			appendRandom(t, b.FieldBuilder(i), f.Nullable)
		}
	default:
		t.Fatalf("no random value for %T", b)
	}
}

func randomRecord(t *rapid.T, alloc memory.Allocator) arrow.Record {
	b := array.NewRecordBuilder(alloc, randomSchema(t))
	defer b.Release()
	rows := rapid.IntRange(0, 40).Draw(t, "rows")
	for range rows {
		for i, f := range b.Schema().Fields() {
			appendRandom(t, b.Field(i), f.Nullable)
		}
	}
	rec := b.NewRecord()
	if rec.NumRows() > 0 && rec.NumCols() > 0 && rapid.Bool().Draw(t, "sliced") {
		from := rapid.Int64Range(0, rec.NumRows()).Draw(t, "from")
		to := rapid.Int64Range(from, rec.NumRows()).Draw(t, "to")
		sliced := rec.NewSlice(from, to)
		rec.Release()
		return sliced
	}
	return rec
}

func TestRandomRecordsCross(t *testing.T) {
	for _, place := range []string{"guest", "go", "short"} {
		t.Run(place, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				g, done := openGuest(t)
				defer done()
				checked := memory.NewCheckedAllocator(memory.DefaultAllocator)
				alloc := memory.Allocator(checked)
				switch place {
				case "guest":
					if err := g.Reserve(4 << 20); err != nil {
						t.Fatal(err)
					}
					alloc = g
				case "short": // a part of the buffers lies in the guest, the others in Go memory
					if err := g.Reserve(512); err != nil {
						t.Fatal(err)
					}
					for n := 64 << 10; n > 2048; n -= 64 {
						g.Allocate(64)
					}
					alloc = g
				}
				rec := randomRecord(t, alloc)
				back, ex, im := cross(t, g, rec)
				if !array.RecordEqual(rec, back) {
					t.Fatalf("exported %v\nimported %v", rec, back)
				}
				if place == "guest" && ex.CopiedBytes() != 0 || im.CopiedBytes() != 0 {
					t.Fatalf("copied %d bytes out, %d in", ex.CopiedBytes(), im.CopiedBytes())
				}
				for _, r := range []arrow.Record{rec, back} {
					if err := arrowabi.Recheck(g, r, where); err != nil {
						t.Fatal(err)
					}
				}
				// What came out of a guest goes into it again, as between two functions, without a copy.
				if back.NumCols() > 0 {
					again, second, _ := cross(t, g, back)
					if !array.RecordEqual(rec, again) || second.CopiedBytes() != 0 {
						t.Fatalf("copied %d bytes\nfirst %v\nagain %v", second.CopiedBytes(), rec, again)
					}
					again.Release()
				}
				back.Release()
				ex.Release()
				rec.Release()
				checked.AssertSize(t, 0)
			})
		})
	}
}

func TestRandomSchemasCross(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, done := openGuest(t)
		defer done()
		schema := randomSchema(t)
		ptr, err := arrowabi.ExportSchema(g, schema, 1)
		if err != nil {
			t.Fatal(err)
		}
		back, err := arrowabi.ImportSchema(g.Bytes(), ptr, where)
		if err != nil {
			t.Fatal(err)
		}
		if !schema.Equal(back) {
			t.Fatalf("exported %s\nimported %s", schema, back)
		}
		if err := g.FreeScratch(ptr); err != nil {
			t.Fatal(err)
		}
	})
}
