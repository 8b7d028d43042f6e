package admit

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/wasmill/wasmill/internal/cbuild"
)

var kernelFlags = append([]string{"-mbulk-memory"}, cbuild.Freestanding...)

// kernels and how often each runs in a measurement of a few milliseconds.
var kernels = []struct {
	name string
	n    uint64
}{
	{"recurrence", 3_000_000}, {"sum", 150}, {"checksum", 25}, {"chacha", 12_000}, {"matrix", 15}, {"heapsort", 8},
	{"recursion", 150}, {"indirect", 800_000}, {"interpreter", 60_000}, {"parse", 60}, {"fills", 150_000},
	{"copies", 150_000}, {"strlen_", 150}, {"divisions", 60_000},
}

// BenchmarkKernels measures what fuel costs: the time of an instrumented kernel over the same kernel as it is, as the
// ratio of the least times of interleaved runs. The metric "x" is that ratio, "geomean-x" the geometric mean of all.
// Bounded by a load, a subtraction, a store and a test of a global at every back edge and
// function entry, which shows in loops of a few instructions and in small functions.
func BenchmarkKernels(b *testing.B) {
	wasm := buildC(b, "kernels.c", kernelFlags...)
	plain, metered := plainGuest(b, wasm), newGuest(b, wasm, Default(), 0)
	for _, g := range []*guest{plain, metered} {
		if g.meter.Slice == 0 && g.info.Rule != 0 {
			g.fuel().Set(g.meter.Start(math.MaxInt64))
		}
		if _, err := g.call("prepare", 0); err != nil {
			b.Fatal(err)
		}
	}
	logs := 0.0
	for _, k := range kernels {
		ratio := 0.0
		b.Run(k.name, func(b *testing.B) {
			least := [2]time.Duration{math.MaxInt64, math.MaxInt64}
			for b.Loop() {
				for i, g := range []*guest{plain, metered} {
					start := time.Now()
					if _, err := g.call(k.name, k.n); err != nil {
						b.Fatal(err)
					}
					least[i] = min(least[i], time.Since(start))
				}
			}
			ratio = float64(least[1]) / float64(least[0])
			b.ReportMetric(ratio, "x")
			b.ReportMetric(float64(least[0].Microseconds()), "plain-us")
		})
		logs += math.Log(ratio)
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(math.Exp(logs/float64(len(kernels))), "geomean-x")
	})
}

// BenchmarkInstrument measures the rewriter on a module in standard Go, in bytes of input. Bounded by decoding the
// code five times: validation, calls, costs of free functions, costs, output.
func BenchmarkInstrument(b *testing.B) {
	wasm := buildGo(b, "testdata/goguest")
	policy := wasiPolicy()
	b.SetBytes(int64(len(wasm)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Instrument(wasm, policy); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValidate measures admission alone.
func BenchmarkValidate(b *testing.B) {
	wasm := buildGo(b, "testdata/goguest")
	policy := wasiPolicy()
	b.SetBytes(int64(len(wasm)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Validate(wasm, policy); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile measures what wazero takes to compile an instrumented module, for comparison.
func BenchmarkCompile(b *testing.B) {
	wasm := buildGo(b, "testdata/goguest")
	out, _, err := Instrument(wasm, wasiPolicy())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		wasm []byte
	}{{"plain", wasm}, {"instrumented", out}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				ctx := context.Background()
				r := wazero.NewRuntime(ctx)
				if _, err := r.CompileModule(ctx, c.wasm); err != nil {
					b.Fatal(err)
				}
				r.Close(ctx)
			}
		})
	}
}
