package sdk_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/udf"
)

// check compares what a function yields with the rows expected, step by step.
func check(t *testing.T, f udf.Function, in, want arrow.Record) {
	t.Helper()
	at := int64(0)
	err := f.Call(t.Context(), in, nil, func(r udf.Result) error {
		part := want.NewSlice(at, min(at+r.Record.NumRows(), want.NumRows()))
		defer part.Release()
		at += r.Record.NumRows()
		for i := range int(part.NumCols()) {
			if diff := difference(part.Column(i), r.Record.Column(i)); diff != "" {
				return fmt.Errorf("column %s: %s", part.ColumnName(i), diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if at != want.NumRows() {
		t.Errorf("expected %d rows, got %d", want.NumRows(), at)
	}
}

// difference names the first row in which two columns differ, "" for none. It goes row by row because array.Equal also
// compares what lies below a null struct.
func difference(want, got arrow.Array) string {
	if want.Len() != got.Len() {
		return fmt.Sprintf("expected %d rows, got %d", want.Len(), got.Len())
	}
	for i := range want.Len() {
		if !array.SliceEqual(want, int64(i), int64(i+1), got, int64(i), int64(i+1)) {
			return fmt.Sprintf("row %d of %d: expected %s, got %s", i, want.Len(), want.ValueStr(i), got.ValueStr(i))
		}
	}
	if !arrow.TypeEqual(want.DataType(), got.DataType()) {
		return fmt.Sprintf("expected %s, got %s", want.DataType(), got.DataType())
	}
	return ""
}

// inputs gives test every layout: in Go memory, in the guest's, and a slice of that with rows around it.
func inputs(t *testing.T, g *guest, s *arrow.Schema, test func(rec arrow.Record)) {
	t.Helper()
	for seed, n := range []int{0, 1, 65, 1025} {
		rec := random(t, memory.DefaultAllocator, s, n, uint64(seed))
		test(rec)
		rec.Release()
		if err := g.Arena().Reserve(4 << 20); err != nil {
			t.Fatal(err)
		}
		rec = random(t, g.Arena(), s, n, uint64(seed))
		slice := rec.NewSlice(min(3, int64(n)), max(int64(n)-5, min(3, int64(n))))
		test(slice)
		slice.Release()
		rec.Release()
	}
}

func TestEveryTypeCrosses(t *testing.T) {
	eachSDK(t, func(t *testing.T, g *guest) {
		for _, name := range []string{"copy", "copy_null", "nested", "copy_v"} {
			s, ok := g.signatures[name]
			if !ok {
				continue // the SDKs have their own ways of writing a function
			}
			f := g.bind(name, nil, nil)
			inputs(t, g, s.In, func(rec arrow.Record) { check(t, f, rec, rec) })
		}
	})
}

func TestFlatMapRepeatsRows(t *testing.T) {
	eachSDK(t, func(t *testing.T, g *guest) {
		f := g.bind("twice", nil, nil)
		inputs(t, g, g.signatures["twice"].In, func(rec arrow.Record) {
			at := 0
			err := f.Call(t.Context(), rec, nil, func(r udf.Result) error {
				for row, origin := range r.Origins {
					if int(origin) != at/2 {
						return fmt.Errorf("row %d: expected origin %d, got %d", at, at/2, origin)
					}
					a, b := r.Record.NewSlice(int64(row), int64(row+1)), rec.NewSlice(int64(origin), int64(origin+1))
					for c := range int(rec.NumCols()) {
						if diff := difference(b.Column(c), a.Column(c)); diff != "" {
							return fmt.Errorf("row %d, column %s: %s", at, rec.ColumnName(c), diff)
						}
					}
					a.Release()
					b.Release()
					at++
				}
				return nil
			})
			if err != nil || at != 2*int(rec.NumRows()) {
				t.Errorf("expected %d rows, got %d, %v", 2*rec.NumRows(), at, err)
			}
		})
	})
}

// TestPassIsFree compares addresses: a column passed through is the input's own memory.
func TestPassIsFree(t *testing.T) {
	eachSDK(t, func(t *testing.T, g *guest) {
		f := g.bind("pass", nil, nil)
		if err := g.Arena().Reserve(4 << 20); err != nil {
			t.Fatal(err)
		}
		in := random(t, g.Arena(), g.signatures["pass"].In, 100, 1)
		defer in.Release()
		before := g.Stats().CopiedBytes
		err := f.Call(t.Context(), in, nil, func(r udf.Result) error {
			for i, field := range r.Record.Schema().Fields() {
				from := in.Column(in.Schema().FieldIndices(field.Name)[0]).Data().Buffers()
				for k, b := range r.Record.Column(i).Data().Buffers() {
					if b != nil && &b.Bytes()[0] != &from[k].Bytes()[0] {
						t.Errorf("column %s: buffer %d was copied", field.Name, k)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if copied := g.Stats().CopiedBytes - before; copied != 0 {
			t.Errorf("expected no byte to be copied, got %d", copied)
		}
	})
}

func TestListsAndAnyColumns(t *testing.T) {
	eachSDK(t, func(t *testing.T, g *guest) {
		first := map[bool]string{true: "-4", false: "n"}[g.signatures["copy_null"].Name == ""]
		f := g.bind("join", nil, nil)
		in := rows(t, g.signatures["join"].In, `{"words": ["a", "bc"], "n": -4}, {"words": null, "n": 1}, {"words": ["ü"], "n": -4}`)
		got, err := text(t, f, in, nil)
		name := g.signatures["join"].Out.Field(0).Name
		want := fmt.Sprintf("[{%q:%q}\n,{%q:null}\n,{%q:%q}\n]", name, first+" a bc", name, name, first+" ü")
		if err != nil || got != want {
			t.Errorf("expected %s, got %s, %v", want, got, err)
		}
		s := columns(t, "a", "struct<x: int64>", "b", "dictionary<int32, utf8>", "c", "list<int64>")
		in = rows(t, s, `{"a": {"x": 1}, "b": "x", "c": []}, {"a": null, "b": "y", "c": [1]}, {"a": {"x": 1}, "b": "x", "c": null}`)
		got, err = text(t, g.bind("whole", s, nil), in, nil)
		if want := "[{\"keep\":true}\n,{\"keep\":false}\n,{\"keep\":false}\n]"; err != nil || got != want {
			t.Errorf("expected %s, got %s, %v", want, got, err)
		}
	})
}
