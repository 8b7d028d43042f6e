package file

import (
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// rows reads a file by its index: messages are numbers of rows, and the decoder takes from the file what it needs for them.
type rows struct {
	file  *countingFile
	size  int64
	count int64
}

// openRows opens the file at its position.
func (f *input) openRows(count func(io.ReaderAt, int64) (int64, error), read *atomic.Int64) (err error) {
	if err := readable(f.path); err != nil {
		return err
	}
	if f.file, err = os.Open(f.path); err != nil {
		return fault.New(fault.Usage, "%s cannot be read: %v", f.path, unwrapPath(err))
	}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	info, err := f.file.Stat()
	if err != nil {
		return f.broken(err)
	}
	r := &rows{file: &countingFile{file: f.file, n: read}, size: info.Size()}
	if r.count, err = count(r.file, r.size); err != nil {
		return f.within(err)
	}
	end := make([]byte, min(r.size, markBytes))
	if _, err := f.file.ReadAt(end, r.size-int64(len(end))); err != nil {
		return f.broken(err)
	}
	if now := mark(end); f.pos.Marked == 0 {
		f.pos.Mark, f.pos.Marked = now, len(end)
	} else if now != f.pos.Mark || f.pos.Offset > r.count {
		return f.changed("row")
	}
	f.rows = r
	return nil
}

// within says which file an error is about.
func (f *input) within(err error) error {
	var known *fault.Fault
	if errors.As(err, &known) {
		return known.In("%s", f.path)
	}
	return f.broken(err)
}

// nextRows returns the next rows of a file as a message. False: there are no more. A file without rows gives one message without any, since it
// has columns all the same.
func (r *reader) nextRows(f *input) (connectors.Message, bool) {
	n := int(min(int64(r.piece), f.rows.count-f.pos.Offset))
	if n == 0 && (f.started || f.pos.Offset > 0) {
		return connectors.Message{}, false
	}
	r.buffer = codec.RowNumbers(r.buffer[:0], f.pos.Offset, n)
	m := connectors.Message{
		Data: r.buffer, Split: r.at, Time: stream.NoTime, Subject: f.name, Sequence: f.pos.Line, Start: !f.started, File: f.rows.file, Size: f.rows.size,
	}
	f.started = true
	f.pos.Offset += int64(n)
	f.pos.Line += uint64(n)
	return m, true
}

// countingFile counts the bytes that are read.
type countingFile struct {
	file io.ReaderAt
	n    *atomic.Int64
	mine int64
}

// ReadAt implements io.ReaderAt.
func (c *countingFile) ReadAt(b []byte, at int64) (int, error) {
	n, err := c.file.ReadAt(b, at)
	c.n.Add(int64(n))
	c.mine += int64(n)
	return n, err
}

// done makes the count what it would be had all of the file been read, once.
func (c *countingFile) done(size int64) {
	c.n.Add(size - c.mine)
	c.mine = size
}
