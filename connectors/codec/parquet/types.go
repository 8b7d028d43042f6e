package parquet

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/schema"

	"github.com/wasmill/wasmill/connectors/codec/text"
	engineschema "github.com/wasmill/wasmill/engine/schema"
)

// typeOf returns the Arrow type of a column of one value per row, nil for one that cannot be read. The mapping is that of Parquet's
// LogicalTypes.md.
func typeOf(n schema.Node) arrow.DataType {
	p, ok := n.(*schema.PrimitiveNode)
	if !ok || n.RepetitionType() == parquet.Repetitions.Repeated {
		return nil
	}
	switch l := n.LogicalType().(type) {
	case *schema.DecimalLogicalType:
		if l.Precision() < 1 || l.Precision() > 38 || l.Scale() < 0 || l.Scale() > l.Precision() {
			return nil
		}
		return &arrow.Decimal128Type{Precision: l.Precision(), Scale: l.Scale()}
	case schema.Float16LogicalType, schema.IntervalLogicalType:
		return nil
	case schema.StringLogicalType, schema.EnumLogicalType, schema.JSONLogicalType:
		if p.PhysicalType() == parquet.Types.ByteArray {
			return arrow.BinaryTypes.String
		}
	}
	switch p.PhysicalType() {
	case parquet.Types.Boolean:
		return arrow.FixedWidthTypes.Boolean
	case parquet.Types.Int32:
		return int32Type(n.LogicalType())
	case parquet.Types.Int64:
		return int64Type(n.LogicalType())
	case parquet.Types.Int96:
		return &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	case parquet.Types.Float:
		return arrow.PrimitiveTypes.Float32
	case parquet.Types.Double:
		return arrow.PrimitiveTypes.Float64
	case parquet.Types.ByteArray:
		return arrow.BinaryTypes.Binary
	case parquet.Types.FixedLenByteArray:
		if n := p.TypeLength(); n >= 0 && n <= 1<<20 {
			return &arrow.FixedSizeBinaryType{ByteWidth: n}
		}
	}
	return nil
}

func int32Type(l schema.LogicalType) arrow.DataType {
	switch l := l.(type) {
	case *schema.IntLogicalType:
		switch {
		case l.BitWidth() == 8 && l.IsSigned():
			return arrow.PrimitiveTypes.Int8
		case l.BitWidth() == 16 && l.IsSigned():
			return arrow.PrimitiveTypes.Int16
		case l.BitWidth() == 8:
			return arrow.PrimitiveTypes.Uint8
		case l.BitWidth() == 16:
			return arrow.PrimitiveTypes.Uint16
		case !l.IsSigned():
			return arrow.PrimitiveTypes.Uint32
		}
	case schema.DateLogicalType:
		return arrow.FixedWidthTypes.Date32
	case *schema.TimeLogicalType:
		return arrow.FixedWidthTypes.Time32ms
	}
	return arrow.PrimitiveTypes.Int32
}

func int64Type(l schema.LogicalType) arrow.DataType {
	units := map[schema.TimeUnitType]arrow.TimeUnit{
		schema.TimeUnitMillis: arrow.Millisecond, schema.TimeUnitMicros: arrow.Microsecond, schema.TimeUnitNanos: arrow.Nanosecond,
	}
	switch l := l.(type) {
	case *schema.IntLogicalType:
		if !l.IsSigned() {
			return arrow.PrimitiveTypes.Uint64
		}
	case *schema.TimeLogicalType:
		return &arrow.Time64Type{Unit: units[l.TimeUnit()]}
	case *schema.TimestampLogicalType:
		t := &arrow.TimestampType{Unit: units[l.TimeUnit()]}
		if l.IsAdjustedToUTC() {
			t.TimeZone = "UTC"
		}
		return t
	}
	return arrow.PrimitiveTypes.Int64
}

// fits reports whether values of a file's type a can go into a column of type b. Parquet has no large and no dictionary types, no durations, and
// of a time's zone it says only whether there is one.
func fits(a, b arrow.DataType) bool {
	switch b := b.(type) {
	case *arrow.LargeStringType:
		return a.ID() == arrow.STRING
	case *arrow.LargeBinaryType:
		return a.ID() == arrow.BINARY
	case *arrow.DurationType:
		return a.ID() == arrow.INT64
	case *arrow.DictionaryType:
		return fits(a, b.ValueType)
	case *arrow.TimestampType:
		t, ok := a.(*arrow.TimestampType)
		return ok && t.Unit == b.Unit && (t.TimeZone == "") == (b.TimeZone == "") && (b.TimeZone == "" || text.IsUTC(b.TimeZone))
	}
	return arrow.TypeEqual(a, b)
}

// unwritable says why a column of a type cannot be written; "" where it can.
func unwritable(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.DurationType, *arrow.NullType:
		return "type " + engineschema.Format(t) + " cannot be written as Parquet"
	case *arrow.DictionaryType:
		return unwritable(t.ValueType)
	case *arrow.ListType:
		return unwritable(t.Elem())
	case *arrow.MapType:
		return unwritable(t.Elem())
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if why := unwritable(f.Type); why != "" {
				return why
			}
		}
	}
	return ""
}
