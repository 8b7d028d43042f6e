package operator_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/state/memstate"
)

// nowhere is an output that drops everything.
type nowhere struct{}

func (nowhere) Batch(*stream.Batch) error        { return nil }
func (nowhere) Watermark(stream.Watermark) error { return nil }
func (nowhere) Status(bool) error                { return nil }
func (nowhere) Barrier(uint64, bool) error       { return nil }
func (nowhere) End() error                       { return nil }
func (nowhere) Send(_ context.Context, e stream.Element) error {
	if e.Batch != nil {
		e.Batch.Release()
	}
	return nil
}

// randomNumbers makes 16 batches of numbers below keys.
func randomNumbers(rows, keys int) []arrow.Record {
	r := rand.New(rand.NewPCG(1, 2))
	var all []arrow.Record
	for range 16 {
		values := make([]int64, rows)
		for i := range values {
			values[i] = r.Int64N(int64(keys))
		}
		all = append(all, record(values))
	}
	return all
}

func reportRows(b *testing.B, rows int) {
	b.ReportAllocs()
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func keyBy(b testing.TB, next stream.Output) *operator.KeyBy {
	encoder, err := stream.NewKeyEncoder(numbers, []string{"n"})
	if err != nil {
		b.Fatal(err)
	}
	return &operator.KeyBy{Forward: stream.Forward{Next: next}, Stats: &operator.Stats{}, Encoder: encoder, Partitions: stream.DefaultPartitions}
}

// BenchmarkKeyBy numbers the keys of batches: bounded by the hash table of a batch's keys. A large batch comes first, so that
// small ones would show what it leaves behind.
func BenchmarkKeyBy(b *testing.B) {
	for _, c := range []struct{ rows, keys int }{{stream.MaxRows, 16}, {stream.MaxRows, 100_000}, {10, 100_000}, {1, 100_000}} {
		b.Run(fmt.Sprintf("rows=%d/keys=%d", c.rows, c.keys), func(b *testing.B) {
			k := keyBy(b, nowhere{})
			if err := k.Batch(&stream.Batch{Record: randomNumbers(stream.MaxRows, 100_000)[0]}); err != nil {
				b.Fatal(err)
			}
			batches := randomNumbers(c.rows, c.keys)
			b.ResetTimer()
			for i := range b.N {
				if err := k.Batch(&stream.Batch{Record: batches[i%len(batches)]}); err != nil {
					b.Fatal(err)
				}
			}
			reportRows(b, c.rows)
		})
	}
}

// BenchmarkKeyedState reads and writes eight bytes of state for each row. With many keys it is bounded by cache misses:
// the table, the entry, its cells, the value.
func BenchmarkKeyedState(b *testing.B) {
	for _, keys := range []int{16, 100_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			k := operator.NewKeyedState(memstate.New(), "op", twoStates, operator.DefaultStateCache, 0, nil)
			head := keyBy(b, counter{nowhere{}, k})
			batches := randomNumbers(stream.MaxRows, keys)
			b.ResetTimer()
			for i := range b.N {
				if err := head.Batch(&stream.Batch{Record: batches[i%len(batches)]}); err != nil {
					b.Fatal(err)
				}
			}
			reportRows(b, stream.MaxRows)
		})
	}
}

// counter counts the rows of each key.
type counter struct {
	nowhere
	state *operator.KeyedState
}

func (c counter) Batch(b *stream.Batch) error {
	if err := c.state.Begin(b.Keys); err != nil {
		return err
	}
	var buffer [8]byte
	for _, slot := range b.Keys.Slots {
		old, _, err := c.state.Get(0, slot)
		if err != nil {
			return err
		}
		copy(buffer[:], old)
		binary.LittleEndian.PutUint64(buffer[:], binary.LittleEndian.Uint64(buffer[:])+1)
		if err := c.state.Put(0, slot, buffer[:]); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkCall runs functions that cost nothing in WebAssembly, for what the operator adds. A filter copies half of the rows.
func BenchmarkCall(b *testing.B) {
	for _, rows := range []int{1, stream.MaxRows} {
		for kind, function := range map[plan.Kind]string{plan.KindMap: "map", plan.KindFilter: "filter", plan.KindScalar: "scalar"} {
			b.Run(fmt.Sprintf("%s/rows=%d", kind, rows), func(b *testing.B) {
				c := newCall(&fakeBundle{}, kind, function, plan.Fail, nowhere{}, nil)
				if err := c.Open(b.Context()); err != nil {
					b.Fatal(err)
				}
				batches := randomNumbers(rows, 100)
				b.ResetTimer()
				for i := range b.N {
					if err := c.Batch(&stream.Batch{Record: batches[i%len(batches)]}); err != nil {
						b.Fatal(err)
					}
				}
				reportRows(b, rows)
			})
		}
	}
}

// BenchmarkExchange sends rows to four tasks by key: bounded by the copy into a batch for each.
func BenchmarkExchange(b *testing.B) {
	for _, rows := range []int{10, stream.MaxRows} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			encoder, err := stream.NewKeyEncoder(numbers, []string{"n"})
			if err != nil {
				b.Fatal(err)
			}
			x := &operator.Exchange{Encoder: encoder, Partitions: stream.DefaultPartitions, Edges: []operator.Edge{nowhere{}, nowhere{}, nowhere{}, nowhere{}}}
			if err := x.Open(b.Context()); err != nil {
				b.Fatal(err)
			}
			batches := randomNumbers(rows, 100_000)
			b.ResetTimer()
			for i := range b.N {
				if err := x.Batch(&stream.Batch{Record: batches[i%len(batches)]}); err != nil {
					b.Fatal(err)
				}
			}
			reportRows(b, rows)
		})
	}
}
