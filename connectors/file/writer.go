package file

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// written is the position of a writer: how long the file is behind an epoch. Version 1 of its JSON.
type written struct {
	Length int64 `json:"length"`
}

// writer appends to a file. At a restart it cuts off what was written behind the last commit, so each row stands in the
// file once.
type writer struct {
	path    string
	file    *os.File
	zip     *gzip.Writer // nil without compression; every epoch is a member of its own
	encoder codec.Encoder
	buffer  []byte
	length  int64 // bytes written to the file
	begun   bool  // the format's header is there
}

var _ connectors.Writer = (*writer)(nil)

// taskPath names the file of one of several tasks.
func taskPath(path string, task, tasks int) string {
	if tasks <= 1 {
		return path
	}
	gz := ""
	if strings.HasSuffix(path, ".gz") {
		path, gz = strings.TrimSuffix(path, ".gz"), ".gz"
	}
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%04d%s%s", strings.TrimSuffix(path, ext), task+1, ext, gz)
}

func newWriter(path string, keep bool, encoder codec.Encoder, position json.RawMessage) (*writer, error) {
	w := &writer{path: path, encoder: encoder}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, w.fault(err)
	}
	var err error
	if w.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666); err != nil {
		return nil, w.fault(err)
	}
	if err := w.restore(keep, position); err != nil {
		w.file.Close()
		return nil, err
	}
	if strings.HasSuffix(path, ".gz") {
		w.zip = gzip.NewWriter(countingWriter{w})
	}
	return w, nil
}

// restore sets the file to the length that it had at the last commit.
func (w *writer) restore(keep bool, position json.RawMessage) error {
	end, err := w.file.Seek(0, io.SeekEnd)
	regular := err == nil // a pipe or a device cannot seek, and is written as it is
	switch {
	case position != nil:
		var p written
		if err := json.Unmarshal(position, &p); err != nil {
			return fault.New(fault.State, "the position in %s cannot be read: %v", w.path, err)
		}
		if regular && end < p.Length {
			return fault.New(fault.State, "%s has %d bytes, and had %d at the last commit: it was shortened or replaced", w.path, end, p.Length).
				WithHint("--fresh starts from the beginning")
		}
		if _, ok := w.encoder.(codec.BatchEncoder); ok && p.Length > 0 {
			return fault.New(fault.Unsupported, "%s cannot be continued: format %s has one beginning and one end", w.path, w.encoder.Name()).
				WithHint("--fresh starts from the beginning")
		}
		w.length = p.Length
	case keep && regular:
		w.length = end
	}
	w.begun = w.length > 0
	if !regular {
		return nil
	}
	if err := w.file.Truncate(w.length); err != nil && !errors.Is(err, syscall.EINVAL) {
		return w.fault(err)
	}
	if _, err := w.file.Seek(w.length, io.SeekStart); err != nil {
		return w.fault(err)
	}
	return nil
}

func (w *writer) fault(err error) error {
	f := fault.New(fault.State, "%s cannot be written: %v", w.path, unwrapPath(err))
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return f.WithHint("make room; what was committed is kept, and the same command goes on from there")
	case errors.Is(err, os.ErrPermission):
		f.Code = fault.Usage
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR):
		f.Code = fault.Usage
	}
	return f
}

func unwrapPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

type countingWriter struct{ w *writer }

func (c countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.file.Write(b)
	c.w.length += int64(n)
	return n, err
}

const flushBytes = 1 << 20

// Write implements [connectors.Writer].
func (w *writer) Write(_ context.Context, b *stream.Batch) error {
	switch e := w.encoder.(type) {
	case codec.BatchEncoder:
		if !w.begun {
			e.Reset()
			w.begun = true
		}
		var err error
		if w.buffer, err = e.AppendFile(w.buffer, b.Record); err != nil {
			return err
		}
	case codec.RowEncoder:
		if !w.begun {
			w.buffer = append(w.buffer, e.Header()...)
			w.begun = true
		}
		if err := e.Bind(b.Record); err != nil {
			return err
		}
		for i := range b.Rows() {
			next, err := e.Append(w.buffer, i)
			if err != nil {
				return &codec.RowError{Row: i, Err: err}
			}
			if e.Lines() {
				next = append(next, '\n')
			}
			w.buffer = next
		}
	default:
		return fault.New(fault.Unsupported, "format %s cannot be written to a file", w.encoder.Name())
	}
	if len(w.buffer) < flushBytes {
		return nil
	}
	return w.flush()
}

func (w *writer) flush() error {
	var out io.Writer = countingWriter{w}
	if w.zip != nil {
		out = w.zip
	}
	_, err := out.Write(w.buffer)
	w.buffer = w.buffer[:0]
	if err != nil {
		return w.fault(err)
	}
	return nil
}

// Flush implements [connectors.Writer].
func (w *writer) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	if len(w.buffer) > 0 {
		if err := w.flush(); err != nil {
			return nil, nil, err
		}
		if w.zip != nil {
			if err := w.zip.Close(); err != nil {
				return nil, nil, w.fault(err)
			}
			w.zip.Reset(countingWriter{w})
		}
	}
	p, err := json.Marshal(written{Length: w.length})
	if err != nil {
		return nil, nil, err
	}
	return p, func(context.Context) error {
		if err := w.file.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
			return w.fault(err)
		}
		return nil
	}, nil
}

// Close implements [connectors.Writer]. What was not flushed stays out of the file: the next start begins at the last commit.
// A file of batches gets its end.
func (w *writer) Close() error {
	var err error
	if e, ok := w.encoder.(codec.BatchEncoder); ok && w.begun && len(w.buffer) == 0 {
		if w.buffer, err = e.AppendFile(w.buffer, nil); err == nil {
			err = w.flush()
		}
	}
	if e := w.file.Close(); err == nil && e != nil {
		err = w.fault(e)
	}
	return err
}
