package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	codecjson "github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/state/memstate"
	"github.com/wasmill/wasmill/wasmhost"
)

func TestMain(m *testing.M) {
	if wasmhost.CompileChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// load builds and loads the guests.
func load(t *testing.T) map[string]udf.Bundle {
	t.Helper()
	host, err := wasmhost.New(wasmhost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(context.Background()) })
	root := filepath.Join("..", "..")
	flags := append(append([]string{}, cbuild.Freestanding...), "-I"+filepath.Join(root, "sdk", "c"))
	bundles := make(map[string]udf.Bundle)
	for name, source := range map[string]string{
		"flights": filepath.Join(root, "examples", "flights", "flights.c"),
		"rough":   filepath.Join("testdata", "rough.c"),
	} {
		b, err := host.Load(t.Context(), name, cbuild.Build(t, []string{source}, flags...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close(context.Background()) })
		bundles[name] = b
	}
	return bundles
}

// flight is a record of the input.
type flight struct {
	Carrier  string   `json:"carrier"`
	Delay    *float64 `json:"dep_delay"`
	AirTime  *float64 `json:"air_time"`
	Distance float64  `json:"distance"`
	Copies   int64    `json:"copies"`
}

// average is a record of the output.
type average struct {
	Carrier string  `json:"carrier"`
	Airline string  `json:"airline"`
	Flights int64   `json:"flights"`
	Mean    float64 `json:"mean_delay"`
	Worst   float64 `json:"worst_delay"`
}

var names = map[string]string{"AA": "American Airlines", "B6": "JetBlue", "DL": "Delta", "UA": "United", "XX": "XX", "": ""}

// model is what the pipeline means: delays are whole numbers, so that their sum does not depend on their order.
func model(flights []flight) map[string]average {
	sums := make(map[string]float64)
	averages := make(map[string]average)
	for _, f := range flights {
		if f.Delay == nil || f.AirTime == nil || *f.AirTime <= 0 {
			continue
		}
		for c := range f.Copies {
			if *f.Delay == 13 || *f.Delay == 666 && (c == 0 || c%1000 == 998) {
				continue
			}
			a, known := averages[f.Carrier]
			if !known || *f.Delay > a.Worst {
				a.Worst = *f.Delay
			}
			a.Carrier, a.Airline = f.Carrier, names[f.Carrier]
			a.Flights++
			sums[f.Carrier] += *f.Delay
			a.Mean = float64(int64(sums[f.Carrier]/float64(a.Flights)*10)) / 10
			averages[f.Carrier] = a
		}
	}
	return averages
}

// last returns the last record of each key.
func last(output []string) (map[string]average, error) {
	averages := make(map[string]average)
	for _, line := range output {
		var a average
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			return nil, fmt.Errorf("%s: %v", line, err)
		}
		averages[a.Carrier] = a
	}
	return averages, nil
}

// pipeline filters, spreads, checks and enriches flights in guests of two bundles by turns, and averages them by carrier.
func pipeline(parallelism int, memory uint64) *plan.Plan {
	call := func(id, input, bundle string, kind plan.Kind, policy plan.Policy) plan.Node {
		return plan.Node{ID: id, Kind: kind, Inputs: []string{input}, Call: &plan.Call{Bundle: bundle, Function: id, OnError: policy, MaxMemory: memory}}
	}
	return &plan.Plan{
		Version: plan.Version, Name: "e2e", Parallelism: parallelism,
		Restart: plan.Restart{Attempts: -1, Delay: plan.Duration(time.Microsecond), MaxDelay: plan.Duration(time.Microsecond)},
		Nodes: []plan.Node{
			{ID: "in", Kind: plan.KindSource, Source: &plan.Source{Connector: "memory", Format: "json", OnError: plan.Skip, Schema: []plan.Field{
				{Name: "carrier", Type: "utf8"}, {Name: "dep_delay", Type: "float64"}, {Name: "air_time", Type: "float64"},
				{Name: "distance", Type: "float64"}, {Name: "copies", Type: "int64"},
			}}},
			call("flew", "in", "flights", plan.KindFilter, plan.Fail),
			call("spread", "flew", "rough", plan.KindFlatMap, plan.Fail),
			call("check", "spread", "rough", plan.KindMap, plan.Skip),
			call("enrich", "check", "flights", plan.KindMap, plan.Fail),
			{ID: "by", Kind: plan.KindKeyBy, Inputs: []string{"enrich"}, KeyBy: &plan.KeyBy{Columns: []string{"carrier"}}},
			call("running", "by", "flights", plan.KindKeyedMap, plan.Fail),
			{ID: "out", Kind: plan.KindSink, Inputs: []string{"running"}, Sink: &plan.Sink{Connector: "memory", Format: "json"}},
		},
	}
}

// run runs the pipeline until the world's inputs end.
func run(ctx context.Context, w *world, bundles map[string]udf.Bundle, p *plan.Plan, cache int) (*runtime.Job, error) {
	trouble := w.trouble
	w.trouble = nil // of the job, not of its making
	resolved, err := plan.Resolve(ctx, p, plan.Env{
		Functions:  func(_ context.Context, path string) ([]udf.Signature, error) { return bundles[path].Functions(), nil },
		Connectors: map[string]connectors.Connector{"memory": w.connector()},
		Formats:    map[string]codec.Format{"json": codecjson.Format()},
	})
	if err != nil {
		return nil, err
	}
	resolved.Plan.Epoch = plan.Duration(time.Millisecond) // many, for a short run
	w.done, w.trouble = 0, trouble
	job := runtime.New(runtime.Options{Plan: resolved, OpenStore: w.open, StateCache: cache,
		Bundle: func(path string) (udf.Bundle, error) { return bundles[path], nil }})
	return job, job.Run(ctx)
}

