package pipeline_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
)

// FuzzParse checks that any bytes give a plan that survives its JSON, or faults that all have a place.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"testdata/every-key.yaml", "testdata/syntax.txt", "testdata/shape.txt", "testdata/columns.txt", "testdata/explain.txt"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(data), "\n=== ") {
			_, part, _ = strings.Cut(part, "\n")
			part, _, _ = strings.Cut(part, "\n-----")
			f.Add([]byte(part))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := pipeline.Parse("p.yaml", data, variables)
		if err != nil {
			var list fault.List
			if !errors.As(err, &list) {
				t.Fatalf("not a list of faults: %v", err)
			}
			for _, one := range list {
				if one.Code != fault.Usage || !strings.HasPrefix(one.Where, "p.yaml:") || strings.HasSuffix(one.Where, ":0") {
					t.Errorf("a fault without a place: %v", one)
				}
			}
			return
		}
		b, err := plan.WriteJSON(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := plan.ReadJSON(b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		back.Dir = p.Dir
		if diff := cmp.Diff(p, back); diff != "" {
			t.Errorf("the plan comes back as another:\n%s", diff)
		}
	})
}
