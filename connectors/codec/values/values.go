// Package values reads single values out of Arrow arrays by their buffers, without a type switch or an allocation for
// each. The arrays were checked by whoever brought them in.
package values

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/text"
)

// Values are those of one array. Indices are those of the array, which may be a slice of a longer one.
type Values struct {
	ID    arrow.Type
	valid []byte // nil: no nulls
	base  int    // the array's offset in its buffers
	fixed []byte
	bytes []byte
	width int // of a value, an offset, or a dictionary's index
	unit  arrow.TimeUnit
	zoned bool
	scale int
}

// Of returns the values of an array, of which it keeps the buffers in use but holds no reference.
func Of(a arrow.Array) Values {
	data := a.Data()
	v := Values{ID: a.DataType().ID(), base: data.Offset()}
	if a.NullN() > 0 {
		v.valid = a.NullBitmapBytes()
	}
	buffers := data.Buffers()
	at := func(i int) []byte {
		if i < len(buffers) && buffers[i] != nil {
			return buffers[i].Bytes()
		}
		return nil
	}
	v.fixed, v.bytes = at(1), at(2)
	switch t := a.DataType().(type) {
	case *arrow.BooleanType:
	case *arrow.StringType, *arrow.BinaryType, *arrow.ListType, *arrow.MapType:
		v.width = 4
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		v.width = 8
	case *arrow.DictionaryType:
		v.width = t.IndexType.(arrow.FixedWidthDataType).Bytes()
	case arrow.FixedWidthDataType:
		v.width = t.Bytes()
	}
	switch t := a.DataType().(type) {
	case *arrow.Time32Type:
		v.unit = t.Unit
	case *arrow.Time64Type:
		v.unit = t.Unit
	case *arrow.TimestampType:
		v.unit, v.zoned = t.Unit, t.TimeZone != ""
	case *arrow.Decimal128Type:
		v.scale = int(t.Scale)
	}
	return v
}

// Null reports whether value i is null. The null type has nothing else.
func (v *Values) Null(i int) bool {
	i += v.base
	return v.ID == arrow.NULL || v.valid != nil && v.valid[i>>3]>>(i&7)&1 == 0
}

// Bool returns value i of a bool array.
func (v *Values) Bool(i int) bool {
	i += v.base
	return v.fixed[i>>3]>>(i&7)&1 == 1
}

// Int returns value i of an array of signed integers, dates or times.
func (v *Values) Int(i int) int64 {
	i += v.base
	switch v.width {
	case 8:
		return int64(binary.LittleEndian.Uint64(v.fixed[i*8:]))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(v.fixed[i*4:])))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(v.fixed[i*2:])))
	}
	return int64(int8(v.fixed[i]))
}

// Uint returns value i of an array of unsigned integers, or a dictionary's index.
func (v *Values) Uint(i int) uint64 {
	i += v.base
	switch v.width {
	case 8:
		return binary.LittleEndian.Uint64(v.fixed[i*8:])
	case 4:
		return uint64(binary.LittleEndian.Uint32(v.fixed[i*4:]))
	case 2:
		return uint64(binary.LittleEndian.Uint16(v.fixed[i*2:]))
	}
	return uint64(v.fixed[i])
}

// Float returns value i of an array of floats, and their size in bits.
func (v *Values) Float(i int) (float64, int) {
	if v.width == 4 {
		return float64(math.Float32frombits(uint32(v.Uint(i)))), 32
	}
	return math.Float64frombits(v.Uint(i)), 64
}

// Bytes returns value i of a utf8, binary or fixed-size binary array, where it lies.
func (v *Values) Bytes(i int) []byte {
	i += v.base
	switch {
	case v.ID == arrow.FIXED_SIZE_BINARY:
		return v.fixed[i*v.width : (i+1)*v.width]
	case v.width == 4:
		return v.bytes[binary.LittleEndian.Uint32(v.fixed[i*4:]):binary.LittleEndian.Uint32(v.fixed[i*4+4:])]
	}
	return v.bytes[binary.LittleEndian.Uint64(v.fixed[i*8:]):binary.LittleEndian.Uint64(v.fixed[i*8+8:])]
}

// Items returns where in the child array the items of value i of a list or map begin and end.
func (v *Values) Items(i int) (from, to int) {
	i += v.base
	return int(binary.LittleEndian.Uint32(v.fixed[i*4:])), int(binary.LittleEndian.Uint32(v.fixed[i*4+4:]))
}

// AppendNumber appends value i of integers, durations, finite floats or decimals.
func (v *Values) AppendNumber(dst []byte, i int) []byte {
	switch v.ID {
	case arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return strconv.AppendUint(dst, v.Uint(i), 10)
	case arrow.FLOAT32, arrow.FLOAT64:
		f, size := v.Float(i)
		return text.AppendFloat(dst, f, size)
	case arrow.DECIMAL128:
		i += v.base
		lo, hi := binary.LittleEndian.Uint64(v.fixed[i*16:]), binary.LittleEndian.Uint64(v.fixed[i*16+8:])
		return text.AppendDecimal(dst, int64(hi), lo, v.scale)
	}
	return strconv.AppendInt(dst, v.Int(i), 10)
}

// AppendTime appends value i of dates, times or timestamps as text; false, and nothing, where text cannot say it.
func (v *Values) AppendTime(dst []byte, i int) ([]byte, bool) {
	start := len(dst)
	var ok bool
	switch v.ID {
	case arrow.TIMESTAMP:
		dst, ok = text.AppendTimestamp(dst, v.Int(i), v.unit, v.zoned)
	case arrow.DATE32:
		dst, ok = text.AppendDate(dst, v.Int(i))
	default:
		dst, ok = text.AppendTime(dst, v.Int(i), v.unit)
	}
	if !ok {
		return dst[:start], false
	}
	return dst, true
}

// AppendBase64 appends value i of a binary array as base64 (RFC 4648 section 4, padded).
func (v *Values) AppendBase64(dst []byte, i int) []byte {
	return base64.StdEncoding.AppendEncode(dst, v.Bytes(i))
}
