package arrowabi_test

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// interesting are the words that break careless readers.
var interesting = []uint32{0, 1, 2, 7, 8, 63, 0x7f, 0x80, 0xff, 0x1000, 0xffff, 0x10000, 0x1ffff, 0x20000, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff}

// A sound array of any schema with some of its words changed is refused with a fault, or can be read to its end.
func TestSpoiledArrays(t *testing.T) {
	read, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g, done := openGuest(t)
		defer done()
		rec := randomRecord(t, memory.DefaultAllocator)
		defer rec.Release()
		first := g.next
		ex, err := arrowabi.NewExporter(g, rec.Schema(), false, 1, where)
		if err != nil {
			t.Fatal(err)
		}
		block := g.next
		a, err := ex.Export(rec, nil)
		if err != nil {
			t.Fatal(err)
		}
		last := block + 4096 // the block of structures, and the first of what was copied
		for range rapid.IntRange(1, 4).Draw(t, "words") {
			at := first + rapid.Uint32Range(0, (last-first)/4-1).Draw(t, "at")*4
			word := rapid.SampledFrom(interesting).Draw(t, "word")
			if rapid.Bool().Draw(t, "moved") {
				word = g.u32(at) + word
			}
			g.setU32(at, word)
		}
		im, err := arrowabi.NewImporter(g, rec.Schema(), tight, where)
		if err != nil {
			t.Fatal(err)
		}
		back, err := im.Import(a)
		if err != nil {
			refused++
			if code := fault.CodeOf(err); code != fault.BadArray && code != fault.Limit {
				t.Fatalf("code %s: %v", code, err)
			}
			return
		}
		defer back.Release()
		if err := arrowabi.Recheck(g, back, where); err != nil {
			t.Fatal(err)
		}
		readRecord(t, back)
		read++
	})
	if read == 0 || refused == 0 {
		t.Errorf("%d arrays were read and %d refused, want some of each", read, refused)
	}
}

// readRecord reads every value of a record, as encoders and operators do.
func readRecord(t failer, rec arrow.Record) {
	for _, c := range rec.Columns() {
		if c.Len() != int(rec.NumRows()) {
			t.Fatalf("a column has %d rows of %d", c.Len(), rec.NumRows())
		}
		readArray(t, c)
	}
	rows := stream.Range(0, int(rec.NumRows()))
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	for _, c := range rec.Columns() {
		if items(c.Data()) > 1<<16 {
			return // Gather is for records of a step's size
		}
	}
	stream.Gather(memory.DefaultAllocator, rec, rows).Release()
}

func items(d arrow.ArrayData) int {
	n := d.Len()
	for _, c := range d.Children() {
		n += items(c)
	}
	return n
}

var sink int

func readArray(t failer, a arrow.Array) {
	if a.NullN() > a.Len() {
		t.Fatalf("%d nulls of %d", a.NullN(), a.Len())
	}
	nulls := 0
	for i := range a.Len() {
		if a.IsNull(i) || a.DataType().ID() == arrow.NULL {
			nulls++
		}
	}
	if nulls != a.NullN() {
		t.Fatalf("%d nulls, NullN says %d", nulls, a.NullN())
	}
	switch a := a.(type) {
	case *array.String:
		for i := range a.Len() {
			sink += len(a.Value(i))
		}
		sink += len(a.ValueBytes()) + len(a.ValueOffsets())
	case *array.LargeString:
		for i := range a.Len() {
			sink += len(a.Value(i))
		}
	case *array.Binary:
		for i := range a.Len() {
			for _, b := range a.Value(i) {
				sink += int(b)
			}
		}
		sink += len(a.ValueBytes()) + len(a.ValueOffsets())
	case *array.LargeBinary:
		for i := range a.Len() {
			for _, b := range a.Value(i) {
				sink += int(b)
			}
		}
	case *array.FixedSizeBinary:
		for i := range a.Len() {
			sink += len(a.Value(i))
		}
	case *array.Boolean:
		for i := range a.Len() {
			if a.Value(i) {
				sink++
			}
		}
	case *array.Int64:
		for _, v := range a.Int64Values() {
			sink += int(v)
		}
	case *array.Int32:
		for _, v := range a.Int32Values() {
			sink += int(v)
		}
	case *array.Int8:
		for _, v := range a.Int8Values() {
			sink += int(v)
		}
	case *array.Decimal128:
		for i := range a.Len() {
			sink += a.Value(i).Sign()
		}
	case *array.Dictionary:
		values := a.Dictionary()
		readArray(t, values)
		for i := range a.Len() {
			if !a.IsNull(i) {
				one := array.NewSlice(values, int64(a.GetValueIndex(i)), int64(a.GetValueIndex(i))+1)
				sink += one.Len()
				one.Release()
			}
		}
	case *array.Map:
		readArray(t, a.Keys())
		readArray(t, a.Items())
		for i := range a.Len() {
			from, to := a.ValueOffsets(i)
			keys := array.NewSlice(a.Keys(), from, to)
			values := array.NewSlice(a.Items(), from, to)
			sink += keys.Len() + values.Len()
			keys.Release()
			values.Release()
		}
	case *array.List:
		readArray(t, a.ListValues())
		for i := range a.Len() {
			from, to := a.ValueOffsets(i)
			one := array.NewSlice(a.ListValues(), from, to)
			sink += one.Len()
			one.Release()
		}
	case *array.Struct:
		for i := range a.NumField() {
			readArray(t, a.Field(i))
		}
	case *array.Null:
		sink += a.Len()
	default:
		for i := range a.Len() {
			sink += len(a.ValueStr(i))
		}
	}
}
