package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
	"github.com/wasmill/wasmill/wasmhost"
)

// results notes the rows and their times that come out of an operator.
type results struct{ lines []string }

func (r *results) Batch(b *stream.Batch) error {
	for row := range b.Rows() {
		line := fmt.Sprint(b.Times[row], ":")
		for _, c := range b.Record.Columns() {
			line += " " + c.ValueStr(row)
		}
		r.lines = append(r.lines, line)
	}
	return nil
}
func (*results) Watermark(stream.Watermark) error { return nil }
func (*results) Status(bool) error                { return nil }
func (*results) Barrier(uint64, bool) error       { return nil }
func (*results) End() error                       { return nil }

// TestProcess runs the function of testdata/process.c as the engine does, and starts it again from a commit.
func TestProcess(t *testing.T) {
	const minute = 60_000
	bundle, err := load(t, newHost(t, wasmhost.Options{}), "process.c")
	if err != nil {
		t.Fatal(err)
	}
	signature := udf.Find(bundle.Functions(), "samples", udf.Process)
	store := memstate.New()
	var epoch uint64
	var out results
	start := func() *operator.Process {
		guest := operator.NewGuest(bundle, udf.Options{})
		t.Cleanup(func() { guest.Close(context.Background()) })
		p := &operator.Process{
			Policy: operator.Policy{Node: "p", Stats: &operator.Stats{}}, Function: "samples", Guest: guest, In: signature.In,
			Clock: func() int64 { return 77 },
			State: operator.NewProcessState(operator.ProcessStateOptions{
				Store: store, Operator: "p", States: signature.State, From: 0, To: 4, Limit: 1 << 20, Epoch: epoch,
			}),
			TakeChanges: func(epoch uint64, s operator.Stateful) {
				c := state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: s.Barrier(epoch)}
				if err := store.Commit(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				s.Committed(epoch)
			},
		}
		p.Next = &out
		if err := p.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		return p
	}
	rows := func(p *operator.Process, at int64, byKey ...int64) {
		t.Helper()
		b := array.NewRecordBuilder(memory.DefaultAllocator, signature.In)
		defer b.Release()
		keys := &stream.Keys{}
		for i, n := range byKey {
			b.Field(0).(*array.Int64Builder).Append(n)
			key := []byte{'k', byte(i)}
			keys.Slots, keys.Distinct = append(keys.Slots, int32(i)), append(keys.Distinct, key)
			keys.Partitions = append(keys.Partitions, stream.Partition(key, 4))
		}
		rec := b.NewRecord()
		defer rec.Release()
		if err := p.Batch(&stream.Batch{Record: rec, Times: slices.Repeat([]int64{at}, len(byKey)), Keys: keys}); err != nil {
			t.Fatal(err)
		}
	}
	watermark := func(p *operator.Process, to int64, want ...string) {
		t.Helper()
		if err := p.Watermark(stream.Watermark(to)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out.lines, want) {
			t.Errorf("at %d:\n got %q\nwant %q", to, out.lines, want)
		}
		out.lines = nil
	}
	p := start()
	rows(p, 0, 5, -3, 8)
	rows(p, 2*minute, 6, -4) // puts off the timers of two keys
	watermark(p, 9*minute)
	epoch++
	if err := p.Barrier(epoch, false); err != nil {
		t.Fatal(err)
	}
	rows(p, 3*minute, 100, 100) // and is lost
	p = start()
	watermark(p, 10*minute, "600000: 8 1 600000 77")
	rows(p, 11*minute, 1)
	watermark(p, 30*minute, "720000: -7 0 1800000 77", "1260000: 12 1 1800000 77")
	watermark(p, 60*minute)
}
