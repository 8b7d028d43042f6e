package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"hash/fnv"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

const (
	// blockBytes is how much of a file is read at once, and cut behind its last whole record.
	blockBytes = 1 << 20
	// maxBlock bounds a record. A longer one is handed on in pieces, which do not decode and go where the policy says; so
	// is a file of a format that is not cut at all.
	maxBlock = 64 << 20
	// followEvery is how often the end of a file that is followed is looked at.
	followEvery = 100 * time.Millisecond
	// markBytes is how much of a file's beginning tells it from another.
	markBytes = 4096
)

// position is where to go on in a file. Version 1 of its JSON.
type position struct {
	// Offset is in bytes of the uncompressed file, Line the number of the first line behind it.
	Offset int64  `json:"offset"`
	Line   uint64 `json:"line"`
	// Mark is the FNV-1a hash of the file's first bytes, Marked how many.
	Mark   uint64 `json:"mark"`
	Marked int    `json:"marked"`
	Done   bool   `json:"done,omitempty"`
}

type reader struct {
	job    connectors.Job
	files  []*input
	at     int // the file being read
	follow bool
	cut    func([]byte) int
	buffer []byte
	kept   int // bytes of buffer that are not handed on yet
	eof    bool
	read   atomic.Int64
	all    int64
}

// input is one file.
type input struct {
	name    string
	path    string
	pos     position
	started bool
	size    int64
	file    *os.File
	bytes   io.Reader
}

var (
	_ connectors.Reader = (*reader)(nil)
	_ connectors.Sized  = (*reader)(nil)
)

func newReader(job connectors.Job, splits []connectors.Split, follow bool) (*reader, error) {
	r := &reader{job: job, follow: follow, cut: job.Cut}
	for _, s := range splits {
		f := &input{name: s.ID, path: in(job.Dir, s.ID), pos: position{Line: 1}}
		if s.Position != nil {
			if err := json.Unmarshal(s.Position, &f.pos); err != nil {
				return nil, fault.New(fault.State, "the position in %s cannot be read: %v", s.ID, err)
			}
		}
		info, err := os.Stat(f.path)
		if err != nil {
			return nil, fault.New(fault.Connect, "%s cannot be read: %v", f.path, err)
		}
		f.size = info.Size()
		r.all += f.size
		r.files = append(r.files, f)
	}
	if follow {
		r.all = 0
	}
	return r, nil
}

// open opens the file at its position.
func (r *reader) open(f *input) (head []byte, err error) {
	if f.file, err = os.Open(f.path); err != nil {
		return nil, fault.New(fault.Connect, "%s cannot be read: %v", f.path, err)
	}
	counted := &countingReader{in: f.file, n: &r.read}
	f.bytes = counted
	if strings.HasSuffix(strings.ToLower(f.path), ".gz") {
		z, err := gzip.NewReader(bufio.NewReaderSize(counted, 64<<10))
		if err != nil {
			return nil, fault.New(fault.Decode, "%s is not compressed with gzip: %v", f.path, err)
		}
		f.bytes = z
	}
	if f.pos.Offset == 0 {
		return nil, nil
	}
	// Going on in the middle: the beginning must be the same, and is handed on for formats that need it.
	head = make([]byte, min(f.pos.Offset, blockBytes))
	n, err := io.ReadFull(f.bytes, head)
	if err != nil || mark(head[:min(n, f.pos.Marked)]) != f.pos.Mark {
		return nil, changed(f)
	}
	if _, err := io.CopyN(io.Discard, f.bytes, f.pos.Offset-int64(n)); err != nil {
		return nil, changed(f)
	}
	if r.cut == nil {
		return nil, nil
	}
	return head[:r.cut(head)], nil
}

func changed(f *input) error {
	return fault.New(fault.State, "%s is not the file that was read up to byte %d: it was shortened or replaced", f.path, f.pos.Offset).
		WithHint("--fresh starts from the beginning")
}

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

