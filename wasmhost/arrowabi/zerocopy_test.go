package arrowabi_test

import (
	"testing"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/wasmhost/arrowabi"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

var flights = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "carrier", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "origin", Type: arrow.BinaryTypes.String},
	{Name: "raw", Type: arrow.BinaryTypes.Binary},
	{Name: "delay", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "late", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}},
}, nil)

func address(a arrow.Array, buffer int) uintptr {
	b := a.Data().Buffers()[buffer]
	if b == nil {
		return 0
	}
	return uintptr(unsafe.Pointer(unsafe.SliceData(b.Bytes())))
}

// flightRows builds rows as a decoder does: space is reserved before the first append.
func flightRows(t testing.TB, alloc memory.Allocator, rows int) arrow.Record {
	b := array.NewRecordBuilder(alloc, flights)
	defer b.Release()
	b.Reserve(rows)
	for _, c := range []int{1, 2, 3} {
		b.Field(c).(interface{ ReserveData(int) }).ReserveData(rows * 8)
	}
	for i := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		if i%7 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append("UA")
		}
		b.Field(2).(*array.StringBuilder).Append("SFO")
		b.Field(3).(*array.BinaryBuilder).Append([]byte{1, 2, 3, 4})
		if i%5 == 0 {
			b.Field(4).AppendNull()
		} else {
			b.Field(4).(*array.Float64Builder).Append(float64(i) / 2)
		}
		b.Field(5).(*array.BooleanBuilder).Append(i%3 == 0)
		b.Field(6).(*array.TimestampBuilder).Append(arrow.Timestamp(i))
	}
	return b.NewRecord()
}

// The zero-copy rule: what is built in the guest is handed over at its address, what the guest passes through comes
// back at that address, and nothing is counted as copied, moved or fallen back.
func TestZeroCopy(t *testing.T) {
	g := newGuest(t)
	const rows = 1024
	if err := g.Reserve(rows * 128); err != nil {
		t.Fatal(err)
	}
	whole := flightRows(t, g, rows)
	defer whole.Release()
	ex, err := arrowabi.NewExporter(g, flights, false, 1, where)
	if err != nil {
		t.Fatal(err)
	}
	im, err := arrowabi.NewImporter(g, flights, generous, where)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		from, to int64
	}{{"whole", 0, rows}, {"sliced", 100, 777}, {"one row", 1023, 1024}} {
		rec := whole.NewSlice(c.from, c.to)
		a, err := ex.Export(rec, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, col := range rec.Columns() {
			child := g.child(a, i)
			if offset := g.u64(child + 16); offset != uint64(c.from) {
				t.Errorf("%s: column %d is exported at offset %d", c.name, i, offset)
			}
			for j, b := range col.Data().Buffers() {
				at, inside := g.Contains(b.Bytes())
				got := g.u32(g.buffer(child, j))
				if !inside {
					t.Fatalf("%s: buffer %d of column %d was not built in the guest", c.name, j, i)
				}
				if noNulls := j == 0 && col.Data().NullN() == 0; noNulls && got != 0 || !noNulls && got != at {
					t.Errorf("%s: buffer %d of column %d is exported at %#x, it lies at %#x", c.name, j, i, got, at)
				}
			}
		}
		back, err := im.Import(a)
		if err != nil {
			t.Fatal(err)
		}
		if !array.RecordEqual(rec, back) {
			t.Errorf("%s: the rows differ", c.name)
		}
		for i, col := range back.Columns() {
			for j := range col.Data().Buffers() {
				if got, want := address(col, j), address(rec.Column(i), j); got != want && (j > 0 || col.NullN() > 0) {
					t.Errorf("%s: buffer %d of column %d comes back at %#x, it lies at %#x", c.name, j, i, got, want)
				}
			}
		}
		back.Release()
		rec.Release()
	}
	if ex.CopiedBytes() != 0 || im.CopiedBytes() != 0 {
		t.Errorf("copied %d bytes out and %d in", ex.CopiedBytes(), im.CopiedBytes())
	}
	if s := g.Stats(); s.Fallbacks != 0 || s.MovedBytes != 0 {
		t.Errorf("got %+v, want nothing moved and nothing fallen back", s)
	}
}

