package file

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/wasmill/wasmill/connectors/block"
	"github.com/wasmill/wasmill/engine/fault"
)

// markBytes is how much of a file's beginning tells it from another.
const markBytes = 4096

// position is where to go on in a file. Version 1 of its JSON.
type position struct {
	// Offset is in bytes of the uncompressed file, Line the number of the first line behind it, from 1. In a file that is read by its
	// index Offset is in rows.
	Offset int64  `json:"offset"`
	Line   uint64 `json:"line"`
	// Mark is the FNV-1a hash of the file's first bytes, Marked how many. With an index they are its last bytes, which the index is in.
	Mark   uint64 `json:"mark"`
	Marked int    `json:"marked"`
	// Done says that the file was read to its end.
	Done bool `json:"done,omitempty"`
}

// parsePosition reads a position; nil is the beginning.
func parsePosition(file string, raw json.RawMessage) (position, error) {
	p := position{Line: 1}
	if raw == nil {
		return p, nil
	}
	err := json.Unmarshal(raw, &p)
	if err == nil && (p.Offset < 0 || p.Marked < 0 || p.Marked > markBytes || p.Line == 0) {
		err = errors.New("its numbers are out of range")
	}
	if err != nil {
		return p, fault.New(fault.State, "the position in %s cannot be read: %v", file, err)
	}
	return p, nil
}

// input is one file.
type input struct {
	name    string // as the split is called
	path    string // as the process sees it
	pos     position
	started bool // a message of it was handed on
	file    *os.File
	blocks  *block.Reader
	rows    *rows // nil where the file is read from its beginning to its end
}

// open opens the file at its position. In the middle of a file it returns the file's beginning: whole records, which
// some formats need to go on. Read counts the bytes that are read from the disk.
func (f *input) open(cut func([]byte) int, read *atomic.Int64) (head []byte, err error) {
	if err := readable(f.path); err != nil {
		return nil, err
	}
	if f.file, err = os.Open(f.path); err != nil {
		return nil, fault.New(fault.Usage, "%s cannot be read: %v", f.path, unwrapPath(err))
	}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	var in io.Reader = &countingReader{in: f.file, n: read}
	if isCompressed(f.path) {
		if in, err = gzip.NewReader(bufio.NewReaderSize(in, 64<<10)); err != nil {
			return nil, fault.New(fault.Decode, "%s is not compressed with gzip: %v", f.path, err).
				WithHint("a name that ends in .gz says so")
		}
	}
	f.blocks = block.NewReader(in, cut, false)
	if f.pos.Offset == 0 {
		return nil, nil
	}
	begin := make([]byte, min(f.pos.Offset, block.Bytes))
	n, err := io.ReadFull(in, begin)
	if err != nil || n < f.pos.Marked || mark(begin[:f.pos.Marked]) != f.pos.Mark {
		return nil, f.changed("byte")
	}
	if _, err := io.CopyN(io.Discard, in, f.pos.Offset-int64(n)); err != nil {
		return nil, f.changed("byte")
	}
	if cut == nil {
		return nil, nil
	}
	return begin[:cut(begin)], nil
}

// advance moves the position behind a block.
func (f *input) advance(b block.Block) {
	if f.pos.Offset == 0 {
		f.pos.Marked = min(len(b.Data), markBytes)
		f.pos.Mark = mark(b.Data[:f.pos.Marked])
	}
	f.pos.Offset += b.Size
	f.pos.Line += uint64(b.Lines)
}

func (f *input) close() {
	if f.file != nil {
		f.file.Close() // it was only read
		f.file, f.blocks, f.rows = nil, nil, nil
	}
}

func (f *input) changed(unit string) error {
	return fault.New(fault.State, "%s is not the file that was read up to %s %d: it was shortened or replaced", f.path, unit, f.pos.Offset).
		WithHint("--fresh starts from the beginning")
}

func isCompressed(path string) bool { return strings.HasSuffix(strings.ToLower(path), ".gz") }

func mark(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b) // never fails
	return h.Sum64()
}

type countingReader struct {
	in io.Reader
	n  *atomic.Int64
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n.Add(int64(n))
	return n, err
}
