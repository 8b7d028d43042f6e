package csv

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

// TestRoundTrip writes random records and reads them back, cut as a file is, into memory that holds no more than Need said.
func TestRoundTrip(t *testing.T) {
	arena := codectest.NewArena(4 << 20)
	rapid.Check(t, func(t *rapid.T) {
		schema := codectest.FlatSchema(t)
		rec := codectest.Record(t, schema, 30)
		defer rec.Release()
		const config = `{"null":["\\N",""],"delimiter":";"}`
		e, err := Format().NewEncoder(schema, []byte(config))
		if err != nil {
			t.Fatal(err)
		}
		enc := e.(codec.RowEncoder)
		if err := enc.Bind(rec); err != nil {
			t.Fatal(err)
		}
		file := enc.Header()
		for i := range int(rec.NumRows()) {
			if file, err = enc.Append(file, i); err != nil {
				t.Fatal(err)
			}
			file = append(file, '\n')
		}
		arena.Clear()
		d, err := Format().NewDecoder(schema, []byte(config), arena, codec.Limits{Rows: rapid.IntRange(1, 40).Draw(t, "limit"), Bytes: rapid.IntRange(1, 2000).Draw(t, "bytes")})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.(codec.InputDecoder).StartInput(nil); err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for rest := file; len(rest) > 0; {
			piece := rest[:Format().Cut(rest[:rapid.IntRange(1, len(rest)).Draw(t, "piece")], []byte(config))]
			if len(piece) == 0 {
				continue
			}
			arena.Allow(d.Need(len(piece)))
			n, err := d.Append(piece, func(b *codec.BadRecord) error { return b.Fault })
			if err != nil {
				t.Fatalf("%q: %v", file, err)
			}
			rest = rest[n:]
			got := d.Record()
			if got == nil {
				continue
			}
			want := rec.NewSlice(at, at+got.NumRows())
			if !codectest.Equal(got, want) {
				t.Fatalf("%q: got %v\nwant %v", file, got, want)
			}
			at += got.NumRows()
			want.Release()
			got.Release()
		}
		d.Close()
		if at != rec.NumRows() || arena.Live != 0 {
			t.Fatalf("%d of %d rows, %d buffers were not freed", at, rec.NumRows(), arena.Live)
		}
	})
}

// FuzzDecode compares with the standard library's reader, which turns CR LF in quotes into LF, so without CR.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a,b\n1,\"x\"\"y\n\"\n", "\"a\",\n,b", "a\"b,c\n", "\"a\"b,c\nd,e", "\n\n,\n", "\"", "a,\"\n"} {
		f.Add([]byte(s))
	}
	schema := codectest.Schema(f, "a: utf8!, b: utf8!")
	arena := codectest.NewArena(1 << 20)
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.ReplaceAll(data, []byte{'\r'}, nil)
		if len(data) > 4096 || bytes.HasPrefix(data, byteOrderMark) {
			return
		}
		arena.Clear()
		d, err := Format().NewDecoder(schema, nil, arena, codec.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		arena.Allow(d.Need(len(data)))
		bad := 0
		if n, err := d.Append(data, func(*codec.BadRecord) error { bad++; return nil }); err != nil || n != len(data) {
			t.Fatal(n, err)
		}
		var got []string
		if rec := d.Record(); rec != nil {
			for i := range int(rec.NumRows()) {
				got = append(got, fmt.Sprintf("%q %q", rec.Column(0).ValueStr(i), rec.Column(1).ValueStr(i)))
			}
			rec.Release()
		}
		r := csv.NewReader(bytes.NewReader(data))
		r.FieldsPerRecord = -1
		var want []string
		for {
			fields, err := r.Read()
			if err == io.EOF {
				break
			}
			if err != nil { // how they go on differs
				if bad == 0 {
					t.Fatalf("nothing bad, but %v", err)
				}
				return
			}
			if len(fields) == 2 && utf8.ValidString(fields[0]) && utf8.ValidString(fields[1]) {
				want = append(want, fmt.Sprintf("%q %q", fields[0], fields[1]))
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Fatalf("got %s\nwant %s", got, want)
		}
		if whole := Format().Cut(data, nil); whole > len(data) || whole > 0 && data[whole-1] != '\n' {
			t.Fatalf("cut at %d", whole)
		}
	})
}

func lines(n int) []byte {
	r := rand.New(rand.NewSource(1))
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "%d,2024-01-01T%02d:%02d:%02dZ,user%d,%d.%02d,%d,%v,\"Amsterdam, NL\",10.0.%d.%d\n", r.Int63n(1e12), i/3600%24, i/60%60, i%60, r.Intn(1e6), r.Intn(1000), r.Intn(100), r.Intn(100), i%2 == 0, i%256, i%251)
	}
	return b.Bytes()
}

const benchConfig = `{"columns":["id","ts","user","price","qty","ok","city","ip"]}`

func BenchmarkDecodeCSV(b *testing.B) {
	data := lines(8000)
	alloc := codectest.NewArena(64 << 20)
	schema := codectest.Schema(b, "id: int64, ts: timestamp[us, UTC], user: utf8, price: float64, qty: int64, ok: bool, city: utf8")
	d, err := Format().NewDecoder(schema, []byte(benchConfig), alloc, codec.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	total := 0
	for b.Loop() {
		alloc.Reset()
		alloc.Allow(d.Need(len(data)))
		if n, err := d.Append(data, func(bad *codec.BadRecord) error { return bad.Fault }); err != nil || n != len(data) {
			b.Fatal(n, err)
		}
		r := d.Record()
		total += int(r.NumRows())
		r.Release()
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkEncodeCSV(b *testing.B) {
	schema := codectest.Schema(b, "id: int64, ts: timestamp[us, UTC], user: utf8, price: float64, qty: int64, ok: bool, city: utf8")
	d, err := Format().NewDecoder(schema, []byte(benchConfig), codectest.NewArena(64<<20), codec.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := d.Append(lines(8000), func(bad *codec.BadRecord) error { return bad.Fault }); err != nil {
		b.Fatal(err)
	}
	rec := d.Record()
	defer rec.Release()
	e, err := Format().NewEncoder(schema, nil)
	if err != nil {
		b.Fatal(err)
	}
	enc := e.(codec.RowEncoder)
	var out []byte
	b.ReportAllocs()
	total := 0
	for b.Loop() {
		if err := enc.Bind(rec); err != nil {
			b.Fatal(err)
		}
		out = out[:0]
		for i := range int(rec.NumRows()) {
			if out, err = enc.Append(out, i); err != nil {
				b.Fatal(err)
			}
			out = append(out, '\n')
		}
		total += int(rec.NumRows())
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "rows/s")
}
