package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/engine/fault"
)

// followers are durable consumers of a limits stream that nobody reads from. They are set to each committed position,
// so that `nats consumer report` shows the job's lag.
type followers struct {
	mu     sync.Mutex
	made   map[string]bool   // guarded by mu; durable consumers that are there, by split
	wanted map[string]uint64 // guarded by mu; committed sequences that are not shown yet, by split
	moved  time.Time         // guarded by mu
	told   bool              // guarded by mu; that the server is too old
}

// every bounds how often followers move: each move makes the server count what is pending.
const every = time.Second

// Committed acknowledges, or shows the server how far the job has come. It may be called from any goroutine. Faults
// are of code Connect, and what was not done is done with the next call.
func (r *Reader) Committed(ctx context.Context, positions map[string]json.RawMessage) error {
	at := make(map[*split]uint64, len(positions))
	for _, s := range r.splits { // fixed since Open
		p, err := parsePosition(positions[s.id], s.id)
		if err != nil {
			return err
		}
		if p != nil {
			at[s] = p.Sequence
		}
	}
	if r.work {
		for s, sequence := range at {
			if err := s.acks.commit(ctx, r.nc, sequence); err != nil {
				return err
			}
		}
		return nil
	}
	f := &r.follow
	f.mu.Lock()
	defer f.mu.Unlock()
	if v := r.nc.ConnectedServerVersion(); !canReset(v) {
		if !f.told {
			r.log.Info("the job's lag is not shown: that needs nats-server 2.14", "version", v)
			f.told = true
		}
		return nil
	}
	if f.wanted == nil {
		f.wanted, f.made = map[string]uint64{}, map[string]bool{}
	}
	for s, sequence := range at {
		f.wanted[s.id] = sequence
	}
	if time.Since(f.moved) < every {
		return nil
	}
	return f.move(ctx, r)
}

// move sets the consumers to what is wanted. The caller holds mu.
func (f *followers) move(ctx context.Context, r *Reader) error {
	f.moved = time.Now()
	for _, s := range r.splits {
		sequence, ok := f.wanted[s.id]
		if !ok {
			continue
		}
		if err := f.set(ctx, r, s, sequence+1); err != nil {
			f.made[s.id] = false // it may have been deleted
			g := fault.From(apiFault(ctx, fmt.Sprintf("the consumer `%s`, which shows the lag, cannot be moved", s.durable), err))
			g.Code = fault.Connect
			return g
		}
		delete(f.wanted, s.id)
	}
	return nil
}

func (f *followers) set(ctx context.Context, r *Reader, s *split, next uint64) error {
	call, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	if !f.made[s.id] {
		_, err := r.js.CreateOrUpdateConsumer(call, s.stream, jetstream.ConsumerConfig{
			Durable: s.durable, Description: "shows how far a wasmill job has come; nobody reads from it",
			AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy, FilterSubject: s.filter,
		})
		if err != nil {
			return err
		}
		f.made[s.id] = true
	}
	_, err := r.js.ResetConsumerToSequence(call, s.stream, s.durable, next)
	return err
}

// finish shows what was committed last, if the server is there.
func (f *followers) finish(ctx context.Context, r *Reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.wanted) > 0 && r.nc.IsConnected() {
		if err := f.move(ctx, r); err != nil {
			r.log.Debug("the lag shown is not up to date", "error", err)
		}
	}
}
