// Package guests_test builds and runs the example functions, in C, Go and Rust, over the same rows.
package guests_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/internal/gobuild"
	"github.com/wasmill/wasmill/internal/rustbuild"
	"github.com/wasmill/wasmill/wasmhost"
)

var cases = []struct {
	module, function string
	in               string // rows in JSON
	slots            []int32
	want             string // rows in JSON, or the error
}{
	{"text", "long_line", `{"text": "short"}, {"text": "a line of more than twenty bytes"}, {"text": null}`, nil,
		`{"keep":false},{"keep":true},{"keep":false}`},
	{"text", "words", `{"text": "Grüße, from two  words"}, {"text": ""}, {"text": null}, {"text": "one"}`, nil,
		`{"position":0,"word":"Grüße"},{"position":1,"word":"from"},{"position":2,"word":"two"},{"position":3,"word":"words"},{"position":0,"word":"one"}`},
	{"text", "slug", `{"text": "  Hello, World 2! "}`, nil, `"hello-world-2"`},
	{"text", "slug", `{"text": "ok"}, {"text": "?!"}`, nil, `row 1: function slug: no letter or digit in "?!"`},
	{"sensors", "rate", `{"sensor": "a", "at": "2024-02-29T12:00:00Z", "celsius": 30}, {"sensor": null, "at": null, "celsius": null}`, nil,
		`{"at":"2024-02-29 12:00:00","hot":true,"kelvin":303.15,"sensor":"a"},{"at":null,"hot":null,"kelvin":null,"sensor":null}`},
	{"sensors", "rate", `{"celsius": -300}`, nil, `row 0: function rate: -300.00 °C is below absolute zero`},
	{"sensors", "fahrenheit", `{"celsius": 100}, {"celsius": -40}, {"celsius": null}`, nil, `212,-40,null`},
	{"sensors", "smooth", `{"sensor": "a", "celsius": 8}, {"sensor": "b", "celsius": 4}, {"sensor": "a"}, {"sensor": "a", "celsius": 16}`, []int32{0, 1, 0, 0},
		`{"mean":8,"sensor":"a"},{"mean":4,"sensor":"b"},{"mean":10,"sensor":"a"}`},
	{"sensors", "median", `{"sensor": "a", "celsius": [8, 4, null, 6]}, {"sensor": "b", "celsius": [4, 1, 2, 9]}, {"sensor": "c", "celsius": []}`, nil,
		`{"median":6,"sensor":"a"},{"median":3,"sensor":"b"},{"median":null,"sensor":"c"}`},
}

func TestGuests(t *testing.T) {
	host, err := wasmhost.New(wasmhost.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close(t.Context())
	flags := append(cbuild.Freestanding, "-I"+filepath.Join("..", "..", "sdk", "c"))
	for _, module := range []string{"text", "sensors"} {
		for language, wasm := range map[string][]byte{
			"c":    cbuild.Build(t, []string{filepath.Join("c", module+".c")}, flags...),
			"go":   gobuild.Build(t, filepath.Join("go", module), "-ldflags=-s"),
			"rust": rustbuild.Build(t, filepath.Join("rust", module)),
		} {
			t.Run(language+"/"+module, func(t *testing.T) {
				t.Logf("%d bytes", len(wasm))
				b, err := host.Load(t.Context(), module+".wasm", wasm)
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close(t.Context())
				if module == "sensors" {
					script(t, b, "sensors.wasm", "median.txt")
				}
				for _, c := range cases {
					if c.module != module {
						continue
					}
					if got := run(t, b, c.function, c.in, c.slots); got != c.want {
						t.Errorf("%s of %s:\nexpected %s\ngot      %s", c.function, c.in, c.want, got)
					}
				}
			})
		}
	}
}

// run returns the result's rows in JSON, those of a scalar as values alone, or the error.
func run(t *testing.T, b udf.Bundle, function, in string, slots []int32) string {
	t.Helper()
	guest, err := b.Instantiate(t.Context(), udf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close(t.Context())
	var signature udf.Signature
	for _, s := range b.Functions() {
		if s.Name == function {
			signature = s
		}
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, signature.In, strings.NewReader("["+in+"]"))
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	var state udf.State
	if signature.Kind == udf.KeyedMap {
		state = kept{}
	}
	f, err := guest.Bind(t.Context(), function, signature.Kind, signature.In, nil, state)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	err = f.Call(t.Context(), rec, slots, func(r udf.Result) error {
		text, err := json(r.Record, signature.Kind)
		rows = append(rows, text)
		return err
	})
	var failed *udf.CallError
	if errors.As(err, &failed) {
		return fmt.Sprintf("row %d: %v", failed.Row, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, ",")
}

func json(rec arrow.Record, kind udf.Kind) (string, error) {
	if kind == udf.Scalar {
		text, err := rec.Column(0).(interface{ MarshalJSON() ([]byte, error) }).MarshalJSON()
		return strings.Trim(string(text), "[]"), err
	}
	text, err := rec.MarshalJSON()
	return strings.ReplaceAll(strings.Trim(string(text), "[]\n"), "\n", ""), err
}

// kept is state that is forgotten with the call's guest.
type kept map[[2]int32]string

func (m kept) Get(state, slot int32) ([]byte, bool, error) {
	v, ok := m[[2]int32{state, slot}]
	return []byte(v), ok, nil
}

func (m kept) Put(state, slot int32, value []byte) error {
	m[[2]int32{state, slot}] = string(value)
	return nil
}

func (m kept) Delete(state, slot int32) error {
	delete(m, [2]int32{state, slot})
	return nil
}
