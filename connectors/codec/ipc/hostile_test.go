package ipc

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

// three is a message of three rows, the second of them null, of the column x.
func three(t testing.TB, typ string, values string) []byte {
	t.Helper()
	schema := codectest.Schema(t, "x: "+typ)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(values))
	if err != nil {
		t.Fatal(err)
	}
	return stream(t, nil, rec)
}

// at returns the positions in data of the first batch's node i and buffer i in its metadata, and that buffer's in its body.
func at(t testing.TB, data []byte, node, buffer int) (n, b, content int) {
	t.Helper()
	for at := 0; ; {
		m, f := read(data[at:])
		if f != nil {
			t.Fatal(f)
		}
		if m.kind == headerBatch {
			x, f := openBatch(m.header, m.body, m.size)
			if f != nil {
				t.Fatal(f)
			}
			entry := x.buffers + 16*buffer
			return at + 8 + x.nodes + 16*node, at + 8 + entry, at + m.size - len(m.body) + int(m.meta.i64(entry))
		}
		at += m.size
	}
}

func put64(data []byte, at int, v int64) { binary.LittleEndian.PutUint64(data[at:], uint64(v)) }
func put32(data []byte, at int, v int32) { binary.LittleEndian.PutUint32(data[at:], uint32(v)) }

// decodeAll decodes a message under a schema of text, and returns what is bad and how many rows there are.
func decodeAll(t testing.TB, columns string, data []byte) (rows int, bad string) {
	t.Helper()
	arena := codectest.NewArena(1 << 20)
	d, err := Format().NewDecoder(codectest.Schema(t, columns), nil, arena, codec.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	arena.Allow(d.Need(len(data)))
	n, err := d.Append(data, func(b *codec.BadRecord) error { bad += b.Fault.Error(); return nil })
	if err != nil || n != len(data) {
		t.Fatal(n, err)
	}
	if rec := d.Record(); rec != nil {
		rows = int(rec.NumRows())
		rec.Release()
	}
	return rows, bad
}

func TestHostile(t *testing.T) {
	texts := func() []byte { return three(t, "utf8", `[{"x":"aé"},{"x":null},{"x":"b"}]`) }
	ints := func() []byte { return three(t, "int64", `[{"x":1},{"x":null},{"x":3}]`) }
	lists := func() []byte { return three(t, "list<int32>", `[{"x":[1,2]},{"x":null},{"x":[3]}]`) }
	for _, c := range []struct {
		name, columns string
		data          []byte
		change        func(data []byte)
		want          string
	}{
		{"cut in the middle", "x: int64", ints()[:300], nil, "expected a body of 32 bytes, got 28 (the data ends within a message: was it cut off when it was written or copied?)"},
		{"not Arrow", "x: int64", []byte(`{"x":1}`), nil, "expected an Arrow message, got bytes that begin with 7b 22 78 22 (a message is an Arrow IPC stream or file, written by version 0.15 or later)"},
		{"huge metadata", "x: int64", []byte("\xff\xff\xff\xff\xff\xff\xff\x7f"), nil, "expected metadata of at most 16777216 bytes, got 2147483647"},
		{"no schema", "x: int64", ints()[128:], nil, "expected a schema before the rows, got none"},
		{"another type", "x: int32", ints(), nil, "column x: expected int32, got int64"},
		{"no such column", "x: int64, y: utf8!", ints(), nil, "column y: expected utf8, got no such column"},
		{"nulls where none may be", "x: int64!", ints(), nil, "column x, row 1: expected int64, got null"},
		{"negative length", "x: int64", ints(), func(d []byte) { n, _, _ := at(t, d, 0, 0); put64(d, n, -1) }, "column x: expected 3 values, got -1"},
		{"too many nulls", "x: int64", ints(), func(d []byte) { n, _, _ := at(t, d, 0, 0); put64(d, n+8, 4) }, "column x: expected 0 to 3 nulls, got 4"},
		{"nulls without bits", "x: int64", ints(), func(d []byte) { _, b, _ := at(t, d, 0, 0); put64(d, b+8, 0) }, "column x: expected a bit for each value that may be null, got 1 nulls without"},
		{"buffer behind the body", "x: int64", ints(), func(d []byte) { _, b, _ := at(t, d, 0, 1); put64(d, b, 1<<40) }, "column x: expected a buffer of values within 32 bytes, got 24 bytes at 1099511627776"},
		{"buffer of negative length", "x: int64", ints(), func(d []byte) { _, b, _ := at(t, d, 0, 1); put64(d, b+8, -8) }, "column x: expected a buffer of values within 32 bytes, got -8 bytes at 8"},
		{"buffer that overflows", "x: int64", ints(), func(d []byte) { _, b, _ := at(t, d, 0, 1); put64(d, b, 1<<63-1); put64(d, b+8, 64) }, "column x: expected a buffer of values within 32 bytes, got 64 bytes at 9223372036854775807"},
		{"short buffer", "x: int64", ints(), func(d []byte) { _, b, _ := at(t, d, 0, 1); put64(d, b+8, 23) }, "column x: expected values of 24 bytes, got 23"},
		{"falling offsets", "x: utf8", texts(), func(d []byte) { _, _, o := at(t, d, 0, 1); put32(d, o+8, 1) }, "column x, row 1: expected an offset from 3 to 4, got 1"},
		{"offset behind the data", "x: utf8", texts(), func(d []byte) { _, _, o := at(t, d, 0, 1); put32(d, o+12, 5000) }, "column x, row 2: expected an offset from 3 to 4, got 5000"},
		{"negative offset", "x: utf8", texts(), func(d []byte) { _, _, o := at(t, d, 0, 1); put32(d, o, -4) }, "column x, row 0: expected an offset of 0 at least, got -4"},
		{"character across values", "x: utf8", texts(), func(d []byte) { _, _, o := at(t, d, 0, 1); put32(d, o+4, 2) }, "column x, row 1: expected valid UTF-8, got a character across two values"},
		{"not UTF-8", "x: utf8", texts(), func(d []byte) { _, _, o := at(t, d, 0, 2); d[o] = 0xff }, "column x: expected valid UTF-8, got byte 0xff"},
		{"items that are not there", "x: list<int32>", lists(), func(d []byte) { _, _, o := at(t, d, 0, 1); put32(d, o+12, 4) }, "column x, row 2: expected an offset from 2 to 3, got 4"},
		{"items by the billion", "x: list<int32>", lists(), func(d []byte) { n, _, _ := at(t, d, 1, 0); put64(d, n, 1<<40) }, "column x[]: expected 0 to 1856 values in the message, got 1099511627776"},
	} {
		if c.change != nil {
			c.change(c.data)
		}
		rows, bad := decodeAll(t, c.columns, c.data)
		if bad != c.want || rows != 0 {
			t.Errorf("%s: %d rows,\n got %s\nwant %s", c.name, rows, bad, c.want)
		}
	}
}

func TestRowsByTheBillion(t *testing.T) {
	data := three(t, "null", `[{"x":null}]`)
	n, _, _ := at(t, data, 0, 0)
	put64(data, n, 1<<40)
	for i := 184; i < n; i++ { // the batch's own length, which stands before
		if binary.LittleEndian.Uint64(data[i:]) == 1 {
			put64(data, i, 1<<40)
			break
		}
	}
	if rows, bad := decodeAll(t, "x: null", data); rows != 0 || !strings.Contains(bad, "got 1099511627776") {
		t.Errorf("%d rows, %s", rows, bad)
	}
}

func TestDictionaries(t *testing.T) {
	const columns = "x: dictionary<int8, utf8>"
	schema := codectest.Schema(t, columns)
	of := func(values ...string) arrow.Record {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for _, v := range values {
			if err := b.Field(0).(*array.BinaryDictionaryBuilder).AppendString(v); err != nil {
				t.Fatal(err)
			}
		}
		return b.NewRecord()
	}
	many := func(first, n int) (out []string) {
		for i := range n {
			out = append(out, string(rune('0'+first+i)))
		}
		return out
	}
	data := stream(t, nil, of("a", "b"))
	_, _, body := at(t, data, 0, 1)
	data[body] = 2
	if _, bad := decodeAll(t, columns, data); bad != "column x, row 0: expected an index below 2, got 2" {
		t.Error(bad)
	}
	data[body] = 0xff
	if _, bad := decodeAll(t, columns, data); bad != "column x, row 0: expected an index below 2, got 255" {
		t.Error(bad)
	}
	deltas := stream(t, []ipc.Option{ipc.WithDictionaryDeltas(true)}, of("a"), of("a", "b"))
	if rows, bad := decodeAll(t, columns, deltas); rows != 1 || bad != "expected a whole dictionary, got one that adds to an earlier one (write without delta dictionaries)" {
		t.Error(rows, bad)
	}

	// Two messages whose dictionaries do not fit in one batch together make two.
	d, err := Format().NewDecoder(schema, nil, codectest.NewArena(1<<20), codec.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	fails := func(b *codec.BadRecord) error { return b.Fault }
	first, second := stream(t, nil, of(many(0, 100)...)), stream(t, nil, of(many(50, 100)...))
	if n, err := d.Append(first, fails); n != len(first) || err != nil {
		t.Fatal(n, err)
	}
	n, err := d.Append(second, fails)
	if n == len(second) || err != nil || d.Rows() != 100 {
		t.Fatal(n, d.Rows(), err)
	}
	d.Record().Release()
	if m, err := d.Append(second[n:], fails); m != len(second)-n || err != nil || d.Rows() != 100 {
		t.Fatal(m, d.Rows(), err)
	}
}

func TestRefused(t *testing.T) {
	rec := seven(t, 100)
	for _, option := range []ipc.Option{ipc.WithZstd(), ipc.WithLZ4()} {
		_, bad := decodeAll(t, "id: int64", stream(t, []ipc.Option{option}, rec))
		if want := "expected a body that is not compressed (write without compression: `compression=None` in pyarrow, `uncompressed` in polars)"; bad != want {
			t.Errorf("got %s", bad)
		}
	}
	union := arrow.SparseUnionOf([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}}, []arrow.UnionTypeCode{0})
	s := arrow.NewSchema([]arrow.Field{{Name: "u", Type: union}}, nil)
	if _, err := Format().NewEncoder(s, nil); err == nil || err.Error() != "column u: type union cannot be decoded (write the column as another type)" {
		t.Errorf("got %v", err)
	}
}

// TestPassedOver has columns around the one wanted whose types cannot be had but whose layout is known.
func TestPassedOver(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "h", Type: arrow.FixedWidthTypes.Float16},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "d", Type: arrow.FixedWidthTypes.Date64}, arrow.Field{Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.String)})},
		{Name: "x", Type: arrow.PrimitiveTypes.Int64},
		{Name: "i", Type: arrow.FixedWidthTypes.MonthDayNanoInterval},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for _, f := range b.Fields() {
		f.AppendEmptyValue()
	}
	data := stream(t, nil, b.NewRecord())
	if rows, bad := decodeAll(t, "x: int64, absent: list<utf8>", data); rows != 1 || bad != "" {
		t.Error(rows, bad)
	}
	if _, bad := decodeAll(t, "h: float32", data); bad != "column h: expected float32, got float16" {
		t.Error(bad)
	}
	if _, err := Format().Infer(data, nil); err == nil || err.Error() != "column h: type float16 cannot be decoded (declare a schema without it)\ncolumn s: type struct cannot be decoded (declare a schema without it)\ncolumn i: type interval cannot be decoded (declare a schema without it)" {
		t.Errorf("got %v", err)
	}
}

func TestInfer(t *testing.T) {
	const columns = "a: int8!, b: list<struct<c: decimal128(5, 2), d: map<utf8, timestamp[ms, UTC]!>>>, e: dictionary<uint16, binary>, f: fixed_size_binary[3], g: time32[s], h: duration[ns], i: null, j: large_utf8"
	rec := array.NewRecordBuilder(memory.DefaultAllocator, codectest.Schema(t, columns)).NewRecord()
	for _, data := range [][]byte{stream(t, nil, rec), append(bytes.Clone(magic), stream(t, nil, rec)...)} {
		s, err := Format().Infer(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := codectest.Format(s); got != columns {
			t.Errorf("got %s", got)
		}
	}
}
