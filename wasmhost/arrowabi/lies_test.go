package arrowabi_test

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

// liesSchema has a column of each layout.
var liesSchema = arrow.NewSchema([]arrow.Field{
	{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String},
	{Name: "tags", Type: arrow.ListOfField(arrow.Field{Name: "item", Type: arrow.BinaryTypes.String, Nullable: true})},
	{Name: "st", Type: arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32}), Nullable: true},
	{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int8)},
	{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String}},
	{Name: "b", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "large", Type: arrow.BinaryTypes.LargeBinary},
	{Name: "z", Type: arrow.Null, Nullable: true},
}, nil)

const liesRows = `[
	{"n": 1, "s": "one", "tags": ["a", "b"], "st": {"a": 1}, "m": [{"key": "x", "value": 1}], "d": "red", "b": true, "large": "AA=="},
	{"n": null, "s": "two", "tags": [], "st": null, "m": [], "d": "blue", "b": false, "large": "AAAA"},
	{"n": 3, "s": "", "tags": ["c"], "st": {"a": 3}, "m": [{"key": "y", "value": 2}], "d": "red", "b": true, "large": ""}
]`

const (
	colN = iota
	colS
	colTags
	colSt
	colM
	colD
	colB
	colLarge
	colZ
)

// Every case starts with a sound array, tells one lie and names the whole text of the fault.
func TestLies(t *testing.T) {
	for _, c := range []struct {
		name, want string
		lie        func(g *guest, a uint32) uint32
	}{
		{"null array", "function f: expected 64 bytes, got a null pointer",
			func(*guest, uint32) uint32 { return 0 }},
		{"array outside", "function f: 64 bytes at 0xfffffff0 end outside of the memory of 131072 bytes",
			func(*guest, uint32) uint32 { return 0xfffffff0 }},
		{"array over the end", "function f: 64 bytes at 0x1ffe0 end outside of the memory of 131072 bytes",
			func(g *guest, _ uint32) uint32 { return uint32(len(g.Bytes()) - 32) }},
		{"released", "function f: release is null, which says that the array was released already",
			func(g *guest, a uint32) uint32 { g.setU32(a+52, 0); return a }},
		{"rows without end", "function f: a step of 2000000 rows is above the limit of 1048576",
			func(g *guest, a uint32) uint32 { g.setU64(a, 2_000_000); return a }},
		{"negative length", "function f, length: expected a number from 0 to 2147483647, got -1",
			func(g *guest, a uint32) uint32 { g.setU64(a, ^uint64(0)); return a }},
		{"huge length", "function f, column n, length: expected a number from 0 to 2147483647, got 9223372036854775807",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(a, colN), 1<<63-1); return a }},
		{"huge offset", "function f, column n, offset: expected a number from 0 to 2147483647, got 4611686018427387904",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(a, colN)+16, 1<<62); return a }},
		{"negative offset", "function f, column n, offset: expected a number from 0 to 2147483647, got -8",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(a, colN)+16, ^uint64(7)); return a }},
		{"offset beyond the buffers", "function f, column b, values: 268435456 bytes at 0x12280 end outside of the memory of 131072 bytes",
			func(g *guest, a uint32) uint32 {
				g.setU64(g.child(a, colB)+16, 1<<31-3)
				g.setU32(g.buffer(g.child(a, colB), 1), 0x12280)
				return a
			}},
		{"short column", "function f, column n, length: expected at least 3 elements, got 2",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(a, colN), 2); return a }},
		{"too few columns", "function f, n_children: expected 9, got 8",
			func(g *guest, a uint32) uint32 { g.setU64(a+32, 8); return a }},
		{"negative children", "function f, n_children: expected a number from 0 to 2147483647, got -1",
			func(g *guest, a uint32) uint32 { g.setU64(a+32, ^uint64(0)); return a }},
		{"children outside", "function f, children: 36 bytes at 0x7fffffff end outside of the memory of 131072 bytes",
			func(g *guest, a uint32) uint32 { g.setU32(a+44, 0x7fffffff); return a }},
		{"no buffers", "function f, column n, n_buffers: expected 2, got 0",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(a, colN)+24, 0); return a }},
		{"a buffer of null", "function f, column z, n_buffers: expected 0, got 1",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(a, colZ)+24, 1); return a }},
		{"buffers outside", "function f, column n, buffers: 8 bytes at 0xffffffff end outside of the memory of 131072 bytes",
			func(g *guest, a uint32) uint32 { g.setU32(g.child(a, colN)+40, 0xffffffff); return a }},
		{"null values", "function f, column n, values: expected 24 bytes, got a null pointer",
			func(g *guest, a uint32) uint32 { g.setU32(g.buffer(g.child(a, colN), 1), 0); return a }},
		{"values over the end", "function f, column n, values: 24 bytes at 0x1fff0 end outside of the memory of 131072 bytes",
			func(g *guest, a uint32) uint32 {
				g.setU32(g.buffer(g.child(a, colN), 1), uint32(len(g.Bytes())-16))
				return a
			}},
		{"validity outside", "function f, column n, validity: 1 bytes at 0xffffffff end outside of the memory of 131072 bytes",
			func(g *guest, a uint32) uint32 { g.setU32(g.buffer(g.child(a, colN), 0), 0xffffffff); return a }},
		{"wrong null count", "function f, column n, null_count: expected 1, the number of nulls in the validity bitmap, got 2",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(a, colN)+8, 2); return a }},
		{"null count above length", "function f, column n, null_count: expected at most the length, 3, got 4",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(a, colN)+8, 4); return a }},
		{"nulls without a bitmap", "function f, column n, null_count: expected 0, the number of nulls in the validity bitmap, got 1",
			func(g *guest, a uint32) uint32 { g.setU32(g.buffer(g.child(a, colN), 0), 0); return a }},
		{"nulls where none may be", "function f, column s, validity: expected no nulls, got one at 0",
			func(g *guest, a uint32) uint32 {
				g.setU64(g.child(a, colS)+8, ^uint64(0))
				g.setU32(g.buffer(g.child(a, colS), 0), g.put([]byte{6}))
				return a
			}},
		{"nulls of the record", "function f, validity: expected no nulls, got 1",
			func(g *guest, a uint32) uint32 {
				g.setU64(a+8, ^uint64(0))
				g.setU32(g.buffer(a, 0), g.put([]byte{5}))
				return a
			}},
		{"falling offsets", "function f, column s, offsets: expected offsets that do not fall, got 1 at 2 after 3",
			func(g *guest, a uint32) uint32 { g.setU32(g.u32(g.buffer(g.child(a, colS), 1))+8, 1); return a }},
		{"negative offsets", "function f, column s, offsets: expected offsets from 0, got -5 at 0",
			func(g *guest, a uint32) uint32 {
				g.setU32(g.u32(g.buffer(g.child(a, colS), 1)), 0xfffffffb)
				return a
			}},
		{"an offset that wraps", "function f, column s, offsets: expected offsets from 0, got -2147483648 at 2",
			func(g *guest, a uint32) uint32 {
				at := g.u32(g.buffer(g.child(a, colS), 1))
				g.setU32(at+4, 0x7fffffff)
				g.setU32(at+8, 0x80000000)
				return a
			}},
		{"offsets beyond memory", "function f, column s, offsets: expected offsets up to 131072, got 2147483647 at 3",
			func(g *guest, a uint32) uint32 {
				g.setU32(g.u32(g.buffer(g.child(a, colS), 1))+12, 0x7fffffff)
				return a
			}},
		{"text over the end", "function f, column s, values: 6 bytes at 0x1fffc end outside of the memory of 131072 bytes",
			func(g *guest, a uint32) uint32 {
				g.setU32(g.buffer(g.child(a, colS), 2), uint32(len(g.Bytes())-4))
				return a
			}},
		{"null text", "function f, column s, values: expected 6 bytes, got a null pointer",
			func(g *guest, a uint32) uint32 { g.setU32(g.buffer(g.child(a, colS), 2), 0); return a }},
		{"null offsets", "function f, column s, offsets: expected 16 bytes, got a null pointer",
			func(g *guest, a uint32) uint32 { g.setU32(g.buffer(g.child(a, colS), 1), 0); return a }},
		{"huge 64-bit offset", "function f, column large, offsets: expected offsets up to 131072, got 9223372036854775807 at 3",
			func(g *guest, a uint32) uint32 {
				g.setU64(g.u32(g.buffer(g.child(a, colLarge), 1))+24, 1<<63-1)
				return a
			}},
		{"items too short", "function f, column tags, offsets: expected offsets up to 2, got 3 at 3",
			func(g *guest, a uint32) uint32 { g.setU64(g.child(g.child(a, colTags), 0), 2); return a }},
		{"offsets of items", "function f, column tags, item, offsets: expected offsets that do not fall, got 0 at 2 after 1",
			func(g *guest, a uint32) uint32 {
				items := g.child(g.child(a, colTags), 0)
				g.setU32(g.u32(g.buffer(items, 1))+8, 0)
				return a
			}},
		{"null item array", "function f, column tags, item: expected 64 bytes, got a null pointer",
			func(g *guest, a uint32) uint32 {
				g.setU32(g.u32(g.child(a, colTags)+44), 0)
				return a
			}},
		{"a list that contains itself", "function f, column tags, item, n_buffers: expected 3, got 2",
			func(g *guest, a uint32) uint32 {
				list := g.child(a, colTags)
				g.setU32(g.u32(list+44), list)
				return a
			}},
		{"a record that contains itself", "function f, column st, n_children: expected 1, got 9",
			func(g *guest, a uint32) uint32 { g.setU32(g.u32(a+44)+4*colSt, a); return a }},
		{"short field", "function f, column st, a, length: expected at least 3 elements, got 1",
			func(g *guest, a uint32) uint32 {
				field := g.child(g.child(a, colSt), 0)
				g.setU64(field, 1)
				g.setU64(field+8, ^uint64(0))
				return a
			}},
		{"null in a field that has none", "function f, column st, a, validity: expected no nulls, got one at 2",
			func(g *guest, a uint32) uint32 {
				field := g.child(g.child(a, colSt), 0)
				g.setU64(field+8, ^uint64(0))
				g.setU32(g.buffer(field, 0), g.put([]byte{1}))
				return a
			}},
		{"null key", "function f, column m, entries, key, validity: expected no nulls, got one at 1",
			func(g *guest, a uint32) uint32 {
				keys := g.child(g.child(g.child(a, colM), 0), 0)
				g.setU64(keys+8, ^uint64(0))
				g.setU32(g.buffer(keys, 0), g.put([]byte{1}))
				return a
			}},
		{"null entry", "function f, column m, entries, validity: expected no nulls, got 1",
			func(g *guest, a uint32) uint32 {
				entries := g.child(g.child(a, colM), 0)
				g.setU64(entries+8, ^uint64(0))
				g.setU32(g.buffer(entries, 0), g.put([]byte{1}))
				return a
			}},
		{"no dictionary", "function f, column d: expected a dictionary, got a null pointer",
			func(g *guest, a uint32) uint32 { g.setU32(g.child(a, colD)+48, 0); return a }},
		{"a dictionary of numbers", "function f, column n: expected no dictionary, got one at 0x1000",
			func(g *guest, a uint32) uint32 { g.setU32(g.child(a, colN)+48, 0x1000); return a }},
		{"index beyond the dictionary", "function f, column d, indices: expected indices below 2, the length of the dictionary, got 2 at 1",
			func(g *guest, a uint32) uint32 { g.Bytes()[g.u32(g.buffer(g.child(a, colD), 1))+2] = 2; return a }},
		{"negative index", "function f, column d, indices: expected indices below 2, the length of the dictionary, got -32768 at 0",
			func(g *guest, a uint32) uint32 { g.Bytes()[g.u32(g.buffer(g.child(a, colD), 1))+1] = 0x80; return a }},
		{"empty dictionary", "function f, column d, indices: expected indices below 0, the length of the dictionary, got 0 at 0",
			func(g *guest, a uint32) uint32 { g.setU64(g.u32(g.child(a, colD)+48), 0); return a }},
		{"offsets of the dictionary", "function f, column d, dictionary, offsets: expected offsets that do not fall, got 0 at 2 after 3",
			func(g *guest, a uint32) uint32 {
				dictionary := g.u32(g.child(a, colD) + 48)
				g.setU32(g.u32(g.buffer(dictionary, 1))+8, 0)
				return a
			}},
		{"null in the dictionary of a column without", "function f, column d, dictionary, validity: expected no nulls, got 1",
			func(g *guest, a uint32) uint32 {
				dictionary := g.u32(g.child(a, colD) + 48)
				g.setU64(dictionary+8, ^uint64(0))
				g.setU32(g.buffer(dictionary, 0), g.put([]byte{1}))
				return a
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(t)
			rec := record(t, memory.DefaultAllocator, liesSchema, liesRows)
			back, _, im := cross(t, g, rec)
			back.Release()
			ex, err := arrowabi.NewExporter(g, liesSchema, false, 1, where)
			if err != nil {
				t.Fatal(err)
			}
			a, err := ex.Export(rec, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = im.Import(c.lie(g, a))
			if err == nil || err.Error() != c.want {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if code := fault.CodeOf(err); code != fault.BadArray && code != fault.Limit {
				t.Fatalf("got code %s", code)
			}
		})
	}
}

