package ipc

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// decoder copies rows out of messages into columns: one copy, the one that decoding is here. What bounds it is the check
// of text and offsets.
//
// A record batch may have more rows than ours; then Append takes none of its bytes until the last of its rows is
// taken, and rows remembers how far it got.
type decoder struct {
	columns *column.Builder
	limits  codec.Limits
	pieces  bool // StartInput was called: an input is more than one Append
	fresh   bool // an input begins with the next Append

	// The input's state.
	file   bool
	ended  bool
	fields []*field         // nil before the schema
	bound  []*column.Column // by field: the column it goes to, nil for none
	absent []*column.Column // columns without a field
	wanted map[int64][]dictionary
	held   column.Bound // what the dictionaries hold
	taken  int          // rows of the record batch that comes next that were taken
}

// dictionary is a dictionary-encoded field, of which a column wants the values.
type dictionary struct {
	field  *field
	column *column.Column
}

var _ codec.InputDecoder = (*decoder)(nil)

func newDecoder(s *arrow.Schema, alloc memory.Allocator, limits codec.Limits) (*decoder, error) {
	limits = limits.Filled()
	b, err := column.New(s, alloc, limits.Rows)
	if err != nil {
		return nil, err
	}
	return &decoder{columns: b, limits: limits, fresh: true}, nil
}

// reset forgets the input.
func (d *decoder) reset() {
	d.file, d.ended, d.fields, d.bound, d.absent, d.wanted, d.taken = false, false, nil, nil, nil, nil, 0
	d.held = column.Bound{}
}

// StartInput implements codec.InputDecoder.
func (d *decoder) StartInput(head []byte) error {
	d.reset()
	d.pieces, d.fresh = true, head == nil
	if head == nil {
		return nil
	}
	at := 0
	if bytes.HasPrefix(head, magic) {
		at, d.file = len(magic), true
	}
	for at < len(head) && !(d.file && isFooter(head[at:])) {
		m, f := read(head[at:])
		if f == nil && m.kind != headerBatch {
			f = d.state(m)
		}
		if f != nil {
			return f
		}
		at += m.size
	}
	if len(d.wanted) > 0 && !d.file {
		return fault.New(fault.Unsupported, "a stream with dictionaries cannot be read from its middle, as they may have changed before").
			WithHint("read it from its beginning, or write it as a file in Arrow's file format")
	}
	return nil
}

// Append implements codec.Decoder.
func (d *decoder) Append(data []byte, bad func(*codec.BadRecord) error) (int, error) {
	d.columns.Begin(len(data))
	at, line := 0, 0
	if d.fresh && len(data) > 0 {
		d.reset()
		d.fresh = false
		if bytes.HasPrefix(data, magic) {
			at, d.file = len(magic), true
		}
	}
	for at < len(data) {
		if d.file && isFooter(data[at:]) {
			d.ended, at = true, len(data)
			break
		}
		m, f := read(data[at:])
		if f == nil && m.kind == headerBatch && d.fields != nil {
			full, err := d.batch(m, func(f *fault.Fault) error {
				return bad(&codec.BadRecord{Fault: f, Data: data[at : at+m.size], Offset: at, Line: line})
			})
			if full || err != nil {
				return at, err
			}
			line++
			at += m.size
			continue
		}
		if f == nil {
			f = d.state(m)
		}
		switch {
		case f == nil:
			at += m.size
			continue
		case d.pieces: // what follows makes no sense without
			return at, f
		}
		if err := bad(&codec.BadRecord{Fault: f, Data: data[at:], Offset: at, Line: line}); err != nil {
			return len(data), err
		}
		at = len(data)
	}
	if !d.pieces {
		d.fresh = true
	}
	return at, nil
}

// state takes a message in that is not rows.
func (d *decoder) state(m message) *fault.Fault {
	switch m.kind {
	case headerEnd:
		d.ended, d.fields = true, nil
		return nil
	case headerSchema:
		fields, f := readSchema(m)
		if f != nil {
			return f
		}
		d.ended, d.held = false, column.Bound{}
		return d.bind(fields)
	case headerDictionary:
		if d.fields == nil {
			break
		}
		return d.dictionary(m)
	case headerBatch:
		break
	default:
		return fault.New(fault.Decode, "expected a schema, dictionary or record batch, got a message of kind %d", m.kind)
	}
	return fault.New(fault.Decode, "expected a schema before the rows, got none")
}

