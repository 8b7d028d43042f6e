package stream_test

import (
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
)

// TestKeysComeBack encodes and decodes keys of every type that can be one.
func TestKeysComeBack(t *testing.T) {
	for typ, values := range map[string]string{
		"bool": `true,false,null`, "int8": `-128,127,null`, "int16": `-5,5`, "int32": `-2147483648,7`, "int64": `-9223372036854775808,9223372036854775807,0`,
		"uint8": `255`, "uint16": `65535`, "uint32": `4294967295`, "uint64": `18446744073709551615,0,null`, "float32": `1.5,-2.25`, "float64": `1e300,-0.1,0`,
		"utf8": `"","a","ä\u0000b",null`, "large_utf8": `"x"`, "binary": `"AAE="`, "large_binary": `"AAE="`, "fixed_size_binary[2]": `"AAE="`, "date32": `"2026-01-02"`,
		"time32[s]": `"10:11:12"`, "time64[us]": `"10:11:12"`, "timestamp[ms, UTC]": `"2026-01-02T03:04:05Z"`, "duration[s]": `5`,
	} {
		f, err := schema.ParseField("v", typ)
		if err != nil {
			t.Fatal(err)
		}
		s := arrow.NewSchema([]arrow.Field{f, {Name: "w", Type: arrow.PrimitiveTypes.Int64}}, nil)
		var rows []string
		for _, v := range strings.Split(values, ",") {
			rows = append(rows, `{"v":`+v+`,"w":7}`)
		}
		if typ == "duration[s]" {
			rows = nil // which RecordFromJSON reads in its own way
		}
		rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader("["+strings.Join(rows, ",")+"]"))
		if err != nil {
			t.Fatal(typ, err)
		}
		k, err := stream.NewKeyEncoder(s, []string{"v", "w"})
		if err != nil {
			t.Fatal(err)
		}
		k.Bind(rec)
		b := array.NewRecordBuilder(memory.DefaultAllocator, s)
		for row := range int(rec.NumRows()) {
			if err := stream.AppendKeyValues(b.Fields(), k.AppendKey(nil, row)); err != nil {
				t.Fatal(typ, err)
			}
		}
		back := b.NewRecord()
		if !array.RecordEqual(rec, back) {
			t.Errorf("%s: got %v, want %v", typ, back, rec)
		}
		back.Release()
		b.Release()
		rec.Release()
	}
}

func FuzzAppendKeyValues(f *testing.F) {
	f.Add([]byte{3, 128, 0, 0, 0, 0, 0, 0, 1, 6, 1, 'a'})
	f.Add([]byte{5, 0, 0, 0, 0, 0, 0, 0, 0})
	s := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "b", Type: &arrow.FixedSizeBinaryType{ByteWidth: math.MaxInt8}}}, nil)
	f.Fuzz(func(t *testing.T, key []byte) {
		b := array.NewRecordBuilder(memory.DefaultAllocator, s)
		defer b.Release()
		_ = stream.AppendKeyValues(b.Fields(), key) // must not panic
	})
}
