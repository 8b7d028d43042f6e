package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/stream"
)

// watermarkInterval is how often watermarks are sent, as in Flink.
const watermarkInterval = 200 * time.Millisecond

// source is the head of a task that reads a connector: it decodes messages into batches, in the memory of the guest that
// reads them first, and hands them to the chain. It takes what is there and never waits to fill a batch.
type source struct {
	operator.Policy
	node   string
	where  string // position in the user's file; may be empty
	reader connectors.Reader
	chain  stream.Output
	epochs *epochs
	// guest is the place of the guest that the first function runs in; nil decodes into Go memory.
	guest      *operator.Guest
	newDecoder func(memory.Allocator) (codec.Decoder, error)
	shape      *shape
	rest       func()

	barriers chan barrier
	wake     chan struct{}

	decoder    codec.Decoder
	generation int
	clock      *clock
	time       Clock
	due        atomic.Bool // a watermark is to be sent
	align      *alignment  // nil: does not wait for other tasks
	timed      timed
	ended      bool
	tags       []tag // of the batch being built
	// head is the beginning of the input that the messages are pieces of, for a decoder that comes into its middle; nil
	// where messages are inputs of their own.
	head []byte
	// rows is that of a format with an index, nil for others. File is what the messages are rows of, of size bytes.
	rows func(in io.ReaderAt, size int64) (int64, error)
	file io.ReaderAt
	size int64
	// whole is the last message that is a file itself.
	whole io.ReaderAt
}

// tag says that the rows of a batch up to end (exclusive) came from a message.
type tag struct {
	end     int
	message connectors.Message
}

