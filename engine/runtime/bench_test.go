package runtime_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/udf"
)

// BenchmarkJob runs a whole job, a sum per key in Go, over messages in memory, in one task and with an exchange to two.
// With full batches it is bounded by the sum, which parses and prints numbers; with one row each by what a batch costs: the
// source, key_by, the call, the sink.
func BenchmarkJob(b *testing.B) {
	const rows = 100_000
	for _, c := range []struct{ width, batch int }{{0, 0}, {0, 10}, {0, 1}, {2, 0}, {2, 1}} {
		b.Run(fmt.Sprintf("exchange=%d/rows=%d", c.width, c.batch), func(b *testing.B) {
			b.ReportAllocs()
			w := newWorld(1, rows)
			for s := range w.inputs {
				for i := range w.inputs[s] {
					w.inputs[s][i] = fmt.Sprint(i % 1000)
				}
			}
			w.rows = c.batch
			r := keyedPlan(w, c.width)
			r.Plan.Epoch = plan.Duration(time.Second)
			for b.Loop() {
				w.written = w.written[:0]
				job := runtime.New(runtime.Options{Plan: r, OpenStore: inMemory(), Bundle: func(string) (udf.Bundle, error) { return adder{}, nil }})
				if err := job.Run(b.Context()); err != nil {
					b.Fatal(err)
				}
				if len(w.written) != rows {
					b.Fatalf("%d rows were written of %d", len(w.written), rows)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
