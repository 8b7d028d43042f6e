// Package plantest has what plans can be resolved against in tests: connectors and formats that only check what they are
// given, and bundles that are signatures alone.
package plantest

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

// Env returns an environment with the connectors jetstream, kv (a table only), file (with a default format by the file's name), stdin (an input
// only) and stdout (an output only), the formats json (which infers a: int64, b: utf8, and takes documents), csv, raw and arrow (which carries its schema
// in the data), and the bundles given by path.
func Env(bundles map[string][]udf.Signature) plan.Env {
	env := plan.Env{
		Functions: func(_ context.Context, path string) ([]udf.Signature, error) {
			if b, ok := bundles[path]; ok {
				return b, nil
			}
			return nil, fault.New(fault.Bundle, "there is no such bundle").At("%s", path)
		},
		Connectors: make(map[string]connectors.Connector),
		Formats:    make(map[string]codec.Format),
		Sample: func(_ context.Context, _ *plan.Node, from connectors.Source) ([]byte, error) {
			if strings.HasSuffix(from.(source).Path, "missing.json") {
				return nil, fault.New(fault.Connect, "there is no such file").At("%s", from.(source).Path)
			}
			return []byte("sample"), nil
		},
	}
	newSource := func(raw json.RawMessage) (connectors.Source, error) {
		e, err := newEnd(raw)
		return source{e}, err
	}
	newSink := func(raw json.RawMessage) (connectors.Sink, error) {
		e, err := newEnd(raw)
		return sink{e}, err
	}
	for _, c := range []connectors.Connector{
		{Name: "jetstream", NewSource: newSource, NewSink: newSink},
		{Name: "file", NewSource: newSource, NewSink: newSink, NewLookup: newTable},
		{Name: "kv", NewLookup: newTable},
		{Name: "stdin", NewSource: newSource},
		{Name: "stdout", NewSink: newSink},
	} {
		env.Connectors[c.Name] = c
	}
	for _, f := range []codec.Format{
		{Name: "json", NewDecoder: newDecoder, NewEncoder: newEncoder, Infer: inferJSON, Lines: true, Documents: true},
		{Name: "csv", NewDecoder: newDecoder, NewEncoder: newEncoder, Lines: true},
		{Name: "raw", NewDecoder: newDecoder, NewEncoder: newEncoder, Schemaless: true, Documents: true, Infer: inferRaw},
		{Name: "arrow", NewDecoder: newDecoder, NewEncoder: newEncoder, Schemaless: true, Infer: inferArrow},
	} {
		env.Formats[f.Name] = f
	}
	return env
}

// Function returns a signature; in and out are columns as "a: int64, b: utf8", "" for none.
func Function(kind udf.Kind, name, in, out string) udf.Signature {
	return udf.Signature{Name: name, Kind: kind, In: Schema(in), Out: Schema(out)}
}

// Schema returns the schema of "a: int64, b: utf8", nil for "". It panics on mistakes.
func Schema(columns string) *arrow.Schema {
	if columns == "" {
		return nil
	}
	s, err := schema.ParseSchema(columns)
	if err != nil {
		panic(err)
	}
	return s
}

// end is a source and a sink that moves nothing.
type end struct {
	Stream   string   `json:"stream"`
	Subjects []string `json:"subjects"`
	Subject  string   `json:"subject"`
	Path     string   `json:"path" config:"main"`
	From     string   `json:"from"`
}

func newEnd(raw json.RawMessage) (*end, error) {
	e := &end{}
	if err := config.Decode(raw, e); err != nil {
		return nil, err
	}
	if i := slices.Index(e.Subjects, ""); i >= 0 {
		return nil, fault.New(fault.Usage, "a subject is not empty").At("subjects[%d]", i)
	}
	return e, nil
}

func (e *end) DefaultFormat() string {
	if strings.HasSuffix(e.Path, ".csv") {
		return "csv"
	}
	if e.Path == "data.bin" {
		return ""
	}
	return "json"
}

var template = regexp.MustCompile(`\{(\w+)\}`)

// Check implements [connectors.Sink].
func (e *end) Check(columns []string) error {
	for _, m := range template.FindAllStringSubmatch(e.Subject, -1) {
		if !slices.Contains(columns, m[1]) {
			return fault.New(fault.Schema, "unknown column `%s`", m[1]).At("subject").WithHint("%s", fault.DidYouMean(m[1], columns))
		}
	}
	return nil
}

var errNothing = fault.New(fault.Internal, "this moves nothing")

func (e *end) Splits(context.Context, connectors.Job) ([]string, error) { return nil, errNothing }

// source and sink differ in Open.
type source struct{ *end }

type sink struct{ *end }

func (source) Open(context.Context, connectors.Job, []connectors.Split) (connectors.Reader, error) {
	return nil, errNothing
}

func (sink) Open(context.Context, connectors.Job, int, int, codec.Encoder, json.RawMessage) (connectors.Writer, error) {
	return nil, errNothing
}

// table is a lookup that finds nothing.
type table struct {
	Bucket string `json:"bucket"`
	Path   string `json:"path" config:"main"`
}

func newTable(raw json.RawMessage) (connectors.Lookup, error) {
	t := &table{}
	return t, config.Decode(raw, t)
}

// DefaultFormat implements [connectors.Lookup].
func (t *table) DefaultFormat() string { return (&end{Path: t.Path}).DefaultFormat() }

// Sample implements [connectors.Lookup].
func (t *table) Sample(connectors.Job, bool) ([]byte, error) {
	switch t.Path {
	case "":
		return nil, nil
	case "missing.json":
		return nil, fault.New(fault.Usage, "there is no such file").At("%s", t.Path)
	}
	return []byte("sample"), nil
}

// Check implements [connectors.Lookup]: versions are called v.
func (*table) Check(q connectors.Query) error {
	if q.VersionOf != "" && q.VersionOf != "v" {
		return fault.New(fault.Schema, "the table has no column `%s`", q.VersionOf).At("version.of")
	}
	return nil
}

func (*table) Open(context.Context, connectors.Job, connectors.Query) (connectors.Table, error) {
	return nil, errNothing
}

type options struct {
	Delimiter string `json:"delimiter"`
}

func checkOptions(s *arrow.Schema, raw json.RawMessage) error {
	for _, f := range s.Fields() {
		if f.Type.ID() == arrow.DURATION {
			return fault.New(fault.Unsupported, "a duration cannot be written here").At("column `%s`", f.Name)
		}
	}
	return config.Decode(raw, &options{})
}

type decoder struct{ codec.Decoder }

func (decoder) Close() {}

func newDecoder(s *arrow.Schema, raw json.RawMessage, _ memory.Allocator, _ codec.Limits) (codec.Decoder, error) {
	return decoder{}, checkOptions(s, raw)
}

type encoder struct{}

func (encoder) Name() string { return "test" }

func newEncoder(s *arrow.Schema, raw json.RawMessage) (codec.Encoder, error) {
	return encoder{}, checkOptions(s, raw)
}

func inferJSON([]byte, json.RawMessage) (*arrow.Schema, error) {
	return Schema("a: int64, b: utf8"), nil
}

func inferRaw([]byte, json.RawMessage) (*arrow.Schema, error) { return Schema("data: binary!"), nil }

func inferArrow(sample []byte, _ json.RawMessage) (*arrow.Schema, error) {
	if len(sample) == 0 {
		return nil, fault.New(fault.Decode, "there is no schema message")
	}
	return Schema("x: int64, y: float64"), nil
}
