package column_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec/codectest"
	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/connectors/codec/text"
)

// TestUndo takes back the beginnings of a row, nested values included, and leaves the rows before as they were.
func TestUndo(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	schema := codectest.Schema(t, "a: utf8, l: list<struct<x: int64, y: utf8>>, d: dictionary<int8, utf8>")
	b, err := column.New(schema, alloc, 100)
	if err != nil {
		t.Fatal(err)
	}
	a, l, d := b.Columns()[0], b.Columns()[1], b.Columns()[2]
	item := l.Children[0]
	b.Begin(100)
	part := func(i int) {
		a.AppendBytes(fmt.Appendf(nil, "row%d", i))
		item.Children[0].AppendInt(int64(i))
		item.Children[1].AppendNull()
		item.EndStruct()
	}
	for i := range 10 {
		part(100 + i)
		item.Children[0].AppendNull() // the second item lacks a field
		b.Undo()
		part(i)
		l.EndList()
		if i%2 == 0 {
			d.AppendNull()
		} else if p := d.AppendText([]byte("odd")); p != text.OK {
			t.Fatal(p)
		}
		b.EndRow()
	}
	part(99)
	l.EndList()
	d.AppendNull()
	b.Undo()
	rec := b.Record()
	defer rec.Release()
	for i := range 10 {
		got := fmt.Sprint(rec.Column(0).ValueStr(i), rec.Column(1).ValueStr(i), rec.Column(2).ValueStr(i))
		want := fmt.Sprintf(`row%d[{"x":%d,"y":null}](null)`, i, i)
		if i%2 == 1 {
			want = fmt.Sprintf(`row%d[{"x":%d,"y":null}]odd`, i, i)
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if n := rec.Column(2).NullN(); n != 5 {
		t.Errorf("%d nulls", n)
	}
	b.Begin(1)
	part(1)
	b.Close()
}

// TestNothingMovesInASteadyStream has batches alike: from the second on no buffer outgrows its place.
func TestNothingMovesInASteadyStream(t *testing.T) {
	arena := codectest.NewArena(8 << 20)
	b, err := column.New(codectest.Schema(t, "a: utf8, n: int64, l: list<int32>"), arena, 8192)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for batch := range 4 {
		const rows, size = 3000, 40
		arena.Allow(b.Need(rows*size, column.Bound{Rows: rows * size, Items: rows * size, Bytes: rows * size}))
		moved := arena.Moved
		for i := range rows {
			b.Begin(size)
			b.Columns()[0].AppendBytes([]byte("some text of a row"))
			b.Columns()[1].AppendNull()
			b.Columns()[2].Children[0].AppendInt(int64(i))
			b.Columns()[2].EndList()
			b.EndRow()
			b.Took(size)
		}
		if moved = arena.Moved - moved; batch > 0 && moved > 0 {
			t.Errorf("%d bytes were moved in batch %d", moved, batch)
		}
		rec := b.Record()
		if rec.NumRows() != rows {
			t.Errorf("%d rows", rec.NumRows())
		}
		rec.Release()
		arena.Reset()
	}
}

func TestDictionaryIsFull(t *testing.T) {
	b, err := column.New(codectest.Schema(t, "d: dictionary<int8, int64>"), memory.DefaultAllocator, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	d := b.Columns()[0]
	for i := range 128 {
		if p := d.AppendText(fmt.Append(nil, i)); p != text.OK {
			t.Fatal(i, p)
		}
		b.EndRow()
	}
	if p := d.AppendText([]byte("128")); p != text.Values {
		t.Errorf("got %q", p)
	}
	b.Undo()
	if p := d.AppendText([]byte("7")); p != text.OK {
		t.Error(p)
	}
	b.EndRow()
	rec := b.Record()
	defer rec.Release()
	if x := rec.Column(0).(*array.Dictionary); x.Dictionary().Len() != 128 || x.GetValueIndex(128) != 7 {
		t.Errorf("%d values, index %d", x.Dictionary().Len(), x.GetValueIndex(128))
	}
}

func TestNewFaults(t *testing.T) {
	for _, c := range []struct {
		field arrow.Field
		want  string
	}{
		{arrow.Field{Name: "u", Type: arrow.ListOf(arrow.FixedWidthTypes.Float16)}, "column u[]: type float16 cannot be decoded"},
		{arrow.Field{Name: "s", Type: structOf(t, "a: int8, a: int8")}, "column s: the field `a` occurs twice"},
		{arrow.Field{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.ListOf(arrow.PrimitiveTypes.Int8)}}, "column d: a dictionary of list<int8> values cannot be built"},
		{arrow.Field{Name: "n", Type: &arrow.Decimal128Type{Precision: 5, Scale: -1}}, "column n: type decimal128(5, -1) cannot be decoded"},
	} {
		_, err := column.New(arrow.NewSchema([]arrow.Field{c.field}, nil), memory.DefaultAllocator, 1)
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func structOf(t *testing.T, fields string) arrow.DataType {
	return arrow.StructOf(codectest.Schema(t, fields).Fields()...)
}
