package ipc

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// The types as Schema.fbs of the Arrow format numbers them.
const (
	typeNull = iota + 1
	typeInt
	typeFloat
	typeBinary
	typeUtf8
	typeBool
	typeDecimal
	typeDate
	typeTime
	typeTimestamp
	typeInterval
	typeList
	typeStruct
	typeUnion
	typeFixedBinary
	typeFixedList
	typeMap
	typeDuration
	typeLargeBinary
	typeLargeUtf8
	typeLargeList
)

var typeNames = map[byte]string{
	typeUnion: "union", typeFixedList: "fixed_size_list", typeLargeList: "large_list", 22: "run_end_encoded",
	23: "binary_view", 24: "utf8_view", 25: "list_view", 26: "large_list_view",
}

var integers = map[int][2]arrow.DataType{
	8:  {arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int8},
	16: {arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int16},
	32: {arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int32},
	64: {arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Int64},
}

// typ reads the type of f, whose children are known, from its table. Types whose layout is not known are a fault, since
// what stands behind them in a batch could not be found.
func (r *schemaReader) typ(f *field, kind byte, t table) {
	switch kind {
	case typeNull:
		f.layout, f.typ = layoutNone, arrow.Null
	case typeInt:
		if pair, ok := integers[t.int(0, 0)]; ok {
			f.fixed(t.int(0, 0), pair[t.byte(1)&1])
		}
	case typeFloat:
		switch t.short(0, 0) {
		case 0:
			f.fixed(16, nil)
			f.typeName = "float16"
		case 1:
			f.fixed(32, arrow.PrimitiveTypes.Float32)
		case 2:
			f.fixed(64, arrow.PrimitiveTypes.Float64)
		}
	case typeBool:
		f.fixed(1, arrow.FixedWidthTypes.Boolean)
	case typeDecimal:
		r.decimal(f, t)
	case typeDate:
		if t.short(0, 1) == 0 {
			f.fixed(32, arrow.FixedWidthTypes.Date32)
		} else {
			f.fixed(64, nil)
			f.typeName = "date64"
		}
	case typeTime:
		r.time(f, t)
	case typeTimestamp:
		if unit, ok := unitOf(t.short(0, 0)); ok {
			f.fixed(64, &arrow.TimestampType{Unit: unit, TimeZone: r.text(t, 1)})
		}
	case typeDuration:
		if unit, ok := unitOf(t.short(0, 1)); ok {
			f.fixed(64, &arrow.DurationType{Unit: unit})
		}
	case typeInterval:
		if unit := t.short(0, 0); unit >= 0 && unit <= 2 {
			f.fixed([]int{32, 64, 128}[unit], nil)
			f.typeName = "interval"
		}
	case typeFixedBinary:
		if n := t.int(0, 0); n >= 0 && n <= 1<<20 {
			f.fixed(8*n, &arrow.FixedSizeBinaryType{ByteWidth: n})
		}
	case typeBinary:
		f.offsets(layoutBytes, 4, arrow.BinaryTypes.Binary)
	case typeUtf8:
		f.offsets(layoutBytes, 4, arrow.BinaryTypes.String)
	case typeLargeBinary:
		f.offsets(layoutBytes, 8, arrow.BinaryTypes.LargeBinary)
	case typeLargeUtf8:
		f.offsets(layoutBytes, 8, arrow.BinaryTypes.LargeString)
	case typeList, typeStruct, typeMap:
		r.nested(f, kind)
	default:
		name := typeNames[kind]
		if name == "" {
			name = fmt.Sprintf("number %d", kind)
		}
		r.fail(fault.New(fault.Unsupported, "type %s cannot be decoded", name).At("column %s", f.name).
			WithHint("write the column as another type"))
		return
	}
	if f.typeName == "" && f.typ == nil || len(f.children) > 0 && f.layout != layoutStruct && f.layout != layoutList {
		r.fail(damaged())
	}
	if f.typeName == "" && f.typ != nil {
		f.typeName = schema.Format(f.typ)
	}
}

