package wasmhost

import (
	"context"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

// maxTimerCalls is how many timers a call may set and delete.
const maxTimerCalls = 1 << 20

// timerColumns are the columns of fired timers, before the slots.
var timerColumns = arrow.NewSchema([]arrow.Field{
	{Name: "time", Type: arrow.PrimitiveTypes.Int64}, {Name: "domain", Type: arrow.PrimitiveTypes.Int8},
}, nil)

// process is a function of kind process.
type process struct {
	*function
	timers *arrowabi.Exporter
}

var _ udf.TimedFunction = process{}

// withTimes returns the schema with which a process is called: one more column, the event times.
func withTimes(in *arrow.Schema) *arrow.Schema {
	fields := append([]arrow.Field(nil), in.Fields()...)
	return arrow.NewSchema(append(fields, arrow.Field{Name: "time", Type: arrow.PrimitiveTypes.Int64, Nullable: true}), nil)
}

// newProcess makes the function that fires timers of one that has been opened.
func newProcess(f *function) (udf.Function, error) {
	if !f.guest.bundle.has[exportTimers] {
		return nil, fault.New(fault.Guest, "the module has a process function and does not export `%s`", exportTimers)
	}
	if _, ok := f.state.(udf.TimedState); !ok {
		return nil, fault.New(fault.Internal, "a process function was bound without timers")
	}
	timers, err := arrowabi.NewExporter(f.guest.arena, timerColumns, true, f.guest.noop, f.where)
	if err != nil {
		return nil, err
	}
	return process{f, timers}, nil
}

// CallAt implements [udf.TimedFunction].
func (p process) CallAt(ctx context.Context, in arrow.Record, slots []int32, times []int64, yield func(udf.Result) error) error {
	if times != nil && int64(len(times)) != in.NumRows() {
		return fault.New(fault.Internal, "%d event times were passed for %d rows", len(times), in.NumRows()).At("%s", p.where)
	}
	p.times = times
	defer func() { p.times = nil }()
	return p.Call(ctx, in, slots, yield)
}

// timed returns a record with the event times of the call as one more column. The caller releases it.
func (f *function) timed(in arrow.Record) arrow.Record {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(int(in.NumRows()))
	for row := range int(in.NumRows()) {
		if f.times == nil || f.times[row] == math.MinInt64 {
			b.AppendNull()
		} else {
			b.Append(f.times[row])
		}
	}
	times := b.NewArray()
	defer times.Release()
	columns := append(append([]arrow.Array(nil), in.Columns()...), times)
	return array.NewRecord(withTimes(in.Schema()), columns, in.NumRows())
}

// Timers implements [udf.TimedFunction].
func (p process) Timers(ctx context.Context, timers []udf.Timer, yield func(udf.Result) error) error {
	f := p.function
	builder := array.NewRecordBuilder(memory.DefaultAllocator, timerColumns)
	defer builder.Release()
	slots := make([]int32, 0, len(timers))
	for _, t := range timers {
		builder.Field(0).(*array.Int64Builder).Append(t.Time)
		builder.Field(1).(*array.Int8Builder).Append(int8(t.Domain))
		slots = append(slots, t.Slot)
	}
	rec := builder.NewRecord()
	defer rec.Release()
	return f.within(ctx, p.timers, rec, func() error { return f.number(slots, rec.NumRows()) }, func() error {
		at, err := p.timers.Export(rec, slots)
		if err != nil {
			return f.blame(-1, err)
		}
		return f.results(ctx, exportTimers, &f.guest.timers, at, len(timers), yield)
	})
}

// timing returns the timers and clocks of the process function that is running, or traps.
func (g *guest) timing() udf.TimedState {
	if g.running != nil && g.running.signature.Kind == udf.Process {
		if s, ok := g.running.state.(udf.TimedState); ok {
			return s
		}
	}
	panic(fault.New(fault.Guest, "timers or clocks were used outside of a call of a process function"))
}

// timer checks what a timer call names, or traps.
func (g *guest) timer(stack []uint64) (s udf.TimedState, slot int32, d udf.Domain, time int64) {
	s = g.timing()
	slot, d = int32(stack[0]), udf.Domain(stack[1])
	if domain := uint32(stack[1]); domain > 1 {
		panic(fault.New(fault.Guest, "a timer of domain %d was used, expected 0 or 1", int32(domain)))
	}
	if slot < 0 || slot >= g.running.slots {
		panic(fault.New(fault.Guest, "a timer of slot %d was used, the batch has %d", slot, g.running.slots))
	}
	if g.running.timerCalls++; g.running.timerCalls > maxTimerCalls {
		panic(fault.New(fault.Limit, "more than %d timers were set and deleted in one call", maxTimerCalls))
	}
	return s, slot, d, int64(stack[2])
}

func (g *guest) importTimerSet(stack []uint64) {
	s, slot, d, time := g.timer(stack)
	if err := s.SetTimer(slot, d, time); err != nil {
		panic(err)
	}
}

func (g *guest) importTimerDelete(stack []uint64) {
	s, slot, d, time := g.timer(stack)
	if err := s.DeleteTimer(slot, d, time); err != nil {
		panic(err)
	}
}

func (g *guest) importWatermark(stack []uint64) { stack[0] = uint64(g.timing().Watermark()) }

func (g *guest) importNow(stack []uint64) { stack[0] = uint64(g.timing().Now()) }
