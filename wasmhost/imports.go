package wasmhost

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/wasmhost/admit"
)

// hostModule is the name under which guests import the host's own functions.
const hostModule = "wasmill"

// Limits of what a guest hands to its imports, in bytes.
const (
	maxMetricName = 128
	maxStateValue = 1 << 20
)

// hostFunction is a function that guests may import. It is typed by hand: reflection costs more than the call.
type hostFunction struct {
	module, name    string
	params, results []api.ValueType
	// call finds the parameters on the stack and leaves the result there. It traps by a panic with a fault.
	call func(g *guest, stack []uint64)
}

// hostFunctions lists all that there is to import: docs/abi.md, "Imports", and what package admit adds to a module.
func hostFunctions() []hostFunction {
	own := func(name, params, results string, call func(*guest, []uint64)) hostFunction {
		return hostFunction{hostModule, name, types(params), types(results), call}
	}
	return append(wasiImports(), fuelImport(),
		own("log", "iii", "", (*guest).importLog),
		own("metric", "iif", "", (*guest).importMetric),
		own("deadline", "", "I", (*guest).importDeadline),
		own("state_get", "iiii", "I", (*guest).importStateGet),
		own("state_put", "iiii", "i", (*guest).importStatePut),
		own("state_delete", "ii", "i", (*guest).importStateDelete),
		own("list_add", "iiii", "i", (*guest).importListAdd),
		own("list_get", "iiii", "I", (*guest).importListGet),
		own("map_get", "iiiiii", "I", (*guest).importMapGet),
		own("map_put", "iiiiii", "i", (*guest).importMapPut),
		own("map_remove", "iiii", "i", (*guest).importMapRemove),
		own("map_next", "iiiiii", "I", (*guest).importMapNext),
		own("timer_set", "iiI", "", (*guest).importTimerSet),
		own("timer_delete", "iiI", "", (*guest).importTimerDelete),
		own("watermark", "", "I", (*guest).importWatermark),
		own("now", "", "I", (*guest).importNow),
		own("py_execute", "ii", "I", (*guest).importExecute),
		own("py_result", "ii", "I", (*guest).importResult),
		own("py_ask", "ii", "I", (*guest).importAsk),
		own("py_answer", "ii", "I", (*guest).importAnswer),
	)
}

// goFunction is the function as wazero calls it. A call of the host is charged.
func (f hostFunction) goFunction() api.GoModuleFunc {
	if f.module == admit.ImportModule {
		return func(ctx context.Context, _ api.Module, stack []uint64) { f.call(guestOf(ctx), stack) }
	}
	return func(ctx context.Context, _ api.Module, stack []uint64) {
		g := guestOf(ctx)
		g.charge(fuelCall)
		f.call(g, stack)
	}
}

// argument returns length bytes of guest memory at ptr, or traps.
func (g *guest) argument(what string, ptr, length uint64) []byte {
	b, ok := g.view(uint32(ptr), uint32(length))
	if !ok {
		panic(fault.New(fault.Guest, "%s of %d bytes at %#x lies outside of the memory of %d bytes",
			what, uint32(length), uint32(ptr), len(g.memory.Bytes())))
	}
	return b
}

func (g *guest) importLog(stack []uint64) {
	text := g.argument("the text of log", stack[1], stack[2])
	g.charge(fuelLine + fuelPrint*int64(min(len(text), maxLine)))
	g.log.line(int(int32(stack[0])), text)
}

func (g *guest) importMetric(stack []uint64) {
	name := g.argument("the name of metric", stack[0], stack[1])
	if len(name) == 0 || len(name) > maxMetricName {
		panic(fault.New(fault.Guest, "the name of metric has %d bytes, expected 1 to %d", len(name), maxMetricName))
	}
	g.charge(fuelLine)
	if g.options.Metric != nil {
		g.options.Metric(plain(string(name), false), api.DecodeF64(stack[2]))
	}
}

func (g *guest) importDeadline(stack []uint64) {
	stack[0] = uint64(g.remaining())
}

// keyed returns the state of the keyed function that is running, or traps.
func (g *guest) keyed() udf.State {
	if g.running == nil || g.running.state == nil {
		panic(fault.New(fault.Guest, "state was used outside of a call of a keyed function"))
	}
	return g.running.state
}

// address checks the index and the slot that a state call names, or traps.
func (g *guest) address(stack []uint64) (state udf.State, index, slot int32) {
	state = g.keyed()
	index, slot = int32(stack[0]), int32(stack[1])
	if n := len(g.running.signature.State); index < 0 || int(index) >= n {
		panic(fault.New(fault.Guest, "state %d was used, the function declares %d", index, n))
	}
	if slot < 0 || slot >= g.running.slots {
		panic(fault.New(fault.Guest, "the state of slot %d was used, the batch has %d", slot, g.running.slots))
	}
	return state, index, slot
}

func (g *guest) importStateGet(stack []uint64) {
	values, index, slot := g.address(stack)
	g.ofKind(index, state.KindValue)
	value, ok, err := values.Get(index, slot)
	if err != nil {
		panic(err)
	}
	stack[0] = g.give("the buffer of state_get", value, ok, stack[2], stack[3])
}

func (g *guest) importStatePut(stack []uint64) {
	values, index, slot := g.address(stack)
	g.ofKind(index, state.KindValue)
	value := g.argument("the value of state_put", stack[2], stack[3])
	if len(value) > maxStateValue {
		stack[0] = 1
		return
	}
	g.writes(len(value))
	if err := values.Put(index, slot, value); err != nil {
		panic(err)
	}
	stack[0] = 0
}

func (g *guest) importStateDelete(stack []uint64) {
	state, index, slot := g.address(stack)
	if err := state.Delete(index, slot); err != nil {
		panic(err)
	}
	stack[0] = 0
}
