package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
	"github.com/wasmill/wasmill/engine/stream"
)

// encode writes records as one file.
func encode(t testing.TB, config string, recs ...arrow.Record) []byte {
	t.Helper()
	e, err := Format().NewEncoder(recs[0].Schema(), []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, rec := range append(recs, nil) {
		if out, err = e.(codec.BatchEncoder).AppendFile(out, rec); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// arena is what all decoders of these tests write to.
var arena = codectest.NewArena(64 << 20)

// decode reads a file within what the decoder announces; each gets its batches.
func decode(t testing.TB, s *arrow.Schema, data []byte, each func(arrow.Record)) error {
	t.Helper()
	return decodeFrom(t, s, data, 0, each)
}

// decodeFrom reads a file from a row on.
func decodeFrom(t testing.TB, s *arrow.Schema, data []byte, first int64, each func(arrow.Record)) error {
	t.Helper()
	arena.Clear()
	d, err := Format().NewDecoder(s, nil, arena, codec.Limits{})
	if err != nil {
		return err
	}
	defer d.Close()
	in := bytes.NewReader(data)
	rows, err := Format().Rows(in, int64(len(data)))
	if err != nil {
		return err
	}
	if err := d.(codec.FileDecoder).StartFile(in, int64(len(data))); err != nil {
		return err
	}
	var fault error
	var numbers []byte
	for at, tries := first, 0; at < rows; tries++ {
		if tries == 5000 {
			return errors.New("a file of very many rows")
		}
		numbers = codec.RowNumbers(numbers[:0], at, int(min(rows-at, stream.MaxRows)))
		arena.Allow(d.Need(len(numbers)) + largeText)
		n, err := d.Append(numbers, func(bad *codec.BadRecord) error {
			fault = bad.Fault
			return nil
		})
		if err != nil {
			return err
		}
		at += int64(n / codec.RowNumber)
		rec := d.Record()
		if rec == nil && n == 0 {
			t.Fatal("neither rows nor numbers were taken")
		}
		if rec != nil {
			if rec.NumRows() > stream.MaxRows {
				t.Fatalf("a batch of %d rows", rec.NumRows())
			}
			each(rec)
			rec.Release()
		}
		if arena.Live != 0 {
			t.Fatalf("%d buffers are not freed", arena.Live)
		}
		arena.Reset()
	}
	return fault
}

// largeText is for the first row whose text is above the limit, which Need does not announce.
const largeText = 4 << 20

// storable are types that a file keeps, or that their own values are read back into.
func storable(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.TimestampType:
		return t.Unit != arrow.Second && (t.TimeZone == "" || t.TimeZone == "UTC")
	case *arrow.Time32Type:
		return t.Unit != arrow.Second
	}
	return t.ID() != arrow.DURATION
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := codectest.FlatSchema(t)
		for _, f := range s.Fields() {
			if !storable(f.Type) {
				t.Skip("the type is written as another")
			}
		}
		rec := codectest.Record(t, s, 50)
		if rec.NumRows() == 0 {
			return
		}
		defer rec.Release()
		config := rapid.SampledFrom([]string{`{}`, `{"compression": "zstd"}`, `{"compression": "gzip"}`, `{"compression": "brotli"}`, `{"compression": "none"}`}).Draw(t, "config")
		var data []byte
		e, err := Format().NewEncoder(s, []byte(config))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = e.(codec.BatchEncoder).AppendMessage(nil, rec, 0, int(rec.NumRows())); err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		err = decode(&testing.T{}, s, data, func(got arrow.Record) {
			want := rec.NewSlice(at, at+got.NumRows())
			defer want.Release()
			at += got.NumRows()
			if !codectest.Equal(want, got) {
				t.Fatalf("expected %v, got %v", want, got)
			}
		})
		if err != nil || at != rec.NumRows() {
			t.Fatalf("expected %d rows, got %d, %v", rec.NumRows(), at, err)
		}
	})
}

