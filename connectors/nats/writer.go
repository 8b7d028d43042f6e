package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// Writer publishes the rows of batches: a message each, or with a batch format up to rows_per_message of one subject.
//
// Throughput is bounded by nats.go's publishing and the parsing of acknowledgements; rows cost no allocation unless
// their subject has not been seen or they have headers.
type Writer struct {
	c       *sinkConfig
	p       *publisher
	rows    codec.RowEncoder
	batches codec.BatchEncoder

	subject  bound
	headers  []bound
	fixed    string            // the subject, when it has no columns
	subjects map[string]string // those seen
	text     []byte
	other    []byte
}

// mostSubjects bounds the subjects remembered.
const mostSubjects = 8192

func newWriter(c *sinkConfig, p *publisher, rows codec.RowEncoder, batches codec.BatchEncoder) *Writer {
	w := &Writer{c: c, p: p, rows: rows, batches: batches, subjects: map[string]string{}, headers: make([]bound, len(c.headers))}
	w.fixed, _ = c.subject.fixed()
	return w
}

// Write publishes b's rows, waiting while max_pending are not acknowledged. Beside a *codec.RowError it returns the
// fault that ended the writer: a subject that no stream stores, a stream that refuses, a connection that was closed.
func (w *Writer) Write(ctx context.Context, b *stream.Batch) error {
	rec := b.Record
	if err := w.c.subject.bind(rec, &w.subject); err != nil {
		return err
	}
	for i, h := range w.c.headers {
		if err := h.value.bind(rec, &w.headers[i]); err != nil {
			return err
		}
	}
	w.p.send.Lock()
	defer w.p.send.Unlock()
	if w.batches != nil {
		return w.writeBatches(ctx, b)
	}
	if err := w.rows.Bind(rec); err != nil {
		return err
	}
	for i, n := 0, b.Rows(); i < n; i++ {
		s, err := w.p.room(ctx)
		if err != nil {
			return err
		}
		if s.data, err = w.rows.Append(s.data, i); err != nil {
			return &codec.RowError{Row: i, Err: err}
		}
		if err := w.address(s, i); err != nil {
			return &codec.RowError{Row: i, Err: err}
		}
		if err := w.fits(s, 1); err != nil {
			return &codec.RowError{Row: i, Err: err}
		}
		if err := w.p.publish(s); err != nil {
			return err
		}
	}
	return nil
}

// writeBatches publishes runs of rows that have the same subject and headers.
func (w *Writer) writeBatches(ctx context.Context, b *stream.Batch) error {
	most, n := w.c.RowsPerMessage, b.Rows()
	if most == 0 {
		most = 1000
	}
	for from := 0; from < n; {
		to, err := w.run(from, min(from+most, n))
		if err != nil {
			return &codec.RowError{Row: from, Err: err}
		}
		for {
			s, err := w.p.room(ctx)
			if err != nil {
				return err
			}
			if s.data, err = w.batches.AppendMessage(s.data, b.Record, from, to); err != nil {
				return &codec.RowError{Row: from, Err: err}
			}
			if err := w.address(s, from); err != nil {
				return &codec.RowError{Row: from, Err: err}
			}
			if err := w.fits(s, to-from); err == nil {
				if err := w.p.publish(s); err != nil {
					return err
				}
				break
			} else if to-from == 1 {
				return &codec.RowError{Row: from, Err: err}
			}
			to = from + (to-from)/2
		}
		from = to
	}
	return nil
}

// run returns the end of the rows from `from` on, at most to, that go into one message. A row after the first that has
// no valid subject ends the run, and is told when its turn comes.
func (w *Writer) run(from, to int) (int, error) {
	if w.fixed != "" && len(w.c.headers) == 0 {
		return to, nil
	}
	var err error
	if w.text, err = w.key(w.text[:0], from); err != nil {
		return 0, err
	}
	for i := from + 1; i < to; i++ {
		if w.other, err = w.key(w.other[:0], i); err != nil || !bytes.Equal(w.text, w.other) {
			return i, nil
		}
	}
	return to, nil
}

// key appends what a row's subject and headers are.
func (w *Writer) key(dst []byte, row int) ([]byte, error) {
	dst, err := w.subject.append(dst, row, inSubject)
	if err != nil {
		return dst, subjectFault(err)
	}
	for i := range w.headers {
		var null errNull
		dst = append(dst, '\n')
		if dst, err = w.headers[i].append(dst, row, inHeader); errors.As(err, &null) {
			dst = append(dst, '\r')
		} else if err != nil {
			return dst, headerFault(w.c.headers[i].name, err)
		}
	}
	return dst, nil
}

// address sets a slot's subject and headers from a row.
func (w *Writer) address(s *slot, row int) error {
	s.subject, s.header = w.fixed, nil
	var err error
	if w.fixed == "" {
		if w.text, err = w.subject.append(w.text[:0], row, inSubject); err != nil {
			return subjectFault(err)
		}
		known, ok := w.subjects[string(w.text)]
		if !ok {
			if len(w.subjects) >= mostSubjects {
				clear(w.subjects)
			}
			known = string(w.text)
			w.subjects[known] = known
		}
		s.subject = known
	}
	for i, h := range w.c.headers {
		var null errNull
		if w.text, err = w.headers[i].append(w.text[:0], row, inHeader); errors.As(err, &null) {
			continue // no value, no header
		} else if err != nil {
			return headerFault(h.name, err)
		}
		if s.header == nil {
			s.header = nats.Header{}
		}
		s.header[h.name] = []string{string(w.text)}
	}
	return nil
}

func subjectFault(err error) *fault.Fault {
	return fault.New(fault.Encode, "the row has no valid subject: %v", err).
		WithHint("a value in a subject is not empty or null, and has no space, `.`, `*` or `>`: clean the column before, or set rows aside with `on_error`")
}

func headerFault(name string, err error) *fault.Fault {
	return fault.New(fault.Encode, "the header `%s` cannot be written: %v", name, err)
}

// fits checks a message against what the server takes. Headers are counted as they are written: a version line, name,
// colon, space, value and line end, and an empty line.
func (w *Writer) fits(s *slot, rows int) error {
	size := len(s.data)
	if s.header != nil {
		size += len("NATS/1.0\r\n\r\n")
		for name, values := range s.header {
			size += len(name) + len(values[0]) + 4
		}
	}
	most := w.p.nc.MaxPayload()
	if most <= 0 || int64(size) <= most {
		return nil
	}
	what := "the row"
	if rows > 1 {
		what = "the message"
	}
	return fault.New(fault.Encode, "%s takes %d bytes, the server takes %d", what, size, most).
		WithHint("raise max_payload in the server's configuration, or leave columns out")
}

// Flush returns no position, and a wait for the acknowledgement of all that Write has published.
func (w *Writer) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	if err := w.p.fault(); err != nil {
		return nil, nil, err
	}
	return nil, w.p.waitFor(), nil
}

// Close gives up what is not acknowledged; wait for a Flush before.
func (w *Writer) Close() error {
	w.p.close()
	return nil
}
