package script

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/raw"
	"github.com/wasmill/wasmill/connectors/file"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state/memstate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var someWords = []string{"to", "be", "or", "not", "to", "be", "that", "is", "the", "question"}

// wordCount is a plan of two tasks: a source that deals out n words, and a count with a sink.
func wordCount(n int64, from, to int, sink string) *Plan {
	return &Plan{Version: 1, Name: "words", ID: "1", Partitions: 128, CheckpointInterval: 5,
		Tasks: []Task{
			{Number: 0, Name: "Words", Parallelism: from, Inputs: 1, Outputs: 1, Operators: []Operator{{UID: "words"}}},
			{Number: 1, Name: "Count", Parallelism: to, Inputs: 1, Outputs: 1, Operators: []Operator{{UID: "count"}}}},
		Edges:   []Edge{{From: 0, Output: 0, To: 1, Port: 0}},
		Sources: []Source{{Number: 1, Name: "Range", UID: "range", To: 0, Parallelism: from, Kind: "range", Count: n}},
		Sinks:   []Sink{{Number: 9, Name: "Sink", UID: "sink", From: 1, Kind: sink}},
	}
}

func options(t *testing.T, b *interpreter, out *bytes.Buffer) Options {
	t.Cleanup(func() {
		if n := b.live.Load(); n != 0 {
			t.Errorf("%d guests were not closed", n)
		}
	})
	return Options{Bundle: b, Store: memstate.New(), Name: "words", Dir: t.TempDir(), Stdout: out, Log: slog.New(slog.DiscardHandler),
		Connectors: map[string]connectors.Connector{"file": file.Connector()}, Formats: map[string]codec.Format{"raw": raw.Format()}}
}

func run(t *testing.T, p *Plan, o Options) (result, error) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	answer, failed := Run(context.Background(), text, o, nil)
	var r result
	if err := json.Unmarshal(answer, &r); err != nil {
		t.Fatalf("the answer %s: %v", answer, err)
	}
	return r, failed
}

// expected is what n words count to.
func expected(n int) []string {
	counts := map[string]int{}
	for i := range n {
		counts[someWords[i%len(someWords)]]++
	}
	var lines []string
	for w, k := range counts {
		lines = append(lines, fmt.Sprintf("%s %d", w, k))
	}
	slices.Sort(lines)
	return lines
}

func sorted(text string) []string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.Sort(lines)
	return lines
}

func TestWordCount(t *testing.T) {
	for _, c := range [][2]int{{1, 1}, {1, 3}, {3, 2}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			var out bytes.Buffer
			b := &interpreter{tasks: []func(config) behaviour{words(someWords, c[1]), count(nil)}}
			r, err := run(t, wordCount(5000, c[0], c[1], "print"), options(t, b, &out))
			if err != nil || r.Error != "" {
				t.Fatal(err, r)
			}
			if got := sorted(out.String()); !slices.Equal(got, expected(5000)) {
				t.Errorf("got %q, want %q", got, expected(5000))
			}
		})
	}
}

func TestCollect(t *testing.T) {
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 2), count(nil)}}
	r, err := run(t, wordCount(100, 1, 2, "collect"), options(t, b, nil))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, piece := range r.Collected["9"] {
		data, err := base64.StdEncoding.DecodeString(piece)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(data)
	}
	if got := sorted(got.String()); !slices.Equal(got, expected(100)) {
		t.Errorf("got %q, want %q", got, expected(100))
	}
}

// A subtask that fails in the middle starts again from the last commit, with the state and the positions of it: the counts come out exact.
func TestRestart(t *testing.T) {
	var out bytes.Buffer
	fail := func(c config, seen int) error {
		if c.Attempt < 3 && seen == 700 {
			return errors.New("on purpose")
		}
		return nil
	}
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 2), count(fail)}}
	p := wordCount(20000, 2, 2, "print")
	p.Restart = &Restart{Attempts: 4, DelayMS: 1}
	o := options(t, b, &out)
	if r, err := run(t, p, o); err != nil {
		t.Fatal(err, r)
	}
	if got := sorted(out.String()); !slices.Equal(got, expected(20000)) {
		t.Errorf("got %q, want %q", got, expected(20000))
	}
	if m, some, err := o.Store.Last(); err != nil || !some || m.Epoch < 1 {
		t.Errorf("the last commit is %v, %v, %v", m, some, err)
	}
}

func TestFailureIsTold(t *testing.T) {
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), count(func(config, int) error { return fault.New(fault.Guest, "ValueError: bad").WithDetail("Traceback") })}}
	r, err := run(t, wordCount(10, 1, 1, "print"), options(t, b, &bytes.Buffer{}))
	if err == nil || r.Error != "Count (1/1): ValueError: bad\nTraceback" {
		t.Fatalf("got %v, %q", err, r.Error)
	}
}