// TestTypes: what each type is in a file that says no more of itself than Parquet does.
func TestTypes(t *testing.T) {
	want := map[string]string{
		"large_utf8": "utf8", "large_binary": "binary", "time32[s]": "time32[ms]", "timestamp[s]": "timestamp[ms]", "duration[us]": "int64",
		"timestamp[us, Europe/Berlin]": "timestamp[us, UTC]",
	}
	for _, typ := range codectest.Scalars {
		s := arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ, Nullable: true}}, nil)
		text := strings.TrimPrefix(codectest.Format(s), "c: ")
		e, err := newEncoder(s, Config{})
		if typ.ID() == arrow.DURATION {
			if err == nil {
				t.Errorf("%s: expected a fault", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		rec := codectest.Rows(memory.DefaultAllocator, s, 3)
		data, err := e.AppendMessage(nil, rec, 0, 3)
		rec.Release()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := Format().Infer(data, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		expected := text
		if w := want[text]; w != "" {
			expected = w
		}
		if g := strings.TrimPrefix(codectest.Format(got), "c: "); g != expected {
			t.Errorf("%s: expected %s, got %s", text, expected, g)
		}
	}
}

func TestManyRowsInBatches(t *testing.T) {
	s := codectest.Schema(t, "n: int64!, word: utf8, gone: float64")
	rec := codectest.Rows(memory.DefaultAllocator, codectest.Schema(t, "word: utf8, other: timestamp[us, UTC], n: int64!"), 20_000)
	defer rec.Release()
	rows := 0
	for _, parts := range [][]arrow.Record{{rec}, {rec, rec, rec}} {
		rows = 0
		err := decode(t, s, encode(t, "{}", parts...), func(got arrow.Record) {
			for i := range int(got.NumRows()) {
				n := rows % 20_000
				if got.Column(0).(*array.Int64).Value(i) != int64(n)*7919 || got.Column(1).(*array.String).Value(i) != fmt.Sprintf("user%d", n) || !got.Column(2).IsNull(i) {
					t.Fatalf("row %d: %v", rows, got)
				}
				rows++
			}
		})
		if err != nil || rows != 20_000*len(parts) {
			t.Errorf("expected %d rows, got %d, %v", 20_000*len(parts), rows, err)
		}
	}
}

// TestLargeValueManyTimes: a file of some kilobytes holds 50 MiB of text, which comes in batches of bounded size.
func TestLargeValueManyTimes(t *testing.T) {
	s := codectest.Schema(t, "word: utf8")
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for range 50 {
		b.Append(strings.Repeat("x", 1<<20))
	}
	a := b.NewArray()
	defer a.Release()
	rec := array.NewRecord(s, []arrow.Array{a}, 50)
	defer rec.Release()
	data := encode(t, `{"compression": "zstd"}`, rec)
	rows := 0
	err := decode(t, s, data, func(got arrow.Record) { rows += int(got.NumRows()) })
	if err != nil || rows != 50 || len(data) > 1<<20 {
		t.Errorf("got %d rows of %d bytes, %v", rows, len(data), err)
	}
}

func TestRefused(t *testing.T) {
	rec := codectest.Rows(memory.DefaultAllocator, codectest.Schema(t, "n: int64, list: list<int64>"), 3)
	defer rec.Release()
	data := encode(t, "{}", rec)
	for _, c := range []struct {
		schema, want string
		data         []byte
	}{
		{"n: int64", "expected a Parquet file of 12 bytes at least, got 4", []byte("PAR1")},
		{"n: int64", "expected a Parquet file, got bytes that end with 41 52 31 00 (was the file cut off when it was written or copied?)", append(data[:len(data):len(data)], 0)},
		{"n: int64", "encrypted Parquet files cannot be read", []byte("PARE....\x00\x00\x00\x00PARE")},
		{"n: int64", "expected a footer of at most 8 bytes, got 1024", []byte("PAR1....\x00\x04\x00\x00PAR1")},
		{"n: int64", "the footer of the Parquet file is damaged behind byte 7", []byte("PAR1\x19\xfcaa\x04\x00\x00\x00PAR1")},
		{"n: utf8", "column n: expected utf8, got int64", data},
		{"m: int64!", "column m: expected int64, got no such column", data},
		{"list: int64", "column list: expected int64, got a group of columns, which cannot be read from Parquet", data},
		{"n: list<int64>", "column n: type list<item: int64, nullable> cannot be read from Parquet (leave the column out of the schema)", data},
	} {
		err := decode(t, codectest.Schema(t, c.schema), c.data, func(arrow.Record) {})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\nexpected %s\ngot      %v", c.schema, c.want, err)
		}
	}
	if _, err := Format().Infer(data, nil); err == nil || err.Error() != "column list: a group of columns cannot be read from Parquet (declare a schema without it)" {
		t.Errorf("got %v", err)
	}
	if _, err := Format().NewEncoder(rec.Schema(), []byte(`{"compression": "rar"}`)); err == nil || err.Error() != `compression: expected snappy, zstd, gzip, brotli or none, got "rar"` {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	s := codectest.Schema(f, "id: int64, ts: timestamp[us, UTC], user: utf8, price: float64, ok: bool")
	rec := codectest.Rows(memory.DefaultAllocator, s, 20)
	defer rec.Release()
	for _, config := range []string{`{}`, `{"compression": "none"}`, `{"compression": "gzip"}`} {
		f.Add(encode(f, config, rec, rec))
	}
	for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
		f.Add(arrowWrites(f, rec, parquet.WithDataPageVersion(version), parquet.WithDictionaryDefault(false),
			parquet.WithEncodingFor("id", parquet.Encodings.DeltaBinaryPacked), parquet.WithEncodingFor("user", parquet.Encodings.DeltaLengthByteArray)))
		f.Add(arrowWrites(f, rec, parquet.WithDataPageVersion(version), parquet.WithDataPageSize(50)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = Format().Infer(data, nil)
		if n, err := Format().Rows(bytes.NewReader(data), int64(len(data))); err == nil && n < 1_000_000 {
			_ = decode(t, s, data, func(arrow.Record) {})
		}
	})
}

// TestDamage changes each byte of a file: what comes out are rows or a fault, and never more memory than announced.
func TestDamage(t *testing.T) {
	s := codectest.Schema(t, "id: int64, user: utf8, ok: bool")
	rec := codectest.Rows(memory.DefaultAllocator, s, 20)
	defer rec.Release()
	data := encode(t, `{"compression": "none"}`, rec)
	faults := 0
	for i := range data {
		for _, change := range []byte{0x01, 0x80, 0xff} {
			damaged := append([]byte(nil), data...)
			damaged[i] ^= change
			if decode(t, s, damaged, func(arrow.Record) {}) != nil {
				faults++
			}
		}
	}
	for n := range data {
		if decode(t, s, data[:n], func(arrow.Record) {}) == nil && n > 0 {
			t.Errorf("the first %d bytes are read as a file", n)
		}
	}
	if faults < len(data)/2 {
		t.Errorf("%d of %d changes were noticed", faults, 3*len(data))
	}
}

func BenchmarkDecodeParquet(b *testing.B) {
	rec := codectest.Rows(memory.DefaultAllocator, codectest.Schema(b, "id: int64, ts: timestamp[us, UTC], user: utf8, price: float64, qty: int64, ok: bool, city: utf8"), 8192)
	defer rec.Release()
	data := encode(b, "{}", rec, rec, rec, rec)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		if err := decode(b, rec.Schema(), data, func(r arrow.Record) { rows += int(r.NumRows()) }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkEncodeParquet(b *testing.B) {
	rec := codectest.Rows(memory.DefaultAllocator, codectest.Schema(b, "id: int64, ts: timestamp[us, UTC], user: utf8, price: float64, qty: int64, ok: bool, city: utf8"), 8192)
	defer rec.Release()
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		encode(b, "{}", rec)
		rows += 8192
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
