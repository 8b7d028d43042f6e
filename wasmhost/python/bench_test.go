package python_test

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/python"
)

const hello = "def map(event):\n    event['n'] += 1\n    return event\n"

// BenchmarkStart measures what a new guest costs: to make it, to its first result, and to its end. A new clone is bound by mapping its
// memory, by wazero's instance with its table, and by the pages that it touches first.
func BenchmarkStart(b *testing.B) {
	bundle := openFile(b, newRuntime(b, python.Options{}), upload(b, "user.py", hello))
	for _, again := range []bool{false, true} {
		name := map[bool]string{false: "new", true: "again"}[again]
		b.Run(name, func(b *testing.B) {
			var made, first []float64
			for i := 0; b.Loop(); i++ {
				o := udf.Options{}
				if !again {
					o.MaxMemory = uint64(100+i%100) << 20 // no instance that waits fits
				}
				start := time.Now()
				g, err := bundle.Instantiate(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				made = append(made, float64(time.Since(start).Microseconds()))
				f, err := g.Bind(b.Context(), "map", udf.Map, schema.Document(), nil, nil)
				if err != nil {
					b.Fatal(err)
				}
				answer(b, g, f, `{"n": 1}`, 1)
				first = append(first, float64(time.Since(start).Microseconds()))
				if err := g.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(made)
			slices.Sort(first)
			b.ReportMetric(made[len(made)/2], "µs-made")
			b.ReportMetric(first[len(first)/2], "µs-first")
		})
	}
}

// BenchmarkWarmStart measures a process's way from nothing but warm caches to the first result.
func BenchmarkWarmStart(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		r := newRuntime(b, python.Options{CacheDir: dir})
		ask(b, openFile(b, r, upload(b, "user.py", hello)), `{"n": 1}`, udf.Options{})
	}
}

// BenchmarkThousandClones measures what 1,000 guests of one image take while all are there, each after a batch of 64 rows.
func BenchmarkThousandClones(b *testing.B) {
	const clones = 1000
	bundle := openFile(b, newRuntime(b, python.Options{}), upload(b, "user.py", hello))
	for b.Loop() {
		before := memoryInUse(b)
		guests := make([]udf.Guest, clones)
		for i := range guests {
			g, err := bundle.Instantiate(b.Context(), udf.Options{})
			if err != nil {
				b.Fatal(err)
			}
			f, err := g.Bind(b.Context(), "map", udf.Map, schema.Document(), nil, nil)
			if err != nil {
				b.Fatal(err)
			}
			answer(b, g, f, `{"n": 1}`, 64)
			guests[i] = g
		}
		b.ReportMetric(float64(memoryInUse(b)-before)/clones, "KiB/guest")
		for _, g := range guests {
			g.Close(context.Background())
		}
	}
}

// memoryInUse returns the process's share of the memory that it uses, in KiB, as Linux counts it; elsewhere what Go uses.
func memoryInUse(b *testing.B) int {
	runtime.GC()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.Sys >> 10)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); f[0] == "Pss:" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatal("no Pss")
	return 0
}
