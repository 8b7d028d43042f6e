package pyodide_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

// everything are columns of all types that cross and whose every value Python can hold.
const everything = `null: null, b: bool, i8: int8, i16: int16, i32: int32, i64: int64, u8: uint8, u16: uint16, u32: uint32, u64: uint64, f32: float32,
	f64: float64, s: utf8, ls: large_utf8, bin: binary, lbin: large_binary, fixed: fixed_size_binary[3], d: date32, ts: time32[s], tm: time32[ms],
	tu: time64[us], durs: duration[s], durm: duration[ms], dur: duration[us], moment: timestamp[us, UTC], seconds: timestamp[s], millis: timestamp[ms, +02:00],
	zone: timestamp[us, Europe/Berlin], dec: decimal128(38, 18), whole: decimal128(20, 0), list: list<int64>, lists: list<list<utf8>>,
	pair: struct<x: int64, y: list<float64>>, tags: map<utf8, int64>, deep: map<utf8, struct<q: bool, r: map<int32, utf8>>>, code: dictionary<int8, utf8>,
	wide: dictionary<uint16, int64>`

// fill appends a random value.
func fill(b array.Builder, r *rand.Rand) {
	if r.Intn(5) == 0 {
		b.AppendNull()
		return
	}
	words := []string{"", "a", "bc", "ü", "日本", "a text that is longer than thirty-one bytes", "😀"}
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BooleanBuilder:
		b.Append(r.Intn(2) == 0)
	case *array.Int8Builder:
		b.Append(int8(r.Uint32()))
	case *array.Int16Builder:
		b.Append(int16(r.Uint32()))
	case *array.Int32Builder:
		b.Append(int32(r.Uint32()))
	case *array.Int64Builder:
		b.Append(int64(r.Uint64()) >> r.Intn(64))
	case *array.Uint8Builder:
		b.Append(uint8(r.Uint32()))
	case *array.Uint16Builder:
		b.Append(uint16(r.Uint32()))
	case *array.Uint32Builder:
		b.Append(r.Uint32())
	case *array.Uint64Builder:
		b.Append(r.Uint64() >> r.Intn(64))
	case *array.Float32Builder:
		b.Append(float32(r.NormFloat64()))
	case *array.Float64Builder:
		b.Append(r.NormFloat64() * 1e300)
	case *array.StringBuilder:
		b.Append(words[r.Intn(len(words))])
	case *array.LargeStringBuilder:
		b.Append(words[r.Intn(len(words))])
	case *array.BinaryBuilder:
		b.Append([]byte(words[r.Intn(len(words))] + "\x00\xff"))
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte{byte(r.Uint32()), 0, byte(r.Uint32())})
	case *array.Date32Builder:
		b.Append(arrow.Date32(r.Intn(2932896+719162+1) - 719162)) // the years 1 to 9999
	case *array.Time32Builder:
		b.Append(arrow.Time32(r.Intn(86400)))
	case *array.Time64Builder:
		b.Append(arrow.Time64(r.Int63n(86400e6)))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(r.Int63n(2e12) - 1e12))
	case *array.TimestampBuilder: // as seconds the years 69 to 9575
		b.Append(arrow.Timestamp(r.Int63n(3e11) - 6e10))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(int64(r.Uint64())))
	case *array.ListBuilder:
		b.Append(true)
		for range r.Intn(4) {
			fill(b.ValueBuilder(), r)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i := range b.NumField() {
			fill(b.FieldBuilder(i), r)
		}
	case *array.MapBuilder:
		b.Append(true)
		for i := range r.Intn(4) { // keys are not null and not the same
			switch k := b.KeyBuilder().(type) {
			case *array.StringBuilder:
				k.Append(fmt.Sprint("key", i))
			case *array.Int32Builder:
				k.Append(int32(-i))
			}
			fill(b.ItemBuilder(), r)
		}
	case *array.BinaryDictionaryBuilder:
		b.AppendString(words[r.Intn(len(words))])
	case *array.Int64DictionaryBuilder:
		b.Append(int64(r.Intn(100)) << 40)
	default:
		panic(fmt.Sprintf("no values for %T", b))
	}
}

// TestTypes sends random values of all types through functions that return them, as an object, as a dict and by position.
func TestTypes(t *testing.T) {
	u, err := open(t, "from wasmill import Row\n"+
		"def same(r: Row) -> Row: return r\ndef named(r: Row) -> Row: return r.as_dict()\ndef placed(r: Row) -> Row: return tuple(r)\n")
	if err != nil {
		t.Fatal(text(err))
	}
	s, err := schema.ParseSchema(everything)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Int63()
	r := rand.New(rand.NewSource(seed))
	for round := range 12 {
		b := array.NewRecordBuilder(memory.DefaultAllocator, s)
		rows := []int{0, 1, 7, 64, 300}[round%5]
		for range rows {
			for i := range s.Fields() {
				fill(b.Field(i), r)
			}
		}
		whole := b.NewRecord()
		from := min(int64(round%3), whole.NumRows())
		in := whole.NewSlice(from, whole.NumRows())
		for _, function := range []string{"same", "named", "placed"} {
			err := u.call(function, udf.Map, "", in, func(got udf.Result) error {
				for i, f := range s.Fields() {
					if want, got := array.NewSlice(in.Column(i), 0, in.NumRows()), got.Record.Column(i); shown(got) != shown(want) {
						t.Errorf("seed %d, %s, column %s:\ngot  %s\nwant %s", seed, function, f.Name, shown(got), shown(want))
					}
				}
				return nil
			})
			if err != nil {
				t.Fatalf("seed %d: %s", seed, text(err))
			}
		}
	}
}

// shown writes values, the same ones the same way whatever the layout, as those of dictionaries and the bytes under nulls may differ.
func shown(a arrow.Array) string {
	var b strings.Builder
	for i := range a.Len() {
		b.WriteString(a.ValueStr(i) + "\n")
	}
	return b.String()
}
