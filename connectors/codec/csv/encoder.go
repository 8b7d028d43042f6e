package csv

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/values"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// encoder writes rows as records.
type encoder struct {
	config Config
	schema *arrow.Schema
	cells  []cell
}

// cell writes the values of a column; of a dictionary column, values are its values and index says which.
type cell struct {
	path   string
	values values.Values
	index  *values.Values
}

var _ codec.RowEncoder = (*encoder)(nil)

func newEncoder(s *arrow.Schema, c Config) (*encoder, error) {
	var faults fault.List
	for _, f := range s.Fields() {
		t := f.Type
		if d, ok := t.(*arrow.DictionaryType); ok {
			t = d.ValueType
		}
		if !writable(t) {
			faults.Add(fault.Unsupported, "column "+f.Name, "type %s cannot be written as CSV", schema.Format(f.Type))
		}
	}
	return &encoder{config: c, schema: s}, faults.Err()
}

func writable(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.Decimal128Type:
		return t.Scale >= 0 && t.Scale <= 38
	case *arrow.NullType, *arrow.BooleanType, *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type, *arrow.Float32Type, *arrow.Float64Type,
		*arrow.StringType, *arrow.LargeStringType, *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.FixedSizeBinaryType,
		*arrow.Date32Type, *arrow.Time32Type, *arrow.Time64Type, *arrow.TimestampType, *arrow.DurationType:
		return true
	}
	return false
}

// Name implements codec.Encoder.
func (e *encoder) Name() string { return "csv" }

// Bind implements codec.RowEncoder.
func (e *encoder) Bind(rec arrow.Record) error {
	if int(rec.NumCols()) != len(e.schema.Fields()) {
		return fault.New(fault.Schema, "expected %d columns, got %d", len(e.schema.Fields()), rec.NumCols())
	}
	e.cells = e.cells[:0]
	for i, f := range e.schema.Fields() {
		a := rec.Column(i)
		if !arrow.TypeEqual(f.Type, a.DataType()) {
			return fault.New(fault.Schema, "expected %s, got %s", schema.Format(f.Type), schema.Format(a.DataType())).At("column %s", f.Name)
		}
		c := cell{path: f.Name, values: values.Of(a)}
		if d, ok := a.(*array.Dictionary); ok {
			index := c.values
			c.values, c.index = values.Of(d.Dictionary()), &index
		}
		e.cells = append(e.cells, c)
	}
	return nil
}

// Append implements codec.RowEncoder.
func (e *encoder) Append(dst []byte, i int) ([]byte, error) {
	start := len(dst)
	for k := range e.cells {
		if k > 0 {
			dst = append(dst, e.config.Delimiter[0])
		}
		c := &e.cells[k]
		from, row, null := len(dst), i, false
		if c.index != nil {
			if null = c.index.Null(i); !null {
				row = int(c.index.Uint(i))
			}
		}
		if null || c.values.Null(row) {
			dst = e.quote(append(dst, e.config.Null[0]...), from, false)
			continue
		}
		var must bool
		dst, must = c.append(dst, row)
		if must && !utf8.Valid(dst[from:]) {
			return dst[:start], fault.New(fault.Encode, "expected valid UTF-8, got other bytes").At("column %s", c.path).
				WithHint("declare the column as binary, which is written as base64")
		}
		dst = e.quote(dst, from, must && e.isNull(dst[from:]))
	}
	if len(e.cells) == 1 && len(dst) == start { // or it would be a line that is passed over
		dst = append(dst, '"', '"')
	}
	return dst, nil
}

// append appends the value at i, and says whether it is text, which may look like null.
func (c *cell) append(dst []byte, i int) ([]byte, bool) {
	v := &c.values
	switch v.ID {
	case arrow.STRING, arrow.LARGE_STRING:
		return append(dst, v.Bytes(i)...), true
	case arrow.BINARY, arrow.LARGE_BINARY:
		return v.AppendBase64(dst, i), true
	case arrow.FIXED_SIZE_BINARY:
		return v.AppendBase64(dst, i), false
	case arrow.BOOL:
		return strconv.AppendBool(dst, v.Bool(i)), false
	case arrow.FLOAT32, arrow.FLOAT64:
		switch f, _ := v.Float(i); {
		case math.IsNaN(f):
			return append(dst, "NaN"...), false
		case math.IsInf(f, 1):
			return append(dst, "Inf"...), false
		case math.IsInf(f, -1):
			return append(dst, "-Inf"...), false
		}
	case arrow.DATE32, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP:
		if text, ok := v.AppendTime(dst, i); ok {
			return text, false
		}
	}
	return v.AppendNumber(dst, i), false
}

func (e *encoder) isNull(b []byte) bool {
	for _, n := range e.config.Null {
		if string(b) == n {
			return true
		}
	}
	return false
}

// quote puts the field that begins at from in quotes if it must be, or has to.
func (e *encoder) quote(dst []byte, from int, must bool) []byte {
	quotes := 0
	for _, c := range dst[from:] {
		switch c {
		case '"':
			quotes++
			must = true
		case '\n', '\r', e.config.Delimiter[0]:
			must = true
		}
	}
	if !must {
		return dst
	}
	// From the end, so that each byte moves once.
	end := len(dst)
	dst = append(dst, '"', '"')
	for range quotes {
		dst = append(dst, 0)
	}
	to := len(dst) - 1
	dst[to] = '"'
	for i := end - 1; i >= from; i-- {
		to--
		dst[to] = dst[i]
		if dst[i] == '"' {
			to--
			dst[to] = '"'
		}
	}
	dst[from] = '"'
	return dst
}

// Header implements codec.RowEncoder.
func (e *encoder) Header() []byte {
	if e.config.Header != nil && !*e.config.Header {
		return nil
	}
	var line []byte
	for i, f := range e.schema.Fields() {
		if i > 0 {
			line = append(line, e.config.Delimiter[0])
		}
		from := len(line)
		line = e.quote(append(line, f.Name...), from, false)
	}
	return append(line, '\n')
}

// Lines implements codec.RowEncoder.
func (e *encoder) Lines() bool { return true }
