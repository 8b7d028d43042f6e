package json

import (
	"math"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/connectors/codec/values"
	"github.com/wasmill/wasmill/engine/fault"
)

// cell writes the values of one array.
type cell struct {
	values.Values
	path     string
	write    writer
	children []*cell
	keys     []string
	scan     scanner // of documents
}

// writer writes the valid value at i.
type writer func(c *cell, dst []byte, i int) ([]byte, error)

func newCell(a arrow.Array, path string) *cell {
	c := &cell{Values: values.Of(a), path: path, write: writerOf(a.DataType().ID())}
	switch t := a.DataType().(type) {
	case *arrow.StructType:
		s := a.(*array.Struct)
		for i, f := range t.Fields() {
			c.children = append(c.children, newCell(s.Field(i), path+"."+f.Name))
			c.keys = append(c.keys, key(i, f.Name))
		}
	case *arrow.MapType:
		m := a.(*array.Map)
		c.children = []*cell{newCell(m.Keys(), path+".key"), newCell(m.Items(), path+".value")}
	case *arrow.ListType:
		c.children = []*cell{newCell(a.(*array.List).ListValues(), path+"[]")}
	case *arrow.DictionaryType:
		c.children = []*cell{newCell(a.(*array.Dictionary).Dictionary(), path)}
	}
	return c
}

// append writes the value at i, or null.
func (c *cell) append(dst []byte, i int) ([]byte, error) {
	if c.Null(i) {
		return append(dst, "null"...), nil
	}
	return c.write(c, dst, i)
}

// writerOf returns the writer of a type, nil for types that cannot be written.
func writerOf(id arrow.Type) writer {
	switch id {
	case arrow.NULL, arrow.BOOL:
		return writeBool
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.DURATION,
		arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64, arrow.DECIMAL128:
		return writeNumber
	case arrow.FLOAT32, arrow.FLOAT64:
		return writeFloat
	case arrow.STRING, arrow.LARGE_STRING:
		return writeText
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		return writeBinary
	case arrow.DATE32, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP:
		return writeTime
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

func writeBool(c *cell, dst []byte, i int) ([]byte, error) {
	return strconv.AppendBool(dst, c.Bool(i)), nil
}

func writeNumber(c *cell, dst []byte, i int) ([]byte, error) { return c.AppendNumber(dst, i), nil }

func writeFloat(c *cell, dst []byte, i int) ([]byte, error) {
	if v, _ := c.Float(i); math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...), nil
	}
	return c.AppendNumber(dst, i), nil
}

func writeText(c *cell, dst []byte, i int) ([]byte, error) {
	dst, ok := appendText(dst, c.Bytes(i))
	if !ok {
		return dst, fault.New(fault.Encode, "expected valid UTF-8, got other bytes").At("column %s", c.path).
			WithHint("declare the column as binary, which is written as base64")
	}
	return dst, nil
}

func writeBinary(c *cell, dst []byte, i int) ([]byte, error) {
	return append(c.AppendBase64(append(dst, '"'), i), '"'), nil
}

func writeTime(c *cell, dst []byte, i int) ([]byte, error) {
	if text, ok := c.AppendTime(append(dst, '"'), i); ok {
		return append(text, '"'), nil
	}
	return strconv.AppendInt(dst, c.Int(i), 10), nil
}

func writeStruct(c *cell, dst []byte, i int) ([]byte, error) {
	if len(c.children) == 0 {
		return append(dst, '{', '}'), nil
	}
	var err error
	for k, child := range c.children {
		dst = append(dst, c.keys[k]...)
		if dst, err = child.append(dst, i); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func writeList(c *cell, dst []byte, i int) ([]byte, error) {
	from, to := c.Items(i)
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
	from, to := c.Items(i)
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
	return c.children[0].append(dst, int(c.Uint(i)))
}