func TestFiles(t *testing.T) {
	b := &interpreter{tasks: []func(config) behaviour{func(c config) behaviour {
		return func(r row, put func(row)) error {
			if r.kind == kindRecord {
				put(row{kind: kindData, target: int32(c.Index), number: 1, payload: append(bytes.ToUpper(bytes.TrimSpace(r.payload)), '\n')})
			}
			return nil
		}
	}}}
	o := options(t, b, nil)
	for name, text := range map[string]string{"in/a.txt": "one\ntwo\n", "in/b.txt": "three"} {
		path := filepath.Join(o.Dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	p := &Plan{Version: 1, Partitions: 1, Tasks: []Task{{Name: "Upper", Parallelism: 1, Inputs: 1, Outputs: 1, Operators: []Operator{{UID: "u"}}}},
		Sources: []Source{{Name: "in", UID: "in", Parallelism: 1, Kind: "file", Paths: []string{"in"}, Format: "lines"}},
		Sinks:   []Sink{{Name: "out", UID: "out", Kind: "file", Path: "out", Prefix: "part", Suffix: ".txt", Format: "lines"}}}
	if r, err := run(t, p, o); err != nil {
		t.Fatal(err, r)
	}
	got, err := os.ReadFile(filepath.Join(o.Dir, "out", "part-0-0.txt"))
	if err != nil || string(got) != "ONE\nTWO\nTHREE\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStop(t *testing.T) {
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), count(nil)}}
	stop := make(chan struct{})
	close(stop)
	text, err := json.Marshal(wordCount(1<<40, 1, 1, "print"))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := Run(context.Background(), text, options(t, b, &bytes.Buffer{}), stop); err != nil {
		t.Fatal(string(answer), err)
	}
}

func TestPlansOfStrangers(t *testing.T) {
	for _, c := range []struct {
		change func(*Plan)
		want   string
	}{
		{func(p *Plan) { p.Version = 2 }, "version 2, expected 1"},
		{func(p *Plan) { p.Partitions = 0 }, "0 partitions, expected 1 to 32768"},
		{func(p *Plan) { p.Tasks = nil }, "0 tasks, expected 1 to 1000"},
		{func(p *Plan) { p.Edges[0].To = 7 }, "there is no input 0 of task 7"},
		{func(p *Plan) { p.Edges[0].Output = -1 }, "there is no output -1 of task 0"},
		{func(p *Plan) { p.Edges = append(p.Edges, p.Edges[0]) }, "output 0 of task 0 is used twice"},
		{func(p *Plan) { p.Tasks[1].Operators[0].UID = "words" }, `two operators have the uid "words"`},
		{func(p *Plan) { p.Tasks[0].Parallelism = 100000 }, "task 0: number 0, parallelism 100000, 1 inputs, 1 outputs"},
		{func(p *Plan) { p.Sources[0].Parallelism = 2 }, `source "Range" has parallelism 2, its task 1`},
		{func(p *Plan) { p.Sources = nil }, "2 inputs of tasks, 1 of them are fed"},
		{func(p *Plan) { p.Sources[0].To, p.Edges[0] = 1, Edge{From: 0, To: 0}; p.Sources[0].Parallelism = 1 }, "task 0 feeds itself"},
	} {
		p := wordCount(1, 1, 1, "print")
		c.change(p)
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(text); err == nil || err.Error() != "the plan of the script does not hold together: "+c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestAnswersOfStrangers(t *testing.T) {
	for want, bad := range map[string]row{
		"a row of kind 77":                                   {kind: 77},
		"a row for output 3 of 1":                            {kind: kindData, port: 3},
		"a row for output -1 of 1":                           {kind: kindWatermark, port: -1},
		"a row for subtask 9 of 1":                           {kind: kindData, target: 9},
		"a row for subtask -1 of 1":                          {kind: kindData, target: -1},
		"a row of kind 5":                                    {kind: kindState, name: "count/n"},
		`state "count/n", which is of none of its operators`: {kind: kindDeclare, name: "count/n"},
	} {
		b := &interpreter{tasks: []func(config) behaviour{func(config) behaviour {
			return func(r row, put func(row)) error {
				if r.kind == kindRange {
					put(bad)
				}
				return nil
			}
		}, count(nil)}}
		_, err := run(t, wordCount(1, 1, 1, "print"), options(t, b, &bytes.Buffer{}))
		if err == nil || err.Error() != "Words (1/1): the subtask answered with "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := json.Marshal(wordCount(3, 2, 1, "print"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"version": 1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := Parse(text); (p == nil) == (err == nil) {
			t.Fatal(p, err)
		}
	})
}
