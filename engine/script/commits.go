package script

import (
	"context"
	"encoding/json"
	"maps"
	"math"
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
	after     []func() error // what is done when it is committed
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

// reached takes the watermark that an input of a subtask has come to; the greatest counts of what all subtasks say.
func (c *commits) reached(key string, watermark int64) {
	if watermark == math.MinInt64 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := int64(math.MinInt64)
	if text := c.open.positions[key]; text != nil {
		_ = json.Unmarshal(text, &before) // a subtask has read it when it was opened
	}
	c.open.positions[key], _ = json.Marshal(max(before, watermark))
}

// flushed takes a sink's position, what to wait for before the commit, and what to do behind it, nil for nothing. A crash may come between: the
// position has to say what is to be done.
func (c *commits) flushed(key string, position json.RawMessage, wait func(context.Context) error, after func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if position != nil {
		c.open.positions[key] = position
	}
	c.open.waits = append(c.open.waits, wait)
	if after != nil {
		c.open.after = append(c.open.after, after)
	}
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
			if c.job.rows.Load() == seen && !c.job.overdue(time.Now()) {
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
	c.job.note(e, over && len(e.after) == 0)
	if err := c.commit(ctx, e.number, e.positions, e.changes); err != nil {
		return err
	}
	for _, s := range c.job.subtasks {
		s.keeper.overlay.Committed(e.number)
	}
	for _, after := range e.after {
		if err := after(); err != nil {
			return err
		}
	}
	if over && len(e.after) > 0 { // only now the job has come to its end
		c.job.note(e, over)
		if err := c.commit(ctx, e.number+1, e.positions, nil); err != nil {
			return err
		}
	}
	for r, positions := range e.readers {
		if err := r.Committed(ctx, positions); err != nil {
			c.job.options.Log.Warn("input not acknowledged yet", "epoch", e.number, "error", err)
		}
	}
	return nil
}

func (c *commits) commit(ctx context.Context, number uint64, positions map[string]json.RawMessage, changes []state.Change) error {
	marker := state.Marker{Epoch: number, Positions: positions}
	if c.job.keeps || len(changes) > 0 {
		if err := c.job.options.Store.Commit(ctx, state.Commit{Marker: marker, Changes: changes}); err != nil {
			return err
		}
	}
	c.job.last = marker
	return nil
}
