package arrowabi_test

import (
	"encoding/binary"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

var tight = arrowabi.Limits{Rows: 4096, Bytes: 1 << 20}

// fuzzSchemas are what a fuzzed array may be declared as; samples has rows of each.
var fuzzSchemas, samples = func() ([]*arrow.Schema, []string) {
	one := func(t arrow.DataType) *arrow.Schema {
		return arrow.NewSchema([]arrow.Field{{Name: "c", Type: t, Nullable: true}}, nil)
	}
	str, i8 := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int8
	return []*arrow.Schema{
			liesSchema,
			one(arrow.ListOf(arrow.ListOf(arrow.Null))),
			one(arrow.ListOf(arrow.StructOf())),
			one(arrow.MapOf(str, arrow.MapOf(i8, str))),
			one(arrow.StructOf(arrow.Field{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "d", Type: &arrow.DictionaryType{
				IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.ListOf(str)}}), Nullable: true})),
			one(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int64, ValueType: &arrow.FixedSizeBinaryType{ByteWidth: 0}}),
			one(&arrow.Decimal128Type{Precision: 20, Scale: 2}),
			arrow.NewSchema(nil, nil),
		}, []string{
			liesRows,
			`[{"c": [[null, null], []]}, {"c": null}]`,
			`[{"c": [{}, {}]}, {"c": []}]`,
			`[{"c": [{"key": "k", "value": [{"key": 1, "value": "v"}]}]}]`,
			``, ``, `[{"c": "1.25"}, {"c": null}]`, ``,
		}
}()

func FuzzImport(f *testing.F) {
	for i, schema := range fuzzSchemas {
		if samples[i] == "" {
			f.Add(byte(i), uint32(64), make([]byte, 256))
			continue
		}
		g := newGuest(f)
		g.next = 64
		rec := record(f, memory.DefaultAllocator, schema, samples[i])
		ex, err := arrowabi.NewExporter(g, schema, false, 1, where)
		if err != nil {
			f.Fatal(err)
		}
		g.next = 4096 - 64 // the copies lie in a slab that starts behind the structures
		ptr, err := ex.Export(rec, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), ptr, append([]byte(nil), g.Bytes()[:8192]...))
	}
	f.Fuzz(func(t *testing.T, choice byte, ptr uint32, data []byte) {
		g := newGuest(t)
		copy(g.Bytes(), data)
		im, err := arrowabi.NewImporter(g, fuzzSchemas[int(choice)%len(fuzzSchemas)], tight, where)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second one uses the objects of the first
			rec, err := im.Import(ptr)
			if err != nil {
				if code := fault.CodeOf(err); code != fault.BadArray && code != fault.Limit {
					t.Fatalf("code %s: %v", code, err)
				}
				continue
			}
			if err := arrowabi.Recheck(g, rec, where); err != nil {
				t.Fatalf("imported, but not sound: %v", err)
			}
			readRecord(t, rec)
			rec.Release()
		}
		if origins, err := im.Origins(ptr, len(data), 100); err == nil && len(origins) != len(data) {
			t.Fatal("too few origins")
		}
	})
}

// What Recheck lets pass can be read, whatever the guest wrote over a record's buffers.
func FuzzRecheck(f *testing.F) {
	f.Add(byte(0), []byte{})
	f.Add(byte(0), []byte{0x48, 0x10, 0xff, 0x80, 0x10, 0x7f})
	f.Add(byte(3), []byte{0x00, 0x10, 0x01, 0x40, 0x10, 0xff})
	f.Fuzz(func(t *testing.T, choice byte, writes []byte) {
		i := int(choice) % len(fuzzSchemas)
		if samples[i] == "" {
			i = 0
		}
		g := newGuest(t)
		if err := g.Reserve(32 << 10); err != nil {
			t.Fatal(err)
		}
		rec := record(t, g, fuzzSchemas[i], samples[i])
		defer rec.Release()
		for ; len(writes) >= 3; writes = writes[3:] {
			at := 4096 + int(binary.LittleEndian.Uint16(writes))%(12<<10)
			g.Bytes()[at] ^= writes[2]
		}
		if err := arrowabi.Recheck(g, rec, where); err != nil {
			if fault.CodeOf(err) != fault.BadArray {
				t.Fatal(err)
			}
			return
		}
		readRecord(t, rec)
	})
}

func FuzzImportSchema(f *testing.F) {
	for _, schema := range fuzzSchemas {
		g := newGuest(f)
		g.next = 64
		ptr, err := arrowabi.ExportSchema(g, schema, 1)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(ptr, append([]byte(nil), g.Bytes()[:g.next]...))
	}
	f.Fuzz(func(t *testing.T, ptr uint32, data []byte) {
		schema, err := arrowabi.ImportSchema(data, ptr, where)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.BadArray && code != fault.Unsupported {
				t.Fatalf("code %s: %v", code, err)
			}
			return
		}
		if _, err := arrowabi.NewImporter(newGuest(t), schema, tight, where); err != nil {
			t.Fatal(err)
		}
	})
}
