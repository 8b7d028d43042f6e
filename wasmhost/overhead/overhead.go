// Package overhead measures what fuel costs: the time of code as package admit rewrites it over its time as it was.
package overhead

import (
	"context"
	"math"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/wasmhost/admit"
)

// Kernel is an exported function of type (i32) -> i32 that does so many rounds of something.
type Kernel struct {
	Name   string
	Rounds uint64
}

// Cost is the least time of a kernel as it is and with fuel.
type Cost struct {
	Kernel
	Plain, Metered time.Duration
}

// Ratio is how many times as long it takes with fuel.
func (c Cost) Ratio() float64 { return float64(c.Metered) / float64(c.Plain) }

// Mean returns the geometric mean of the ratios.
func Mean(costs []Cost) float64 {
	sum := 0.0
	for _, c := range costs {
		sum += math.Log(c.Ratio())
	}
	return math.Exp(sum / float64(len(costs)))
}

// Measure runs each kernel in so many rounds, in each round plain and metered one behind the other. Prepare is an export that is
// called once before. The module is trusted: it runs without limits.
func Measure(ctx context.Context, wasm []byte, prepare string, kernels []Kernel, rounds int) ([]Cost, error) {
	metered, _, err := admit.Instrument(wasm, admit.Default())
	if err != nil {
		return nil, err
	}
	var runs [2]api.Module
	for i, code := range [][]byte{wasm, metered} {
		r := wazero.NewRuntime(ctx)
		defer r.Close(ctx)
		if runs[i], err = instantiate(ctx, r, code); err != nil {
			return nil, err
		}
		if _, err := runs[i].ExportedFunction(prepare).Call(ctx, 0); err != nil {
			return nil, err
		}
	}
	costs := make([]Cost, len(kernels))
	for i, k := range kernels {
		least := [2]time.Duration{math.MaxInt64, math.MaxInt64}
		for range rounds {
			for v, m := range runs {
				start := time.Now()
				if _, err := m.ExportedFunction(k.Name).Call(ctx, k.Rounds); err != nil {
					return nil, err
				}
				least[v] = min(least[v], time.Since(start))
			}
		}
		costs[i] = Cost{k, least[0], least[1]}
	}
	return costs, ctx.Err()
}

func instantiate(ctx context.Context, r wazero.Runtime, wasm []byte) (api.Module, error) {
	if err := provideFuel(ctx, r); err != nil {
		return nil, err
	}
	return r.Instantiate(ctx, wasm)
}

// provideFuel gives as much fuel as is asked for.
func provideFuel(ctx context.Context, r wazero.Runtime) error {
	refill := api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) { stack[0] = admit.DefaultSlice })
	_, err := r.NewHostModuleBuilder(admit.ImportModule).NewFunctionBuilder().
		WithGoModuleFunction(refill, []api.ValueType{api.ValueTypeI64}, []api.ValueType{api.ValueTypeI64}).Export(admit.ImportName).Instantiate(ctx)
	return err
}
