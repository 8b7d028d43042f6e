package sdk_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/udf"
)

// TestSteps: results beyond 65,536 rows or 64 MiB come in steps, whose order, origins and torn rows are right.
func TestSteps(t *testing.T) {
	cases := []struct {
		name, function, in string
		steps              int // at least
	}{
		{"one row in several steps", "fan", `{"rows": 200000, "bytes": 3}`, 4},
		{"many rows", "fan", `{"rows": 40000, "bytes": 0}, {"rows": 0, "bytes": 0}, {"rows": 60000, "bytes": 1}, {"rows": 65535, "bytes": 0}`, 3},
		{"much text", "fan", `{"rows": 50, "bytes": 1000000}, {"rows": 30, "bytes": 1000000}`, 3},
		{"much text, one to one", "pad", repeat(`{"rows": 1, "bytes": 1000000}`, 80), 3},
	}
	eachSDK(t, func(t *testing.T, g *guest) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				in := rows(t, g.signatures[c.function].In, c.in)
				f := g.bind(c.function, nil, nil)
				var want []string // row by row: its origin, its number, its length
				for i := range int(in.NumRows()) {
					n := in.Column(0).(*array.Int64).Value(i)
					for k := range n {
						want = append(want, fmt.Sprint(i, k, in.Column(1).(*array.Int64).Value(i)))
					}
				}
				steps, at, torn := 0, 0, false
				err := f.Call(t.Context(), in, nil, func(r udf.Result) error {
					steps++
					if size := r.Record.NumRows(); size == 0 || size > 65536 {
						t.Errorf("step %d has %d rows", steps, size)
					}
					for row := range int(r.Record.NumRows()) {
						origin := at
						if r.Origins != nil {
							origin = int(r.Origins[row])
						}
						got := fmt.Sprint(origin, r.Record.Column(0).(*array.Int64).Value(row), len(r.Record.Column(1).(*array.String).Value(row)))
						if at >= len(want) || got != want[at] {
							return fmt.Errorf("row %d: got %s", at, got)
						}
						at++
					}
					torn = at < len(want) && c.function == "fan" && origin(want[at]) == origin(want[at-1])
					if r.Partial != torn {
						t.Errorf("step %d: expected partial %v, got %v", steps, torn, r.Partial)
					}
					return nil
				})
				if err != nil || at != len(want) || steps < c.steps {
					t.Errorf("expected %d rows in at least %d steps, got %d in %d, %v", len(want), c.steps, at, steps, err)
				}
			})
		}
	})
}

func origin(row string) (o int) {
	fmt.Sscan(row, &o)
	return o
}

func repeat(row string, n int) string {
	all := row
	for range n - 1 {
		all += ", " + row
	}
	return all
}

// TestAbandonedSteps: a host that gives up in the middle of a result can call again.
func TestAbandonedSteps(t *testing.T) {
	eachSDK(t, func(t *testing.T, g *guest) {
		f := g.bind("fan", nil, nil)
		in := rows(t, g.signatures["fan"].In, `{"rows": 200000, "bytes": 3}`)
		stop := fmt.Errorf("enough")
		for range 20 {
			if err := f.Call(t.Context(), in, nil, func(udf.Result) error { return stop }); err != stop {
				t.Fatalf("expected the error of yield, got %v", err)
			}
		}
		total := int64(0)
		err := f.Call(t.Context(), in, nil, func(r udf.Result) error {
			total += r.Record.NumRows()
			return nil
		})
		if err != nil || total != 200000 {
			t.Errorf("expected 200000 rows, got %d, %v", total, err)
		}
	})
}

// TestSteadyMemory: once batches have settled in size, a guest's memory does not grow.
func TestSteadyMemory(t *testing.T) {
	eachSDK(t, func(t *testing.T, g *guest) {
		fan, pad := g.bind("fan", nil, nil), g.bind("pad", nil, nil)
		in := rows(t, g.signatures["fan"].In, repeat(`{"rows": 20, "bytes": 50}`, 1000))
		run := func(times int) {
			for range times {
				for _, f := range []udf.Function{fan, pad} {
					if err := f.Call(t.Context(), in, nil, func(udf.Result) error { return nil }); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		run(50)
		before := g.Stats().MemoryBytes
		run(150)
		if after := g.Stats().MemoryBytes; after != before {
			t.Errorf("memory grew from %d to %d bytes", before, after)
		}
	})
}
