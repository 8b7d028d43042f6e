package json

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// decoder builds columns from NDJSON: a scanner led by the schema, that looks at each byte once or twice and writes
// values where they stay. What bounds it is the scan of strings and the dispatch per field.
type decoder struct {
	scanner
	columns   *column.Builder
	root      *node
	limits    codec.Limits
	multiline bool
	document  bool // the one column takes whole records as they are
}

var _ codec.Decoder = (*decoder)(nil)

func newDecoder(s *arrow.Schema, c Config, alloc memory.Allocator, limits codec.Limits) (*decoder, error) {
	limits = limits.Filled()
	b, err := column.New(s, alloc, limits.Rows)
	if err != nil {
		return nil, err
	}
	if err := checkKeys(b.Columns()); err != nil {
		return nil, err
	}
	d := &decoder{columns: b, root: record(b.Columns()), limits: limits, multiline: c.Multiline, document: schema.IsDocument(s)}
	if !d.document {
		if err := checkDocuments(s); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Append implements codec.Decoder.
func (d *decoder) Append(data []byte, bad func(*codec.BadRecord) error) (int, error) {
	d.columns.Begin(len(data))
	at, line := 0, 0
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for at < len(data) {
		end := len(data)
		if !d.multiline {
			if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
				end = at + i
			}
		}
		d.s, d.p = data[at:end], 0
		d.space()
		if d.p == len(d.s) { // a blank line
			at, line = min(end+1, len(data)), line+1
			continue
		}
		next := end - at
		if d.multiline {
			next = 0 // not known
		}
		if d.columns.Full() || d.columns.Rows() > 0 && d.columns.In()+next >= d.limits.Bytes {
			return at, nil
		}
		f := d.record()
		took := d.p
		if f != nil || !d.multiline {
			took = min(end+1, len(data)) - at
		}
		d.columns.Took(took)
		if f != nil {
			d.columns.Undo()
			from := at + len(d.s) - len(bytes.TrimLeft(d.s, " \t\r\n"))
			b := &codec.BadRecord{Fault: f, Data: bytes.TrimRight(data[from:end], " \t\r\n"), Offset: from, Line: line + bytes.Count(data[at:from], []byte{'\n'})}
			if !d.multiline && end < len(data) && d.p >= len(d.s) {
				b.Fault = f.WithHint("records are one a line; set `multiline: true` when they span lines")
			}
			if err := bad(b); err != nil {
				return at + took, err
			}
		}
		if d.multiline {
			line += bytes.Count(data[at:at+took], []byte{'\n'})
		} else {
			line++
		}
		at += took
	}
	return at, nil
}

// record decodes the record at d.p and ends the row, or says what is wrong.
func (d *decoder) record() *fault.Fault {
	if len(d.s) > d.limits.Record && (!d.multiline || !d.shortRecord()) {
		return fault.New(fault.Decode, "expected a record of at most %d bytes, got %d", d.limits.Record, len(d.s)).
			WithHint("raise the limit on records, or split the record")
	}
	d.problem = nil
	switch {
	case d.document:
		if !d.whole() {
			return d.problem
		}
	case d.s[d.p] != '{':
		d.wrong("an object", nil)
		return d.problem
	case !d.object(d.root, d.columns.Rows()):
		return d.problem
	}
	d.spaceInLine()
	if d.p < len(d.s) && (!d.multiline || d.s[d.p] != '\n') {
		d.syntax("the end of the line behind the record")
		return d.problem
	}
	d.columns.EndRow()
	return nil
}

// shortRecord reports whether the record at d.p, one of several in a large message, is within the limit by itself.
func (d *decoder) shortRecord() bool {
	all, start := d.s, d.p
	d.s = d.s[:min(len(d.s), start+d.limits.Record)]
	ok := d.skip(0)
	d.s, d.p, d.problem = all, start, nil
	return ok
}

// Rows implements codec.Decoder.
func (d *decoder) Rows() int { return d.columns.Rows() }

// Need implements codec.Decoder. The smallest record is "{}" and a line end, the smallest value in a list one byte and
// a comma; text is never shorter than what it stands for.
func (d *decoder) Need(n int) int {
	if d.document {
		return d.columns.Need(n, column.Bound{Rows: n/2 + 1, Bytes: n}) // a digit and a line end
	}
	return d.columns.Need(n, column.Bound{Rows: n/3 + 1, Items: n/2 + 1, Bytes: n})
}

// Record implements codec.Decoder.
func (d *decoder) Record() arrow.Record { return d.columns.Record() }

// Close implements codec.Decoder.
func (d *decoder) Close() { d.columns.Close() }

// checkKeys refuses maps whose keys are not a name's to write.
func checkKeys(columns []*column.Column) error {
	var faults fault.List
	for _, c := range columns {
		if c.ID == arrow.MAP {
			if key := c.Children[0].Children[0]; arrow.IsNested(key.ID) || key.ID == arrow.NULL {
				faults.Add(fault.Unsupported, "column "+c.Path, "a map in JSON cannot have keys of type %s", schema.Format(key.Type))
			}
		}
		faults.Append(checkKeys(c.Children))
	}
	return faults.Err()
}
