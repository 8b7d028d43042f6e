package operator_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

// The functions of fakeBundle work on one int64 column: n. A row of a number in bad fails and says which row it was, one
// in poison breaks the guest without saying so.
type fakeBundle struct {
	bad, poison map[int64]bool
	step        int // rows of a step; 0: all
	started     int
	// open is how many guests are open, most how many were at once.
	open, most int
	// small says that guests have no memory to reserve.
	small bool
}

var numbers = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)

func (b *fakeBundle) Digest() string              { return "fake" }
func (b *fakeBundle) Functions() []udf.Signature  { return nil }
func (b *fakeBundle) Close(context.Context) error { return nil }
func (b *fakeBundle) Instantiate(context.Context, udf.Options) (udf.Guest, error) {
	b.started++
	b.open++
	b.most = max(b.most, b.open)
	return &fakeGuest{bundle: b}, nil
}

// fakeGuest spoils its memory at a call of the function "spoil" and when it is asked for memory that it does not have. It
// shows when rows are checked again.
type fakeGuest struct {
	bundle  *fakeBundle
	broken  bool
	spoiled bool
}

func (g *fakeGuest) Arena() udf.Arena { return fakeArena{memory.DefaultAllocator, g} }
func (g *fakeGuest) Broken() bool     { return g.broken }
func (g *fakeGuest) Stats() udf.Stats { return udf.Stats{} }
func (g *fakeGuest) Close(context.Context) error {
	g.bundle.open--
	return nil
}
func (g *fakeGuest) Bind(_ context.Context, name string, _ udf.Kind, in *arrow.Schema, _ json.RawMessage, st udf.State) (udf.Function, error) {
	return &fakeFunction{guest: g, name: name, state: st}, nil
}

type fakeArena struct {
	memory.Allocator
	guest *fakeGuest
}

func (a fakeArena) Reserve(int) error {
	if a.guest.bundle.small {
		a.guest.spoiled = true
		return fault.New(fault.Limit, "no memory")
	}
	return nil
}

type fakeFunction struct {
	guest *fakeGuest
	name  string
	state udf.State
}

func (f *fakeFunction) Out() *arrow.Schema { return numbers }
func (f *fakeFunction) Recheck(arrow.Record) error {
	if f.guest.spoiled {
		return fault.New(fault.BadArray, "spoiled")
	}
	return nil
}

func (f *fakeFunction) fail(row int) error {
	return &udf.CallError{Row: row, Err: fault.New(fault.Guest, "no good").At("function %s", f.name)}
}

func (f *fakeFunction) Call(_ context.Context, in arrow.Record, slots []int32, yield func(udf.Result) error) error {
	if f.guest.broken {
		return f.fail(-1)
	}
	values := in.Column(0).(*array.Int64).Int64Values()
	if f.name == "spread" {
		return f.spread(values, yield)
	}
	f.guest.spoiled = f.guest.spoiled || f.name == "spoil"
	step := f.guest.bundle.step
	if step == 0 {
		step = len(values)
	}
	var out []int64
	var origins []int32
	var mask []bool
	emit := func(last bool) error {
		rec := record(out)
		if f.name == "filter" {
			rec = masks(mask)
		}
		r := udf.Result{Record: rec, Last: last}
		if f.name == "twice" || f.name == "sum" {
			r.Origins = origins
		}
		err := yield(r)
		rec.Release()
		out, origins, mask = nil, nil, nil
		if err == nil && f.guest.broken {
			return f.fail(-1)
		}
		return err
	}
	for row, v := range values {
		if f.guest.bundle.poison[v] {
			f.guest.broken = true
			return f.fail(-1)
		}
		if f.guest.bundle.bad[v] {
			return f.fail(row)
		}
		switch f.name {
		case "twice":
			out, origins = append(out, v, v), append(origins, int32(row), int32(row))
		case "filter":
			mask = append(mask, v%2 == 0)
		case "sum":
			sum := v
			if old, ok, _ := f.state.Get(0, slots[row]); ok {
				var before int64
				fmt.Sscan(string(old), &before)
				sum += before
			}
			if err := f.state.Put(0, slots[row], fmt.Append(nil, sum)); err != nil {
				return f.fail(row)
			}
			out, origins = append(out, sum), append(origins, int32(row))
		default:
			out = append(out, v*10)
		}
		if (row+1)%step == 0 && row+1 < len(values) {
			if err := emit(false); err != nil {
				return err
			}
		}
	}
	return emit(true)
}

// spread makes three rows of each, and steps that end in the middle of them.
func (f *fakeFunction) spread(values []int64, yield func(udf.Result) error) error {
	step := max(f.guest.bundle.step, 1)
	var out []int64
	var origins []int32
	for row, v := range values {
		if f.guest.bundle.bad[v] {
			return f.fail(row)
		}
		for i := range int64(3) {
			out, origins = append(out, v+i*1000), append(origins, int32(row))
			last := row == len(values)-1 && i == 2
			if len(out) < step && !last {
				continue
			}
			rec := record(out)
			err := yield(udf.Result{Record: rec, Origins: origins, Last: last, Partial: i < 2})
			rec.Release()
			if err == nil && f.guest.broken {
				return f.fail(-1)
			}
			if err != nil {
				return err
			}
			out, origins = nil, nil
		}
	}
	return nil
}

func record(values []int64) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, numbers)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	return b.NewRecord()
}

func masks(values []bool) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "keep", Type: arrow.FixedWidthTypes.Boolean}}, nil))
	defer b.Release()
	b.Field(0).(*array.BooleanBuilder).AppendValues(values, nil)
	return b.NewRecord()
}

// collect is an output that keeps the values and times that come.
type collect struct {
	values, times []int64
	after         func()
}

func (c *collect) Batch(b *stream.Batch) error {
	c.values = append(c.values, b.Record.Column(0).(*array.Int64).Int64Values()...)
	c.times = append(c.times, b.Times...)
	if c.after != nil {
		c.after()
	}
	return nil
}
func (c *collect) Watermark(stream.Watermark) error { return nil }
func (c *collect) Status(bool) error                { return nil }
func (c *collect) Barrier(uint64, bool) error       { return nil }
func (c *collect) End() error                       { return nil }

type letters []string

func (l *letters) Reject(node string, why *fault.Fault, data []byte) error {
	*l = append(*l, fmt.Sprintf("%s: %s: %s", node, why, data))
	return nil
}
