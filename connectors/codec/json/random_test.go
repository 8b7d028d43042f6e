package json

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

// TestRoundTrip writes random records, slices included, and reads them back in random pieces into memory that holds no
// more than Need said.
func TestRoundTrip(t *testing.T) {
	arena := codectest.NewArena(4 << 20)
	rapid.Check(t, func(t *rapid.T) {
		schema := codectest.RandomSchema(t, 3)
		rec := codectest.Record(t, schema, 30)
		defer rec.Release()
		e, err := Format().NewEncoder(schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		enc := e.(codec.RowEncoder)
		if err := enc.Bind(rec); err != nil {
			t.Fatal(err)
		}
		var lines []byte
		for i := range int(rec.NumRows()) {
			if lines, err = enc.Append(lines, i); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, '\n')
		}
		if d := jsontext.NewDecoder(bytes.NewReader(lines), jsontext.AllowDuplicateNames(true)); true {
			for err = nil; err == nil; err = d.SkipValue() {
			}
			if !errors.Is(err, io.EOF) {
				t.Fatalf("%s: %v", lines, err)
			}
		}
		arena.Clear()
		d, err := Format().NewDecoder(schema, nil, arena, codec.Limits{Rows: rapid.IntRange(1, 40).Draw(t, "limit"), Bytes: rapid.IntRange(1, 5000).Draw(t, "bytes")})
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(0); len(lines) > 0; {
			arena.Allow(d.Need(len(lines)))
			for _, piece := range bytes.SplitAfter(lines, []byte{'\n'}) {
				n, err := d.Append(piece, func(b *codec.BadRecord) error { return b.Fault })
				if err != nil {
					t.Fatalf("%s: %v", lines, err)
				}
				lines = lines[n:]
				if n < len(piece) {
					break
				}
			}
			got := d.Record()
			want := rec.NewSlice(at, at+got.NumRows())
			if err := validate(got); err != nil {
				t.Fatal(err)
			}
			if !codectest.Equal(got, want) {
				t.Fatalf("got %v\nwant %v", got, want)
			}
			at += got.NumRows()
			want.Release()
			got.Release()
		}
		d.Close()
		if arena.Live != 0 {
			t.Fatalf("%d buffers were not freed", arena.Live)
		}
	})
}

// validate reads every value.
func validate(rec arrow.Record) error {
	e, err := newEncoder(rec.Schema())
	if err != nil {
		return err
	}
	if err := e.Bind(rec); err != nil {
		return err
	}
	for i := range int(rec.NumRows()) {
		if _, err := e.Append(nil, i); err != nil {
			return err
		}
	}
	return nil
}

// TestNeed decodes garbage and near misses beside good lines into memory that holds no more than Need said.
func TestNeed(t *testing.T) {
	line := rapid.OneOf(
		rapid.SampledFrom([]string{"{}", `{"f0":[[],[1],[1,2,3]]}`, `{"f0":{"a":1,"b":[null]}}`, `{"f1":"` + strings.Repeat("x", 300) + `"}`, `{"f0":null,"f1":"a","f2":1}`, `{"f0":["a","b","c"`}),
		rapid.StringMatching(`\{"f[0-3]":(\[(1,|"ab",|null,|\[\],){0,20}1\]|"[a-z]{0,50}"|[0-9]{1,5})(,"f[0-3]":[0-9])?\}`))
	arena := codectest.NewArena(16 << 20)
	rapid.Check(t, func(t *rapid.T) {
		schema := codectest.RandomSchema(t, 2)
		arena.Clear()
		d, err := Format().NewDecoder(schema, nil, arena, codec.Limits{Rows: rapid.SampledFrom([]int{0, 1, 7}).Draw(t, "limit")})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			for range rapid.IntRange(1, 4).Draw(t, "pieces") {
				data := []byte(strings.Join(rapid.SliceOfN(line, 0, 60).Draw(t, "lines"), "\n"))
				arena.Allow(d.Need(len(data)))
				if _, err := d.Append(data, func(*codec.BadRecord) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			if rec := d.Record(); rec != nil {
				if err := validate(rec); err != nil {
					t.Fatal(err)
				}
				rec.Release()
				arena.Reset()
			}
		}
	})
}

// FuzzDecode compares with a strict library: what is JSON, and the values of fields.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"i":9007199254740993,"f":1e23,"s":"\ud83d\ude00","b":true,"x":[1,{"a":null}]}`, `{"i":-0,"f":-0.0}`,
		"{\"s\":\"\xff\"}", `{"s":"\u0000"}`, `{"i":1,}`, `{"f":5e-324}`, `{"f":1.7976931348623159e308}`, ` {"i" : 01}`, `{"i":1}x`} {
		f.Add([]byte(s))
	}
	schema := codectest.Schema(f, "i: int64, f: float64, s: utf8, b: bool, l: list<int32>")
	arena := codectest.NewArena(1 << 20)
	f.Fuzz(func(t *testing.T, line []byte) {
		line = bytes.ReplaceAll(line, []byte{'\n'}, []byte{' '})
		if bytes.HasPrefix(line, []byte("\xef\xbb\xbf")) || len(bytes.TrimLeft(line, " \t\r")) == 0 || len(line) > 4096 {
			return
		}
		arena.Clear()
		d, err := Format().NewDecoder(schema, nil, arena, codec.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		arena.Allow(d.Need(len(line)))
		var bad *codec.BadRecord
		if n, err := d.Append(line, func(b *codec.BadRecord) error { c := *b; bad = &c; return nil }); err != nil || n != len(line) {
			t.Fatal(n, err)
		}
		rec := d.Record()
		if rec != nil {
			defer rec.Release()
		}
		if (rec != nil) == (bad != nil) {
			t.Fatalf("a record %v, and bad %v", rec, bad)
		}
		want, ok := oracle(line)
		if ok != (rec != nil) {
			t.Fatalf("accepted: %v by the oracle, fault %v", ok, bad)
		}
		if rec == nil {
			return
		}
		if err := validate(rec); err != nil {
			t.Fatal(err)
		}
		for name, w := range want {
			i := schema.FieldIndices(name)[0]
			if got := value(rec.Column(i)); got != w {
				t.Fatalf("%s: got %v, want %v", name, got, w)
			}
		}
	})
}

