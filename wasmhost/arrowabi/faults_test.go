package arrowabi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

func nest(t arrow.DataType, depth int) arrow.DataType {
	for range depth {
		t = arrow.ListOf(t)
	}
	return t
}

func TestTypesThatDoNotCross(t *testing.T) {
	i64, str := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	for _, c := range []struct {
		typ  arrow.DataType
		want string
	}{
		{arrow.FixedWidthTypes.Float16, "column c: columns of type float16 do not cross into guests"},
		{arrow.FixedWidthTypes.Date64, "column c: columns of type date64 do not cross into guests"},
		{arrow.ListOf(arrow.FixedWidthTypes.MonthInterval), "column c, item: columns of type month_interval do not cross into guests"},
		{arrow.StructOf(arrow.Field{Name: "a b", Type: arrow.LargeListOf(i64)}), `column c, "a b": columns of type large_list<item: int64, nullable> do not cross into guests`},
		{arrow.FixedSizeListOf(2, i64), "column c: columns of type fixed_size_list<item: int64, nullable>[2] do not cross into guests"},
		{&arrow.Decimal256Type{Precision: 40}, "column c: columns of type decimal256(40, 0) do not cross into guests"},
		{&arrow.DictionaryType{IndexType: str, ValueType: str}, "column c: columns of type dictionary<values=utf8, indices=utf8, ordered=false> do not cross into guests"},
		{&arrow.FixedSizeBinaryType{ByteWidth: -1}, "column c: expected a width of 0 bytes or more, got -1"},
		{arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, i64), "column c: columns of type run_end_encoded<run_ends: int32, values: int64> do not cross into guests"},
		{nest(i64, arrowabi.MaxDepth), "column c" + strings.Repeat(", item", arrowabi.MaxDepth) + ": types may nest 32 deep, this one is deeper"},
		{nest(i64, arrowabi.MaxDepth-1), ""},
	} {
		schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: c.typ}}, nil)
		g := newGuest(t)
		_, imports := arrowabi.NewImporter(g, schema, generous, where)
		_, exports := arrowabi.NewExporter(g, schema, false, 0, where)
		_, schemas := arrowabi.ExportSchema(g, schema, 0)
		check := arrowabi.CheckSchema(schema)
		if c.want == "" {
			if imports != nil || exports != nil || schemas != nil || check != nil {
				t.Errorf("%s: got %v, %v, %v, %v", c.typ, imports, exports, schemas, check)
			}
			continue
		}
		for err, want := range map[error]string{
			imports: "function f, " + c.want, exports: "function f, " + c.want, schemas: c.want, check: c.want,
		} {
			if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Unsupported {
				t.Errorf("%s: got  %v\nwant %s", c.typ, err, want)
			}
		}
	}
}

