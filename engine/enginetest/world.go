// Package enginetest runs pipelines as scripts: text files that feed rows, move time, commit, crash and start again, and say what
// must come out. The runtime is the real one; inputs, outputs, the store and the clock are the script's.
package enginetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/stream"
)

// world is what outlives a run of the job: inputs by node and split, outputs by node and task, and the clock.
type world struct {
	mu      sync.Mutex
	splits  map[string][]*split // guarded by mu, as all below
	outputs map[string]map[int][]string
	batch   int           // rows that a source hands on at a time, 0: all
	grown   chan struct{} // closed when inputs grow
	ended   bool          // inputs end behind what they have
	now     time.Time
	wakes   map[int]func()
	next    int
}

// split is a part of an input.
type split struct {
	entries []entry
	waiting bool // a reader has taken all
}

// entry is a row or, without one, a watermark.
type entry struct {
	row       []byte
	watermark int64
}

func newWorld() *world {
	return &world{splits: make(map[string][]*split), outputs: make(map[string]map[int][]string), grown: make(chan struct{}), wakes: make(map[int]func()),
		now: time.UnixMilli(0)}
}

// Now implements runtime.Clock.
func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Every implements runtime.Clock: time only moves in steps, each of which wakes everyone.
func (w *world) Every(_ time.Duration, wake func()) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	id := w.next
	w.wakes[id] = wake
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.wakes, id)
	}
}

// advance moves the clock.
func (w *world) advance(to time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = to
	for _, wake := range w.wakes {
		wake()
	}
}

// feed adds entries to a split.
func (w *world) feed(node string, n int, entries ...entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n < 0 || n >= len(w.splits[node]) {
		return fmt.Errorf("the input %s has no split %d", node, n)
	}
	s := w.splits[node][n]
	s.entries, s.waiting = append(s.entries, entries...), false
	w.wake()
	return nil
}

func (w *world) wake() {
	close(w.grown)
	w.grown = make(chan struct{})
}

// drained reports whether readers have handed on all that was fed.
func (w *world) drained() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, splits := range w.splits {
		for _, s := range splits {
			if !s.waiting {
				return false
			}
		}
	}
	return true
}

func (w *world) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.wake()
}

// connector is the connector `script`.
func (w *world) connector() connectors.Connector {
	return connectors.Connector{
		Name: "script",
		NewSource: func(raw json.RawMessage) (connectors.Source, error) {
			c := struct {
				Splits int `json:"splits"`
			}{1}
			if err := config.Decode(raw, &c); err != nil {
				return nil, err
			}
			return source{w, c.Splits}, nil
		},
		NewSink: func(json.RawMessage) (connectors.Sink, error) { return sink{w}, nil },
	}
}

type source struct {
	w      *world
	splits int
}

func (s source) DefaultFormat() string { return "json" }

func (s source) Splits(_ context.Context, job connectors.Job) ([]string, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var ids []string
	for i := range s.splits {
		ids = append(ids, strconv.Itoa(i))
		if len(s.w.splits[job.Node]) <= i {
			s.w.splits[job.Node] = append(s.w.splits[job.Node], &split{})
		}
	}
	return ids, nil
}

func (s source) Open(_ context.Context, job connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	r := &reader{w: s.w}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, sp := range splits {
		n, err := strconv.Atoi(sp.ID)
		if err != nil {
			return nil, err
		}
		at := 0
		if sp.Position != nil {
			if at, err = strconv.Atoi(string(sp.Position)); err != nil {
				return nil, err
			}
		}
		from := s.w.splits[job.Node][n]
		from.waiting = false
		r.splits = append(r.splits, &reading{split: from, id: sp.ID, at: at, mark: stream.MinWatermark})
	}
	return r, nil
}

// reader reads splits by turns, and hands on rows up to the next watermark.
type reader struct {
	w      *world
	splits []*reading
}

type reading struct {
	*split
	id   string
	at   int
	mark stream.Watermark
}

