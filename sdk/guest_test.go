package sdk_test

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/internal/gobuild"
	"github.com/wasmill/wasmill/internal/rustbuild"
)

// loaded holds bundles by the SHA-256 of their module: a Go guest takes a second to load, and several tests use the same.
var loaded = map[[32]byte]udf.Bundle{}

func load(t testing.TB, wasm []byte) udf.Bundle {
	t.Helper()
	key := sha256.Sum256(wasm)
	if b := loaded[key]; b != nil {
		return b
	}
	b, err := host.Load(t.Context(), "guest.wasm", wasm)
	if err != nil {
		t.Fatal(err)
	}
	loaded[key] = b
	return b
}

func buildC(t testing.TB, name string) []byte {
	t.Helper()
	return cbuild.Build(t, []string{filepath.Join("testdata", "c", name)}, append(cbuild.Freestanding, "-Ic")...)
}

func buildGo(t testing.TB, name string) []byte {
	t.Helper()
	return gobuild.Build(t, filepath.Join("testdata", name))
}

func buildRust(t testing.TB, name string) []byte {
	t.Helper()
	return rustbuild.Build(t, filepath.Join("testdata", "rust", name))
}

// eachSDK runs a test against the guest types of every SDK.
func eachSDK(t *testing.T, test func(t *testing.T, g *guest)) {
	t.Run("c", func(t *testing.T) { test(t, start(t, load(t, buildC(t, "types.c")))) })
	t.Run("go", func(t *testing.T) { test(t, start(t, load(t, buildGo(t, "types")))) })
	t.Run("rust", func(t *testing.T) { test(t, start(t, load(t, buildRust(t, "types")))) })
}

// guest is a running guest with the functions of its bundle by name.
type guest struct {
	udf.Guest
	t          testing.TB
	signatures map[string]udf.Signature
}

func start(t testing.TB, b udf.Bundle) *guest {
	t.Helper()
	return startWith(t, b, udf.Options{})
}

func startWith(t testing.TB, b udf.Bundle, o udf.Options) *guest {
	t.Helper()
	g, err := b.Instantiate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close(t.Context()) })
	signatures := map[string]udf.Signature{}
	for _, s := range b.Functions() {
		signatures[s.Name] = s
	}
	return &guest{Guest: g, t: t, signatures: signatures}
}

func (g *guest) bind(name string, in *arrow.Schema, state udf.State) udf.Function {
	g.t.Helper()
	if in == nil {
		in = g.signatures[name].In
	}
	f, err := g.Bind(g.t.Context(), name, g.signatures[name].Kind, in, nil, state)
	if err != nil {
		g.t.Fatal(err)
	}
	return f
}

// rows makes a record of rows in JSON, each an object.
func rows(t testing.TB, s *arrow.Schema, text string) arrow.Record {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader("["+text+"]"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rec.Release)
	return rec
}

// text returns what a call yields as JSON, one object per row.
func text(t testing.TB, f udf.Function, in arrow.Record, slots []int32) (string, error) {
	t.Helper()
	var out strings.Builder
	err := f.Call(t.Context(), in, slots, func(r udf.Result) error {
		b, err := r.Record.MarshalJSON()
		out.Write(b)
		return err
	})
	return out.String(), err
}

func wantFault(t testing.TB, err error, row int, want, detail string) {
	t.Helper()
	var call *udf.CallError
	if !errors.As(err, &call) {
		t.Errorf("expected a failed call, got %v", err)
		return
	}
	f := fault.From(call.Err)
	if call.Row != row || f.What != want || !strings.HasPrefix(f.Detail, detail) {
		t.Errorf("expected row %d: %s\n%s\ngot row %d: %s\n%s", row, want, detail, call.Row, f.What, f.Detail)
	}
}

// random makes n rows of a schema, with nulls.
func random(t testing.TB, alloc memory.Allocator, s *arrow.Schema, n int, seed uint64) arrow.Record {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	b := array.NewRecordBuilder(alloc, s)
	defer b.Release()
	for i := range n {
		for c, field := range b.Fields() {
			if field.Type().ID() != arrow.NULL && r.IntN(4) == 0 {
				field.AppendNull()
			} else if err := appendRandom(field, r, i); err != nil {
				t.Fatalf("column %s: %v", s.Field(c).Name, err)
			}
		}
	}
	return b.NewRecord()
}

func appendRandom(b array.Builder, r *rand.Rand, i int) error {
	word := strings.Repeat("grüße ", r.IntN(4))
	switch b := b.(type) {
	case *array.ListBuilder:
		b.Append(true)
		for range r.IntN(4) {
			if r.IntN(4) == 0 && b.Type().(*arrow.ListType).ElemField().Nullable {
				b.ValueBuilder().AppendNull()
			} else if err := appendRandom(b.ValueBuilder(), r, i); err != nil {
				return err
			}
		}
		return nil
	case *array.StructBuilder:
		b.Append(true)
		for f := range b.NumField() {
			if err := appendRandom(b.FieldBuilder(f), r, i); err != nil {
				return err
			}
		}
		return nil
	case *array.BinaryBuilder:
		b.AppendString(word)
		return nil
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte{byte(i), 0, 255, byte(r.Uint32()), 7})
		return nil
	case *array.StringBuilder:
		b.Append(word)
		return nil
	case *array.LargeStringBuilder:
		b.Append(word)
		return nil
	case *array.BooleanBuilder:
		b.Append(r.IntN(2) == 0)
		return nil
	case *array.Date32Builder:
		b.Append(arrow.Date32(r.IntN(40000) - 20000))
		return nil
	case *array.Time32Builder:
		b.Append(arrow.Time32(r.IntN(86400000)))
		return nil
	case *array.Time64Builder:
		b.Append(arrow.Time64(r.Int64N(86400000000)))
		return nil
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(r.Int64N(1<<50) - 1<<49))
		return nil
	case *array.DurationBuilder:
		b.Append(arrow.Duration(r.Int64N(1<<50) - 1<<49))
		return nil
	}
	return b.AppendValueFromString(map[bool]string{true: "0", false: "100"}[i%2 == 0])
}

func columns(t testing.TB, fields ...string) *arrow.Schema {
	t.Helper()
	var out []arrow.Field
	for i := 0; i < len(fields); i += 2 {
		f, err := schema.ParseField(fields[i], fields[i+1])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return arrow.NewSchema(out, nil)
}
