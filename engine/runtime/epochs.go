package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/state"
)

// barrier asks a source to end the epoch.
type barrier struct {
	epoch uint64
	drain bool
}

// epochs drives the job's barriers and commits what lies between them: one epoch at a time, while the tasks go on with
// the next. Delivery is at least once: first the outputs are durable, then the state and the positions are committed,
// then the inputs are acknowledged.
type epochs struct {
	store    state.Store
	log      *slog.Logger
	interval time.Duration
	sources  []*source
	tasks    int
	// full asks for a barrier before its time, stop for the last one, ended says that a bounded source is through.
	full, stop, ended chan struct{}
	// rows counts the rows and records that sources have read, so that an idle job does not write epochs.
	rows  atomic.Uint64
	stats *EpochStats
	dead  *deadLetters // nil when the plan has none

	mu   sync.Mutex
	open *openEpoch // guarded by mu; nil between barriers
	last state.Marker
	live int // guarded by mu: sources that have not ended

	// unacknowledged says that a source could not be told of the last commit: the next epoch must come even without rows.
	unacknowledged bool
}

// openEpoch collects what the tasks hand over at a barrier.
type openEpoch struct {
	number    uint64
	pending   int
	ready     chan struct{} // closed when pending is 0
	positions map[string]json.RawMessage
	changes   []state.Change
	keyed     []operator.Stateful
	waits     []func(context.Context) error
	readers   map[connectors.Reader]map[string]json.RawMessage
}

// EpochStats counts commits. Any goroutine may read it.
type EpochStats struct {
	Epoch, Commits, Changes atomic.Uint64
	// LastNanos is how long the last commit took from barrier to acknowledgement.
	LastNanos, TotalNanos atomic.Int64
}

func (e *epochs) takeChanges(epoch uint64, s operator.Stateful) {
	changes := s.Barrier(epoch)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open.changes = append(e.open.changes, changes...)
	e.open.keyed = append(e.open.keyed, s)
}

func (e *epochs) takeFlush(node string, task int, f operator.Flushed) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.Position != nil {
		e.open.positions[positionKey(node, fmt.Sprint(task))] = f.Position
	}
	e.open.waits = append(e.open.waits, f.Wait)
}

func (e *epochs) takePositions(node string, r connectors.Reader, positions map[string]json.RawMessage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for split, p := range positions {
		e.open.positions[positionKey(node, split)] = p
	}
	e.open.readers[r] = positions
}

// timesOf is the name under which the event times of a source's splits, or of an event_time step's tasks, lie among the positions. No
// node has such a name.
func timesOf(node string) string { return "time:" + node }

// takeTimes keeps event times by split or task, and forgets those that are nil.
func (e *epochs) takeTimes(node string, positions map[string]json.RawMessage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for split, p := range positions {
		if p == nil {
			delete(e.open.positions, positionKey(timesOf(node), split))
			continue
		}
		e.open.positions[positionKey(timesOf(node), split)] = p
	}
}

func (e *epochs) taskDone(uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open.pending--; e.open.pending == 0 {
		close(e.open.ready)
	}
}

func (e *epochs) sourceEnded() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.live--; e.live == 0 {
		poke(e.ended)
	}
}

// through reports whether all sources have ended.
func (e *epochs) through() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.live == 0
}

func positionKey(node, part string) string { return node + "/" + part }

// run commits epochs until the job is drained: by stop, or when all sources have ended.
func (e *epochs) run(ctx context.Context) error {
	ticker := time.NewTicker(e.interval)
	defer ticker.Stop()
	seen := uint64(0)
	for {
		drain := false
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-e.stop:
			drain = true
		case <-e.ended:
			drain = true
		case <-e.full:
		case <-ticker.C:
			if e.rows.Load() == seen && !e.unacknowledged {
				continue
			}
		}
		seen = e.rows.Load()
		if err := e.epoch(ctx, drain); err != nil || drain {
			return err
		}
	}
}

// epoch sends a barrier through the job and commits what it closes.
func (e *epochs) epoch(ctx context.Context, drain bool) error {
	start := time.Now()
	open := &openEpoch{number: e.last.Epoch + 1, pending: e.tasks, ready: make(chan struct{}),
		positions: maps.Clone(e.last.Positions), readers: make(map[connectors.Reader]map[string]json.RawMessage)}
	if open.positions == nil {
		open.positions = make(map[string]json.RawMessage)
	}
	e.mu.Lock()
	e.open = open
	e.mu.Unlock()
	for _, s := range e.sources {
		s.barriers <- barrier{open.number, drain} // has room: the barrier before was taken
		poke(s.wake)
	}
	select {
	case <-open.ready:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-e.full: // asked for what this barrier has taken
	default:
	}
	if e.dead != nil {
		f, err := e.dead.flush(ctx)
		if err != nil {
			return err
		}
		e.takeFlush(deadLetterNode, 0, f)
	}
	for _, wait := range open.waits {
		if err := wait(ctx); err != nil {
			return err
		}
	}
	marker := state.Marker{Epoch: open.number, Positions: open.positions}
	if err := e.store.Commit(ctx, state.Commit{Marker: marker, Changes: open.changes}); err != nil {
		return err
	}
	e.last = marker
	for _, k := range open.keyed {
		k.Committed(open.number)
	}
	e.unacknowledged = false
	for r, positions := range open.readers {
		if err := r.Committed(ctx, positions); err != nil {
			// The epoch is durable here; the next one acknowledges this one's input as well.
			e.unacknowledged = true
			e.log.Warn("input not acknowledged yet", "epoch", open.number, "error", err)
		}
	}
	e.stats.Epoch.Store(open.number)
	e.stats.Commits.Add(1)
	e.stats.Changes.Add(uint64(len(open.changes)))
	e.stats.LastNanos.Store(int64(time.Since(start)))
	e.stats.TotalNanos.Add(int64(time.Since(start)))
	return nil
}
