package admit

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// guest is an instance of a module in a runtime of its own, instrumented and with a meter unless it is plain.
type guest struct {
	api.Module
	meter Meter
	info  Info
	calls int // of the host
}

// newGuest instruments a module and makes an instance of it, which ends with the test.
func newGuest(t testing.TB, wasm []byte, p Policy, slice int64) *guest {
	t.Helper()
	out, info, err := Instrument(wasm, p)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{meter: Meter{Slice: slice}, info: info}
	g.start(t, out)
	return g
}

// plainGuest makes an instance of a module as it is.
func plainGuest(t testing.TB, wasm []byte) *guest {
	t.Helper()
	g := &guest{}
	g.start(t, wasm)
	return g
}

func (g *guest) start(t testing.TB, wasm []byte) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { r.Close(ctx) })
	host(t, r, func(left int64) int64 {
		g.calls++
		fuel, ok := g.meter.Refill(left)
		if !ok {
			panic(errStop)
		}
		return fuel
	})
	wasi(t, r)
	g.meter.Start(1 << 62)
	g.meter.granted = 0 // a fresh instance has no fuel
	m, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	g.Module = m
}

func (g *guest) fuel() api.MutableGlobal { return g.ExportedGlobal(FuelGlobal).(api.MutableGlobal) }

// call calls an export; metered charges it to a budget and returns what it spent.
func (g *guest) call(name string, args ...uint64) ([]uint64, error) {
	return g.ExportedFunction(name).Call(context.Background(), args...)
}

func (g *guest) metered(budget int64, name string, args ...uint64) (results []uint64, spent int64, err error) {
	g.fuel().Set(g.meter.Start(budget))
	results, err = g.call(name, args...)
	return results, g.meter.Stop(g.fuel().Get()), err
}
