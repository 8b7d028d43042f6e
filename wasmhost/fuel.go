package wasmhost

import (
	"math"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/admit"
)

// Fuel for what the host does on a guest's behalf, in the units of package admit: about a nanosecond each. A guest pays by
// what it asks for, never by the time it took, so that fuel stays exact.
const (
	fuelCall  = 200    // any import
	fuelLine  = 500    // a line of the log, or a metric
	fuelPrint = 4      // a byte printed or logged
	fuelChunk = 1_000  // the part of a list that a value is added to
	fuelPage  = 20_000 // a part of a map that is looked for
	fuelBytes = 16     // bytes of state that a unit moves
)

// A slice of fuel is meant to last sliceTime, so that the deadline is seen and the garbage collector gets in: it begins
// small, since fuel says little about the time of code that misses the cache, and follows what slices take.
const (
	firstSlice = 100_000
	leastSlice = 10_000
	sliceTime  = 2 * time.Millisecond
)

// unlimited is the budget of a call without one.
const unlimited = math.MaxInt64 / 4

func budget(fuel uint64) int64 {
	if fuel == 0 || fuel > unlimited {
		return unlimited
	}
	return int64(fuel)
}

// fuelImport is the function that instrumented modules call when their slice is spent.
func fuelImport() hostFunction {
	return hostFunction{admit.ImportModule, admit.ImportName, types("I"), types("I"), func(g *guest, stack []uint64) {
		stack[0] = uint64(g.refill(int64(stack[0])))
	}}
}

// refill grants the guest its next slice, or traps when its time, its context or its budget has ended.
func (g *guest) refill(left int64) int64 {
	now := time.Now()
	g.checkTimeAt(now)
	took := now.Sub(g.refilled)
	g.refilled = now
	switch {
	case took > sliceTime:
		g.meter.Slice = max(leastSlice, int64(float64(g.meter.Slice)*float64(sliceTime)/float64(took)))
	case took < sliceTime/4:
		g.meter.Slice = min(2*g.meter.Slice, admit.DefaultSlice)
	}
	fuel, ok := g.meter.Refill(left)
	if !ok {
		g.overspent()
		fuel, _ = g.meter.Refill(left)
	}
	return fuel
}

// clockEvery is the fuel charged between two looks at the clock. A look costs as much as a small host function does.
const clockEvery = 50 * fuelCall

// charge takes fuel for a host function, or traps when the budget is spent, or the time, which it looks at now and then:
// what a slice does not tell, for the guest keeps its slice however much the host does for it.
func (g *guest) charge(fuel int64) {
	if !g.meter.Charge(fuel) {
		g.overspent()
	}
	if g.unclocked += fuel; g.unclocked >= clockEvery {
		g.unclocked = 0
		g.checkTime()
	}
}

// overspent gives a guest that can be interrupted fuel of grace, a tenth of its budget and enough for the least time of grace; or it traps.
func (g *guest) overspent() {
	if !g.interrupted(g.spent()) {
		panic(g.spent())
	}
	grace := max(int64(leastGrace), budget(g.options.Fuel)/10)
	g.clock.fuel += grace
	g.meter.Extend(grace)
}

func (g *guest) spent() *fault.Fault {
	return fault.New(fault.Limit, "the guest was stopped after %d units of fuel: its budget for one call is spent", g.options.Fuel).
		WithHint("raise its budget of fuel, or give the function less to do")
}
