package json

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
)

// cell writes the values of one array, which it reads from the buffers. The array was checked by whoever brought it in;
// indices are the array's own, so that slices of arrays need no copy.
type cell struct {
	path   string
	write  func(c *cell, dst []byte, i int) ([]byte, error)
	valid  []byte // nil: no nulls
	base   int    // the array's offset in its buffers
	fixed  []byte
	bytes  []byte
	width  int
	signed bool // integers
	unit   arrow.TimeUnit
	zoned  bool
	scale  int

	children []*cell
	keys     []string
}

func newCell(a arrow.Array, path string) *cell {
	data := a.Data()
	c := &cell{path: path, write: writer(a.DataType().ID()), base: data.Offset()}
	if a.NullN() > 0 {
		c.valid = a.NullBitmapBytes()
	}
	buffers := data.Buffers()
	at := func(i int) []byte {
		if i < len(buffers) && buffers[i] != nil {
			return buffers[i].Bytes()
		}
		return nil
	}
	c.fixed, c.bytes = at(1), at(2)
	if t, ok := a.DataType().(arrow.FixedWidthDataType); ok && t.ID() != arrow.BOOL {
		c.width = t.Bytes()
	}
	switch t := a.DataType().(type) {
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.DurationType:
		c.signed = true
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		c.width = 8
	case *arrow.StringType, *arrow.BinaryType:
		c.width = 4
	case *arrow.Time32Type:
		c.unit = t.Unit
	case *arrow.Time64Type:
		c.unit = t.Unit
	case *arrow.TimestampType:
		c.unit, c.zoned = t.Unit, t.TimeZone != ""
	case *arrow.Decimal128Type:
		c.scale = int(t.Scale)
	case *arrow.StructType:
		s := a.(*array.Struct)
		for i, f := range t.Fields() {
			c.children = append(c.children, newCell(s.Field(i), path+"."+f.Name))
			c.keys = append(c.keys, key(i, f.Name))
		}
	case *arrow.MapType:
		m := a.(*array.Map)
		c.width = 4
		c.children = []*cell{newCell(m.Keys(), path), newCell(m.Items(), path)}
	case *arrow.ListType:
		c.width = 4
		c.children = []*cell{newCell(a.(*array.List).ListValues(), path+"[]")}
	case *arrow.DictionaryType:
		c.width = t.IndexType.(arrow.FixedWidthDataType).Bytes()
		c.children = []*cell{newCell(a.(*array.Dictionary).Dictionary(), path)}
	}
	return c
}

// append writes the value at i, or null.
func (c *cell) append(dst []byte, i int) ([]byte, error) {
	i += c.base
	if c.valid != nil && c.valid[i>>3]>>(i&7)&1 == 0 {
		return append(dst, "null"...), nil
	}
	return c.write(c, dst, i)
}

// writer returns the function that writes a valid value of a type at a place in the buffers; nil for types that
// cannot be written.
func writer(id arrow.Type) func(*cell, []byte, int) ([]byte, error) {
	switch id {
	case arrow.NULL:
		return writeNull
	case arrow.BOOL:
		return writeBool
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.DURATION,
		arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return writeInteger
	case arrow.FLOAT32, arrow.FLOAT64:
		return writeFloat
	case arrow.STRING, arrow.LARGE_STRING:
		return writeText
	case arrow.BINARY, arrow.LARGE_BINARY:
		return writeBinary
	case arrow.FIXED_SIZE_BINARY:
		return writeFixedBinary
	case arrow.DATE32, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP:
		return writeTime(id)
	case arrow.DECIMAL128:
		return writeDecimal
	case arrow.STRUCT:
		return writeStruct
	case arrow.LIST:
		return writeList
	case arrow.MAP:
		return writeMap
	case arrow.DICTIONARY:
		return writeDictionary
	}
	return nil
}

func (c *cell) int(i int) int64 {
	switch c.width {
	case 8:
		return int64(binary.LittleEndian.Uint64(c.fixed[i*8:]))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(c.fixed[i*4:])))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(c.fixed[i*2:])))
	}
	return int64(int8(c.fixed[i]))
}

func (c *cell) uint(i int) uint64 {
	switch c.width {
	case 8:
		return binary.LittleEndian.Uint64(c.fixed[i*8:])
	case 4:
		return uint64(binary.LittleEndian.Uint32(c.fixed[i*4:]))
	case 2:
		return uint64(binary.LittleEndian.Uint16(c.fixed[i*2:]))
	}
	return uint64(c.fixed[i])
}

