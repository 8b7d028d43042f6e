package operator

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// Flushed is what a writer has to say at a barrier.
type Flushed struct {
	// Position is where to go on behind the epoch.
	Position json.RawMessage
	// Wait returns when all that was written before the barrier is durable.
	Wait func(context.Context) error
}

// Sink is the end of a chain: it writes rows to a connector.
type Sink struct {
	Policy
	// Where is the sink's position in the user's file; may be empty.
	Where  string
	Writer connectors.Writer
	// TakeFlush receives the flush of an epoch.
	TakeFlush func(epoch uint64, drain bool, f Flushed)

	ctx context.Context
}

// Open notes the task's context.
func (s *Sink) Open(ctx context.Context) error {
	s.ctx = ctx
	return nil
}

// Close closes the writer.
func (s *Sink) Close() error { return s.Writer.Close() }

// Batch writes the rows. Rows that cannot be written are dealt with by the policy.
func (s *Sink) Batch(b *stream.Batch) error {
	start := s.Stats.enter(b.Rows())
	defer s.Stats.leave(start)
	err := s.Writer.Write(s.ctx, b)
	written := b.Rows()
	for base := 0; err != nil; {
		var bad *codec.RowError
		if !errors.As(err, &bad) {
			return s.placed(err)
		}
		row := base + bad.Row
		text := RowText(b.Record, row)
		if err := s.Apply(withRow(fault.From(s.placed(bad.Err)), text), text); err != nil {
			return err
		}
		written--
		if base = row + 1; base >= b.Rows() {
			break
		}
		rest := b.Slice(base, b.Rows())
		err = s.Writer.Write(s.ctx, rest)
		rest.Release()
	}
	s.Stats.RowsOut.Add(uint64(written))
	return nil
}

func (s *Sink) placed(err error) error {
	if errors.Is(err, context.Canceled) || s.Where == "" {
		return err
	}
	return fault.From(err).In("%s", s.Where)
}

// Watermark does nothing.
func (s *Sink) Watermark(w stream.Watermark) error {
	s.Stats.Watermark.Store(int64(w))
	return nil
}

// Status does nothing.
func (s *Sink) Status(bool) error { return nil }

// End does nothing: the barrier that follows flushes.
func (s *Sink) End() error { return nil }

// Barrier flushes the writer.
func (s *Sink) Barrier(epoch uint64, drain bool) error {
	position, wait, err := s.Writer.Flush(s.ctx)
	if err != nil {
		return s.placed(err)
	}
	s.TakeFlush(epoch, drain, Flushed{Position: position, Wait: func(ctx context.Context) error {
		if err := wait(ctx); err != nil {
			return s.placed(err)
		}
		return nil
	}})
	return nil
}
