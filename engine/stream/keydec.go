package stream

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
)

// AppendKeyValues appends the values in a key to the builders of its columns, whose types are those that the key was made of,
// except for dictionaries, in whose place stand their values. Other bytes than such a key's give a fault of code State.
func AppendKeyValues(builders []array.Builder, key []byte) error {
	for _, b := range builders {
		rest, ok := appendKeyValue(b, key)
		if !ok {
			return fault.New(fault.State, "a stored key does not hold the columns that rows are keyed by").
				WithHint("give the step another label to begin with empty state")
		}
		key = rest
	}
	return nil
}

// KeyType returns the type that the column of a key has in what comes out: a dictionary's values stand for it.
func KeyType(t arrow.DataType) arrow.DataType {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return KeyType(d.ValueType)
	}
	return t
}

func appendKeyValue(b array.Builder, key []byte) (rest []byte, ok bool) {
	if len(key) == 0 {
		return nil, false
	}
	tag, body := key[0], key[1:]
	switch tag {
	case tagNull:
		b.AppendNull()
		return body, true
	case tagFalse, tagTrue:
		bools, ok := b.(*array.BooleanBuilder)
		if ok {
			bools.Append(tag == tagTrue)
		}
		return body, ok
	case tagString, tagBytes:
		n, w := binary.Uvarint(body)
		if w <= 0 || n > uint64(len(body)-w) {
			return nil, false
		}
		return body[w+int(n):], appendKeyText(b, body[w:w+int(n)])
	case tagInt, tagUint, tagFloat:
		if len(body) < 8 {
			return nil, false
		}
		return body[8:], appendKeyNumber(b, tag, binary.BigEndian.Uint64(body))
	}
	return nil, false
}

func appendKeyText(b array.Builder, v []byte) bool {
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(string(v))
	case *array.LargeStringBuilder:
		b.Append(string(v))
	case *array.BinaryBuilder: // large ones, too
		b.Append(v)
	case *array.FixedSizeBinaryBuilder:
		if len(v) != b.Type().(*arrow.FixedSizeBinaryType).ByteWidth {
			return false
		}
		b.Append(v)
	default:
		return false
	}
	return true
}

func appendKeyNumber(b array.Builder, tag byte, bits uint64) bool {
	if tag == tagFloat {
		if bits>>63 == 1 {
			bits &^= 1 << 63
		} else {
			bits = ^bits
		}
		v := math.Float64frombits(bits)
		switch b := b.(type) {
		case *array.Float64Builder:
			b.Append(v)
		case *array.Float32Builder:
			b.Append(float32(v))
		default:
			return false
		}
		return true
	}
	v := int64(bits ^ (1 << 63))
	if tag == tagUint {
		v = int64(bits)
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(v)
	case *array.Int32Builder:
		b.Append(int32(v))
	case *array.Int16Builder:
		b.Append(int16(v))
	case *array.Int8Builder:
		b.Append(int8(v))
	case *array.Uint64Builder:
		b.Append(uint64(v))
	case *array.Uint32Builder:
		b.Append(uint32(v))
	case *array.Uint16Builder:
		b.Append(uint16(v))
	case *array.Uint8Builder:
		b.Append(uint8(v))
	case *array.Date32Builder:
		b.Append(arrow.Date32(v))
	case *array.Time32Builder:
		b.Append(arrow.Time32(v))
	case *array.Time64Builder:
		b.Append(arrow.Time64(v))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(v))
	default:
		return false
	}
	return true
}
