package runtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

var numbers = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)

// numberFormat has one decimal number a message, and one a row.
var numberFormat = codec.Format{
	Name: "numbers",
	NewDecoder: func(_ *arrow.Schema, _ json.RawMessage, alloc memory.Allocator, _ codec.Limits) (codec.Decoder, error) {
		return &numberDecoder{b: array.NewRecordBuilder(alloc, numbers)}, nil
	},
	NewEncoder: func(*arrow.Schema, json.RawMessage) (codec.Encoder, error) { return numberEncoder{}, nil },
}

type numberEncoder struct{}

func (numberEncoder) Name() string { return "numbers" }

type numberDecoder struct{ b *array.RecordBuilder }

func (d *numberDecoder) Rows() int      { return d.b.Field(0).Len() }
func (d *numberDecoder) Need(n int) int { return n * 8 }
func (d *numberDecoder) Close()         { d.b.Release() }
func (d *numberDecoder) Append(data []byte, bad func(*codec.BadRecord) error) (int, error) {
	if d.Rows() == stream.MaxRows {
		return 0, nil
	}
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil {
		return len(data), bad(&codec.BadRecord{Fault: fault.New(fault.Decode, "expected a number, got %q", data), Data: data})
	}
	d.b.Field(0).(*array.Int64Builder).Append(n)
	return len(data), nil
}
func (d *numberDecoder) Record() arrow.Record {
	if d.Rows() == 0 {
		return nil
	}
	return d.b.NewRecord()
}

// world is what outlives a run: inputs by split, and all that was written and acknowledged.
type world struct {
	mu      sync.Mutex
	inputs  map[string][]string
	bounded bool
	written []int64
	acked   map[string]int
	// fail is called before each write, with the number of rows that are written.
	fail   func(rows int) error
	grown  chan struct{}
	opened int
	dead   []string
	rows   int // per Next; 0 means all
}

func (w *world) Splits(context.Context, connectors.Job) ([]string, error) {
	var splits []string
	for i := range len(w.inputs) {
		splits = append(splits, fmt.Sprintf("s%d", i))
	}
	return splits, nil
}
func (w *world) DefaultFormat() string { return "numbers" }

func (w *world) Open(_ context.Context, _ connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened++
	r := &worldReader{w: w, at: make(map[string]int)}
	for _, s := range splits {
		r.splits = append(r.splits, s.ID)
		if s.Position != nil {
			at, err := strconv.Atoi(string(s.Position))
			if err != nil {
				return nil, err
			}
			r.at[s.ID] = at
		}
	}
	return r, nil
}

type worldReader struct {
	w      *world
	splits []string
	at     map[string]int
	next   int
}

func (r *worldReader) Next(ctx context.Context, wake <-chan struct{}, most int) ([]connectors.Message, error) {
	for {
		r.w.mu.Lock()
		var messages []connectors.Message
		ended := r.w.bounded
		limit := r.w.rows
		if limit == 0 {
			limit = most
		}
		for range r.splits {
			i := r.next % len(r.splits)
			r.next++
			split := r.splits[i]
			input := r.w.inputs[split]
			for len(messages) < limit && r.at[split] < len(input) {
				messages = append(messages, connectors.Message{Data: []byte(input[r.at[split]]), Split: i, Time: stream.NoTime,
					Subject: split, Sequence: uint64(r.at[split] + 1)})
				r.at[split]++
			}
			ended = ended && r.at[split] >= len(input)
		}
		grown := r.w.grown
		r.w.mu.Unlock()
		if len(messages) > 0 {
			return messages, nil
		}
		if ended {
			return nil, io.EOF
		}
		select {
		case <-grown:
		case <-wake:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *worldReader) Positions() (map[string]json.RawMessage, error) {
	p := make(map[string]json.RawMessage)
	for _, s := range r.splits {
		p[s] = json.RawMessage(strconv.Itoa(r.at[s]))
	}
	return p, nil
}

func (r *worldReader) Committed(_ context.Context, positions map[string]json.RawMessage) error {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	for s, p := range positions {
		at, err := strconv.Atoi(string(p))
		if err != nil {
			return err
		}
		r.w.acked[s] = max(r.w.acked[s], at)
	}
	return nil
}
func (r *worldReader) Close() error { return nil }

type worldSink struct{ w *world }

func (s worldSink) DefaultFormat() string { return "numbers" }
func (s worldSink) Check([]string) error  { return nil }
func (s worldSink) Open(context.Context, connectors.Job, int, int, codec.Encoder, json.RawMessage) (connectors.Writer, error) {
	return worldWriter(s), nil
}

type worldWriter struct{ w *world }

func (s worldWriter) Write(_ context.Context, b *stream.Batch) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.w.fail != nil {
		if err := s.w.fail(len(s.w.written)); err != nil {
			return err
		}
	}
	s.w.written = append(s.w.written, b.Record.Column(0).(*array.Int64).Int64Values()...)
	return nil
}
func (s worldWriter) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	return nil, func(context.Context) error { return nil }, nil
}
func (s worldWriter) Close() error { return nil }

