package csv

import (
	"bytes"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// decoder finds a record's fields first and appends their values then, so that a record with bad quotes leaves no trace
// in the columns. What bounds it is the search for delimiters and the parsing of values, about half each.
type decoder struct {
	scanner
	config  Config
	columns *column.Builder
	limits  codec.Limits
	at      []int  // by position of a field, the column, or -1
	pieces  bool   // StartInput was called: an input is more than one Append
	fresh   bool   // an input begins with the next Append
	scratch []byte // a text without doubled quotes
}

var _ codec.InputDecoder = (*decoder)(nil)

func newDecoder(s *arrow.Schema, c Config, alloc memory.Allocator, limits codec.Limits) (*decoder, error) {
	limits = limits.Filled()
	b, err := column.New(s, alloc, limits.Rows)
	if err != nil {
		return nil, err
	}
	var faults fault.List
	for _, c := range b.Columns() {
		if arrow.IsNested(c.ID) {
			faults.Add(fault.Unsupported, "column "+c.Path, "type %s cannot be had in CSV", schema.Format(c.Type))
		}
	}
	d := &decoder{scanner: scanner{delimiter: c.Delimiter[0]}, config: c, columns: b, limits: limits, fresh: true}
	if c.Header == nil || !*c.Header {
		names := c.Columns
		if names == nil {
			for _, f := range s.Fields() {
				names = append(names, f.Name)
			}
		}
		if f := d.place(names); f != nil {
			f.Where = "columns"
			faults.Append(f)
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

// header says whether the next input begins with a line of names.
func (d *decoder) header() bool {
	if d.config.Header == nil {
		return d.pieces && d.config.Columns == nil
	}
	return *d.config.Header
}

// place finds the columns among the names of fields.
func (d *decoder) place(names []string) *fault.Fault {
	d.at = d.at[:0]
	for range names {
		d.at = append(d.at, -1)
	}
	for k, c := range d.columns.Columns() {
		found := false
		for i, name := range names {
			if name != c.Name {
				continue
			}
			if found {
				return fault.New(fault.Schema, "the name `%s` occurs twice", name)
			}
			found = true
			d.at[i] = k
		}
		if !found {
			return fault.New(fault.Schema, "expected a name `%s`, got none", c.Name).WithHint("%s", fault.DidYouMean(c.Name, names))
		}
	}
	return nil
}

// StartInput implements codec.InputDecoder.
func (d *decoder) StartInput(head []byte) error {
	d.pieces, d.fresh = true, true
	if head == nil || !d.header() {
		d.fresh = head == nil
		return nil
	}
	if _, f := d.names(head); f != nil {
		return f
	}
	d.fresh = false
	return nil
}

// names reads the line of names at the beginning of data and returns where the records begin.
func (d *decoder) names(data []byte) (int, *fault.Fault) {
	at := 0
	if bytes.HasPrefix(data, byteOrderMark) {
		at = len(byteOrderMark)
	}
	n, f := d.record(data[at:])
	if f != nil {
		return 0, f.In("line of names")
	}
	names := make([]string, len(d.fields))
	for i, x := range d.fields {
		names[i] = string(d.text(data[at:], x))
	}
	if f := d.place(names); f != nil {
		return 0, f.In("line of names")
	}
	return at + n, nil
}

// Append implements codec.Decoder.
func (d *decoder) Append(data []byte, bad func(*codec.BadRecord) error) (int, error) {
	d.columns.Begin(len(data))
	at, line := 0, 0
	if d.fresh && len(data) > 0 {
		n, err := d.begin(data, bad)
		if err != nil || n == len(data) {
			d.fresh = !d.pieces
			return n, err
		}
		at, line = n, bytes.Count(data[:n], []byte{'\n'})
		d.fresh = false
	}
	for at < len(data) {
		s := data[at:]
		if n := blank(s); n > 0 {
			at, line = at+n, line+1
			continue
		}
		end, f := d.record(s)
		if end == 0 { // bad: go on at the next line
			if end = bytes.IndexByte(s, '\n') + 1; end == 0 {
				end = len(s)
			}
		}
		if d.columns.Full() || d.columns.Rows() > 0 && d.columns.In()+end > d.limits.Bytes {
			return at, nil
		}
		d.columns.Took(end)
		if f == nil {
			f = d.row(s, end)
		}
		if f != nil {
			d.columns.Undo()
			b := &codec.BadRecord{Fault: f, Data: bytes.TrimRight(s[:end], "\r\n"), Offset: at, Line: line}
			if err := bad(b); err != nil {
				return at + end, err
			}
		}
		line += bytes.Count(s[:end], []byte{'\n'})
		at += end
	}
	d.fresh = !d.pieces
	return at, nil
}

// begin reads what an input begins with. A message whose names do not fit is bad as a whole; a file ends the job.
func (d *decoder) begin(data []byte, bad func(*codec.BadRecord) error) (int, error) {
	if !d.header() {
		if bytes.HasPrefix(data, byteOrderMark) {
			return len(byteOrderMark), nil
		}
		return 0, nil
	}
	n, f := d.names(data)
	switch {
	case f == nil:
		return n, nil
	case d.pieces:
		return 0, f
	}
	f.Code = fault.Decode
	return len(data), bad(&codec.BadRecord{Fault: f, Data: data})
}

// blank returns the length of the line end at the beginning of s.
func blank(s []byte) int {
	switch {
	case s[0] == '\n':
		return 1
	case s[0] == '\r' && len(s) == 1:
		return 1
	case s[0] == '\r' && s[1] == '\n':
		return 2
	}
	return 0
}

// row appends the fields of the record s[:end].
func (d *decoder) row(s []byte, end int) *fault.Fault {
	if end > d.limits.Record {
		return fault.New(fault.Decode, "expected a record of at most %d bytes, got %d", d.limits.Record, end).
			WithHint("raise the limit on records, or look for a quote that is not closed")
	}
	if len(d.fields) != len(d.at) {
		f := fault.New(fault.Decode, "expected %d fields, got %d", len(d.at), len(d.fields))
		if d.config.Header == nil && d.config.Columns == nil && !d.pieces {
			f = f.WithHint("set `header` to say whether messages begin with a line of names, or `columns`")
		}
		return f
	}
	columns := d.columns.Columns()
	for i, k := range d.at {
		if k < 0 {
			continue
		}
		if f := d.value(columns[k], s, d.fields[i]); f != nil {
			return f
		}
	}
	d.columns.EndRow()
	return nil
}

// text returns what a field says; valid until the next call.
func (d *decoder) text(s []byte, x field) []byte {
	b := s[x.from:x.to]
	if !x.doubled {
		return b
	}
	d.scratch = d.scratch[:0]
	for {
		i := bytes.IndexByte(b, '"')
		if i < 0 {
			d.scratch = append(d.scratch, b...)
			return d.scratch
		}
		d.scratch = append(d.scratch, b[:i+1]...)
		b = b[i+2:]
	}
}

func (d *decoder) value(c *column.Column, s []byte, x field) *fault.Fault {
	b := d.text(s, x)
	plain := c
	if c.ID == arrow.DICTIONARY {
		plain = c.Children[0]
	}
	utf := plain.Text()
	empty := utf || plain.ID == arrow.BINARY || plain.ID == arrow.LARGE_BINARY // has values that may look like null
	if d.null(b) && !(empty && (x.quoted || !c.Nullable)) {
		if c.Nullable {
			c.AppendNull()
			return nil
		}
		return fault.New(fault.Decode, "expected %s, got null", schema.Format(c.Type)).At("column %s", c.Path)
	}
	if utf && !utf8.Valid(b) {
		i := text.InvalidAt(b)
		return fault.New(fault.Decode, "expected valid UTF-8, got byte 0x%02x at %d", b[i], i).At("column %s", c.Path)
	}
	p := c.AppendText(b)
	if p == text.Malformed {
		p = c.AppendUnits(b)
	}
	if p != text.OK {
		return c.Refused(b, true, p)
	}
	return nil
}

func (d *decoder) null(b []byte) bool {
	for _, n := range d.config.Null {
		if string(b) == n {
			return true
		}
	}
	return false
}

// Rows implements codec.Decoder.
func (d *decoder) Rows() int { return d.columns.Rows() }

// Need implements codec.Decoder. The smallest record is one byte and a line end, and each gives a dictionary one value.
func (d *decoder) Need(n int) int {
	return d.columns.Need(n, column.Bound{Rows: n/2 + 1, Items: n/2 + 1, Bytes: n})
}

// Record implements codec.Decoder.
func (d *decoder) Record() arrow.Record { return d.columns.Record() }

// Close implements codec.Decoder.
func (d *decoder) Close() { d.columns.Close() }
