package conformance_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
)

const benchRows = 1024

// pairs makes two columns of numbers whose greatest common divisors are looked for.
func pairs(alloc memory.Allocator, rows int) arrow.Record {
	s := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "b", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewRecordBuilder(alloc, s)
	defer b.Release()
	b.Reserve(rows)
	r := rand.New(rand.NewPCG(1, 2))
	for range rows {
		b.Field(0).(*array.Int64Builder).Append(r.Int64N(1 << 32))
		b.Field(1).(*array.Int64Builder).Append(r.Int64N(1 << 32))
	}
	return b.NewRecord()
}

func bindPairs(b *testing.B, name string, rows int) (udf.Guest, udf.Function, arrow.Record) {
	b.Helper()
	bundle, err := load(b, newHost(b, wasmhost.Options{}), "reference.c")
	if err != nil {
		b.Fatal(err)
	}
	g, err := bundle.Instantiate(b.Context(), udf.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { g.Close(b.Context()) })
	if err := g.Arena().Reserve(64 << 10); err != nil {
		b.Fatal(err)
	}
	rec := pairs(g.Arena(), rows)
	f, err := g.Bind(b.Context(), name, udf.Find(bundle.Functions(), name, "").Kind, rec.Schema(), nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	return g, f, rec
}

func callAll(b *testing.B, g udf.Guest, f udf.Function, rec arrow.Record) {
	b.Helper()
	rows := rec.NumRows()
	b.ReportAllocs()
	for b.Loop() {
		err := f.Call(b.Context(), rec, nil, func(r udf.Result) error {
			if r.Record.NumRows() != rows {
				return fmt.Errorf("%d rows", r.Record.NumRows())
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if copied := g.Stats().CopiedBytes; copied != 0 {
		b.Fatalf("%d bytes were copied", copied)
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkGCD is the published case of arrow-udf: gcd of two int64 columns over 1,024 rows. It is bounded by the division of
// the machine; what the boundary adds is in [BenchmarkBoundary].
func BenchmarkGCD(b *testing.B) {
	b.Run("go", func(b *testing.B) {
		rec := pairs(memory.DefaultAllocator, benchRows)
		x, y := rec.Column(0).(*array.Int64).Int64Values(), rec.Column(1).(*array.Int64).Int64Values()
		out := make([]int64, benchRows)
		for b.Loop() {
			for i := range out {
				a, c := x[i], y[i]
				for c != 0 {
					a, c = c, a%c
				}
				out[i] = a
			}
		}
		b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("wasm", func(b *testing.B) {
		g, f, rec := bindPairs(b, "gcd", benchRows)
		callAll(b, g, f, rec)
	})
}

// BenchmarkBoundary calls a function that hands its columns back: what is left is the host's side, and what a guest needs
// to write and free three structures.
func BenchmarkBoundary(b *testing.B) {
	for _, rows := range []int{1, benchRows} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			g, f, rec := bindPairs(b, "echo", rows)
			callAll(b, g, f, rec)
		})
	}
}

// BenchmarkInstantiate starts a guest of a compiled module and closes it: bounded by the kernel's mmap and page faults.
func BenchmarkInstantiate(b *testing.B) {
	bundle, err := load(b, newHost(b, wasmhost.Options{}), "reference.c")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		g, err := bundle.Instantiate(b.Context(), udf.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := g.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeadline stops guests that would go on for ever after 50 ms, and reports how much later than that their calls return: the
// median and the longest, in ms. It is bounded by what a slice of fuel takes, and by the machine's other work.
func BenchmarkDeadline(b *testing.B) {
	bundle, err := load(b, newHost(b, wasmhost.Options{}), "hostile.c")
	if err != nil {
		b.Fatal(err)
	}
	const limit = 50 * time.Millisecond
	for _, name := range []string{"spin", "calls", "nap", "random_large", "print_lines", "log_forever", "poll_forever", "state_forever"} {
		b.Run(name, func(b *testing.B) {
			var late []time.Duration
			for b.Loop() {
				b.StopTimer()
				g, f, rec, slots := hostileCall(b, bundle, name, limit)
				b.StartTimer()
				start := time.Now()
				if err := f.Call(b.Context(), rec, slots, func(udf.Result) error { return nil }); fault.CodeOf(err) != fault.Limit {
					b.Fatalf("got %v", err)
				}
				late = append(late, time.Since(start)-limit)
				b.StopTimer()
				rec.Release()
				g.Close(b.Context())
				b.StartTimer()
			}
			slices.Sort(late)
			b.ReportMetric(float64(late[len(late)/2].Microseconds())/1000, "ms-late")
			b.ReportMetric(float64(late[len(late)-1].Microseconds())/1000, "ms-late-max")
		})
	}
}

func hostileCall(b *testing.B, bundle udf.Bundle, name string, limit time.Duration) (udf.Guest, udf.Function, arrow.Record, []int32) {
	b.Helper()
	g, err := bundle.Instantiate(b.Context(), udf.Options{CallTimeout: limit})
	if err != nil {
		b.Fatal(err)
	}
	var in *arrow.Schema
	var slots []int32
	for _, s := range bundle.Functions() {
		if s.Name == name {
			in = s.In
			if s.Kind == udf.KeyedMap {
				slots = []int32{0, 1, 0}
			}
		}
	}
	rec := record(b, memory.DefaultAllocator, in)
	f, err := g.Bind(b.Context(), name, udf.Find(bundle.Functions(), name, "").Kind, in, nil, noState{})
	if err != nil {
		b.Fatal(err)
	}
	return g, f, rec, slots
}
