package wasmhost

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

// What wasmill_open, wasmill_call and wasmill_next return.
const (
	statusOK    = 0
	statusMore  = 1
	statusError = 2
)

// resultSize is the size of the structure that a guest fills, in bytes.
const resultSize = 32

// function is a function bound to a guest.
type function struct {
	guest     *guest
	index     uint32
	signature *udf.Signature
	in, out   *arrow.Schema
	state     udf.State // nil but for a keyed function
	where     string
	exporter  *arrowabi.Exporter
	importer  *arrowabi.Importer
	result    uint32       // address of the structure that the guest fills
	empty     arrow.Record // a step without rows
	sides     []side       // outputs beside the results, of a process
	identity  []int32      // the origins that the guest left out

	busy       bool
	slots      int32   // of the call under way
	times      []int64 // as slots, of a process; nil: none
	timerCalls int     // as slots
	written    int     // as slots: bytes of state
}

var _ udf.Function = (*function)(nil)

// Out implements [udf.Function].
func (f *function) Out() *arrow.Schema { return f.out }

// Recheck implements [udf.Function].
func (f *function) Recheck(rec arrow.Record) error {
	return arrowabi.Recheck(f.guest.arena, rec, f.where)
}

// Call implements [udf.Function]. What the guest is to blame for is a *[udf.CallError]; a record that is not of the bound
// schema, an ended context and a state that fails are plain faults.
func (f *function) Call(ctx context.Context, in arrow.Record, slots []int32, yield func(udf.Result) error) error {
	return f.within(ctx, f.exporter, in, func() error { return f.accepts(in, slots) }, func() error { return f.steps(ctx, in, slots, yield) })
}

// within runs a call whose input an exporter hands over, if it is accepted, and counts it.
func (f *function) within(ctx context.Context, exporter *arrowabi.Exporter, in arrow.Record, accepts, run func() error) error {
	if f.busy {
		return fault.New(fault.Internal, "a function was called from within its own result").At("%s", f.where)
	}
	g := f.guest
	if g.broken != nil {
		return g.gone().At("%s", f.where)
	}
	if err := accepts(); err != nil {
		return err
	}
	leave := g.account(ctx, f)
	before := exporter.CopiedBytes() + f.importer.CopiedBytes()
	err := run()
	exporter.Release()
	leave()
	g.stats.Calls++
	g.stats.Rows += uint64(in.NumRows())
	g.stats.CopiedBytes += exporter.CopiedBytes() + f.importer.CopiedBytes() - before
	return err
}

// account starts the clock, the budget and the context of a call of f, or of opening a function when f is nil, and what it returns goes back to those of the call around it, if any.
func (g *guest) account(ctx context.Context, f *function) (leave func()) {
	outerContext, outerClock, outerRunning := g.entry.Context, g.clock, g.running
	if !outerClock.counts {
		g.log.renew()
	}
	g.clock = clock{limit: g.options.CallTimeout, left: g.options.CallTimeout, fuel: budget(g.options.Fuel), counts: true}
	if f == nil {
		g.clock = g.starting(true)
	}
	g.entry.Context, g.running = ctx, f
	if f != nil {
		f.busy = true
	}
	return func() {
		if !outerClock.counts {
			g.log.settle(false)
		}
		g.entry.Context, g.clock, g.running = outerContext, outerClock, outerRunning
		if f != nil {
			f.busy, f.slots, f.timerCalls, f.written = false, 0, 0, 0
		}
	}
}

// accepts checks what the engine passes.
func (f *function) accepts(in arrow.Record, slots []int32) error {
	if in.Schema() != f.in && !sameTypes(in.Schema(), f.in) {
		return fault.New(fault.Internal, "a function bound to (%s) was called with (%s)", f.in, in.Schema()).At("%s", f.where)
	}
	f.slots = 0
	if !f.signature.Kind.Keyed() {
		if slots != nil {
			return fault.New(fault.Internal, "slots were passed to a %s", f.signature.Kind).At("%s", f.where)
		}
		return nil
	}
	return f.number(slots, in.NumRows())
}

// number checks and counts the slots of a call.
func (f *function) number(slots []int32, rows int64) error {
	f.slots = 0
	if int64(len(slots)) != rows {
		return fault.New(fault.Internal, "%d slots were passed for %d rows", len(slots), rows).At("%s", f.where)
	}
	for _, s := range slots {
		if s < 0 || s > f.slots { // numbered in the order of first occurrence
			return fault.New(fault.Internal, "slot %d was passed where %d were known", s, f.slots).At("%s", f.where)
		}
		f.slots = max(f.slots, s+1)
	}
	return nil
}

func sameTypes(a, b *arrow.Schema) bool {
	if len(a.Fields()) != len(b.Fields()) {
		return false
	}
	for i, f := range a.Fields() {
		if !arrow.TypeEqual(f.Type, b.Field(i).Type) {
			return false
		}
	}
	return true
}

