package script

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/schema"
)

// Columns between the host and the Python package, integers little endian: the number of rows (4 bytes), then of each column a byte per row, 1 for
// a value and 0 for null, and the values. Those of a fixed size stand behind each other, a bool in a byte; of text and bytes the sizes come first,
// 4 bytes each. What a null has in place of a value is of no meaning.

// width returns the bytes of a value, 0 for such of any size.
func width(t arrow.DataType) (int, error) {
	switch t := t.(type) {
	case *arrow.BooleanType:
		return 1, nil
	case *arrow.StringType, *arrow.BinaryType:
		return 0, nil
	case *arrow.Decimal128Type:
		return 16, nil
	case *arrow.FixedSizeBinaryType:
		return t.ByteWidth, nil
	case *arrow.Int8Type, *arrow.Uint8Type, *arrow.Int16Type, *arrow.Uint16Type, *arrow.Int32Type, *arrow.Uint32Type, *arrow.Int64Type,
		*arrow.Uint64Type, *arrow.Float32Type, *arrow.Float64Type, *arrow.Date32Type, *arrow.Time32Type, *arrow.Time64Type, *arrow.TimestampType:
		return t.(arrow.FixedWidthDataType).BitWidth() / 8, nil
	}
	return 0, fmt.Errorf("a column of type %s", schema.Format(t))
}

// packColumns appends the bytes of a record's columns.
func packColumns(dst []byte, rec arrow.Record) ([]byte, error) {
	n := int(rec.NumRows())
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	for _, c := range rec.Columns() {
		size, err := width(c.DataType())
		if err != nil {
			return dst, err
		}
		for i := range n {
			if c.IsNull(i) {
				dst = append(dst, 0)
			} else {
				dst = append(dst, 1)
			}
		}
		switch c := c.(type) {
		case *array.Boolean:
			for i := range n {
				if c.Value(i) {
					dst = append(dst, 1)
				} else {
					dst = append(dst, 0)
				}
			}
		case *array.String:
			dst = packBytes(dst, n, func(i int) []byte { return []byte(c.Value(i)) }, c)
		case *array.Binary:
			dst = packBytes(dst, n, c.Value, c)
		default:
			values := c.Data().Buffers()[1]
			if n == 0 || values == nil {
				dst = append(dst, make([]byte, n*size)...)
				continue
			}
			from := c.Data().Offset() * size
			dst = append(dst, values.Bytes()[from:from+n*size]...)
		}
	}
	return dst, nil
}

func packBytes(dst []byte, n int, value func(int) []byte, a arrow.Array) []byte {
	for i := range n {
		size := 0
		if a.IsValid(i) {
			size = len(value(i))
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
	}
	for i := range n {
		if a.IsValid(i) {
			dst = append(dst, value(i)...)
		}
	}
	return dst
}

var errColumns = errors.New("columns that are cut short")

// unpackColumns makes a record of what a guest sent; nothing in it is trusted. The caller releases the record.
func unpackColumns(b []byte, s *arrow.Schema) (arrow.Record, error) {
	take := func(n int) ([]byte, error) {
		if n < 0 || n > len(b) {
			return nil, errColumns
		}
		piece := b[:n]
		b = b[n:]
		return piece, nil
	}
	head, err := take(4)
	if err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(head))
	if n > len(b) || len(s.Fields()) == 0 {
		return nil, errColumns
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer builder.Release()
	for i, f := range s.Fields() {
		size, err := width(f.Type)
		if err != nil || f.Type.ID() == arrow.FIXED_SIZE_BINARY {
			return nil, fmt.Errorf("a column of type %s", schema.Format(f.Type))
		}
		valid, err := take(n)
		if err != nil {
			return nil, err
		}
		var sizes []byte
		if size == 0 {
			if sizes, err = take(4 * n); err != nil {
				return nil, err
			}
		}
		for row := range n {
			if sizes != nil {
				size = int(binary.LittleEndian.Uint32(sizes[4*row:]))
			}
			v, err := take(size)
			if err != nil {
				return nil, err
			}
			if valid[row] == 0 {
				if !f.Nullable {
					return nil, fmt.Errorf("a null in column %s", f.Name)
				}
				builder.Field(i).AppendNull()
				continue
			}
			if f.Type.ID() == arrow.STRING && !utf8.Valid(v) {
				return nil, fmt.Errorf("text in column %s that is not UTF-8", f.Name)
			}
			appendValue(builder.Field(i), v)
		}
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("%d bytes behind the last column", len(b))
	}
	return builder.NewRecord(), nil
}

// appendValue appends a value whose size is that of the builder's type.
func appendValue(to array.Builder, v []byte) {
	le := binary.LittleEndian
	switch to := to.(type) {
	case *array.BooleanBuilder:
		to.Append(v[0] != 0)
	case *array.Int8Builder:
		to.Append(int8(v[0]))
	case *array.Uint8Builder:
		to.Append(v[0])
	case *array.Int16Builder:
		to.Append(int16(le.Uint16(v)))
	case *array.Uint16Builder:
		to.Append(le.Uint16(v))
	case *array.Int32Builder:
		to.Append(int32(le.Uint32(v)))
	case *array.Uint32Builder:
		to.Append(le.Uint32(v))
	case *array.Int64Builder:
		to.Append(int64(le.Uint64(v)))
	case *array.Uint64Builder:
		to.Append(le.Uint64(v))
	case *array.Float32Builder:
		to.Append(math.Float32frombits(le.Uint32(v)))
	case *array.Float64Builder:
		to.Append(math.Float64frombits(le.Uint64(v)))
	case *array.Date32Builder:
		to.Append(arrow.Date32(le.Uint32(v)))
	case *array.Time32Builder:
		to.Append(arrow.Time32(le.Uint32(v)))
	case *array.Time64Builder:
		to.Append(arrow.Time64(le.Uint64(v)))
	case *array.TimestampBuilder:
		to.Append(arrow.Timestamp(le.Uint64(v)))
	case *array.Decimal128Builder:
		to.Append(decimal128.New(int64(le.Uint64(v[8:])), le.Uint64(v)))
	case *array.StringBuilder:
		to.Append(string(v))
	case *array.BinaryBuilder:
		to.Append(v)
	}
}
