// Package conformance is the kit that shows whether a guest, in whatever language, keeps the ABI of docs/abi.md. A guest
// under test offers the functions that docs/conformance.md describes; vectors say what goes in and what must come out.
package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/wasmill/wasmill/engine/udf"
)

// Result is the outcome of one vector in one layout.
type Result struct {
	// Vector names the vector: "dup/nulls".
	Vector string
	// Layout says how the input lay: "plain" in Go memory, "guest" in the guest's own, "sliced" there with rows in front
	// of it and behind it.
	Layout string
	// Err is nil when the guest did what the vector says, else says what it did instead.
	Err error
}

// layouts of inputs, see [Result.Layout].
var layouts = []string{"plain", "guest", "sliced"}

// Check runs every vector in every layout against a bundle, each in a guest of its own. The error is about the kit or a
// guest that does not start.
func Check(ctx context.Context, b udf.Bundle) ([]Result, error) {
	vectors, err := Vectors()
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, v := range vectors {
		if v.Optional && udf.Find(b.Functions(), v.Function, "") == nil {
			continue
		}
		for _, layout := range layouts {
			var last string
			g, err := b.Instantiate(ctx, udf.Options{Fuel: v.Fuel, Log: func(_ int, line string) { last = line }})
			if err != nil {
				return nil, err
			}
			r := Result{Vector: v.Name, Layout: layout, Err: v.run(ctx, b.Functions(), g, layout)}
			last = ""
			err = g.Close(ctx)
			switch {
			case v.Closing == "" && err != nil:
				return nil, err
			case r.Err == nil && last != v.Closing:
				r.Err = fmt.Errorf("expected %q to be logged when the guest is closed, got %q", v.Closing, last)
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// Run is [Check] as subtests.
func Run(t *testing.T, b udf.Bundle) {
	t.Helper()
	results, err := Check(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		t.Run(r.Vector+"/"+r.Layout, func(t *testing.T) {
			if r.Err != nil {
				t.Error(r.Err)
			}
		})
	}
}
