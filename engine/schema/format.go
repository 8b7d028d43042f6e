package schema

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// Format writes a type in the grammar that [ParseType] reads. Types outside of the grammar are written as Arrow does.
func Format(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.FixedSizeBinaryType:
		return fmt.Sprintf("fixed_size_binary[%d]", t.ByteWidth)
	case *arrow.Time32Type:
		return "time32[" + t.Unit.String() + "]"
	case *arrow.Time64Type:
		return "time64[" + t.Unit.String() + "]"
	case *arrow.DurationType:
		return "duration[" + t.Unit.String() + "]"
	case *arrow.TimestampType:
		if t.TimeZone != "" {
			return "timestamp[" + t.Unit.String() + ", " + t.TimeZone + "]"
		}
		return "timestamp[" + t.Unit.String() + "]"
	case *arrow.Decimal128Type:
		return fmt.Sprintf("decimal128(%d, %d)", t.Precision, t.Scale)
	case *arrow.MapType: // before ListType: a map is stored as a list
		return "map<" + Format(t.KeyType()) + ", " + FormatNullable(t.ItemType(), t.ItemField().Nullable) + ">"
	case *arrow.ListType:
		return "list<" + FormatNullable(t.Elem(), t.ElemField().Nullable) + ">"
	case *arrow.DictionaryType:
		return "dictionary<" + Format(t.IndexType) + ", " + Format(t.ValueType) + ">"
	case *arrow.StructType:
		fields := make([]string, t.NumFields())
		for i, f := range t.Fields() {
			fields[i] = f.Name + ": " + FormatNullable(f.Type, f.Nullable)
		}
		return "struct<" + strings.Join(fields, ", ") + ">"
	}
	return t.Name()
}

// FormatNullable writes a type, with "!" behind it when it holds no nulls.
func FormatNullable(t arrow.DataType, nullable bool) string {
	if nullable {
		return Format(t)
	}
	return Format(t) + "!"
}

// FormatField writes a column's type as [ParseField] reads it: "json" for one that holds documents, else as FormatNullable.
func FormatField(f arrow.Field) string {
	if !IsJSON(f) {
		return FormatNullable(f.Type, f.Nullable)
	}
	if f.Nullable {
		return jsonType
	}
	return jsonType + "!"
}

// FormatSchema writes "name: type" of each column, separated by ", ".
func FormatSchema(s *arrow.Schema) string {
	columns := make([]string, len(s.Fields()))
	for i, f := range s.Fields() {
		columns[i] = f.Name + ": " + FormatField(f)
	}
	return strings.Join(columns, ", ")
}
