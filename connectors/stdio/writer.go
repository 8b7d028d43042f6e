package stdio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"syscall"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

type writer struct {
	out     io.Writer
	encoder codec.Encoder
	begun   bool
	buffer  []byte
}

var _ connectors.Writer = (*writer)(nil)

func newWriter(out io.Writer, encoder codec.Encoder) *writer {
	return &writer{out: out, encoder: encoder}
}

// flushBytes is how much is collected of one batch before it is written.
const flushBytes = 256 << 10

// Write implements [connectors.Writer]. All of the batch is written when it returns.
func (w *writer) Write(_ context.Context, b *stream.Batch) error {
	w.buffer = w.buffer[:0]
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
		return w.flush()
	case codec.RowEncoder:
		return w.rows(e, b)
	}
	return fault.New(fault.Unsupported, "format %s cannot be written to standard output", w.encoder.Name())
}

func (w *writer) rows(e codec.RowEncoder, b *stream.Batch) error {
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
			if f := w.flush(); f != nil {
				return f
			}
			return &codec.RowError{Row: i, Err: err}
		}
		if e.Lines() {
			next = append(next, '\n')
		}
		if w.buffer = next; len(w.buffer) >= flushBytes {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return w.flush()
}

func (w *writer) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	_, err := w.out.Write(w.buffer)
	w.buffer = w.buffer[:0]
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return fault.New(fault.Encode, "standard output was closed by its reader")
	}
	return fault.New(fault.Encode, "standard output cannot be written: %v", err)
}

// Flush implements [connectors.Writer]: what was written is out of our hands.
func (w *writer) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	return nil, func(context.Context) error { return nil }, nil
}

// Close implements [connectors.Writer]. It ends a file of batches.
func (w *writer) Close() error {
	if e, ok := w.encoder.(codec.BatchEncoder); ok && w.begun {
		var err error
		if w.buffer, err = e.AppendFile(w.buffer[:0], nil); err != nil {
			return err
		}
		return w.flush()
	}
	return nil
}