func (f *field) fixed(bits int, t arrow.DataType) { f.layout, f.width, f.typ = layoutFixed, bits, t }

func (f *field) offsets(l layout, width int, t arrow.DataType) {
	f.layout, f.width, f.typ = l, width, t
}

func unitOf(n int) (arrow.TimeUnit, bool) {
	units := []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond}
	if n < 0 || n >= len(units) {
		return 0, false
	}
	return units[n], true
}

func (r *schemaReader) decimal(f *field, t table) {
	precision, scale, bits := t.int(0, 0), t.int(1, 0), t.int(2, 128)
	switch {
	case bits == 128 && precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision:
		f.fixed(128, &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)})
	case bits == 32 || bits == 64 || bits == 128 || bits == 256:
		f.fixed(bits, nil)
		f.typeName = fmt.Sprintf("decimal%d(%d, %d)", bits, precision, scale)
	}
}

func (r *schemaReader) time(f *field, t table) {
	unit, ok := unitOf(t.short(0, 1))
	switch bits := t.int(1, 32); {
	case ok && bits == 32 && unit <= arrow.Millisecond:
		f.fixed(32, &arrow.Time32Type{Unit: unit})
	case ok && bits == 64 && unit >= arrow.Microsecond:
		f.fixed(64, &arrow.Time64Type{Unit: unit})
	}
}

// nested reads types with children. One with a child that we cannot have is one itself.
func (r *schemaReader) nested(f *field, kind byte) {
	parts := make([]arrow.Field, len(f.children))
	known := true
	for i, k := range f.children {
		parts[i] = arrow.Field{Name: k.name, Type: k.typ, Nullable: k.nullable}
		known = known && k.typ != nil
	}
	switch kind {
	case typeStruct:
		f.layout, f.typeName = layoutStruct, "struct"
		if known {
			f.typ = arrow.StructOf(parts...)
		}
	case typeList:
		if len(parts) != 1 {
			break
		}
		f.layout, f.width, f.typeName = layoutList, 4, "list"
		if known {
			f.typ = arrow.ListOfField(parts[0])
		}
	case typeMap:
		if len(parts) != 1 || f.children[0].layout != layoutStruct || len(f.children[0].children) != 2 || f.children[0].values != nil {
			break
		}
		f.layout, f.width, f.typeName = layoutList, 4, "map"
		if entry := f.children[0]; known {
			m := arrow.MapOf(entry.children[0].typ, entry.children[1].typ)
			m.SetItemNullable(entry.children[1].nullable)
			f.typ = m
		}
	}
	if f.typ != nil {
		f.typeName = schema.Format(f.typ)
	} else if f.typeName == "" {
		r.fail(damaged())
	}
}

// same reports whether data of type a can go into a column of type b: the names of a list's items and of a map's parts
// do not matter, nor how UTC is spelled; nulls are looked for in the data.
func same(a, b arrow.DataType) bool {
	if a.ID() != b.ID() {
		return false
	}
	switch a := a.(type) {
	case *arrow.TimestampType:
		t := b.(*arrow.TimestampType)
		return a.Unit == t.Unit && (a.TimeZone == t.TimeZone || text.IsUTC(a.TimeZone) && text.IsUTC(t.TimeZone))
	case *arrow.MapType:
		m := b.(*arrow.MapType)
		return same(a.KeyType(), m.KeyType()) && same(a.ItemType(), m.ItemType())
	case *arrow.ListType:
		return same(a.Elem(), b.(*arrow.ListType).Elem())
	case *arrow.DictionaryType:
		d := b.(*arrow.DictionaryType)
		return same(a.IndexType, d.IndexType) && same(a.ValueType, d.ValueType)
	case *arrow.StructType:
		s := b.(*arrow.StructType)
		if a.NumFields() != s.NumFields() {
			return false
		}
		for i := range a.NumFields() {
			if a.Field(i).Name != s.Field(i).Name || !same(a.Field(i).Type, s.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return arrow.TypeEqual(a, b)
}
