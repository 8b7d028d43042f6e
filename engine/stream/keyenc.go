package stream

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// The tags of the canonical key encoding, version 1. A key is the concatenation of its columns' values, each a tag and
// a body from which its length follows, so that no two keys have the same bytes. Numbers of one value have one encoding,
// whatever the width of their column. The encoding is stored: it never changes within a version of state's FORMAT.md.
const (
	tagNull   = 0x00
	tagFalse  = 0x01
	tagTrue   = 0x02
	tagInt    = 0x03 // 8 bytes, big-endian, sign bit flipped
	tagUint   = 0x04 // above the int64 range: 8 bytes, big-endian
	tagFloat  = 0x05 // 8 bytes, big-endian, IEEE 754 in total order; -0 is 0, there is one NaN
	tagString = 0x06 // uvarint length, bytes
	tagBytes  = 0x07 // uvarint length, bytes
)

// KeyEncoder writes the canonical encoding of a key made of some columns.
type KeyEncoder struct {
	columns []int
	writers []func(dst []byte, row int) []byte
}

// NewKeyEncoder returns an encoder for the columns named. Faults have code Schema: no such column, or a type that
// cannot be a key (float is allowed, lists, structs, maps and decimals are not).
func NewKeyEncoder(s *arrow.Schema, columns []string) (*KeyEncoder, error) {
	k := &KeyEncoder{writers: make([]func([]byte, int) []byte, len(columns))}
	for _, name := range columns {
		at := s.FieldIndices(name)
		if len(at) == 0 {
			names := make([]string, len(s.Fields()))
			for i, f := range s.Fields() {
				names[i] = f.Name
			}
			return nil, fault.New(fault.Schema, "unknown column `%s`", name).WithHint("%s", fault.DidYouMean(name, names))
		}
		if !Keyable(s.Field(at[0]).Type) {
			return nil, fault.New(fault.Schema, "column `%s` of type %s cannot be a key", name, schema.Format(s.Field(at[0]).Type)).
				WithHint("use bool, integers, floats, utf8, binary, dates or timestamps")
		}
		k.columns = append(k.columns, at[0])
	}
	return k, nil
}

// Keyable reports whether a column of the type can be part of a key.
func Keyable(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.DICTIONARY:
		return Keyable(t.(*arrow.DictionaryType).ValueType)
	case arrow.NULL, arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32,
		arrow.UINT64, arrow.FLOAT32, arrow.FLOAT64, arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY,
		arrow.FIXED_SIZE_BINARY, arrow.DATE32, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP, arrow.DURATION:
		return true
	}
	return false
}

// Bind prepares for the rows of rec, whose schema is the encoder's.
func (k *KeyEncoder) Bind(rec arrow.Record) {
	for i, c := range k.columns {
		k.writers[i] = keyWriter(rec.Column(c))
	}
}

// AppendKey appends the key of a row of the record bound.
func (k *KeyEncoder) AppendKey(dst []byte, row int) []byte {
	for _, w := range k.writers {
		dst = w(dst, row)
	}
	return dst
}

func keyWriter(column arrow.Array) func([]byte, int) []byte {
	value := valueWriter(column)
	if column.DataType().ID() == arrow.NULL {
		return func(dst []byte, _ int) []byte { return append(dst, tagNull) }
	}
	if len(column.Data().Buffers()) == 0 || column.Data().Buffers()[0] == nil {
		return value
	}
	return func(dst []byte, row int) []byte {
		if column.IsNull(row) {
			return append(dst, tagNull)
		}
		return value(dst, row)
	}
}

func valueWriter(column arrow.Array) func([]byte, int) []byte {
	switch c := column.(type) {
	case *array.Boolean:
		return func(dst []byte, row int) []byte {
			if c.Value(row) {
				return append(dst, tagTrue)
			}
			return append(dst, tagFalse)
		}
	case *array.Int8:
		return intWriter(c.Int8Values())
	case *array.Int16:
		return intWriter(c.Int16Values())
	case *array.Int32:
		return intWriter(c.Int32Values())
	case *array.Int64:
		return intWriter(c.Int64Values())
	case *array.Uint8:
		return intWriter(c.Uint8Values())
	case *array.Uint16:
		return intWriter(c.Uint16Values())
	case *array.Uint32:
		return intWriter(c.Uint32Values())
	case *array.Uint64:
		values := c.Uint64Values()
		return func(dst []byte, row int) []byte {
			if v := values[row]; v > math.MaxInt64 {
				return binary.BigEndian.AppendUint64(append(dst, tagUint), v)
			}
			return appendInt(dst, int64(values[row]))
		}
	case *array.Date32:
		return intWriter(c.Date32Values())
	case *array.Time32:
		return intWriter(c.Time32Values())
	case *array.Time64:
		return intWriter(c.Time64Values())
	case *array.Timestamp:
		return intWriter(c.TimestampValues())
	case *array.Duration:
		return intWriter(c.DurationValues())
	case *array.Float32:
		return func(dst []byte, row int) []byte { return appendFloat(dst, float64(c.Value(row))) }
	case *array.Float64:
		return func(dst []byte, row int) []byte { return appendFloat(dst, c.Value(row)) }
	case *array.String:
		return func(dst []byte, row int) []byte { return appendBytes(dst, tagString, c.Value(row)) }
	case *array.LargeString:
		return func(dst []byte, row int) []byte { return appendBytes(dst, tagString, c.Value(row)) }
	case *array.Binary:
		return func(dst []byte, row int) []byte { return appendBytes(dst, tagBytes, c.Value(row)) }
	case *array.LargeBinary:
		return func(dst []byte, row int) []byte { return appendBytes(dst, tagBytes, c.Value(row)) }
	case *array.FixedSizeBinary:
		return func(dst []byte, row int) []byte { return appendBytes(dst, tagBytes, c.Value(row)) }
	case *array.Dictionary:
		value := keyWriter(c.Dictionary())
		return func(dst []byte, row int) []byte { return value(dst, c.GetValueIndex(row)) }
	}
	return func(dst []byte, _ int) []byte { return append(dst, tagNull) } // null columns: others are refused by NewKeyEncoder
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}

func intWriter[T integer](values []T) func([]byte, int) []byte {
	return func(dst []byte, row int) []byte { return appendInt(dst, int64(values[row])) }
}

func appendInt(dst []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, tagInt), uint64(v)^(1<<63))
}

func appendFloat(dst []byte, v float64) []byte {
	if v == 0 {
		v = 0 // -0 and 0 are one key
	}
	bits := math.Float64bits(v)
	switch {
	case v != v:
		bits = math.MaxUint64
	case bits>>63 == 1:
		bits = ^bits
	default:
		bits |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(append(dst, tagFloat), bits)
}

func appendBytes[T string | []byte](dst []byte, tag byte, v T) []byte {
	dst = binary.AppendUvarint(append(dst, tag), uint64(len(v)))
	return append(dst, v...)
}
