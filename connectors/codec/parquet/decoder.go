package parquet

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
)

// decoder copies rows out of a file's pages into columns.
//
// A file has more rows than a batch, as a rule; then Append takes none of its bytes until the last of its rows is taken, and works on with a
// copy of the file, since data is the caller's. What bounds decoding is the library's decompression and its decoding of levels.
type decoder struct {
	columns *column.Builder
	limits  codec.Limits
	file    *reader // nil between files
	size    int     // of the file
}

var _ codec.Decoder = (*decoder)(nil)

func newDecoder(s *arrow.Schema, alloc memory.Allocator, limits codec.Limits) (*decoder, error) {
	limits = limits.Filled()
	b, err := column.New(s, alloc, limits.Rows)
	if err != nil {
		return nil, err
	}
	var faults fault.List
	for _, c := range b.Columns() {
		if arrow.IsNested(c.ID) || c.ID == arrow.NULL {
			faults.Add(fault.Unsupported, "column "+c.Path, "type %s cannot be read from Parquet", c.Type).Hint = "leave the column out of the schema"
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return &decoder{columns: b, limits: limits}, nil
}

// Append implements codec.Decoder. A file is decoded or bad as a whole: rows that were handed on before its fault was found stay.
func (d *decoder) Append(data []byte, bad func(*codec.BadRecord) error) (int, error) {
	d.columns.Begin(len(data))
	if len(data) == 0 {
		return 0, nil
	}
	if d.file != nil && d.size != len(data) {
		d.file = nil // another file: the one before was given up
	}
	full, f := d.rows(data)
	if full {
		return 0, nil
	}
	d.file = nil
	if f != nil {
		d.columns.Undo()
		return len(data), bad(&codec.BadRecord{Fault: f, Data: data})
	}
	return len(data), nil
}

// rows appends rows while there is room. Full says that there is none for the next.
func (d *decoder) rows(data []byte) (full bool, f *fault.Fault) {
	defer func() {
		if p := recover(); p != nil {
			full, f = false, broken(p)
		}
	}()
	if d.file == nil {
		if f := checkFooter(data); f != nil {
			return false, f
		}
		file, err := open(bytes.Clone(data), d.columns.Columns())
		if err != nil {
			return false, unreadable(err)
		}
		d.file, d.size = file, len(data)
	}
	text := 0
	for {
		left, err := d.file.fill()
		if err != nil {
			return false, unreadable(err)
		}
		if left == 0 {
			return false, nil
		}
		for range left {
			n := d.file.rowText()
			if n > d.rowMost(len(data)) {
				return false, fault.New(fault.Decode, "a row has %d bytes of text, expected at most %d", n, d.rowMost(len(data)))
			}
			if d.columns.Full() || d.columns.Rows() > 0 && text+n > d.limits.Bytes {
				return true, nil
			}
			text += n
			if f := d.file.row(); f != nil {
				return false, f
			}
			d.columns.EndRow()
			d.columns.Took(max(1, len(data)/max(d.file.total, 1)))
		}
	}
}

// rowMost is how many bytes of text a row of a file of n bytes may have.
func (d *decoder) rowMost(n int) int { return max(d.limits.Bytes, min(d.limits.Record, n)) }

// broken makes a fault of a panic of the library.
func broken(p any) *fault.Fault {
	if err, ok := p.(error); ok {
		return unreadable(err)
	}
	return unreadable(errors.New(fmt.Sprint(p)))
}

func unreadable(err error) *fault.Fault {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return fault.New(fault.Decode, "the Parquet file cannot be read: %v", err)
}

// Rows implements codec.Decoder.
func (d *decoder) Rows() int { return d.columns.Rows() }

// Need implements codec.Decoder. A batch's text is bounded by Append, since compression makes any number of rows of a few bytes.
func (d *decoder) Need(n int) int {
	most := d.limits.Bytes + d.rowMost(n)
	return d.columns.Need(n, column.Bound{Rows: d.limits.Rows, Items: d.limits.Rows, Bytes: most})
}

// Record implements codec.Decoder.
func (d *decoder) Record() arrow.Record { return d.columns.Record() }

// Close implements codec.Decoder.
func (d *decoder) Close() {
	d.file = nil
	d.columns.Close()
}

// limited is an allocator for the library's buffers that refuses what is too large for a page.
type limited struct{ memory.Allocator }

const maxPage = 256 << 20

func (l limited) Allocate(n int) []byte {
	l.check(n)
	return l.Allocator.Allocate(n)
}

func (l limited) Reallocate(n int, b []byte) []byte {
	l.check(n)
	return l.Allocator.Reallocate(n, b)
}

func (limited) check(n int) {
	if n < 0 || n > maxPage {
		panic(fault.New(fault.Decode, "expected pages of at most %d bytes, got %d", maxPage, n))
	}
}
