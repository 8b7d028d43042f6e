package ipc

import (
	"bytes"
	"encoding/binary"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

const sampleColumns = "a: int64, b: utf8, c: list<struct<d: bool, e: map<utf8, int16>>>, f: dictionary<int8, utf8>, g: fixed_size_binary[3], n: null"

// sample is a stream of two batches with a column of each kind of layout.
func sample(t testing.TB) (*arrow.Schema, []byte) {
	schema := codectest.Schema(t, sampleColumns)
	plain := codectest.Schema(t, strings.Replace(sampleColumns, "dictionary<int8, utf8>", "utf8", 1))
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, plain, strings.NewReader(`[
		{"a":1,"b":"é","c":[{"d":true,"e":[{"key":"k","value":1}]}],"f":"x"},
		{"a":null,"b":"","c":[],"f":"y","g":"AAEC"},
		{"c":[null,{}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewDictionaryBuilder(memory.DefaultAllocator, schema.Field(3).Type.(*arrow.DictionaryType)).(*array.BinaryDictionaryBuilder)
	if err := b.AppendArray(rec.Column(3)); err != nil {
		t.Fatal(err)
	}
	columns := append([]arrow.Array{}, rec.Columns()...)
	columns[3] = b.NewArray()
	rec = array.NewRecord(schema, columns, rec.NumRows())
	return schema, stream(t, nil, rec, rec.NewSlice(1, 3))
}

// decodeDamaged decodes what may be anything, and reads every value of what comes out.
func decodeDamaged(t testing.TB, schema *arrow.Schema, arena *codectest.Arena, data []byte) (rows, bad int) {
	arena.Clear()
	d, err := Format().NewDecoder(schema, nil, arena, codec.Limits{Rows: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if n := cut(data); n < 0 || n > len(data) {
		t.Fatalf("cut at %d of %d", n, len(data))
	}
	for {
		arena.Allow(d.Need(len(data)))
		n, err := d.Append(data, func(*codec.BadRecord) error { bad++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if rec := d.Record(); rec != nil {
			rows += int(rec.NumRows())
			if !codectest.Equal(rec, rec) {
				t.Fatal("a record differs from itself")
			}
			rec.Release()
			arena.Reset()
		} else if n < len(data) {
			t.Fatal("nothing was taken")
		}
		if data = data[n:]; len(data) == 0 {
			return rows, bad
		}
	}
}

// TestDamage damages a stream in one to three places, with the numbers that like to break things.
func TestDamage(t *testing.T) {
	schema, data := sample(t)
	arena := codectest.NewArena(16 << 20)
	numbers := []uint64{0, 1, 2, 3, 7, 8, 255, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	seed := time.Now().UnixNano()
	r := rand.New(rand.NewSource(seed))
	rows, bad := 0, 0
	damaged := make([]byte, len(data))
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("seed %d, stream %x", seed, damaged)
			panic(p)
		}
	}()
	for range 20_000 {
		copy(damaged, data)
		for range 1 + r.Intn(3) {
			p, v := r.Intn(len(data)-8), numbers[r.Intn(len(numbers))]
			switch r.Intn(4) {
			case 0:
				damaged[p] ^= 1 << r.Intn(8)
			case 1:
				damaged[p] = byte(r.Intn(256))
			case 2:
				binary.LittleEndian.PutUint32(damaged[p&^3:], uint32(v))
			case 3:
				binary.LittleEndian.PutUint64(damaged[p&^7:], v)
			}
		}
		n, m := decodeDamaged(t, schema, arena, damaged)
		rows, bad = rows+n, bad+m
	}
	if rows == 0 || bad == 0 {
		t.Errorf("seed %d: %d rows and %d bad records", seed, rows, bad)
	}
}

func FuzzDecode(f *testing.F) {
	schema, data := sample(f)
	f.Add(data)
	f.Add(append(bytes.Clone(magic), data...))
	arena := codectest.NewArena(16 << 20)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) <= 4<<10 {
			decodeDamaged(t, schema, arena, data)
		}
	})
}
