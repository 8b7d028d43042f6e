package operator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/stream"
)

// queue is an edge that keeps what is sent, and fails from an element on when it is told so.
type queue struct {
	elements []stream.Element
	failAt   int // 0: never
}

var errFull = errors.New("full")

func (q *queue) Send(_ context.Context, e stream.Element) error {
	if q.failAt > 0 && len(q.elements)+1 >= q.failAt {
		if e.Batch != nil {
			e.Batch.Release()
		}
		return errFull
	}
	q.elements = append(q.elements, e)
	return nil
}

func (q *queue) release() {
	for _, e := range q.elements {
		if e.Batch != nil {
			e.Batch.Release()
		}
	}
	q.elements = nil
}

var pairs = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "n", Type: arrow.PrimitiveTypes.Int64},
}, nil)

func pairsOf(alloc memory.Allocator, keys []string) arrow.Record {
	b := array.NewRecordBuilder(alloc, pairs)
	defer b.Release()
	for i, k := range keys {
		if k == "" {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.StringBuilder).Append(k)
		}
		b.Field(1).(*array.Int64Builder).Append(int64(i))
	}
	return b.NewRecord()
}

func exchange(t *testing.T, width int, columns ...string) (*operator.Exchange, []*queue) {
	t.Helper()
	x := &operator.Exchange{Partitions: 16}
	if len(columns) > 0 {
		var err error
		if x.Encoder, err = stream.NewKeyEncoder(pairs, columns); err != nil {
			t.Fatal(err)
		}
	}
	queues := make([]*queue, width)
	for i := range queues {
		queues[i] = &queue{}
		x.Edges = append(x.Edges, queues[i])
	}
	if err := x.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x, queues
}

// TestExchangeByKey sends random rows to random numbers of tasks: each row arrives once, in order, with its time, at the task
// that owns its key, in memory that does not depend on the batch.
func TestExchangeByKey(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
		keys := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c", "dd", "eee", "f", "g"}), 1, 50).Draw(rt, "keys")
		x, queues := exchange(t, rapid.IntRange(1, 5).Draw(rt, "width"), "k")
		times := make([]int64, len(keys))
		for i := range times {
			times[i] = int64(i * 100)
		}
		rec := pairsOf(alloc, keys)
		if err := x.Batch(&stream.Batch{Record: rec, Times: times, Volatile: true}); err != nil {
			rt.Fatal(err)
		}
		numbers := rec.Column(1).(*array.Int64).Int64Values()
		clear(numbers)
		rec.Release()
		alloc.AssertSize(rt, 0)
		owner := map[string]int{}
		var all []int64
		for task, q := range queues {
			newest := int64(-1)
			for _, e := range q.elements {
				if e.Batch.Volatile {
					rt.Fatal("a batch that was sent is volatile")
				}
				for i, n := range e.Batch.Record.Column(1).(*array.Int64).Int64Values() {
					key := keys[n]
					if was, known := owner[key]; known && was != task {
						rt.Fatalf("key %q is with tasks %d and %d", key, was, task)
					}
					if owner[key] = task; n <= newest {
						rt.Fatalf("row %d comes behind row %d", n, newest)
					}
					if newest = n; e.Batch.Times[i] != n*100 {
						rt.Fatalf("row %d has time %d", n, e.Batch.Times[i])
					}
					all = append(all, n)
				}
			}
			q.release()
		}
		slices.Sort(all)
		for i, n := range all {
			if n != int64(i) || len(all) != len(keys) {
				rt.Fatalf("got rows %v of %d", all, len(keys))
			}
		}
	})
}

// TestExchangeInTurn sends whole batches, and everything else to all.
func TestExchangeInTurn(t *testing.T) {
	x, queues := exchange(t, 3)
	rec := pairsOf(memory.DefaultAllocator, []string{"a"})
	for range 6 {
		if err := x.Batch(&stream.Batch{Record: rec}); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{x.Watermark(5), x.Status(false), x.Status(true), x.Barrier(9, true), x.End()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, q := range queues {
		var got []string
		for _, e := range q.elements {
			got = append(got, fmt.Sprint(e.Kind, e.Batch != nil, e.Watermark, e.Epoch, e.Drain))
		}
		want := []string{"0 true 0 0 false", "0 true 0 0 false", "1 false 5 0 false", "3 false 0 0 false", "4 false 0 0 false", "2 false 0 9 true", "5 false 0 0 false"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("task %d: %s", i, diff)
		}
	}
}

// TestAFailedExchangeReleases has one of the edges refuse its part.
func TestAFailedExchangeReleases(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	for at := range 3 {
		x, queues := exchange(t, 3, "n")
		queues[at].failAt = 1
		rec := pairsOf(alloc, make([]string, 40))
		// Not volatile, for one task the batch itself is sent.
		if err := x.Batch(&stream.Batch{Record: rec}); err != errFull {
			t.Errorf("got %v, want %v", err, errFull)
		}
		for _, q := range queues {
			q.release()
		}
		rec.Release()
	}
	x, queues := exchange(t, 1)
	queues[0].failAt = 1
	rec := pairsOf(alloc, []string{"a"})
	if err := x.Batch(&stream.Batch{Record: rec}); err != errFull {
		t.Errorf("got %v, want %v", err, errFull)
	}
	rec.Release()
}

// TestTee hands rows in a guest's memory to two outputs, the first of which runs in that guest and changes it.
func TestTee(t *testing.T) {
	guest := []int64{1, 2, 3}
	first, second := &collect{after: func() { clear(guest) }}, &collect{}
	tee := &operator.Tee{Outputs: []stream.Output{first, second}}
	buffer := memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(guest))
	column := array.NewInt64Data(array.NewData(arrow.PrimitiveTypes.Int64, 3, []*memory.Buffer{nil, buffer}, nil, 0, 0))
	b := &stream.Batch{Record: array.NewRecord(numbers, []arrow.Array{column}, 3), Times: []int64{7, 8, 9}, Volatile: true}
	if err := tee.Batch(b); err != nil {
		t.Fatal(err)
	}
	for i, out := range []*collect{first, second} {
		if diff := cmp.Diff([]int64{1, 2, 3}, out.values); diff != "" {
			t.Errorf("output %d: %s", i, diff)
		}
		if diff := cmp.Diff([]int64{7, 8, 9}, out.times); diff != "" {
			t.Errorf("output %d: %s", i, diff)
		}
	}
	if err := (&operator.Tee{}).Batch(b); err != nil {
		t.Error(err)
	}
}
