package stdio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"syscall"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// output is standard output, which the writers of all tasks share, and those of a job that is started again.
type output struct {
	mu    sync.Mutex
	out   io.Writer
	begun bool // guarded by mu: the format's header is there
}

// flushBytes is how much is collected of one batch before it is written.
const flushBytes = 256 << 10

type writer struct {
	output  *output
	encoder codec.Encoder
	buffer  []byte
	open    bool // a file of batches was begun
}

var _ connectors.Writer = (*writer)(nil)

func newWriter(out *output, tasks int, encoder codec.Encoder) (*writer, error) {
	out.mu.Lock()
	defer out.mu.Unlock()
	if _, batches := encoder.(codec.BatchEncoder); batches && (tasks > 1 || out.begun) {
		return nil, fault.New(fault.Unsupported, "format %s has one beginning and one end: one task writes it to standard output, once", encoder.Name()).
			WithHint("set the output's parallelism to 1, or write it to a file")
	}
	return &writer{output: out, encoder: encoder}, nil
}

// Write implements [connectors.Writer]. All of the batch is written when it returns, and nothing of other tasks in between.
func (w *writer) Write(_ context.Context, b *stream.Batch) error {
	w.output.mu.Lock()
	defer w.output.mu.Unlock()
	switch e := w.encoder.(type) {
	case codec.BatchEncoder:
		if !w.open {
			e.Reset()
			w.open, w.output.begun = true, true
		}
		var err error
		if w.buffer, err = e.AppendFile(w.buffer[:0], b.Record); err != nil {
			return err
		}
		return w.flush()
	case codec.RowEncoder:
		return w.rows(e, b)
	}
	return fault.New(fault.Unsupported, "format %s cannot be written to standard output", w.encoder.Name())
}

func (w *writer) rows(e codec.RowEncoder, b *stream.Batch) error {
	w.buffer = w.buffer[:0]
	if err := e.Bind(b.Record); err != nil {
		return err
	}
	if !w.output.begun {
		w.buffer = append(w.buffer, e.Header()...)
		w.output.begun = true
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

// flush writes what is collected. A reader that went away gives a fault whose cause is syscall.EPIPE or io.ErrClosedPipe.
func (w *writer) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	_, err := w.output.out.Write(w.buffer)
	w.buffer = w.buffer[:0]
	if err == nil {
		return nil
	}
	f := fault.New(fault.Encode, "standard output cannot be written: %v", err)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		f.What = "standard output was closed by its reader"
	}
	return f
}

// Flush implements [connectors.Writer]: what was written is out of our hands, and there is no position.
func (*writer) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	return nil, func(context.Context) error { return nil }, nil
}

// Close implements [connectors.Writer]. It ends a file of batches.
func (w *writer) Close() error {
	w.output.mu.Lock()
	defer w.output.mu.Unlock()
	e, ok := w.encoder.(codec.BatchEncoder)
	if !ok || !w.open {
		return nil
	}
	w.open = false
	var err error
	if w.buffer, err = e.AppendFile(w.buffer[:0], nil); err != nil {
		return err
	}
	return w.flush()
}