// add cuts flights into messages of so many lines, a bad one among them, and spreads them over the splits.
func (w *world) add(flights []flight, lines int) error {
	for i := 0; i < len(flights); i += lines {
		text := []string{`{"carrier": 1}`}
		for _, f := range flights[i:min(i+lines, len(flights))] {
			line, err := json.Marshal(f)
			if err != nil {
				return err
			}
			text = append(text, string(line))
		}
		split := i / lines % len(w.inputs)
		w.inputs[split] = append(w.inputs[split], strings.Join(text, "\n"))
	}
	return nil
}

func number(v float64) *float64 { return &v }

var flights = rapid.Custom(func(t *rapid.T) flight {
	f := flight{
		Carrier:  rapid.SampledFrom([]string{"AA", "B6", "DL", "UA", "XX", ""}).Draw(t, "carrier"),
		Distance: float64(rapid.IntRange(1, 3000).Draw(t, "distance")),
		Copies:   rapid.Int64Range(0, 3).Draw(t, "copies"),
	}
	if rapid.IntRange(0, 9).Draw(t, "departs") > 0 {
		f.Delay = number(rapid.SampledFrom([]float64{-20, -3, 0, 1, 7, 13, 60, 300, 666}).Draw(t, "delay"))
	}
	if rapid.IntRange(0, 9).Draw(t, "arrives") > 0 {
		f.AirTime = number(float64(rapid.IntRange(0, 400).Draw(t, "air time")))
	}
	return f
})

// firstTrouble is the first operation behind the start of a job, whose failures are not tried again.
const firstTrouble = 6

// TestTheLastValuesStay runs one keyed pipeline in many ways: in batches of every size, with one to three tasks, small and large
// caches of state, in one run or several that go on from each other, and with failures of everything that can fail. What is
// written last of each key does not change with any of it.
func TestTheLastValuesStay(t *testing.T) {
	bundles := load(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{inputs: make([][]string, rapid.IntRange(1, 4).Draw(rt, "splits")), acked: make(map[string]int), store: memstate.New()}
		var all []flight
		failures := 0
		for range rapid.IntRange(1, 3).Draw(rt, "runs") {
			some := rapid.SliceOfN(flights, 1, 40).Draw(rt, "flights")
			all = append(all, some...)
			if err := w.add(some, rapid.IntRange(1, 10).Draw(rt, "lines")); err != nil {
				rt.Fatal(err)
			}
			w.rows = rapid.SampledFrom([]int{1, 2, 5, 1000}).Draw(rt, "batch")
			w.trouble = make(map[int]bool)
			for _, at := range rapid.SliceOfN(rapid.IntRange(firstTrouble, 120), 0, 5).Draw(rt, "trouble") {
				w.trouble[at] = true
			}
			p := pipeline(rapid.IntRange(1, 3).Draw(rt, "tasks"), rapid.SampledFrom([]uint64{0, 4 << 20}).Draw(rt, "memory"))
			job, err := run(t.Context(), w, bundles, p, rapid.SampledFrom([]int{0, 1, 600}).Draw(rt, "cache"))
			if err != nil {
				rt.Fatal(err)
			}
			if job.Restarts() > uint64(w.failed-failures) {
				rt.Fatalf("%d restarts after %d failures", job.Restarts(), w.failed-failures)
			}
			failures = w.failed
		}
		got, err := last(w.output)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(model(all), got); diff != "" {
			rt.Fatalf("after %d failures (-want +got):\n%s", failures, diff)
		}
	})
}

// TestTornRows has flights of so many copies that their results come in several steps, and guests that break in the middle of
// them, in the function behind. Every copy counts once.
func TestTornRows(t *testing.T) {
	bundles := load(t)
	all := []flight{
		{"AA", number(5), number(60), 100, 40_000},
		{"DL", number(666), number(60), 100, 70_500},
		{"AA", number(7), number(60), 100, 100_000},
		{"UA", number(13), number(60), 100, 20},
		{"UA", number(666), number(60), 100, 3_000},
		{"B6", number(1), number(60), 100, 3},
	}
	w := &world{inputs: make([][]string, 1), rows: 1000, acked: make(map[string]int), store: memstate.New()}
	if err := w.add(all, 3); err != nil {
		t.Fatal(err)
	}
	job, err := run(t.Context(), w, bundles, pipeline(1, 0), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := model(all)
	got, err := last(w.output)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	rows := 0
	for _, a := range want {
		rows += int(a.Flights)
	}
	if len(w.output) != rows {
		t.Errorf("%d rows were written, want %d", len(w.output), rows)
	}
	for _, s := range job.Stats() {
		if n := s.Rejected.Load(); (s.Node == "spread" || s.Node == "running") && n > 0 {
			t.Errorf("%s rejected %d rows", s.Node, n)
		}
	}
}