// Null elements may hold any index, and a column of nulls needs no dictionary worth the name.
func TestNullIndicesDoNotMatter(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "d", Type: &arrow.DictionaryType{
		IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, Nullable: true}}, nil)
	g := newGuest(t)
	rec := record(t, memory.DefaultAllocator, schema, `[{"d": "x"}, {"d": null}]`)
	back, ex, im := cross(t, g, rec)
	back.Release()
	a, err := ex.Export(rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	g.setU32(g.u32(g.buffer(g.child(a, 0), 1))+4, 0xffffffff)
	if back, err = im.Import(a); err != nil {
		t.Fatal(err)
	}
	if err := arrowabi.Recheck(g, back, where); err != nil {
		t.Fatal(err)
	}
	if !back.Column(0).IsNull(1) {
		t.Fatal("the null is gone")
	}
}

// Buffers may lie on top of each other: the host only reads them.
func TestOverlappingChildren(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "b", Type: arrow.PrimitiveTypes.Float64}}, nil)
	g := newGuest(t)
	rec := record(t, memory.DefaultAllocator, schema, `[{"a": 1, "b": 2}, {"a": 3, "b": 4}]`)
	ex, err := arrowabi.NewExporter(g, schema, false, 1, where)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ex.Export(rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	g.setU32(g.u32(a+44)+4, g.child(a, 0)) // b is a
	im, err := arrowabi.NewImporter(g, schema, generous, where)
	if err != nil {
		t.Fatal(err)
	}
	back, err := im.Import(a)
	if err != nil {
		t.Fatal(err)
	}
	if x, y := address(back.Column(0), 1), address(back.Column(1), 1); x != y {
		t.Fatalf("got %#x and %#x, want the same", x, y)
	}
}
