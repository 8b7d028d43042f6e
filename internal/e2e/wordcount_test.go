package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	codecjson "github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/connectors/generate"
	yamlpipeline "github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/badgerdb"
)

// counted is a sink that adds up the column n.
type counted struct{ words, rows *int64 }

func (counted) DefaultFormat() string { return "json" }
func (counted) Check([]string) error  { return nil }
func (c counted) Open(context.Context, connectors.Job, int, int, codec.Encoder, json.RawMessage) (connectors.Writer, error) {
	return c, nil
}
func (c counted) Write(_ context.Context, b *stream.Batch) error {
	for _, n := range b.Record.Column(b.Record.Schema().FieldIndices("n")[0]).(*array.Int64).Int64Values() {
		*c.words += n
	}
	*c.rows += int64(b.Rows())
	return nil
}
func (counted) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	return nil, func(context.Context) error { return nil }, nil
}
func (counted) Close() error { return nil }

// BenchmarkWordCount counts 5,000 words in windows of five minutes, made up as JSON and decoded, with state in Badger and a commit
// a second. Making and decoding the events takes most of the time.
func BenchmarkWordCount(b *testing.B) {
	for _, tasks := range []int{1, 2} {
		b.Run(fmt.Sprintf("%d tasks", tasks), func(b *testing.B) {
			words := make([]string, 5000)
			for i := range words {
				words[i] = fmt.Sprintf("w%04d", i)
			}
			const rows = 2_000_000
			for b.Loop() {
				countWords(b, fmt.Sprintf(`
parallelism: %d
input:
  generate:
    rows: %d
    splits: %d
    fields:
      word: {kind: choice, values: [%s]}
      at: {kind: time, step: 1ms}
  schema: {word: utf8, at: "timestamp[ms, UTC]"}
  event_time: {column: at, watermarks: monotonous}
pipeline:
  - key_by: word
  - window: {tumbling: 5m, aggregate: {n: count}}
output: counted
`, tasks, rows, tasks, strings.Join(words, ", ")), rows)
			}
			b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func countWords(b *testing.B, yaml string, want int64) {
	b.Helper()
	p, err := yamlpipeline.Parse("words.yaml", []byte(yaml), func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	p.Nodes[len(p.Nodes)-1].Parallelism = 1
	var words, rows int64
	resolved, err := plan.Resolve(b.Context(), p, plan.Env{
		Connectors: map[string]connectors.Connector{"generate": generate.Connector(), "counted": {Name: "counted",
			NewSink: func(json.RawMessage) (connectors.Sink, error) { return counted{&words, &rows}, nil }}},
		Formats: map[string]codec.Format{"json": codecjson.Format()},
	})
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	job := runtime.New(runtime.Options{Plan: resolved, OpenStore: func() (state.Store, error) {
		return badgerdb.Open(badgerdb.Options{Dir: dir, Profile: badgerdb.Small})
	}})
	if err := job.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	if words != want {
		b.Fatalf("%d words were counted in %d rows, want %d", words, rows, want)
	}
}
