package stream_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
)

const gatherRows = `[
 {"b":true,"i":1,"f":1.5,"s":"one","l":[1,2],"st":{"x":1,"y":"a"},"m":[{"key":"k","value":1}],"d":"p","z":null,"fb":"AAA="},
 {"b":null,"i":null,"f":null,"s":null,"l":null,"st":null,"m":null,"d":null,"z":null,"fb":null},
 {"b":false,"i":-7,"f":0,"s":"","l":[],"st":{"x":null,"y":"long value"},"m":[],"d":"q","z":null,"fb":"AQI="},
 {"b":true,"i":9,"f":2.25,"s":"four","l":[null,5,6],"st":{"x":4,"y":null},"m":[{"key":"a","value":null},{"key":"b","value":2}],"d":"p","z":null,"fb":"//8="},
 {"b":false,"i":12,"f":-1,"s":"fünf","l":[9],"st":{"x":5,"y":""},"m":[{"key":"c","value":3}],"d":"p","z":null,"fb":"AAA="}]`

func gatherRecord(t testing.TB, alloc memory.Allocator) arrow.Record {
	t.Helper()
	var fields []arrow.Field
	for _, c := range []string{"b bool", "i int64", "f float32", "s utf8", "l list<int32>", "st struct<x: int16, y: large_utf8>",
		"m map<utf8, int64>", "d dictionary<int8, utf8>", "z null", "fb fixed_size_binary[2]"} {
		name, typ, _ := strings.Cut(c, " ")
		f, err := schema.ParseField(name, typ)
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, f)
	}
	rec, _, err := array.RecordFromJSON(alloc, arrow.NewSchema(fields, nil), strings.NewReader(gatherRows))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func rowText(t testing.TB, rec arrow.Record, row int) string {
	t.Helper()
	one := rec.NewSlice(int64(row), int64(row)+1)
	defer one.Release()
	var b bytes.Buffer
	if err := array.RecordToJSON(one, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGatherTakesTheRowsNamed(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer alloc.AssertSize(t, 0)
	whole := gatherRecord(t, alloc)
	defer whole.Release()
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.IntRange(0, 4).Draw(rt, "from")
		to := rapid.IntRange(from+1, 5).Draw(rt, "to")
		rec := whole.NewSlice(int64(from), int64(to))
		defer rec.Release()
		rows := rapid.SliceOf(rapid.Int32Range(0, int32(to-from-1))).Draw(rt, "rows")
		got := stream.Gather(alloc, rec, rows)
		defer got.Release()
		if int(got.NumRows()) != len(rows) {
			rt.Fatalf("got %d rows, want %d", got.NumRows(), len(rows))
		}
		for i, r := range rows {
			if g, w := rowText(t, got, i), rowText(t, rec, int(r)); g != w {
				rt.Fatalf("row %d: got %s, want %s", i, g, w)
			}
		}
	})
}

type counter struct {
	memory.Allocator
	taken int
}

func (c *counter) Allocate(n int) []byte {
	c.taken += (n + 63) &^ 63
	return c.Allocator.Allocate(n)
}

func TestGatherSizeIsAnUpperBound(t *testing.T) {
	whole := gatherRecord(t, memory.DefaultAllocator)
	defer whole.Release()
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.IntRange(0, 4).Draw(rt, "from")
		rec := whole.NewSlice(int64(from), 5)
		defer rec.Release()
		var rows []int32
		for r := range int32(5 - from) {
			if rapid.Bool().Draw(rt, "take") {
				rows = append(rows, r)
			}
		}
		c := &counter{Allocator: memory.DefaultAllocator}
		stream.Gather(c, rec, rows).Release()
		if bound := stream.GatherSize(rec, len(rows)); c.taken > bound {
			rt.Fatalf("took %d bytes, announced %d", c.taken, bound)
		}
	})
}

func TestKeepOfAVolatileBatchIsACopy(t *testing.T) {
	rec := gatherRecord(t, memory.DefaultAllocator)
	defer rec.Release()
	want := rowText(t, rec, 3)
	b := &stream.Batch{Record: rec, Volatile: true, Times: []int64{1, 2, 3, 4, 5}}
	kept := b.Keep()
	defer kept.Release()
	clear(rec.Column(3).Data().Buffers()[2].Bytes())
	if got := rowText(t, kept.Record, 3); got != want || kept.Volatile {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKeysAreCanonicalAndDistinct(t *testing.T) {
	alloc := memory.DefaultAllocator
	rec := gatherRecord(t, alloc)
	defer rec.Release()
	k, err := stream.NewKeyEncoder(rec.Schema(), []string{"s", "d"})
	if err != nil {
		t.Fatal(err)
	}
	k.Bind(rec)
	for row, want := range []string{"\x06\x03one\x06\x01p", "\x00\x00", "\x06\x00\x06\x01q", "\x06\x04four\x06\x01p", "\x06\x05fünf\x06\x01p"} {
		if got := string(k.AppendKey(nil, row)); got != want {
			t.Errorf("row %d: got %q, want %q", row, got, want)
		}
	}
	for name, want := range map[string]string{
		"no": "unknown column `no` (there is b, d, f, fb, i, l, m, s, st, z)",
		"l":  "column `l` of type list<int32> cannot be a key (use bool, integers, floats, utf8, binary, dates or timestamps)",
	} {
		if _, err := stream.NewKeyEncoder(rec.Schema(), []string{name}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestPartitionsCoverTasksEvenly(t *testing.T) {
	for _, parallelism := range []int{1, 2, 3, 7, 128} {
		counts := make([]int, parallelism)
		for p := range 128 {
			counts[stream.Owner(uint16(p), 128, parallelism)]++
		}
		for task, n := range counts {
			if n < 128/parallelism || n > 128/parallelism+1 {
				t.Errorf("parallelism %d: task %d owns %d partitions", parallelism, task, n)
			}
		}
	}
	if got := stream.Partition([]byte("a"), 1<<16); got != uint16(0xe40c292c%(1<<16)) {
		t.Errorf("got %#x: not FNV-1a", got)
	}
}

func BenchmarkGather(b *testing.B) {
	build := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String}}, nil))
	for i := range 8192 {
		build.Field(0).(*array.Int64Builder).Append(int64(i))
		build.Field(1).(*array.StringBuilder).Append("a value of some length")
	}
	rec := build.NewRecord()
	defer rec.Release()
	var rows []int32
	for i := int32(0); i < 8192; i += 2 {
		rows = append(rows, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		stream.Gather(memory.DefaultAllocator, rec, rows).Release()
	}
	b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
