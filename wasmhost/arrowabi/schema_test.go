package arrowabi_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

// text returns the zero-terminated string that the pointer at an address points at.
func (g *guest) text(at uint32) string {
	b := g.Bytes()[g.u32(at):]
	for i := range b {
		if b[i] == 0 {
			return string(b[:i])
		}
	}
	return ""
}

// What lies in memory is what docs/abi.md says, read here by its offsets.
func TestSchemaLayout(t *testing.T) {
	g := newGuest(t)
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
		{Name: "price", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}},
		{Name: "id", Type: &arrow.FixedSizeBinaryType{ByteWidth: 16}},
		{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String, Ordered: true}},
		{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float32)},
	}, nil)
	root, err := arrowabi.ExportSchema(g, schema, 77)
	if err != nil {
		t.Fatal(err)
	}
	field := func(s uint32, i int) uint32 { return g.u32(g.u32(s+32) + uint32(i)*4) }
	line := func(s uint32) string {
		return fmt.Sprintf("%s %q flags %d children %d release %d", g.text(s), g.text(s+4), g.u64(s+16), g.u64(s+24), g.u32(s+40))
	}
	entries := field(field(root, 4), 0)
	for _, c := range []struct {
		at   uint32
		want string
	}{
		{root, `+s "" flags 0 children 5 release 77`},
		{field(root, 0), `tsu:UTC "at" flags 2 children 0 release 77`},
		{field(root, 1), `d:10,2 "price" flags 0 children 0 release 77`},
		{field(root, 2), `w:16 "id" flags 0 children 0 release 77`},
		{field(root, 3), `s "d" flags 1 children 0 release 77`},
		{g.u32(field(root, 3) + 36), `u "" flags 2 children 0 release 77`},
		{field(root, 4), `+m "m" flags 0 children 1 release 77`},
		{entries, `+s "entries" flags 0 children 2 release 77`},
		{field(entries, 0), `u "key" flags 0 children 0 release 77`},
		{field(entries, 1), `f "value" flags 2 children 0 release 77`},
	} {
		if c.at%8 != 0 {
			t.Errorf("the schema at %#x is not aligned", c.at)
		}
		if got := line(c.at); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestSchemaLies(t *testing.T) {
	for _, c := range []struct {
		name, want string
		lie        func(g *guest, s uint32) uint32
	}{
		{"null", "function f, schema: expected 48 bytes, got a null pointer", func(*guest, uint32) uint32 { return 0 }},
		{"not a struct", `function f, schema: expected the format "+s", got "l"`,
			func(g *guest, s uint32) uint32 { return g.u32(g.u32(s + 32)) }},
		{"no format", "function f, schema, n, format: expected text, got the address 0x0 in a memory of 65536 bytes",
			func(g *guest, s uint32) uint32 { g.setU32(g.u32(g.u32(s+32)), 0); return s }},
		{"format outside", "function f, schema, n, format: expected text, got the address 0xffffffff in a memory of 65536 bytes",
			func(g *guest, s uint32) uint32 { g.setU32(g.u32(g.u32(s+32)), 0xffffffff); return s }},
		{"text without end", "function f, schema, n, format: the text at 0xffff does not end",
			func(g *guest, s uint32) uint32 {
				g.Bytes()[0xffff] = 'l'
				g.setU32(g.u32(g.u32(s+32)), 0xffff)
				return s
			}},
		{"unknown format", `function f, schema, n: the format "vu" does not cross from guests`,
			func(g *guest, s uint32) uint32 { g.setU32(g.u32(g.u32(s+32)), g.put([]byte("vu\x00"))); return s }},
		{"a width that is no number", `function f, schema, n: the format "w:x" does not cross from guests`,
			func(g *guest, s uint32) uint32 { g.setU32(g.u32(g.u32(s+32)), g.put([]byte("w:x\x00"))); return s }},
		{"a wide decimal", `function f, schema, n: the format "d:50,2,256" does not cross from guests`,
			func(g *guest, s uint32) uint32 {
				g.setU32(g.u32(g.u32(s+32)), g.put([]byte("d:50,2,256\x00")))
				return s
			}},
		{"many children", "function f, schema, n_children: expected a number from 0 to 8192, got 4611686018427387904",
			func(g *guest, s uint32) uint32 { g.setU64(s+24, 1<<62); return s }},
		{"children of a number", `function f, schema, n, n_children: expected 0 of format "l", got 1`,
			func(g *guest, s uint32) uint32 {
				n := g.u32(g.u32(s + 32))
				g.setU64(n+24, 1)
				g.setU32(n+32, g.u32(s+32)+4) // the second column
				return s
			}},
		{"a map of text", `function f, schema, m: expected a struct of two fields as the entries of a map, got int64`,
			func(g *guest, s uint32) uint32 {
				g.setU32(g.u32(g.u32(s+32)+4)+32, g.u32(s+32))
				return s
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(t)
			s, err := arrowabi.ExportSchema(g, arrow.NewSchema([]arrow.Field{
				{Name: "n", Type: arrow.PrimitiveTypes.Int64},
				{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float32)},
			}, nil), 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = arrowabi.ImportSchema(g.Bytes(), c.lie(g, s), where); err == nil || err.Error() != c.want {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// A handful of structures that point at each other would be read 2^32 times if nobody counted.
func TestSchemaThatContainsItself(t *testing.T) {
	g := newGuest(t)
	s, err := arrowabi.ExportSchema(g, arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "b", Type: arrow.PrimitiveTypes.Int64}}, nil), 0)
	if err != nil {
		t.Fatal(err)
	}
	g.setU32(g.u32(s+32), s)
	g.setU32(g.u32(s+32)+4, s)
	if got, err := arrowabi.ImportSchema(g.Bytes(), s, where); err == nil {
		t.Fatalf("got %s", got)
	}
}

func TestNamesWithZeroBytes(t *testing.T) {
	_, err := arrowabi.ExportSchema(newGuest(t), arrow.NewSchema([]arrow.Field{{Name: "a\x00b", Type: arrow.PrimitiveTypes.Int64}}, nil), 0)
	if want := `the name "a\x00b" holds a zero byte, which ends names in guests`; err == nil || err.Error() != want {
		t.Fatalf("got %v, want %s", err, want)
	}
}

// A guest sees by the metadata of a field that its values are documents.
func TestSchemaMetadata(t *testing.T) {
	g := newGuest(t)
	root, err := arrowabi.ExportSchema(g, arrow.NewSchema([]arrow.Field{schema.JSON("event", false), {Name: "a", Type: arrow.BinaryTypes.String}}, nil), 1)
	if err != nil {
		t.Fatal(err)
	}
	event, plain := g.u32(g.u32(root+32)), g.u32(g.u32(root+32)+4)
	at := g.u32(event + 8)
	want := "\x01\x00\x00\x00\x14\x00\x00\x00ARROW:extension:name\x0a\x00\x00\x00arrow.json"
	if got := string(g.Bytes()[at:][:len(want)]); got != want || at%4 != 0 {
		t.Errorf("at %#x: %q", at, got)
	}
	if g.u32(plain+8) != 0 || g.u32(root+8) != 0 {
		t.Error("metadata where there are none")
	}
}
