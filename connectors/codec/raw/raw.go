// Package raw is the format raw: a record is the bytes of a message, or of a line with the option lines, in one column
// of type binary or utf8, large or not. utf8 must be valid. A message or line without any bytes is no record.
package raw

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/connectors/codec/values"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// Config are the options of the format.
type Config struct {
	// Column is the name of the column: the one that is read where none is declared, and the one that is written of several.
	Column string `json:"column"`
	// Lines says that each line is a record. Line ends, LF or CR LF, are not part of it.
	Lines bool `json:"lines"`
}

func parse(raw json.RawMessage) (Config, error) {
	c := Config{Column: "data"}
	err := config.Decode(raw, &c)
	return c, err
}

// Format returns the format.
func Format() codec.Format {
	return codec.Format{
		Name:       "raw",
		Schemaless: true,
		Documents:  true, // written, as any text
		NewDecoder: func(s *arrow.Schema, raw json.RawMessage, alloc memory.Allocator, limits codec.Limits) (codec.Decoder, error) {
			c, err := parse(raw)
			if err != nil {
				return nil, err
			}
			return newDecoder(s, c, alloc, limits)
		},
		NewEncoder: func(s *arrow.Schema, raw json.RawMessage) (codec.Encoder, error) {
			c, err := parse(raw)
			if err != nil {
				return nil, err
			}
			return newEncoder(s, c)
		},
		Infer: func(_ []byte, raw json.RawMessage) (*arrow.Schema, error) {
			c, err := parse(raw)
			return arrow.NewSchema([]arrow.Field{{Name: c.Column, Type: arrow.BinaryTypes.Binary}}, nil), err
		},
		Cut: func(data []byte, raw json.RawMessage) int {
			if c, err := parse(raw); err != nil || !c.Lines {
				return 0
			}
			return bytes.LastIndexByte(data, '\n') + 1
		},
	}
}

func holdsBytes(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.STRING, arrow.LARGE_STRING:
		return true
	}
	return false
}

type decoder struct {
	config  Config
	columns *column.Builder
	limits  codec.Limits
}

var _ codec.Decoder = (*decoder)(nil)

func newDecoder(s *arrow.Schema, c Config, alloc memory.Allocator, limits codec.Limits) (*decoder, error) {
	if n := len(s.Fields()); n != 1 {
		return nil, fault.New(fault.Schema, "expected one column of binary or utf8, got %d columns", n)
	}
	if f := s.Field(0); !holdsBytes(f.Type) {
		return nil, fault.New(fault.Schema, "expected binary or utf8, got %s", schema.Format(f.Type)).At("column %s", f.Name)
	}
	limits = limits.Filled()
	b, err := column.New(s, alloc, limits.Rows)
	if err != nil {
		return nil, err
	}
	return &decoder{config: c, columns: b, limits: limits}, nil
}

// Append implements codec.Decoder.
func (d *decoder) Append(data []byte, bad func(*codec.BadRecord) error) (int, error) {
	d.columns.Begin(len(data))
	at, line := 0, 0
	for ; at < len(data); line++ {
		record, end := data[at:], len(data)
		if d.config.Lines {
			if i := bytes.IndexByte(record, '\n'); i >= 0 {
				record, end = record[:i], at+i+1
			}
			record = bytes.TrimSuffix(record, []byte{'\r'})
			if len(record) == 0 {
				at = end
				continue
			}
		}
		if d.columns.Full() || d.columns.Rows() > 0 && d.columns.In()+end-at > d.limits.Bytes {
			return at, nil
		}
		d.columns.Took(end - at)
		if f := d.append(record); f != nil {
			if err := bad(&codec.BadRecord{Fault: f, Data: record, Offset: at, Line: line}); err != nil {
				return end, err
			}
		}
		at = end
	}
	return at, nil
}

func (d *decoder) append(record []byte) *fault.Fault {
	c := d.columns.Columns()[0]
	if len(record) > d.limits.Record {
		return fault.New(fault.Decode, "expected a record of at most %d bytes, got %d", d.limits.Record, len(record)).
			WithHint("raise the limit on records, or split the record")
	}
	if c.Text() && !utf8.Valid(record) {
		i := text.InvalidAt(record)
		return fault.New(fault.Decode, "expected valid UTF-8, got byte 0x%02x at %d", record[i], i).At("column %s", c.Path).
			WithHint("declare the column as binary")
	}
	if !c.AppendBytes(record) {
		return c.Refused(record, true, text.TooMuch)
	}
	d.columns.EndRow()
	return nil
}

// Rows implements codec.Decoder.
func (d *decoder) Rows() int { return d.columns.Rows() }

// Need implements codec.Decoder. Messages of one byte make a row each.
func (d *decoder) Need(n int) int { return d.columns.Need(n, column.Bound{Rows: n, Bytes: n}) }

// Record implements codec.Decoder.
func (d *decoder) Record() arrow.Record { return d.columns.Record() }

// Close implements codec.Decoder.
func (d *decoder) Close() { d.columns.Close() }

type encoder struct {
	config Config
	column int
	field  arrow.Field
	values values.Values
}

var _ codec.RowEncoder = (*encoder)(nil)

func newEncoder(s *arrow.Schema, c Config) (*encoder, error) {
	at := s.FieldIndices(c.Column)
	if len(s.Fields()) == 1 {
		at = []int{0}
	}
	if len(at) != 1 {
		return nil, fault.New(fault.Schema, "expected one column `%s`, got %s", c.Column, schema.FormatSchema(s)).
			WithHint("set `column` to the one that is to be written")
	}
	f := s.Field(at[0])
	if !holdsBytes(f.Type) {
		return nil, fault.New(fault.Schema, "expected binary or utf8, got %s", schema.Format(f.Type)).At("column %s", f.Name)
	}
	return &encoder{config: c, column: at[0], field: f}, nil
}

// Name implements codec.Encoder.
func (e *encoder) Name() string { return "raw" }

// Bind implements codec.RowEncoder.
func (e *encoder) Bind(rec arrow.Record) error {
	if int(rec.NumCols()) <= e.column {
		return fault.New(fault.Schema, "expected a column `%s`, got %d columns", e.field.Name, rec.NumCols())
	}
	a := rec.Column(e.column)
	if !arrow.TypeEqual(a.DataType(), e.field.Type) {
		return fault.New(fault.Schema, "expected %s, got %s", schema.Format(e.field.Type), schema.Format(a.DataType())).At("column %s", e.field.Name)
	}
	e.values = values.Of(a)
	return nil
}

// Append implements codec.RowEncoder. A null is written as nothing.
func (e *encoder) Append(dst []byte, i int) ([]byte, error) {
	if e.values.Null(i) {
		return dst, nil
	}
	v := e.values.Bytes(i)
	if e.config.Lines && bytes.IndexByte(v, '\n') >= 0 {
		return dst, fault.New(fault.Encode, "expected a value without a line end, since each is a line").At("column %s", e.field.Name)
	}
	return append(dst, v...), nil
}

// Header implements codec.RowEncoder.
func (e *encoder) Header() []byte { return nil }

// Lines implements codec.RowEncoder.
func (e *encoder) Lines() bool { return e.config.Lines }