// Watermark implements connectors.Marker.
func (r *reader) Watermark(split int) stream.Watermark { return r.splits[split].mark }

func (r *reader) Next(ctx context.Context, wake <-chan struct{}, most int) ([]connectors.Message, error) {
	for {
		r.w.mu.Lock()
		if r.w.batch > 0 {
			most = min(most, r.w.batch)
		}
		var messages []connectors.Message
		marked := false
		for i, s := range r.splits {
			for len(messages) < most && s.at < len(s.entries) {
				e := s.entries[s.at]
				if e.row == nil && len(messages) > 0 {
					break
				}
				s.at++
				if e.row == nil {
					s.mark, marked = max(s.mark, stream.Watermark(e.watermark)), true
					break
				}
				messages = append(messages, connectors.Message{Data: e.row, Split: i, Time: stream.NoTime, Subject: s.id, Sequence: uint64(s.at)})
			}
			if marked || len(messages) > 0 {
				break
			}
		}
		ended, grown := r.w.ended, r.w.grown
		if len(messages) == 0 && !marked {
			for _, s := range r.splits {
				s.waiting = true
			}
		}
		r.w.mu.Unlock()
		switch {
		case len(messages) > 0 || marked:
			return messages, nil
		case ended:
			return nil, io.EOF
		}
		select {
		case <-grown:
		case <-wake:
			r.busy()
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// busy says that the task does something else than wait here.
func (r *reader) busy() {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	for _, s := range r.splits {
		s.waiting = false
	}
}

func (r *reader) Positions() (map[string]json.RawMessage, error) {
	p := make(map[string]json.RawMessage)
	for _, s := range r.splits {
		p[s.id] = json.RawMessage(strconv.Itoa(s.at))
	}
	return p, nil
}

func (r *reader) Committed(context.Context, map[string]json.RawMessage) error { return nil }
func (r *reader) Close() error                                                { return nil }

// sink keeps rows as lines of JSON. What was written behind the last commit is gone after a crash.
type sink struct{ w *world }

func (s sink) DefaultFormat() string { return "json" }
func (s sink) Check([]string) error  { return nil }

func (s sink) Open(_ context.Context, job connectors.Job, task, _ int, encoder codec.Encoder, position json.RawMessage) (connectors.Writer, error) {
	return &writer{s.w, job.Node, task, encoder.(codec.RowEncoder)}, nil
}

// cut takes the outputs back to the positions of a commit.
func (w *world) cut(positions map[string]json.RawMessage) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for node, tasks := range w.outputs {
		for task, lines := range tasks {
			n := 0
			if p := positions[fmt.Sprintf("%s/%d", node, task)]; p != nil {
				var err error
				if n, err = strconv.Atoi(string(p)); err != nil {
					return err
				}
			}
			tasks[task] = lines[:n]
		}
	}
	return nil
}

// lines returns all that an output got, sorted.
func (w *world) lines(node string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, lines := range w.outputs[node] {
		all = append(all, lines...)
	}
	slices.Sort(all)
	return all
}

type writer struct {
	w       *world
	node    string
	task    int
	encoder codec.RowEncoder
}

func (s *writer) Write(_ context.Context, b *stream.Batch) error {
	var lines []string
	if err := s.encoder.Bind(b.Record); err != nil {
		return err
	}
	for row := range b.Rows() {
		line, err := s.encoder.Append(nil, row)
		if err != nil {
			return err
		}
		lines = append(lines, string(bytes.TrimSpace(line)))
	}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.w.outputs[s.node] == nil {
		s.w.outputs[s.node] = make(map[int][]string)
	}
	s.w.outputs[s.node][s.task] = append(s.w.outputs[s.node][s.task], lines...)
	return nil
}

func (s *writer) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return json.RawMessage(strconv.Itoa(len(s.w.outputs[s.node][s.task]))), func(context.Context) error { return nil }, nil
}

func (s *writer) Close() error { return nil }
