package stdio

import (
	"context"
	"encoding/json"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// position is how many bytes were read. Version 1 of its JSON. Input cannot be read again, so it only tells what is lost.
type position struct {
	Offset int64 `json:"offset"`
}

type reader struct {
	pump    *pump
	id      string
	used    []byte
	started bool
	closed  bool
}

var _ connectors.Reader = (*reader)(nil)

func newReader(p *pump, job connectors.Job, split connectors.Split) (*reader, error) {
	var from position
	if split.Position != nil {
		if err := json.Unmarshal(split.Position, &from); err != nil {
			return nil, fault.New(fault.State, "the position in standard input cannot be read: %.100s", split.Position)
		}
	}
	if err := p.take(job.Cut); err != nil {
		return nil, err
	}
	// In a new process the input is a new one. In the same, the job was started again from its last commit.
	if lost := p.offset - from.Offset; p.offset > 0 && lost > 0 && job.Log != nil {
		job.Log.Warn("standard input cannot be read again: what came behind the last commit is lost", "bytes", lost)
	}
	return &reader{pump: p, id: split.ID}, nil
}

// Next implements [connectors.Reader]: one message, the whole records that have come.
func (r *reader) Next(ctx context.Context, wake <-chan struct{}, _ int) ([]connectors.Message, error) {
	p := r.pump
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.ended != nil {
		return nil, p.ended
	}
	p.start()
	select {
	case got := <-p.result:
		m := connectors.Message{
			Data: got.block.Data, Time: stream.NoTime, Subject: r.id, Sequence: p.lines + 1, Start: !r.started,
		}
		if m.Start && p.offset > 0 {
			m.Head = p.head
		}
		p.accept(got, r.used)
		if p.ended != nil {
			return nil, p.ended
		}
		r.started, r.used = true, m.Data
		return []connectors.Message{m}, nil
	case <-wake:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Positions implements [connectors.Reader].
func (r *reader) Positions() (map[string]json.RawMessage, error) {
	b, err := json.Marshal(position{Offset: r.pump.offset})
	return map[string]json.RawMessage{r.id: b}, err
}

// Committed implements [connectors.Reader]: there is nobody to tell.
func (*reader) Committed(context.Context, map[string]json.RawMessage) error { return nil }

// Close implements [connectors.Reader]. A read that is under way goes on, and waits for the next reader.
func (r *reader) Close() error {
	if !r.closed {
		r.closed = true
		r.pump.leave()
	}
	return nil
}
