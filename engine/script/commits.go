package script

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/state"
)

// commits drives the barriers of an attempt and commits what lies between them, one epoch at a time. Delivery is at least once: first the
// outputs are durable, then state and positions are committed, then inputs are acknowledged.
type commits struct {
	job      *attempt
	interval time.Duration
	parts    int // sources and subtasks
	ended    chan struct{}
	early    chan struct{} // what is not committed takes much memory

	mu   sync.Mutex
	open *epoch // guarded by mu; nil before the first barrier
	live int    // guarded by mu: sources that have not ended
}

// epoch collects what the parts hand over at a barrier.
type epoch struct {
	number    uint64
	pending   int
	ready     chan struct{}
	positions map[string]json.RawMessage
	changes   []state.Change
	operators map[string]bool // of which something is stored
	waits     []func(context.Context) error
	readers   map[connectors.Reader]map[string]json.RawMessage
}

// hurry asks for a commit before its time.
func (c *commits) hurry() { poke(c.early) }

func (c *commits) done(changes []state.Change, operators map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open.changes = append(c.open.changes, changes...)
	for o := range operators {
		c.open.operators[o] = true
	}
	if c.open.pending--; c.open.pending == 0 {
		close(c.open.ready)
	}
}

func (c *commits) position(s *source, positions map[string]json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for split, p := range positions {
		c.open.positions[c.job.positionKey(s.spec.UID, split)] = p
	}
	if s.reader != nil {
		c.open.readers[s.reader] = positions
	}
}

func (c *commits) flushed(key string, position json.RawMessage, wait func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if position != nil {
		c.open.positions[key] = position
	}
	c.open.waits = append(c.open.waits, wait)
}

func (c *commits) sourceEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live--; c.live == 0 {
		poke(c.ended)
	}
}

// run commits until the job is drained: when all sources have ended, or by stop.
func (c *commits) run(ctx context.Context, stop <-chan struct{}) error {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	seen := uint64(0)
	for {
		drain, over := false, false
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-stop:
			drain = true
		case <-c.ended:
			drain, over = true, true
		case <-c.early:
		case <-ticker.C:
			if c.job.rows.Load() == seen {
				continue
			}
		}
		seen = c.job.rows.Load()
		if err := c.epoch(ctx, drain, over); err != nil || drain {
			return err
		}
	}
}

func (c *commits) epoch(ctx context.Context, drain, over bool) error {
	e := &epoch{number: c.job.last.Epoch + 1, pending: c.parts, ready: make(chan struct{}), positions: maps.Clone(c.job.last.Positions),
		readers: map[connectors.Reader]map[string]json.RawMessage{}, operators: map[string]bool{}}
	if e.positions == nil {
		e.positions = map[string]json.RawMessage{}
	}
	c.mu.Lock()
	c.open = e
	c.mu.Unlock()
	for _, s := range c.job.sources {
		s.barriers <- element{barrier: e.number, drain: drain} // has room: the barrier before was taken
		poke(s.wake)
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for _, wait := range e.waits {
		if err := wait(ctx); err != nil {
			return err
		}
	}
	c.job.note(e, over)
	marker := state.Marker{Epoch: e.number, Positions: e.positions}
	if c.job.keeps || len(e.changes) > 0 {
		if err := c.job.options.Store.Commit(ctx, state.Commit{Marker: marker, Changes: e.changes}); err != nil {
			return err
		}
	}
	c.job.last = marker
	for _, s := range c.job.subtasks {
		s.keeper.overlay.Committed(e.number)
	}
	for r, positions := range e.readers {
		if err := r.Committed(ctx, positions); err != nil {
			c.job.options.Log.Warn("input not acknowledged yet", "epoch", e.number, "error", err)
		}
	}
	return nil
}