// run reads until the barrier that drains the job.
func (s *source) run(ctx context.Context) error {
	defer func() {
		if s.decoder != nil {
			s.decoder.Close()
		}
	}()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if s.clock != nil {
		stop := s.tick()
		defer stop()
		if err := s.send(s.clock.resume()); err != nil {
			return err
		}
	}
	stop := s.timed.start(s.wake)
	defer stop()
	for {
		select {
		case b := <-s.barriers:
			if err := s.barrier(b); err != nil || b.drain {
				return err
			}
		default:
		}
		if err := s.progress(); err != nil {
			return err
		}
		if err := s.timed.tick(); err != nil {
			return err
		}
		if s.ended || s.align.ahead(s) {
			select {
			case <-s.wake:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		messages, err := s.reader.Next(ctx, s.wake, stream.MaxRows)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if len(messages) > 0 {
			if err := s.messages(ctx, messages); err != nil {
				return err
			}
		}
		if m, ok := s.reader.(connectors.Marker); ok && s.clock != nil && s.clock.hear(m) {
			s.due.Store(true) // what the reader says is passed on at once
		}
		if errors.Is(err, io.EOF) {
			err = s.end()
		}
		if err != nil {
			return s.placed(err)
		}
	}
}

// tick wakes the source for watermarks and idleness.
func (s *source) tick() (stop func()) {
	return s.time.Every(watermarkInterval, func() {
		s.due.Store(true)
		poke(s.wake)
	})
}

func (s *source) placed(err error) error {
	var f *fault.Fault
	if s.where == "" || !errors.As(err, &f) {
		return err
	}
	return f.In("%s", s.where)
}

func (s *source) barrier(b barrier) error {
	positions, err := s.reader.Positions()
	if err != nil {
		return s.placed(err)
	}
	s.epochs.takePositions(s.node, s.reader, positions)
	if s.clock != nil {
		s.epochs.takeTimes(s.node, s.clock.positions())
	}
	if err := s.chain.Barrier(b.epoch, b.drain); err != nil {
		return err
	}
	s.epochs.taskDone(b.epoch)
	return nil
}

func (s *source) progress() error {
	if !s.due.Swap(false) || s.ended {
		return nil
	}
	w, active, changed := s.clock.tick(s.time.Now())
	s.align.note(s, w, active)
	if changed {
		if err := s.chain.Status(active); err != nil {
			return err
		}
	}
	return s.send(w)
}

// send passes on a watermark that is higher than the one before.
func (s *source) send(w stream.Watermark) error {
	if w > stream.Watermark(s.Stats.Watermark.Load()) {
		s.Stats.Watermark.Store(int64(w))
		return s.chain.Watermark(w)
	}
	return nil
}

func (s *source) end() error {
	s.ended = true
	s.align.end(s)
	if s.clock != nil {
		s.Stats.Watermark.Store(int64(stream.MaxWatermark))
	}
	if err := s.chain.Watermark(stream.MaxWatermark); err != nil {
		return err
	}
	if err := s.chain.End(); err != nil {
		return err
	}
	s.epochs.sourceEnded()
	return nil
}

// prepare makes sure that there is a decoder which writes into the guest that is in place now.
func (s *source) prepare(ctx context.Context) error {
	var alloc memory.Allocator = memory.DefaultAllocator
	if s.guest != nil {
		guest, generation, err := s.guest.Get(ctx)
		if err != nil {
			return err
		}
		if s.decoder != nil && generation == s.generation {
			return nil
		}
		alloc, s.generation = guest.Arena(), generation
	} else if s.decoder != nil {
		return nil
	}
	if s.decoder != nil {
		s.decoder.Close()
	}
	var err error
	if s.decoder, err = s.newDecoder(alloc); err != nil {
		return err
	}
	if s.file != nil {
		return s.placed(s.startFile())
	}
	if s.head == nil {
		return nil
	}
	return s.placed(s.startInput(s.head))
}

// begin prepares the decoder for the input that a message starts.
func (s *source) begin(m connectors.Message) error {
	if m.File != nil {
		s.file, s.size = m.File, m.Size
		return s.placed(within(m, s.startFile()))
	}
	if _, ok := s.decoder.(codec.InputDecoder); !ok {
		return nil
	}
	if err := s.startInput(m.Head); err != nil {
		return s.placed(within(m, err))
	}
	if s.head = m.Head; s.head == nil {
		s.head = m.Data
	}
	s.head = append([]byte{}, s.head...)
	return nil
}

func (s *source) startInput(head []byte) error {
	d, ok := s.decoder.(codec.InputDecoder)
	if !ok {
		return nil
	}
	return d.StartInput(head)
}

func (s *source) startFile() error {
	d, ok := s.decoder.(codec.FileDecoder)
	if !ok {
		return fault.New(fault.Internal, "the decoder of %s takes no rows of files", s.node)
	}
	return d.StartFile(s.file, s.size)
}

// messageRows is the most rows of a message that is a file: their numbers are made all at once.
const messageRows = 1 << 20

// indexed makes rows of a message that is a file. One that cannot be read is bad as a whole: nothing is left of it.
func (s *source) indexed(m *connectors.Message) error {
	if s.rows == nil || m.File != nil || len(m.Data) == 0 {
		return nil
	}
	whole := m.Data
	file := bytes.NewReader(whole)
	rows, err := s.rows(file, file.Size())
	if err == nil && rows > messageRows {
		err = fault.New(fault.Limit, "expected a file of at most %d rows in a message, got %d", messageRows, rows).
			WithHint("write smaller files, or read it with `file`")
	}
	if err == nil {
		err = s.tryFile(file, file.Size())
	}
	m.File, m.Size, m.Data, m.Start, s.whole = file, file.Size(), nil, true, file
	if err == nil {
		m.Data = codec.RowNumbers(nil, 0, int(rows))
		return nil
	}
	var f *fault.Fault
	if !errors.As(err, &f) {
		return err
	}
	m.Start = false
	return s.bad(*m, &codec.BadRecord{Fault: f, Data: whole})
}

// tryFile starts a file with a decoder that is not used otherwise, so that what does not fit is known before its turn.
func (s *source) tryFile(file io.ReaderAt, size int64) error {
	d, err := s.newDecoder(memory.DefaultAllocator)
	if err != nil {
		return err
	}
	defer d.Close()
	f, ok := d.(codec.FileDecoder)
	if !ok {
		return fault.New(fault.Internal, "the decoder of %s takes no rows of files", s.node)
	}
	return f.StartFile(file, size)
}

// reserve makes room for a batch of n bytes of input before the first byte is decoded, since reserving may enter the
// guest, and ends with less when the guest's memory is too small. It returns how many bytes there is room for.
func (s *source) reserve(ctx context.Context, n, least int) (int, error) {
	if s.guest == nil {
		return n, nil
	}
	guest, _, err := s.guest.Get(ctx)
	if err != nil {
		return 0, err
	}
	for {
		err := guest.Arena().Reserve(s.decoder.Need(n))
		if err == nil || n <= least {
			return n, err
		}
		n = max(n/2, least)
	}
}

// batchBytes bounds the input bytes of one batch.
const batchBytes = 1 << 20

// messages decodes messages and hands the batches on.
func (s *source) messages(ctx context.Context, messages []connectors.Message) error {
	start := time.Now()
	defer func() { s.Stats.AddBusy(time.Since(start)) }()
	s.epochs.rows.Add(uint64(len(messages)))
	at, offset := 0, 0
	for at < len(messages) {
		if err := s.prepare(ctx); err != nil {
			return err
		}
		if err := s.indexed(&messages[at]); err != nil {
			return err
		}
		want, least := 0, len(messages[at].Data)-offset
		for _, m := range messages[at:] {
			if want += len(m.Data); want >= batchBytes {
				break
			}
		}
		room, err := s.reserve(ctx, min(max(want-offset, least), max(batchBytes, least)), min(least, batchBytes))
		if err != nil {
			return err
		}
		for at < len(messages) {
			if err := s.indexed(&messages[at]); err != nil {
				return err
			}
			m := messages[at]
			data := m.Data[offset:]
			starts := m.Start && offset == 0
			if (starts || len(data) > room) && s.decoder.Rows() > 0 {
				break
			}
			if starts {
				if err := s.begin(m); err != nil {
					return err
				}
			}
			n, err := s.append(m, offset, data)
			if err != nil {
				return err
			}
			room -= n
			offset += n
			if n < len(data) {
				if n == 0 && s.decoder.Rows() == 0 {
					return fault.New(fault.Internal, "the decoder of %s took nothing of %d bytes", s.node, len(data))
				}
				break
			}
			at, offset = at+1, 0
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
	return nil
}

// append decodes one message, or the rest of one.
func (s *source) append(m connectors.Message, offset int, data []byte) (int, error) {
	before := s.decoder.Rows()
	var refused error // by the policy, with its place
	n, err := s.decoder.Append(data, func(bad *codec.BadRecord) error {
		switch before := m.Data[:offset]; {
		case s.rows != nil:
			bad.Line += len(before) / codec.RowNumber
		case s.shape.lines:
			bad.Line += bytes.Count(before, []byte("\n"))
		}
		refused = s.bad(m, bad)
		return refused
	})
	if err != nil && refused == nil {
		err = s.placed(within(m, err))
	}
	s.Stats.BytesIn.Add(uint64(n))
	if rows := s.decoder.Rows(); rows > before {
		s.tags = append(s.tags, tag{rows, m})
	}
	return n, err
}

// bad treats a record that does not decode by the policy.
func (s *source) bad(m connectors.Message, bad *codec.BadRecord) error {
	f := bad.Fault.In("%s", s.place(m, bad))
	if s.where != "" {
		f = f.In("%s", s.where)
	}
	if s.Fails() && len(bad.Data) > 0 {
		f = f.WithDetail("record: " + cut(bad.Data))
	}
	return s.Apply(f, bad.Data)
}

// within says which input an error is about that is not about a single record.
func within(m connectors.Message, err error) error {
	var f *fault.Fault
	if m.Subject == "" || !errors.As(err, &f) {
		return err
	}
	return f.In("%s", m.Subject)
}

// place says where a bad record is.
func (s *source) place(m connectors.Message, bad *codec.BadRecord) string {
	switch {
	case m.Subject == "":
		return fmt.Sprintf("record %d", m.Sequence+uint64(bad.Line))
	case m.File != nil && m.File == s.whole && len(m.Data) > 0:
		return fmt.Sprintf("%s, sequence %d, row %d", m.Subject, m.Sequence, bad.Line+1)
	case m.File != nil && m.File != s.whole:
		return fmt.Sprintf("%s, row %d", m.Subject, m.Sequence+uint64(bad.Line))
	case s.shape.lines:
		return fmt.Sprintf("%s:%d", m.Subject, m.Sequence+uint64(bad.Line))
	}
	return fmt.Sprintf("%s, sequence %d", m.Subject, m.Sequence)
}

func cut(data []byte) string {
	const most = 500
	if len(data) > most {
		return string(data[:most]) + "..."
	}
	return string(data)
}

// flush hands the decoded rows on. Afterwards the task is at rest: guests that broke are closed, and before that the
// decoder that wrote into one.
func (s *source) flush() error {
	var err error
	for err == nil {
		decoded := s.decoder.Record()
		if decoded == nil {
			break
		}
		err = s.pass(decoded)
		decoded.Release()
	}
	s.tags = s.tags[:0]
	if s.guest != nil && !s.guest.Current(s.generation) {
		s.decoder.Close()
		s.decoder = nil
	}
	s.rest()
	return err
}

func (s *source) pass(decoded arrow.Record) error {
	rec, err := s.shape.complete(decoded, s.tags)
	if err != nil {
		return err
	}
	defer rec.Release()
	b := &stream.Batch{Record: rec, Volatile: s.guest != nil}
	if s.clock != nil {
		if b.Times, err = s.shape.times(rec, s.tags); err != nil {
			return err
		}
		s.clock.see(b.Times, s.tags)
	}
	out, err := s.shape.visible(rec)
	if err != nil {
		return err
	}
	defer out.Release()
	b.Record = out
	rows := b.Rows()
	s.Stats.RowsIn.Add(uint64(rows))
	s.Stats.Batches.Add(1)
	dropTags(&s.tags, rows)
	return s.Stats.Pass(s.chain, b)
}

// dropTags takes the first rows off the tags, for a decoder that gives a large message in several batches.
func dropTags(tags *[]tag, rows int) {
	kept := (*tags)[:0]
	for _, t := range *tags {
		if t.end > rows {
			kept = append(kept, tag{t.end - rows, t.message})
		}
	}
	*tags = kept
}
