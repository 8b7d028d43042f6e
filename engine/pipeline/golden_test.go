package pipeline_test

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/plan/plantest"
	"github.com/wasmill/wasmill/engine/udf"
)

var update = flag.Bool("update", false, "write the golden files")

// A golden file is a list of cases: a line "=== name", a pipeline, a line "-----", and what comes of it.
type goldenCase struct{ name, yaml, want string }

func readGolden(t *testing.T, file string) []goldenCase {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	for _, part := range strings.Split("\n"+string(data), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		yaml, want, _ := strings.Cut("\n"+rest, "\n-----")
		cases = append(cases, goldenCase{name, strings.TrimPrefix(yaml, "\n") + "\n", strings.Trim(want, "\n")})
	}
	return cases
}

// golden runs each case of a file, and compares, or with -update writes, what comes of it.
func golden(t *testing.T, file string, run func(yaml string) string) {
	t.Helper()
	cases := readGolden(t, file)
	var out strings.Builder
	for _, c := range cases {
		got := run(c.yaml)
		out.WriteString("=== " + c.name + "\n" + c.yaml + "-----\n" + got + "\n\n")
		if !*update {
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want +got\n%s", c.name, diff)
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimRight(out.String(), "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

var variables = lookup(map[string]string{"STREAM": "FLIGHTS", "TASKS": "2", "SHAPE": "{a: 1}", "EMPTY": ""})

var bundles = map[string][]udf.Signature{
	"./flights.wasm": {
		plantest.Function(udf.Filter, "flew", "dep_delay: float64", ""),
		plantest.Function(udf.Map, "enrich", "carrier: utf8, dep_delay: float64", "carrier: utf8, airline: utf8, dep_delay: float64"),
		plantest.Function(udf.Map, "same", "carrier: utf8, distance: int64!", ""),
		plantest.Function(udf.FlatMap, "split", "", ""),
		plantest.Function(udf.Scalar, "speed", "distance: int64, minutes: float64", "speed: float64"),
		plantest.Function(udf.KeyedMap, "running", "carrier: utf8, dep_delay: float64", "carrier: utf8, mean: float64"),
		plantest.Function(udf.Filter, "odd", "dep_delay: float64", "keep: int64"),
	},
	"./clean.py": {
		plantest.Function(udf.Map, "clean", "", "event: json!"),
		plantest.Function(udf.FlatMap, "clean", "", "event: json!"),
		plantest.Function(udf.Filter, "keep", "", ""),
		plantest.Function(udf.Map, "typed", "carrier: utf8!, dep_delay: float64", "carrier: utf8!, late: bool!"),
		plantest.Function(udf.Map, "loose", "carrier: utf8, event: json", ""),
	},
	"./process.wasm": {
		func() udf.Signature {
			s := plantest.Function(udf.Process, "samples", "n: int64", "carrier: utf8, n: int64")
			s.Sides = []udf.SideDecl{{Tag: "late", Out: plantest.Schema("carrier: utf8, at: int64")}, {Tag: "other", Out: plantest.Schema("x: bool")}}
			return s
		}(),
		plantest.Function(udf.Process, "plain", "n: int64", "n: int64"),
		plantest.Function(udf.Map, "same", "", ""),
		plantest.Function(udf.Map, "spans", "carrier: utf8, window_start: timestamp[ms, UTC], n: list<int64>", "carrier: utf8, spans: int64"),
	},
	"./other.wasm": {plantest.Function(udf.Map, "shout", "carrier: utf8", "carrier: utf8, loud: utf8!")},
}

func resolve(yaml string) (*plan.Resolved, error) {
	p, err := pipeline.Parse("p.yaml", []byte(yaml), variables)
	if err != nil {
		return nil, err
	}
	return plan.Resolve(context.Background(), p, plantest.Env(bundles))
}

func TestFaults(t *testing.T) {
	for _, file := range []string{"testdata/syntax.txt", "testdata/shape.txt", "testdata/columns.txt", "testdata/windows.txt", "testdata/lookups.txt", "testdata/documents.txt"} {
		golden(t, file, func(yaml string) string {
			r, err := resolve(yaml)
			if err == nil {
				return "fine: " + strings.Join(ids(r), " ")
			}
			return err.Error()
		})
	}
}

func ids(r *plan.Resolved) []string {
	var all []string
	for _, n := range r.Nodes {
		all = append(all, n.Node.ID)
	}
	return all
}