func TestCopiesAreCounted(t *testing.T) {
	g := newGuest(t)
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String}}, nil)
	rec := record(t, memory.DefaultAllocator, schema, `[{"n": 1, "s": "skipped"}, {"n": 2, "s": "ab"}, {"n": 3, "s": "c"}]`)
	defer rec.Release()
	ex, err := arrowabi.NewExporter(g, schema, true, 0, where)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ex.Export(rec, []int32{0, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ex.CopiedBytes(), uint64(3*8+4*4+10); got != want { // slots do not count
		t.Errorf("copied %d bytes, want %d", got, want)
	}
	slots := g.child(a, 2)
	values := g.u32(g.buffer(slots, 1))
	if g.u64(a+32) != 3 || g.u64(slots) != 3 || g.u32(values) != 0 || g.u32(values+4) != 1 || g.u32(values+8) != 0 {
		t.Error("the slots are not the last column")
	}
	if live := g.Stats().Live; live != 4 {
		t.Errorf("%d copies are held, want 4", live)
	}
	ex.Release()
	if live := g.Stats().Live; live != 0 {
		t.Errorf("%d copies are held after Release", live)
	}
	if err := ex.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestUnalignedNumbersAreCopied(t *testing.T) {
	g := newGuest(t)
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String}}, nil)
	rec := record(t, memory.DefaultAllocator, schema, `[{"n": 1, "s": "x"}, {"n": 2, "s": "ab"}]`)
	back, ex, im := cross(t, g, rec)
	back.Release()
	a, err := ex.Export(rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []uint32{g.buffer(g.child(a, 0), 1), g.buffer(g.child(a, 1), 1)} {
		from := g.u32(at)
		to := g.take(64, 8) + 1
		copy(g.Bytes()[to:to+24], g.Bytes()[from:])
		g.setU32(at, to)
	}
	if back, err = im.Import(a); err != nil {
		t.Fatal(err)
	}
	if !array.RecordEqual(rec, back) || im.CopiedBytes() != 16+12 {
		t.Errorf("copied %d bytes, want 28: %v", im.CopiedBytes(), back)
	}
}

// BenchmarkCall is the host's side of a call with a batch that lies in the guest: export, import, check again. What
// bounds it is the reading of the offsets.
func BenchmarkCall(b *testing.B) {
	for name, rows := range map[string]int{"rows=64": 64, "rows=1024": 1024, "rows=8192": 8192} {
		b.Run(name, func(b *testing.B) {
			g := newGuest(b)
			if err := g.Reserve(rows * 128); err != nil {
				b.Fatal(err)
			}
			rec := flightRows(b, g, rows)
			defer rec.Release()
			ex, err := arrowabi.NewExporter(g, flights, false, 1, where)
			if err != nil {
				b.Fatal(err)
			}
			im, err := arrowabi.NewImporter(g, flights, generous, where)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				a, err := ex.Export(rec, nil)
				if err != nil {
					b.Fatal(err)
				}
				back, err := im.Import(a)
				if err != nil {
					b.Fatal(err)
				}
				back.Release()
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			if ex.CopiedBytes()+im.CopiedBytes() != 0 || g.Stats().Fallbacks != 0 {
				b.Fatal("bytes were copied")
			}
		})
	}
}

var _ arrowabi.Space = (*linmem.Arena)(nil)

// BenchmarkRecheck is what a caller pays to read its input again after a call.
func BenchmarkRecheck(b *testing.B) {
	const rows = 1024
	g := newGuest(b)
	if err := g.Reserve(rows * 128); err != nil {
		b.Fatal(err)
	}
	rec := flightRows(b, g, rows)
	defer rec.Release()
	b.ReportAllocs()
	for b.Loop() {
		if err := arrowabi.Recheck(g, rec, where); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkCallCopies is a call with a batch that lies in Go memory. What bounds it is the copying.
func BenchmarkCallCopies(b *testing.B) {
	const rows = 1024
	g := newGuest(b)
	rec := flightRows(b, memory.DefaultAllocator, rows)
	defer rec.Release()
	ex, err := arrowabi.NewExporter(g, flights, false, 1, where)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ex.Export(rec, nil); err != nil {
			b.Fatal(err)
		}
		ex.Release()
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
