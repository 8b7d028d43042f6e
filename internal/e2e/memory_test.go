package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// world is what outlives the attempts of a job: its inputs by split, its store, and the output that is durable. It fails at
// those of its operations whose numbers are in trouble.
type world struct {
	mu      sync.Mutex
	inputs  [][]string // messages, by split
	rows    int        // messages per Next
	output  []string   // records
	acked   map[string]int
	store   *memstate.Store
	trouble map[int]bool
	done    int // operations so far
	failed  int
}

// fail counts an operation, and returns a fault if it is to fail.
func (w *world) fail(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	if !w.trouble[w.done] {
		return nil
	}
	w.failed++
	return fault.New(fault.Connect, "operation %d fails: %s", w.done, what)
}

func (w *world) connector() connectors.Connector {
	return connectors.Connector{Name: "memory",
		NewSource: func(json.RawMessage) (connectors.Source, error) { return source{w}, nil },
		NewSink:   func(json.RawMessage) (connectors.Sink, error) { return sink{w}, nil },
	}
}

type source struct{ w *world }

func (s source) DefaultFormat() string { return "json" }
func (s source) Splits(context.Context, connectors.Job) ([]string, error) {
	var splits []string
	for i := range s.w.inputs {
		splits = append(splits, strconv.Itoa(i))
	}
	return splits, s.w.fail("splits")
}

func (s source) Open(_ context.Context, _ connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	r := &reader{w: s.w, splits: splits, at: make([]int, len(splits))}
	for i, split := range splits {
		if split.Position == nil {
			continue
		}
		if err := json.Unmarshal(split.Position, &r.at[i]); err != nil {
			return nil, err
		}
	}
	return r, s.w.fail("open")
}

type reader struct {
	w      *world
	splits []connectors.Split
	at     []int
	next   int
}

func (r *reader) Next(context.Context, <-chan struct{}, int) ([]connectors.Message, error) {
	var messages []connectors.Message
	for range r.splits {
		i := r.next % len(r.splits)
		r.next++
		split, err := strconv.Atoi(r.splits[i].ID)
		if err != nil {
			return nil, err
		}
		input := r.w.inputs[split]
		for len(messages) < r.w.rows && r.at[i] < len(input) {
			messages = append(messages, connectors.Message{Data: []byte(input[r.at[i]]), Split: i, Time: stream.NoTime, Subject: "split " + r.splits[i].ID,
				Sequence: uint64(r.at[i])})
			r.at[i]++
		}
	}
	if len(messages) == 0 {
		return nil, io.EOF
	}
	return messages, r.w.fail("read")
}

func (r *reader) Positions() (map[string]json.RawMessage, error) {
	positions := make(map[string]json.RawMessage)
	for i, s := range r.splits {
		positions[s.ID] = json.RawMessage(strconv.Itoa(r.at[i]))
	}
	return positions, nil
}

func (r *reader) Committed(_ context.Context, positions map[string]json.RawMessage) error {
	if err := r.w.fail("acknowledge"); err != nil {
		return err
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	for split, p := range positions {
		if err := json.Unmarshal(p, new(int)); err != nil {
			return err
		}
		r.w.acked[split], _ = strconv.Atoi(string(p))
	}
	return nil
}

func (r *reader) Close() error { return nil }

type sink struct{ w *world }

func (s sink) DefaultFormat() string { return "json" }
func (s sink) Check([]string) error  { return nil }
func (s sink) Open(_ context.Context, _ connectors.Job, _, _ int, e codec.Encoder, _ json.RawMessage) (connectors.Writer, error) {
	rows, ok := e.(codec.RowEncoder)
	if !ok {
		return nil, fmt.Errorf("format %s does not write rows", e.Name())
	}
	return &writer{w: s.w, encoder: rows}, nil
}

// writer keeps rows until its Flush is waited for: what was written before is lost with a failure.
type writer struct {
	w       *world
	encoder codec.RowEncoder
	pending []string
}

func (w *writer) Write(_ context.Context, b *stream.Batch) error {
	if err := w.encoder.Bind(b.Record); err != nil {
		return err
	}
	for i := range b.Rows() {
		line, err := w.encoder.Append(nil, i)
		if err != nil {
			return &codec.RowError{Row: i, Err: err}
		}
		w.pending = append(w.pending, string(line))
	}
	return w.w.fail("write")
}

func (w *writer) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	pending := w.pending
	w.pending = nil
	return nil, func(context.Context) error {
		if err := w.w.fail("flush"); err != nil {
			return err
		}
		w.w.mu.Lock()
		defer w.w.mu.Unlock()
		w.w.output = append(w.w.output, pending...)
		return nil
	}, w.w.fail("start to flush")
}

func (w *writer) Close() error { return nil }

// troubled is a store whose commits fail, before they are made or after.
type troubled struct {
	*memstate.Store
	w *world
}

func (w *world) open() (state.Store, error) {
	w.store = w.store.Reopen()
	return troubled{w.store, w}, w.fail("open the store")
}

func (s troubled) Commit(ctx context.Context, c state.Commit) error {
	if err := s.w.fail("commit"); err != nil {
		return err
	}
	if err := s.Store.Commit(ctx, c); err != nil {
		return err
	}
	return s.w.fail("hear of the commit")
}