// deadSink keeps dead letters as "node reason where data".
type deadSink struct{ w *world }

func (s deadSink) DefaultFormat() string { return "numbers" }
func (s deadSink) Check([]string) error  { return nil }
func (s deadSink) Open(context.Context, connectors.Job, int, int, codec.Encoder, json.RawMessage) (connectors.Writer, error) {
	return deadWriter{worldWriter(s)}, nil
}

type deadWriter struct{ worldWriter }

func (d deadWriter) Write(_ context.Context, b *stream.Batch) error {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	for i := range b.Rows() {
		var line bytes.Buffer
		for _, c := range []int{2, 3, 4, 5} {
			line.WriteString(b.Record.Column(c).ValueStr(i) + " | ")
		}
		d.w.dead = append(d.w.dead, line.String())
	}
	return nil
}

// adder is a bundle with one keyed function: the sum of n per key so far. It pauses after each row if it has a pause.
type adder struct{ pause func() }

func (adder) Digest() string              { return "adder" }
func (adder) Functions() []udf.Signature  { return []udf.Signature{adderSignature} }
func (adder) Close(context.Context) error { return nil }
func (a adder) Instantiate(context.Context, udf.Options) (udf.Guest, error) {
	return adderGuest(a), nil
}

var adderSignature = udf.Signature{Name: "sum", Kind: udf.KeyedMap, In: numbers, Out: numbers, State: []udf.StateDecl{{Name: "sum", Type: "int64"}}}

type adderGuest struct{ pause func() }

type goArena struct{ memory.Allocator }

func (goArena) Reserve(int) error { return nil }

func (adderGuest) Arena() udf.Arena            { return goArena{memory.DefaultAllocator} }
func (adderGuest) Broken() bool                { return false }
func (adderGuest) Stats() udf.Stats            { return udf.Stats{} }
func (adderGuest) Close(context.Context) error { return nil }
func (g adderGuest) Bind(_ context.Context, _ string, _ udf.Kind, _ *arrow.Schema, _ json.RawMessage, st udf.State) (udf.Function, error) {
	return adderFunction{st, g.pause}, nil
}

type adderFunction struct {
	state udf.State
	pause func()
}

func (adderFunction) Out() *arrow.Schema         { return numbers }
func (adderFunction) Recheck(arrow.Record) error { return nil }
func (f adderFunction) Call(_ context.Context, in arrow.Record, slots []int32, yield func(udf.Result) error) error {
	b := array.NewRecordBuilder(memory.DefaultAllocator, numbers)
	defer b.Release()
	origins := make([]int32, 0, len(slots))
	for row, n := range in.Column(0).(*array.Int64).Int64Values() {
		sum := n
		if old, ok, err := f.state.Get(0, slots[row]); err != nil {
			return err
		} else if ok {
			before, err := strconv.ParseInt(string(old), 10, 64)
			if err != nil {
				return err
			}
			sum += before
		}
		if err := f.state.Put(0, slots[row], strconv.AppendInt(nil, sum, 10)); err != nil {
			return err
		}
		if f.pause != nil {
			f.pause()
		}
		b.Field(0).(*array.Int64Builder).Append(sum)
		origins = append(origins, int32(row))
	}
	rec := b.NewRecord()
	defer rec.Release()
	return yield(udf.Result{Record: rec, Origins: origins, Last: true})
}