func TestExportRefuses(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	other := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.BinaryTypes.String}}, nil)
	two := arrow.NewSchema([]arrow.Field{schema.Field(0), other.Field(0)}, nil)
	ok := record(t, memory.DefaultAllocator, schema, `[{"n": 1}]`)
	for _, c := range []struct {
		name, want string
		rec        arrow.Record
		slots      []int32
		withSlots  bool
	}{
		{"columns", "function f: expected 1 columns, got 2", record(t, memory.DefaultAllocator, two, `[]`), nil, false},
		{"type", "function f, column n: expected int64, got utf8", record(t, memory.DefaultAllocator, other, `[]`), nil, false},
		{"slots", "function f: expected 1 slots, got 2", ok, []int32{0, 0}, true},
		{"no slots", "function f: expected 1 slots, got 0", ok, nil, true},
		{"slots for none", "function f: expected 0 slots, got 1", ok, []int32{0}, false},
	} {
		ex, err := arrowabi.NewExporter(newGuest(t), schema, c.withSlots, 0, where)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ex.Export(c.rec, c.slots); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestExportWithoutRoom(t *testing.T) {
	g := newGuest(t)
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	ex, err := arrowabi.NewExporter(g, schema, false, 0, where)
	if err != nil {
		t.Fatal(err)
	}
	g.next = 255 << 20 // of the 256 MiB that the guest may have
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(make([]int64, 1<<18), nil)
	rec := array.NewRecord(schema, []arrow.Array{b.NewArray()}, 1<<18)
	_, err = ex.Export(rec, nil)
	want := "function f: the guest has no memory for 2097152 more bytes (raise the memory limit or use smaller batches)"
	if err == nil || err.Error() != want || ex.CopiedBytes() != 0 {
		t.Fatalf("got %v, want %s", err, want)
	}
}

func TestLimits(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "l", Type: arrow.ListOf(arrow.Null)}}, nil)
	g := newGuest(t)
	rec := record(t, memory.DefaultAllocator, schema, `[{"l": [null]}]`)
	ex, err := arrowabi.NewExporter(g, schema, false, 1, where)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ex.Export(rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	items := g.child(g.child(a, 0), 0)
	g.setU64(items, 1<<30)
	g.setU64(items+8, 1<<30)
	im, err := arrowabi.NewImporter(g, schema, arrowabi.Limits{Rows: 1, Bytes: 1 << 20}, where)
	if err != nil {
		t.Fatal(err)
	}
	_, err = im.Import(a)
	want := "function f, column l, item: a step of more than 1048576 bytes (return smaller steps)"
	if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Limit {
		t.Fatalf("got %v, want %s", err, want)
	}
}

// Few bytes that stand for many are refused, and so are those below lists and structs.
func TestLimitsOfDictionaries(t *testing.T) {
	long := strings.Repeat("x", 4000)
	for _, c := range []struct {
		values arrow.DataType
		value  string
	}{
		{arrow.BinaryTypes.String, fmt.Sprintf("%q", long)},
		{arrow.BinaryTypes.LargeString, fmt.Sprintf("%q", long)},
		{arrow.ListOf(arrow.StructOf(arrow.Field{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true})), fmt.Sprintf(`[{"s": %q}, {"s": null}]`, long)},
	} {
		g := newGuest(t)
		one := arrow.NewSchema([]arrow.Field{{Name: "v", Type: c.values, Nullable: true}}, nil)
		values := record(t, memory.DefaultAllocator, one, fmt.Sprintf(`[{"v": %s}, {"v": null}]`, c.value)).Column(0)
		typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint16, ValueType: c.values}
		indices := array.NewUint16Builder(memory.DefaultAllocator)
		for i := range 1000 {
			indices.Append(uint16(i % 2))
		}
		rec := array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "d", Type: typ, Nullable: true}}, nil),
			[]arrow.Array{array.NewDictionaryArray(typ, indices.NewArray(), values)}, 1000)
		ex, err := arrowabi.NewExporter(g, rec.Schema(), false, 1, where)
		if err != nil {
			t.Fatal(err)
		}
		a, err := ex.Export(rec, nil)
		if err != nil {
			t.Fatal(err)
		}
		for bytes, want := range map[int64]string{
			2_100_000: "", 1_900_000: "function f, column d: a step of more than 1900000 bytes (return smaller steps)",
		} {
			im, err := arrowabi.NewImporter(g, rec.Schema(), arrowabi.Limits{Rows: 1000, Bytes: bytes}, where)
			if err != nil {
				t.Fatal(err)
			}
			_, err = im.Import(a)
			if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
				t.Errorf("%s, at most %d bytes: got %v, want %q", c.values, bytes, err, want)
			}
		}
	}
}

