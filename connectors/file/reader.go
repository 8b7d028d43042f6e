package file

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/block"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// followEvery is how often the end of a file that is followed is looked at.
const followEvery = 100 * time.Millisecond

// reader reads files one after another, a block of whole records at a time.
type reader struct {
	files  []*input
	at     int // the file being read
	follow bool
	cut    func([]byte) int
	rows   func(io.ReaderAt, int64) (int64, error) // nil where the format has no index
	piece  int
	buffer []byte
	read   atomic.Int64 // bytes read from the disk
	all    int64        // bytes of all files at the start; 0 when they are followed
}

var (
	_ connectors.Reader = (*reader)(nil)
	_ connectors.Sized  = (*reader)(nil)
)

func newReader(job connectors.Job, splits []connectors.Split, follow bool) (*reader, error) {
	if follow && len(splits) > 1 {
		return nil, fault.New(fault.Unsupported, "one task cannot follow %d files", len(splits)).
			WithHint("give each file an input of its own, or the input a parallelism of %d", len(splits))
	}
	if follow && job.Rows != nil {
		return nil, fault.New(fault.Unsupported, "files of this format cannot be followed: their end says what is in them").At("follow")
	}
	r := &reader{follow: follow, cut: job.Cut, rows: job.Rows, piece: cmp.Or(job.Piece, stream.MaxRows)}
	for _, s := range splits {
		f := &input{name: s.ID, path: in(job.Dir, s.ID)}
		var err error
		if f.pos, err = parsePosition(f.path, s.Position); err != nil {
			return nil, err
		}
		r.files = append(r.files, f)
		info, err := os.Stat(f.path)
		if err != nil || follow {
			continue // open says what is wrong, once the file's turn comes
		}
		r.all += info.Size()
		if f.pos.Done {
			r.read.Add(info.Size())
		}
	}
	return r, nil
}

// Next implements [connectors.Reader]: one message, a block of whole records of one file.
func (r *reader) Next(ctx context.Context, wake <-chan struct{}, _ int) ([]connectors.Message, error) {
	for r.at < len(r.files) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := r.files[r.at]
		if f.pos.Done && !r.follow {
			r.at++
			continue
		}
		if r.rows != nil && !isCompressed(f.path) {
			if f.file == nil {
				if err := f.openRows(r.rows, &r.read); err != nil {
					return nil, err
				}
			}
			if m, ok := r.nextRows(f); ok {
				return []connectors.Message{m}, nil
			}
			f.rows.file.done(f.rows.size)
			f.pos.Done = true
			f.close()
			r.at++
			continue
		}
		var head []byte
		if f.file == nil {
			var err error
			if head, err = f.open(r.cut, &r.read); err != nil {
				return nil, err
			}
		}
		b, err := f.blocks.Next(r.buffer)
		ended := errors.Is(err, io.EOF)
		switch {
		case ended && r.follow:
			if b, err = r.replaced(f); err != nil {
				return nil, err
			}
		case ended:
			b = f.blocks.Rest() // the last record may lack its end
			f.pos.Done = b.Size == 0
		case err != nil:
			return nil, f.broken(err)
		}
		if b.Size > 0 {
			return []connectors.Message{r.message(f, b, head)}, nil
		}
		if !r.follow {
			f.close()
			r.at++
		} else if f.file != nil {
			if woken, err := pause(ctx, wake); woken || err != nil {
				return nil, err
			}
		}
	}
	return nil, io.EOF
}

func (r *reader) message(f *input, b block.Block, head []byte) connectors.Message {
	r.buffer = b.Data
	m := connectors.Message{
		Data: b.Data, Split: r.at, Time: stream.NoTime, Subject: f.name, Sequence: f.pos.Line, Start: !f.started, Head: head,
	}
	f.started = true
	f.advance(b)
	return m
}

// broken turns an error of reading into a fault.
func (f *input) broken(err error) error {
	var known *fault.Fault
	if errors.As(err, &known) {
		return known.At("%s, byte %d", f.path, f.pos.Offset)
	}
	unread := fault.New(fault.Decode, "%s cannot be read behind byte %d: %v", f.path, f.pos.Offset, unwrapPath(err))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return unread.WithHint("the compressed data ends too early: was the file cut off when it was written or copied?")
	}
	return unread
}

// replaced looks, at the end of a file that is followed, whether the file has been replaced by another, as log rotation does.
// If so it returns what the old one left behind, and the new one is read from its beginning.
func (r *reader) replaced(f *input) (block.Block, error) {
	var none block.Block
	opened, err := f.file.Stat()
	if err != nil {
		return none, f.broken(err)
	}
	if opened.Size() < f.pos.Offset {
		return none, f.changed("byte")
	}
	now, err := os.Stat(f.path)
	if err != nil || os.SameFile(opened, now) {
		return none, nil // between two files there may be none for a moment
	}
	if rest := f.blocks.Rest(); rest.Size > 0 {
		return rest, nil // and once that is handed on, this is called again
	}
	f.close()
	f.pos, f.started = position{Line: 1}, false
	return none, nil
}

// pause waits for a moment.
func pause(ctx context.Context, wake <-chan struct{}) (woken bool, err error) {
	timer := time.NewTimer(followEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, nil
	case <-wake:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
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
func (*reader) Committed(context.Context, map[string]json.RawMessage) error { return nil }

// Progress implements [connectors.Sized], in bytes as they lie on disk.
func (r *reader) Progress() (read, all int64) { return r.read.Load(), r.all }

// Close implements [connectors.Reader].
func (r *reader) Close() error {
	for _, f := range r.files {
		f.close()
	}
	return nil
}