func value(a arrow.Array) any {
	if a.IsNull(0) {
		return nil
	}
	switch a := a.(type) {
	case *array.Int64:
		return a.Value(0)
	case *array.Float64:
		return math.Float64bits(a.Value(0))
	case *array.String:
		return a.Value(0)
	case *array.Boolean:
		return a.Value(0)
	case *array.List:
		var b []byte
		items := a.ListValues().(*array.Int32)
		for i := range items.Len() {
			b = binary.AppendVarint(b, int64(items.Value(i)))
			b = strconv.AppendBool(b, items.IsNull(i))
		}
		return string(b)
	}
	return nil
}

// oracle says whether the line is a record of the fuzzed schema, and what its fields are.
func oracle(line []byte) (map[string]any, bool) {
	d := jsontext.NewDecoder(bytes.NewReader(line), jsontext.AllowDuplicateNames(true))
	if tok, err := d.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, false
	}
	want := map[string]any{"i": nil, "f": nil, "s": nil, "b": nil, "l": nil}
	seen := map[string]bool{}
	for d.PeekKind() != '}' {
		tok, err := d.ReadToken()
		if err != nil {
			return nil, false
		}
		name := tok.String()
		v, err := d.ReadValue()
		if err != nil || deep(v) {
			return nil, false
		}
		if _, ok := want[name]; !ok {
			continue
		}
		if seen[name] {
			return nil, false
		}
		seen[name] = true
		w, ok := expected(name, v)
		if !ok {
			return nil, false
		}
		want[name] = w
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, false
	}
	_, err := d.ReadToken()
	return want, errors.Is(err, io.EOF)
}

// deep reports whether v nests deeper than the scanner passes over.
func deep(v []byte) bool {
	return bytes.Count(v, []byte{'['})+bytes.Count(v, []byte{'{'}) > maxSkipDepth
}

func expected(name string, v jsontext.Value) (any, bool) {
	switch {
	case v.Kind() == 'n':
		return nil, true
	case name == "i" && v.Kind() == '0':
		i, err := strconv.ParseInt(string(v), 10, 64)
		return i, err == nil
	case name == "f" && v.Kind() == '0':
		f, err := strconv.ParseFloat(string(v), 64)
		return math.Float64bits(f), err == nil
	case name == "s" && v.Kind() == '"':
		s, err := jsontext.AppendUnquote(nil, v)
		return string(s), err == nil
	case name == "b" && (v.Kind() == 't' || v.Kind() == 'f'):
		return v.Kind() == 't', true
	case name == "l" && v.Kind() == '[':
		d := jsontext.NewDecoder(bytes.NewReader(v))
		if _, err := d.ReadToken(); err != nil {
			return nil, false
		}
		var b []byte
		for d.PeekKind() != ']' {
			item, err := d.ReadValue()
			if err != nil {
				return nil, false
			}
			i, err := strconv.ParseInt(string(item), 10, 32)
			if item.Kind() != 'n' && err != nil {
				return nil, false
			}
			b = binary.AppendVarint(b, i)
			b = strconv.AppendBool(b, item.Kind() == 'n')
		}
		return string(b), true
	}
	return nil, false
}