// Next implements [connectors.Reader]: one block of whole records.
func (r *reader) Next(ctx context.Context, wake <-chan struct{}, _ int) ([]connectors.Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.at == len(r.files) {
			return nil, io.EOF
		}
		f := r.files[r.at]
		if f.pos.Done && !r.follow {
			r.at++
			continue
		}
		var head []byte
		if f.file == nil {
			var err error
			if head, err = r.open(f); err != nil {
				return nil, err
			}
			r.kept, r.eof = 0, false
		}
		data, err := r.block(f)
		if err != nil {
			return nil, err
		}
		if len(data) > 0 {
			m := connectors.Message{Data: data, Split: r.at, Time: stream.NoTime, Subject: f.name, Sequence: f.pos.Line,
				Start: !f.started, Head: head}
			f.started = true
			if f.pos.Offset == 0 {
				f.pos.Marked = min(len(data), markBytes)
				f.pos.Mark = mark(data[:f.pos.Marked])
			}
			f.pos.Offset += int64(len(data))
			f.pos.Line += uint64(bytes.Count(data, []byte("\n")))
			return []connectors.Message{m}, nil
		}
		if !r.follow {
			f.pos.Done = true
			f.close()
			r.at++
			continue
		}
		if len(r.files) > 1 {
			return nil, fault.New(fault.Unsupported, "several files cannot be followed by one task").
				WithHint("give each an input of its own, or set the parallelism to their number")
		}
		select {
		case <-wake:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(followEvery):
			r.eof = false
		}
	}
}

// block reads on and returns whole records; none at the file's end.
func (r *reader) block(f *input) ([]byte, error) {
	// What follows the records handed on last moves to the front.
	if r.buffer == nil {
		r.buffer = make([]byte, 0, blockBytes+4096)
	}
	rest := r.buffer[len(r.buffer)-r.kept:]
	r.buffer = r.buffer[:copy(r.buffer[:cap(r.buffer)], rest)]
	for !r.eof {
		if len(r.buffer) >= blockBytes {
			if end := r.whole(r.buffer); end > 0 {
				return r.hand(end), nil
			}
			if len(r.buffer) >= maxBlock && r.cut != nil {
				return r.hand(len(r.buffer)), nil
			}
		}
		if len(r.buffer) == cap(r.buffer) {
			if r.cut == nil && len(r.buffer) >= 1<<30 {
				return nil, fault.New(fault.Limit, "%s is larger than 1 GiB and its format cannot be read in pieces", f.path)
			}
			r.buffer = append(make([]byte, 0, 2*cap(r.buffer)), r.buffer...)
		}
		n, err := f.bytes.Read(r.buffer[len(r.buffer):cap(r.buffer)])
		r.buffer = r.buffer[:len(r.buffer)+n]
		if err == io.EOF {
			r.eof = true
		} else if err != nil {
			return nil, fault.New(fault.Decode, "%s cannot be read on behind byte %d: %v", f.path, f.pos.Offset+int64(len(r.buffer)), err)
		}
	}
	if end := r.whole(r.buffer); r.follow || end > 0 && end < len(r.buffer) && r.cut != nil {
		return r.hand(end), nil
	}
	return r.hand(len(r.buffer)), nil // a last record may lack its end
}

func (r *reader) whole(data []byte) int {
	if r.cut == nil {
		return 0
	}
	return r.cut(data)
}

func (r *reader) hand(n int) []byte {
	r.kept = len(r.buffer) - n
	return r.buffer[:n]
}

// Positions implements [connectors.Reader].
func (r *reader) Positions() (map[string]json.RawMessage, error) {
	positions := make(map[string]json.RawMessage, len(r.files))
	for _, f := range r.files {
		p, err := json.Marshal(f.pos)
		if err != nil {
			return nil, err
		}
		positions[f.name] = p
	}
	return positions, nil
}

// Committed implements [connectors.Reader]: a file needs no acknowledgement.
func (r *reader) Committed(context.Context, map[string]json.RawMessage) error { return nil }

// Progress implements [connectors.Sized], in bytes as they lie on disk.
func (r *reader) Progress() (read, all int64) { return r.read.Load(), r.all }

// Close implements [connectors.Reader].
func (r *reader) Close() error {
	for _, f := range r.files {
		f.close()
	}
	return nil
}

func (f *input) close() {
	if f.file != nil {
		f.file.Close()
		f.file, f.bytes = nil, nil
	}
}