func TestOrigins(t *testing.T) {
	g := newGuest(t)
	im, err := arrowabi.NewImporter(g, flights, generous, where)
	if err != nil {
		t.Fatal(err)
	}
	at := func(v ...int32) uint32 { return g.put(append([]byte(nil), arrow.Int32Traits.CastToBytes(v)...)) }
	for _, c := range []struct {
		name, want   string
		ptr          uint32
		rows, inputs int
	}{
		{"good", "[0 0 2 2 3]", at(0, 0, 2, 2, 3), 5, 4},
		{"none", "[]", 0, 0, 4},
		{"falling", "function f, origins: expected a row from 2 to 3 of the input, got 1 at 2", at(0, 2, 1), 3, 4},
		{"negative", "function f, origins: expected a row from 0 to 3 of the input, got -1 at 0", at(-1), 1, 4},
		{"too large", "function f, origins: expected a row from 0 to 3 of the input, got 4 at 1", at(0, 4), 2, 4},
		{"null", "function f, origins: expected 8 bytes, got a null pointer", 0, 2, 4},
		{"outside", "function f, origins: 8 bytes at 0xffffff00 end outside of the memory of 65536 bytes", 0xffffff00, 2, 4},
	} {
		o, err := im.Origins(c.ptr, c.rows, c.inputs)
		got := fmt.Sprint(o)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestRecheck(t *testing.T) {
	for _, c := range []struct {
		name, want string
		column     int
		below      []int // children, -1 for the dictionary
		buffer     int
		at         int
		value      byte
	}{
		{"untouched", "", colN, nil, 1, 0, 9},
		{"validity", "function f, column n, validity: expected 1 nulls as before the call, got 2", colN, nil, 0, 0, 4},
		{"offsets", "function f, column s, offsets: expected offsets that do not fall, got 3 at 1 after 255", colS, nil, 1, 0, 255},
		{"offsets beyond", "function f, column s, offsets: expected offsets up to 6, got 7 at 3", colS, nil, 1, 12, 7},
		{"large offsets", "function f, column large, offsets: expected offsets up to 4, got 65284 at 3", colLarge, nil, 1, 25, 255},
		{"items", "function f, column tags, offsets: expected offsets up to 3, got 4 at 3", colTags, nil, 1, 12, 4},
		{"text of items", "function f, column tags, item, offsets: expected offsets up to 3, got 4 at 3", colTags, []int{0}, 1, 12, 4},
		{"keys", "function f, column m, entries, key, offsets: expected offsets from 0, got -2147483647 at 1", colM, []int{0, 0}, 1, 7, 128},
		{"indices", "function f, column d, indices: expected indices below 2, the length of the dictionary, got 3 at 1", colD, nil, 1, 2, 3},
		{"dictionary", "function f, column d, dictionary, offsets: expected offsets up to 7, got 8 at 2", colD, []int{-1}, 1, 8, 8},
		{"field", "function f, column st, a, validity: expected 1 nulls as before the call, got 3", colSt, []int{0}, 0, 0, 0},
	} {
		g := newGuest(t)
		if err := g.Reserve(60 << 10); err != nil {
			t.Fatal(err)
		}
		rec := record(t, g, liesSchema, liesRows)
		d := rec.Column(c.column).Data()
		for _, i := range c.below {
			if i < 0 {
				d = d.Dictionary()
			} else {
				d = d.Children()[i]
			}
		}
		if s := g.Stats(); s.Fallbacks != 0 {
			t.Fatalf("%s: the record does not lie in the guest: %+v", c.name, s)
		}
		d.Buffers()[c.buffer].Bytes()[c.at] = c.value
		err := arrowabi.Recheck(g, rec, where)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: got  %v\nwant %s", c.name, err, c.want)
		}
		rec.Release()
	}
}

func TestImportedRecordIsARecord(t *testing.T) {
	g := newGuest(t)
	rec := record(t, memory.DefaultAllocator, liesSchema, liesRows)
	back, _, _ := cross(t, g, rec)
	defer back.Release()
	if got, want := fmt.Sprint(back.NewSlice(1, 3)), fmt.Sprint(rec.NewSlice(1, 3)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(back), fmt.Sprint(rec); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := json.Marshal(rec); string(got) != string(want) {
		t.Errorf("got %s, want %s", got, want)
	}
	set, err := back.SetColumn(0, rec.Column(0))
	if err != nil || set.Column(0) != rec.Column(0) || back.ColumnName(1) != "s" {
		t.Errorf("got %v, %v", set, err)
	}
}
