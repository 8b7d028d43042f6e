package operator_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/window"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// counting drops what it gets.
type counting struct{ rows int }

func (n *counting) Batch(b *stream.Batch) error    { n.rows += b.Rows(); return nil }
func (*counting) Watermark(stream.Watermark) error { return nil }
func (*counting) Status(bool) error                { return nil }
func (*counting) Barrier(uint64, bool) error       { return nil }
func (*counting) End() error                       { return nil }

// countingWindow returns a window over the column k of rows, behind a key_by, and what commits an epoch of it.
func countingWindow(tb testing.TB, in *arrow.Schema, spec aggregate.Spec, logic window.Logic, limit int, full func(), next stream.Output) (
	*operator.Window, *operator.KeyBy, func()) {
	tb.Helper()
	set, err := aggregate.New(in, []aggregate.Spec{spec})
	if err != nil {
		tb.Fatal(err)
	}
	ts := &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
	w := &operator.Window{Policy: operator.Policy{Stats: &operator.Stats{}}, Logic: logic, EventTime: true, Aggregates: set, Gap: -1,
		Now: func() int64 { return 0 },
		Out: arrow.NewSchema([]arrow.Field{in.Field(0), {Name: "window_start", Type: ts}, {Name: "window_end", Type: ts}, set.Fields()[0]}, nil)}
	w.Next = next
	store := memstate.New()
	w.State = operator.NewWindowState(operator.WindowStateOptions{Store: store, Operator: "w", Aggregates: set, From: 0, To: 128, Limit: limit, Full: full})
	var changes []state.Change
	w.TakeChanges = func(epoch uint64, s operator.Stateful) { changes = s.Barrier(epoch) }
	if err := w.Open(context.Background()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { w.Close() })
	encoder, err := stream.NewKeyEncoder(in, []string{"k"})
	if err != nil {
		tb.Fatal(err)
	}
	by := &operator.KeyBy{Stats: &operator.Stats{}, Encoder: encoder, Partitions: 128}
	by.Next = w
	epoch := uint64(0)
	return w, by, func() {
		epoch++
		if err := w.Barrier(epoch, false); err != nil {
			tb.Fatal(err)
		}
		if err := store.Commit(context.Background(), state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: changes}); err != nil {
			tb.Fatal(err)
		}
		w.State.Committed(epoch)
	}
}

// BenchmarkWindow sums rows of 1,000 keys with a hundred rows of each key in a window's slide, and a commit every million rows.
// Sliding windows of 5 min by 30 s cost little more than tumbling ones: a row goes into one pane, and ten panes are merged for
// each key and slide. Most of a row's time goes into finding its key.
func BenchmarkWindow(b *testing.B) {
	const keys, perKey = 1000, 100
	in := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "v", Type: arrow.PrimitiveTypes.Int64}}, nil)
	for _, c := range []struct {
		name  string
		logic func() window.Logic
	}{
		{"tumbling", func() window.Logic { return window.NewShared(window.EventTime, 30_000, 30_000, 0, 0) }},
		{"sliding", func() window.Logic { return window.NewShared(window.EventTime, 300_000, 30_000, 0, 0) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			sink := &counting{}
			w, by, commit := countingWindow(b, in, aggregate.Spec{Name: "sum", Func: "sum", Column: "v"}, c.logic(), 64<<20, nil, sink)
			w.Listed = c.name == "sliding"
			builder := array.NewRecordBuilder(memory.DefaultAllocator, in)
			for i := range 8000 {
				builder.Field(0).(*array.Int64Builder).Append(int64(i * 7919 % keys))
				builder.Field(1).(*array.Int64Builder).Append(int64(i))
			}
			rec := builder.NewRecord()
			defer rec.Release()
			builder.Release()
			times := make([]int64, 8000)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				for i := range times {
					times[i] = int64(n+i) * 30_000 / (keys * perKey)
				}
				if err := by.Batch(&stream.Batch{Record: rec, Times: times}); err != nil {
					b.Fatal(err)
				}
				n += len(times)
				if n%40_000 == 0 {
					if err := w.Watermark(stream.Watermark(times[len(times)-1] - 1)); err != nil {
						b.Fatal(err)
					}
				}
				if n%1_000_000 == 0 {
					commit()
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/row")
			if n > 200*keys*perKey && sink.rows == 0 {
				b.Fatal(fmt.Errorf("nothing came out of %d rows", n))
			}
		})
	}
}