// steps runs the call: in goes in, and each step comes out, is checked, consumed and released.
func (f *function) steps(ctx context.Context, in arrow.Record, slots []int32, yield func(udf.Result) error) error {
	if err := f.nulls(in); err != nil {
		return err
	}
	if slots == nil && f.signature.Kind.Keyed() {
		slots = []int32{}
	}
	if f.signature.Kind == udf.Process {
		in = f.timed(in)
		defer in.Release()
	}
	array, err := f.exporter.Export(in, slots)
	if err != nil {
		return f.blame(-1, err)
	}
	return f.results(ctx, exportCall, &f.guest.call, array, int(in.NumRows()), yield)
}

// results enters the guest with an input of that many rows at an address, and takes the steps of the result.
func (f *function) results(ctx context.Context, export string, entry *api.Function, array uint32, inputs int, yield func(udf.Result) error) error {
	g := f.guest
	if err := f.clearResult(); err != nil {
		return f.blame(-1, err)
	}
	p := progress{function: f, inputs: inputs, importer: f.importer, empty: f.empty}
	status, err := g.enter(ctx, export, g.kept(entry, export), uint64(f.index), uint64(array), uint64(f.result))
	for err == nil {
		var r stepResult
		if r, err = f.readResult(); err != nil {
			break
		}
		switch uint32(status) {
		case statusOK, statusMore:
		case statusError:
			return f.failed(ctx, r, p.inputs)
		default:
			return f.blame(-1, g.breaks("expected status OK, MORE or ERROR, got %d", int32(status)))
		}
		last := uint32(status) == statusOK
		if err := p.consume(r, last, yield); err != nil {
			return f.give(ctx, r, err)
		}
		if err = f.give(ctx, r, nil); err != nil || last {
			return err
		}
		if err := f.clearResult(); err != nil {
			return f.blame(-1, err)
		}
		status, err = g.enter(ctx, exportNext, g.kept(&g.next, exportNext), uint64(f.index), uint64(f.result))
	}
	return f.blame(g.stoppedAt(inputs), err)
}

// give releases a step's array. Cause is what already went wrong, and is returned before what the release adds.
func (f *function) give(ctx context.Context, r stepResult, cause error) error {
	g := f.guest
	if r.array != 0 && g.broken == nil && ctx.Err() == nil {
		if _, err := g.enter(ctx, exportRelease, g.kept(&g.release, exportRelease), uint64(r.array)); err != nil && cause == nil {
			return f.blame(-1, err)
		}
	}
	if cause == nil && g.broken != nil {
		return f.blame(-1, g.broken)
	}
	return cause
}

// failed makes the error of a call that returned ERROR.
func (f *function) failed(ctx context.Context, r stepResult, inputs int) error {
	row := int(r.row)
	if row < -1 || row >= inputs {
		return f.blame(-1, f.guest.breaks("the failed row is %d, the batch has %d", row, inputs))
	}
	why := f.guest.failure(ctx)
	f.guest.leaveRoom(f.where)
	return f.blame(row, why)
}

// blame makes a [udf.CallError] of what a row or the guest did, and leaves alone what neither can help.
func (f *function) blame(row int, err error) error {
	at := f.placed(err)
	switch at.Code {
	case fault.Internal, fault.State, fault.Schema:
		return at
	}
	return &udf.CallError{Row: row, Err: at}
}

// placed puts the function into a fault's position, unless whoever made the fault did.
func (f *function) placed(err error) *fault.Fault {
	at := fault.From(err)
	if strings.HasPrefix(at.Where, f.where) {
		return at
	}
	return at.In("%s", f.where)
}

// nulls finds the first row with a null where the function declares that there are none.
func (f *function) nulls(in arrow.Record) error {
	if f.signature.In == nil {
		return nil
	}
	for i, c := range f.signature.In.Fields() {
		column := in.Column(i)
		if c.Nullable || column.NullN() == 0 {
			continue
		}
		for row := range column.Len() {
			if column.IsNull(row) {
				return f.blame(row, fault.New(fault.Guest, "the function takes no nulls here, and the row has one").At("column %s", c.Name))
			}
		}
	}
	return nil
}

// stepResult is the structure that the guest fills, copied out.
type stepResult struct {
	array, origins uint32
	row            int32
	partial, side  uint32
}

// clearResult prepares the structure for an entry: zeros, and no failed row.
func (f *function) clearResult() error {
	b, ok := f.guest.view(f.result, resultSize)
	if !ok {
		return fault.New(fault.Internal, "the result lies outside of the memory")
	}
	clear(b)
	binary.LittleEndian.PutUint32(b[8:], ^uint32(0))
	return nil
}

func (f *function) readResult() (stepResult, error) {
	b, ok := f.guest.view(f.result, resultSize)
	if !ok {
		return stepResult{}, fault.New(fault.Internal, "the result lies outside of the memory")
	}
	r := stepResult{
		array: binary.LittleEndian.Uint32(b), origins: binary.LittleEndian.Uint32(b[4:]), row: int32(binary.LittleEndian.Uint32(b[8:])),
		partial: binary.LittleEndian.Uint32(b[20:]), side: binary.LittleEndian.Uint32(b[24:]),
	}
	for at := 12; at < resultSize; at += 4 {
		if at != 20 && at != 24 && binary.LittleEndian.Uint32(b[at:]) != 0 {
			return stepResult{}, f.guest.breaks("reserved bytes of the result are not 0")
		}
	}
	return r, nil
}
