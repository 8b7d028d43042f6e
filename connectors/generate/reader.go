package generate

import (
	"context"
	"encoding/json"
	"io"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/stream"
)

// rowsPerMessage is how many rows a message holds at most: enough for the cost of a message to vanish, and few enough for a
// barrier not to wait.
const rowsPerMessage = 1024

type split struct {
	id   string
	n    int64 // which of the splits it is
	next int64 // the split's next row
}

type reader struct {
	rows       *rows
	splits     []*split
	of         int64 // splits in all
	all        int64 // rows in all splits, 0 without end
	perMessage int64
	turn       int   // the split that is next
	pace       *pace // nil without a rate
	buffer     []byte
	bytes      atomic.Int64
	given      atomic.Int64 // rows that bytes are of
}

var (
	_ connectors.Reader = (*reader)(nil)
	_ connectors.Sized  = (*reader)(nil)
)

// left returns how many rows a split still has.
func (r *reader) left(s *split) int64 {
	if r.all == 0 {
		return r.perMessage
	}
	return (r.all-s.n+r.of-1)/r.of - s.next
}

// Next implements [connectors.Reader]: one message of whole lines, of the splits in turn. With a rate it waits until at least one
// row is due.
func (r *reader) Next(ctx context.Context, wake <-chan struct{}, _ int) ([]connectors.Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, at := r.nextSplit()
	if s == nil {
		return nil, io.EOF
	}
	n := min(r.perMessage, r.left(s))
	if r.pace != nil {
		due, wait := r.pace.due(time.Now())
		for due == 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-wake:
				timer.Stop()
				return nil, nil
			case <-ctx.Done():
				timer.Stop()
				return nil, ctx.Err()
			}
			due, wait = r.pace.due(time.Now())
		}
		// The splits take turns, so that none of them is far ahead of the others.
		n = min(n, max(1, due/int64(len(r.splits))))
		r.pace.take(n)
	} else {
		select {
		case <-wake:
			return nil, nil
		default:
		}
	}
	r.turn = (at + 1) % len(r.splits)
	r.buffer = r.buffer[:0]
	first := s.next
	for range n {
		r.buffer = r.rows.append(r.buffer, s.next*r.of+s.n)
		s.next++
	}
	r.bytes.Add(int64(len(r.buffer)))
	r.given.Add(n)
	return []connectors.Message{{
		Data: r.buffer, Split: at, Time: stream.NoTime, Subject: "generate/" + s.id, Sequence: uint64(first) + 1,
	}}, nil
}

// nextSplit returns the split whose turn it is among those that have rows left, or nil.
func (r *reader) nextSplit() (*split, int) {
	for i := range r.splits {
		at := (r.turn + i) % len(r.splits)
		if s := r.splits[at]; r.left(s) > 0 {
			return s, at
		}
	}
	return nil, 0
}

// Positions implements [connectors.Reader].
func (r *reader) Positions() (map[string]json.RawMessage, error) {
	positions := make(map[string]json.RawMessage, len(r.splits))
	for _, s := range r.splits {
		b, err := json.Marshal(position{Row: s.next})
		if err != nil {
			return nil, err
		}
		positions[s.id] = b
	}
	return positions, nil
}

// Committed implements [connectors.Reader]: there is nobody to tell.
func (*reader) Committed(context.Context, map[string]json.RawMessage) error { return nil }

// Progress implements [connectors.Sized]. The bytes of all rows are estimated by those of the rows so far.
func (r *reader) Progress() (read, all int64) {
	read = r.bytes.Load()
	given := r.given.Load()
	if given == 0 || r.all == 0 {
		return read, 0
	}
	share := float64(len(r.splits)) / float64(r.of)
	return read, max(read, int64(float64(read)/float64(given)*float64(r.all)*share))
}

// Close implements [connectors.Reader].
func (*reader) Close() error { return nil }