// value returns the bytes of a utf8 or binary value.
func (c *cell) value(i int) []byte {
	if c.width == 4 {
		return c.bytes[binary.LittleEndian.Uint32(c.fixed[i*4:]):binary.LittleEndian.Uint32(c.fixed[i*4+4:])]
	}
	return c.bytes[binary.LittleEndian.Uint64(c.fixed[i*8:]):binary.LittleEndian.Uint64(c.fixed[i*8+8:])]
}

func writeNull(_ *cell, dst []byte, _ int) ([]byte, error) { return append(dst, "null"...), nil }

func writeBool(c *cell, dst []byte, i int) ([]byte, error) {
	return strconv.AppendBool(dst, c.fixed[i>>3]>>(i&7)&1 == 1), nil
}

func writeInteger(c *cell, dst []byte, i int) ([]byte, error) {
	if c.signed {
		return strconv.AppendInt(dst, c.int(i), 10), nil
	}
	return strconv.AppendUint(dst, c.uint(i), 10), nil
}

func writeFloat(c *cell, dst []byte, i int) ([]byte, error) {
	var v float64
	size := 64
	if c.width == 4 {
		size = 32
		v = float64(math.Float32frombits(uint32(c.uint(i))))
	} else {
		v = math.Float64frombits(c.uint(i))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...), nil
	}
	return text.AppendFloat(dst, v, size), nil
}

func writeText(c *cell, dst []byte, i int) ([]byte, error) {
	start := len(dst)
	dst, ok := appendText(dst, c.value(i))
	if !ok {
		return dst[:start], fault.New(fault.Encode, "expected valid UTF-8, got other bytes").At("column %s", c.path).
			WithHint("declare the column as binary, which is written as base64")
	}
	return dst, nil
}

func writeBinary(c *cell, dst []byte, i int) ([]byte, error) {
	return appendBase64(dst, c.value(i)), nil
}

func writeFixedBinary(c *cell, dst []byte, i int) ([]byte, error) {
	return appendBase64(dst, c.fixed[i*c.width:(i+1)*c.width]), nil
}

func appendBase64(dst, v []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v), '"')
}

func writeTime(id arrow.Type) func(*cell, []byte, int) ([]byte, error) {
	return func(c *cell, dst []byte, i int) ([]byte, error) {
		v := c.int(i)
		start := len(dst)
		dst = append(dst, '"')
		var ok bool
		switch id {
		case arrow.TIMESTAMP:
			dst, ok = text.AppendTimestamp(dst, v, c.unit, c.zoned)
		case arrow.DATE32:
			dst, ok = text.AppendDate(dst, v)
		default:
			dst, ok = text.AppendTime(dst, v, c.unit)
		}
		if !ok {
			return strconv.AppendInt(dst[:start], v, 10), nil
		}
		return append(dst, '"'), nil
	}
}

func writeDecimal(c *cell, dst []byte, i int) ([]byte, error) {
	lo, hi := binary.LittleEndian.Uint64(c.fixed[i*16:]), binary.LittleEndian.Uint64(c.fixed[i*16+8:])
	return text.AppendDecimal(dst, int64(hi), lo, c.scale), nil
}

func writeStruct(c *cell, dst []byte, i int) ([]byte, error) {
	if len(c.children) == 0 {
		return append(dst, '{', '}'), nil
	}
	var err error
	for k, child := range c.children {
		dst = append(dst, c.keys[k]...)
		if dst, err = child.append(dst, i-c.base); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (c *cell) items(i int) (from, to int) {
	return int(binary.LittleEndian.Uint32(c.fixed[i*4:])), int(binary.LittleEndian.Uint32(c.fixed[i*4+4:]))
}

func writeList(c *cell, dst []byte, i int) ([]byte, error) {
	from, to := c.items(i)
	dst = append(dst, '[')
	var err error
	for k := from; k < to; k++ {
		if k > from {
			dst = append(dst, ',')
		}
		if dst, err = c.children[0].append(dst, k); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func writeMap(c *cell, dst []byte, i int) ([]byte, error) {
	from, to := c.items(i)
	dst = append(dst, '{')
	var err error
	for k := from; k < to; k++ {
		if k > from {
			dst = append(dst, ',')
		}
		at := len(dst)
		if dst, err = c.children[0].append(dst, k); err != nil {
			return dst, err
		}
		if dst[at] != '"' { // a number or word for a name
			dst = append(dst, 0, '"')
			copy(dst[at+1:], dst[at:len(dst)-2])
			dst[at] = '"'
		}
		dst = append(dst, ':')
		if dst, err = c.children[1].append(dst, k); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func writeDictionary(c *cell, dst []byte, i int) ([]byte, error) {
	return c.children[0].append(dst, int(c.uint(i)))
}
