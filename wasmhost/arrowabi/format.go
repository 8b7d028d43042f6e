package arrowabi

import (
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
)

// Format strings of the C data interface, https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings.

// plain are the types whose format has no parameters.
var plain = map[string]arrow.DataType{
	"n": arrow.Null, "b": arrow.FixedWidthTypes.Boolean,
	"c": arrow.PrimitiveTypes.Int8, "C": arrow.PrimitiveTypes.Uint8,
	"s": arrow.PrimitiveTypes.Int16, "S": arrow.PrimitiveTypes.Uint16,
	"i": arrow.PrimitiveTypes.Int32, "I": arrow.PrimitiveTypes.Uint32,
	"l": arrow.PrimitiveTypes.Int64, "L": arrow.PrimitiveTypes.Uint64,
	"f": arrow.PrimitiveTypes.Float32, "g": arrow.PrimitiveTypes.Float64,
	"u": arrow.BinaryTypes.String, "U": arrow.BinaryTypes.LargeString,
	"z": arrow.BinaryTypes.Binary, "Z": arrow.BinaryTypes.LargeBinary,
	"tdD": arrow.FixedWidthTypes.Date32,
	"tts": arrow.FixedWidthTypes.Time32s, "ttm": arrow.FixedWidthTypes.Time32ms,
	"ttu": arrow.FixedWidthTypes.Time64us, "ttn": arrow.FixedWidthTypes.Time64ns,
	"tDs": arrow.FixedWidthTypes.Duration_s, "tDm": arrow.FixedWidthTypes.Duration_ms,
	"tDu": arrow.FixedWidthTypes.Duration_us, "tDn": arrow.FixedWidthTypes.Duration_ns,
}

// units are the letters of time units, in the order of arrow.TimeUnit.
const units = "smun"

// format writes a type that has passed compile. A dictionary has the format of its indices.
func format(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return format(t.IndexType)
	case *arrow.TimestampType:
		return "ts" + units[t.Unit:t.Unit+1] + ":" + t.TimeZone
	case *arrow.FixedSizeBinaryType:
		return "w:" + strconv.Itoa(t.ByteWidth)
	case *arrow.Decimal128Type:
		return "d:" + strconv.Itoa(int(t.Precision)) + "," + strconv.Itoa(int(t.Scale))
	case *arrow.StructType:
		return "+s"
	case *arrow.MapType:
		return "+m"
	case *arrow.ListType:
		return "+l"
	}
	for f, p := range plain {
		if arrow.TypeEqual(p, t) {
			return f
		}
	}
	return ""
}

// parseFormat reads the format of a type without children.
func parseFormat(text string) (arrow.DataType, *fault.Fault) {
	if t, ok := plain[text]; ok {
		return t, nil
	}
	name, rest, ok := strings.Cut(text, ":")
	if !ok {
		return nil, fault.New(fault.Unsupported, "the format %q does not cross from guests", text)
	}
	if unit, ok := strings.CutPrefix(name, "ts"); ok && len(unit) == 1 && strings.Contains(units, unit) {
		return &arrow.TimestampType{Unit: arrow.TimeUnit(strings.Index(units, unit)), TimeZone: rest}, nil
	}
	numbers := strings.Split(rest, ",")
	parsed := make([]int, len(numbers))
	for i, n := range numbers {
		v, err := strconv.ParseInt(n, 10, 32)
		if err != nil {
			return nil, fault.New(fault.Unsupported, "the format %q does not cross from guests", text)
		}
		parsed[i] = int(v)
	}
	switch {
	case name == "w" && len(parsed) == 1 && parsed[0] >= 0:
		return &arrow.FixedSizeBinaryType{ByteWidth: parsed[0]}, nil
	case name == "d" && (len(parsed) == 2 || len(parsed) == 3 && parsed[2] == 128) && parsed[0] > 0 && parsed[0] <= 38:
		return &arrow.Decimal128Type{Precision: int32(parsed[0]), Scale: int32(parsed[1])}, nil
	}
	return nil, fault.New(fault.Unsupported, "the format %q does not cross from guests", text)
}
