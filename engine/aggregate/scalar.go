package aggregate

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// class says how a column's values are kept in a cell: in lo, or text in data.
type class uint8

const (
	noClass class = iota
	ints
	uints
	floats
	texts
)

func classOf(t arrow.DataType) class {
	switch t.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.DATE32, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP, arrow.DURATION:
		return ints
	case arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64, arrow.BOOL:
		return uints
	case arrow.FLOAT32, arrow.FLOAT64:
		return floats
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		return texts
	}
	return noClass
}

// numbers returns a function that reads a value of a numeric column as 64 bits.
func numbers(c arrow.Array) func(int) uint64 {
	switch c := c.(type) {
	case *array.Int64:
		return signed(c.Int64Values())
	case *array.Int32:
		return signed(c.Int32Values())
	case *array.Int16:
		return signed(c.Int16Values())
	case *array.Int8:
		return signed(c.Int8Values())
	case *array.Date32:
		return signed(c.Date32Values())
	case *array.Time32:
		return signed(c.Time32Values())
	case *array.Time64:
		return signed(c.Time64Values())
	case *array.Timestamp:
		return signed(c.TimestampValues())
	case *array.Duration:
		return signed(c.DurationValues())
	case *array.Uint64:
		values := c.Uint64Values()
		return func(i int) uint64 { return values[i] }
	case *array.Uint32:
		return signed(c.Uint32Values())
	case *array.Uint16:
		return signed(c.Uint16Values())
	case *array.Uint8:
		return signed(c.Uint8Values())
	case *array.Float64:
		values := c.Float64Values()
		return func(i int) uint64 { return math.Float64bits(values[i]) }
	case *array.Float32:
		values := c.Float32Values()
		return func(i int) uint64 { return math.Float64bits(float64(values[i])) }
	}
	b := c.(*array.Boolean) // what is left of the classes
	return func(i int) uint64 {
		if b.Value(i) {
			return 1
		}
		return 0
	}
}

func signed[T interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}](values []T) func(int) uint64 {
	return func(i int) uint64 { return uint64(int64(values[i])) }
}

// textsOf returns a function that reads a value of a column of texts, which aliases the column.
func textsOf(c arrow.Array) func(int) []byte {
	switch c := c.(type) {
	case *array.String:
		return func(i int) []byte { return []byte(c.Value(i)) }
	case *array.LargeString:
		return func(i int) []byte { return []byte(c.Value(i)) }
	case *array.Binary:
		return c.Value
	case *array.LargeBinary:
		return c.Value
	}
	return c.(*array.FixedSizeBinary).Value
}

// compare orders values of a class. NaN is larger than all other numbers, so that the order does not depend on who comes first.
func compare(k class, a, b uint64, at, bt []byte) int {
	switch k {
	case ints:
		return cmp.Compare(int64(a), int64(b))
	case uints:
		return cmp.Compare(a, b)
	case floats:
		x, y := math.Float64frombits(a), math.Float64frombits(b)
		if x != x || y != y {
			return -cmp.Compare(x, y) // where NaN is the least
		}
		return cmp.Compare(x, y)
	}
	return bytes.Compare(at, bt)
}

// appendScalar appends a value as stored: 8 bytes, or a length and bytes.
func appendScalar(dst []byte, k class, number uint64, text []byte) []byte {
	if k == texts {
		return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
	return binary.LittleEndian.AppendUint64(dst, number)
}

// cutScalar takes what appendScalar wrote off b.
func cutScalar(b []byte, k class) (number uint64, text, rest []byte, ok bool) {
	if k == texts {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return 0, nil, nil, false
		}
		return 0, b[w : w+int(n)], b[w+int(n):], true
	}
	if len(b) < 8 {
		return 0, nil, nil, false
	}
	return binary.LittleEndian.Uint64(b), nil, b[8:], true
}

// appendTo appends a value to a builder of a type with a class.
func appendTo(b array.Builder, number uint64, text []byte) {
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(int64(number))
	case *array.Int32Builder:
		b.Append(int32(number))
	case *array.Int16Builder:
		b.Append(int16(number))
	case *array.Int8Builder:
		b.Append(int8(number))
	case *array.Uint64Builder:
		b.Append(number)
	case *array.Uint32Builder:
		b.Append(uint32(number))
	case *array.Uint16Builder:
		b.Append(uint16(number))
	case *array.Uint8Builder:
		b.Append(uint8(number))
	case *array.BooleanBuilder:
		b.Append(number == 1)
	case *array.Float64Builder:
		b.Append(math.Float64frombits(number))
	case *array.Float32Builder:
		b.Append(float32(math.Float64frombits(number)))
	case *array.Date32Builder:
		b.Append(arrow.Date32(number))
	case *array.Time32Builder:
		b.Append(arrow.Time32(number))
	case *array.Time64Builder:
		b.Append(arrow.Time64(number))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(number))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(number))
	case *array.StringBuilder:
		b.Append(string(text))
	case *array.LargeStringBuilder:
		b.Append(string(text))
	case *array.BinaryBuilder:
		b.Append(text)
	case *array.FixedSizeBinaryBuilder:
		b.Append(text)
	}
}
