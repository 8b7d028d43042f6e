package operator_test

import (
	"math"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/window"
)

// totals is a sink that adds up what windows count.
type totals struct {
	stream.Output
	windows, rows int64
}

func (s *totals) Batch(b *stream.Batch) error {
	s.windows += int64(b.Rows())
	for _, n := range b.Record.Column(3).(*array.Int64).Int64Values() {
		s.rows += n
	}
	return nil
}
func (*totals) Watermark(stream.Watermark) error { return nil }
func (*totals) Barrier(uint64, bool) error       { return nil }

// TestMoreKeysThanMemory counts rows of many keys with little memory for them: it asks for early barriers, stays within its limit,
// and every row counts once.
func TestMoreKeysThanMemory(t *testing.T) {
	const keys, rounds, limit = 20_000, 3, 1 << 20
	in := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}}, nil)
	sink, asked, most, epochs := &totals{}, 0, 0, 0
	w, by, commit := countingWindow(t, in, aggregate.Spec{Name: "n", Func: "count"}, window.NewShared(window.EventTime, 100, 100, 0, 0), limit,
		func() { asked++ }, sink)
	for row := 0; row < keys*rounds; row += 500 {
		b := array.NewInt64Builder(memory.DefaultAllocator)
		times := make([]int64, 500)
		for i := range times {
			b.Append(int64((row + i) % keys))
			times[i] = int64((row + i) / keys * 10)
		}
		column := b.NewArray()
		rec := array.NewRecord(in, []arrow.Array{column}, 500)
		if err := by.Batch(&stream.Batch{Record: rec, Times: times}); err != nil {
			t.Fatal(err)
		}
		rec.Release()
		column.Release()
		b.Release()
		most = max(most, w.State.Bytes())
		if asked > 0 {
			asked = 0
			epochs++
			commit()
		}
	}
	if epochs < 10 || most > 2*limit {
		t.Errorf("%d early barriers, %d bytes at the most", epochs, most)
	}
	if err := w.Watermark(math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	if sink.windows != keys || sink.rows != keys*rounds {
		t.Errorf("%d windows of %d rows, want %d of %d", sink.windows, sink.rows, keys, keys*rounds)
	}
}