// bind finds a field for each column.
func (d *decoder) bind(fields []*field) *fault.Fault {
	bound := make([]*column.Column, len(fields))
	var absent []*column.Column
	wanted := map[int64][]dictionary{}
	for _, c := range d.columns.Columns() {
		found := false
		for i, f := range fields {
			if f.name != c.Name {
				continue
			}
			if found {
				return fault.New(fault.Schema, "the name `%s` occurs twice", f.name)
			}
			found = true
			if f.typ == nil || !same(f.typ, c.Type) {
				return fault.New(fault.Schema, "expected %s, got %s", schema.Format(c.Type), f.typeName).At("column %s", c.Path)
			}
			bound[i] = c
			want(wanted, f, c)
		}
		switch {
		case found:
		case !c.Nullable:
			return fault.New(fault.Schema, "expected %s, got no such column", schema.Format(c.Type)).At("column %s", c.Path)
		default:
			absent = append(absent, c)
		}
	}
	d.fields, d.bound, d.absent, d.wanted = fields, bound, absent, wanted
	return nil
}

// want collects the dictionaries of a field, and tells it the column's path for faults.
func want(wanted map[int64][]dictionary, f *field, c *column.Column) {
	f.path = c.Path
	if f.values != nil {
		f.values.path = c.Path
		wanted[f.id] = append(wanted[f.id], dictionary{f, c})
		return
	}
	for i, k := range f.children {
		want(wanted, k, c.Children[i])
	}
}

// dictionary takes the values of a dictionary in, in memory of their own. They take the place of earlier ones.
func (d *decoder) dictionary(m message) *fault.Fault {
	id, delta := m.header.long(0), m.header.byte(2) != 0
	wanted := d.wanted[id]
	if len(wanted) == 0 {
		return nil
	}
	if delta {
		return fault.New(fault.Unsupported, "expected a whole dictionary, got one that adds to an earlier one").
			WithHint("write without delta dictionaries")
	}
	body := bytes.Clone(m.body)
	for _, w := range wanted {
		b, f := openBatch(m.header.table(1), body, m.size)
		if f != nil {
			return f
		}
		values := b.view(w.field.values, b.rows)
		if b.err != nil {
			return b.err
		}
		if err := w.column.Children[0].CheckDictionary(values); err != nil {
			return fault.From(err)
		}
		if old := w.field.dictionary; old != nil {
			d.held.Items -= old.Len
			d.held.Bytes -= len(old.Bytes)
		}
		w.field.dictionary = values
		d.held.Items += values.Len
		d.held.Bytes += len(values.Bytes)
	}
	return nil
}

// batch takes the rows of a record batch, as many as there is room for. Full says that there was not room for all, or
// that the batch being built has enough input.
func (d *decoder) batch(m message, bad func(*fault.Fault) error) (full bool, err error) {
	if d.columns.Full() || d.columns.Rows() > 0 && d.columns.In()+m.size > d.limits.Bytes {
		return true, nil
	}
	fail := func(f *fault.Fault) (bool, error) {
		d.columns.Undo()
		d.taken = 0
		return false, bad(f)
	}
	b, f := openBatch(m.header, m.body, m.size)
	if f != nil {
		return fail(f)
	}
	views := make([]*column.View, len(d.fields))
	for i, field := range d.fields {
		if d.bound[i] == nil {
			b.skip(field)
		} else {
			views[i] = b.view(field, b.rows)
		}
	}
	if b.err != nil {
		return fail(b.err)
	}
	from := d.taken
	to := min(b.rows, from+d.columns.Room())
	for i, c := range d.bound {
		if c == nil {
			continue
		}
		if err := c.CheckView(views[i], from, to); err != nil {
			return fail(fault.From(err))
		}
	}
	for i, c := range d.bound {
		if c == nil || c.AppendView(views[i], from, to) {
			continue
		}
		if d.columns.Rows() > 0 { // the dictionaries of both do not fit together
			d.columns.Undo()
			return true, nil
		}
		return fail(fault.New(fault.Decode, "expected at most %d different values and 2 GiB in a batch", c.MostValues()).At("column %s", c.Path))
	}
	for _, c := range d.absent {
		for range to - from {
			c.AppendNull()
		}
	}
	d.columns.EndRows(to - from)
	d.columns.Took(m.size * (to - from) / max(b.rows, 1))
	if to < b.rows {
		d.taken = to
		return true, nil
	}
	d.taken = 0
	return false, nil
}

// Rows implements codec.Decoder.
func (d *decoder) Rows() int { return d.columns.Rows() }

// Need implements codec.Decoder. A row or value takes a bit at least, see openBatch.
func (d *decoder) Need(n int) int {
	return d.columns.Need(n, column.Bound{Rows: 8 * n, Bits: 8 * n, Items: d.held.Items, Bytes: n + d.held.Bytes})
}

// Record implements codec.Decoder.
func (d *decoder) Record() arrow.Record { return d.columns.Record() }

// Close implements codec.Decoder.
func (d *decoder) Close() { d.columns.Close() }
