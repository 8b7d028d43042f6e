package parquet

import (
	"encoding/binary"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
)

// decoder copies rows of a file into columns. What bounds it is the library's decompression and its decoding of levels.
type decoder struct {
	columns *column.Builder
	limits  codec.Limits
	file    *reader // nil before the first file
	most    int     // bytes of text in a row, as seen so far
	// A row group that is damaged is not tried again for each of its rows.
	damaged int
	why     *fault.Fault
}

var _ codec.FileDecoder = (*decoder)(nil)

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
	return &decoder{columns: b, limits: limits, damaged: -1}, nil
}

// StartFile implements codec.FileDecoder.
func (d *decoder) StartFile(in io.ReaderAt, size int64) error {
	d.closeFile()
	var err error
	d.file, err = open(in, size, d.columns.Columns())
	if err != nil {
		d.file = nil
	}
	return err
}

// Append implements codec.Decoder. A row that does not fit is bad alone; behind damage in the file all rows of the row group are bad together.
func (d *decoder) Append(data []byte, bad func(*codec.BadRecord) error) (int, error) {
	d.columns.Begin(len(data))
	if len(data) == 0 {
		return 0, nil
	}
	if d.file == nil || len(data)%codec.RowNumber != 0 {
		return 0, fault.New(fault.Internal, "expected numbers of rows of a file, got %d bytes", len(data))
	}
	first := int64(binary.LittleEndian.Uint64(data))
	rows := len(data) / codec.RowNumber
	done, text := 0, 0
	for done < rows {
		at := first + int64(done)
		n, f := d.file.seekAndFill(at, rows-done, d.damaged, d.why)
		if f != nil {
			d.damaged, d.why = d.file.footer.group(at), f
			if err := bad(&codec.BadRecord{Fault: f, Offset: done * codec.RowNumber, Line: done}); err != nil {
				return done * codec.RowNumber, err
			}
			done += d.file.restOfGroup(at, rows-done)
			continue
		}
		for range n {
			t := d.file.rowText()
			if d.columns.Full() || d.columns.Rows() > 0 && text+t > d.limits.Bytes {
				return done * codec.RowNumber, nil
			}
			text += t
			d.most = max(d.most, t)
			if f := d.file.row(); f != nil {
				d.columns.Undo()
				if err := bad(&codec.BadRecord{Fault: f, Offset: done * codec.RowNumber, Line: done}); err != nil {
					return (done + 1) * codec.RowNumber, err
				}
			} else {
				d.columns.EndRow()
			}
			d.columns.Took(codec.RowNumber)
			done++
		}
	}
	return len(data), nil
}

// seekAndFill makes rows from row at on ready, and returns how many: at least one, at most so many. A fault is one of the row group, which
// comes again where the group is known to be damaged.
func (r *reader) seekAndFill(at int64, most, damaged int, why *fault.Fault) (int, *fault.Fault) {
	group := r.footer.group(at)
	if group == damaged {
		return 0, why
	}
	n := 0
	err := guarded(func() (err error) {
		if err = r.seek(at); err == nil {
			n, err = r.fill(min(int64(most), r.footer.ends[group]-at))
		}
		return err
	})
	if err != nil {
		r.group = -1
		return 0, unreadable(err)
	}
	return n, nil
}

// restOfGroup returns how many rows from row at on, at most so many, are in its row group.
func (r *reader) restOfGroup(at int64, most int) int {
	if group := r.footer.group(at); group < len(r.footer.ends) {
		return int(min(int64(most), r.footer.ends[group]-at))
	}
	return most // behind the file's end
}

// Rows implements codec.Decoder.
func (d *decoder) Rows() int { return d.columns.Rows() }

// Need implements codec.Decoder. A batch ends before its text is more than the limit, unless that is one row's: the first such row is more
// than what is announced.
func (d *decoder) Need(n int) int {
	most := d.limits.Bytes + d.most
	return d.columns.Need(n, column.Bound{Rows: d.limits.Rows, Items: d.limits.Rows, Bytes: most})
}

// Record implements codec.Decoder.
func (d *decoder) Record() arrow.Record { return d.columns.Record() }

// Close implements codec.Decoder.
func (d *decoder) Close() {
	d.closeFile()
	d.columns.Close()
}

func (d *decoder) closeFile() {
	if d.file != nil {
		d.file.close()
	}
	d.file, d.damaged, d.why = nil, -1, nil
}

// limited is an allocator for what the library needs beside pages, which is little.
type limited struct{ memory.Allocator }

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
		panic(fault.New(fault.Decode, "expected values of at most %d bytes, got %d", maxPage, n))
	}
}
