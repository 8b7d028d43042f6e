package ipc

import (
	"bytes"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

type failer interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// drain decodes data to its end under what Need says, and compares the rows with those of want from at on.
func drain(t failer, d codec.Decoder, arena *codectest.Arena, data []byte, want arrow.Record, at int64) int64 {
	for {
		arena.Allow(d.Need(len(data)))
		n, err := d.Append(data, func(b *codec.BadRecord) error { return b.Fault })
		if err != nil {
			t.Fatal(err)
		}
		data = data[n:]
		if len(data) == 0 {
			return at
		}
		at = take(t, d, want, at)
	}
}

func take(t failer, d codec.Decoder, want arrow.Record, at int64) int64 {
	got := d.Record()
	if got == nil {
		return at
	}
	part := want.NewSlice(at, at+got.NumRows())
	if !codectest.Equal(got, part) {
		t.Fatalf("got %v\nwant %v", got, part)
	}
	at += got.NumRows()
	part.Release()
	got.Release()
	return at
}

// TestMessages writes random records as messages of some rows each, with our encoder and with Arrow's, and reads them into batches.
func TestMessages(t *testing.T) {
	arena := codectest.NewArena(8 << 20)
	rapid.Check(t, func(t *rapid.T) {
		schema := codectest.RandomSchema(t, 3)
		rec := codectest.Record(t, schema, 40)
		defer rec.Release()
		e, err := Format().NewEncoder(schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		enc := e.(codec.BatchEncoder)
		arena.Clear()
		d, err := Format().NewDecoder(schema, nil, arena, codec.Limits{Rows: rapid.IntRange(1, 50).Draw(t, "limit"), Bytes: rapid.IntRange(1, 10000).Draw(t, "bytes")})
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for from := 0; from < int(rec.NumRows()); {
			to := from + rapid.IntRange(1, int(rec.NumRows())-from).Draw(t, "message")
			m, err := enc.AppendMessage([]byte("x"), rec, from, to)
			if err != nil {
				t.Fatal(err)
			}
			at = drain(t, d, arena, m[1:], rec, at)
			if rapid.Bool().Draw(t, "flush") {
				at = take(t, d, rec, at)
			}
			part := rec.NewSlice(int64(from), int64(to))
			check(t, m[1:], part)
			part.Release()
			from = to
		}
		at = take(t, d, rec, at)
		d.Close()
		if at != rec.NumRows() || arena.Live != 0 {
			t.Fatalf("%d of %d rows, %d buffers were not freed", at, rec.NumRows(), arena.Live)
		}
	})
}

// check reads a stream with Arrow's reader, and compares the rows with want.
func check(t failer, data []byte, want arrow.Record) {
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	at := int64(0)
	for r.Next() {
		part := want.NewSlice(at, at+r.Record().NumRows())
		if !codectest.Equal(r.Record(), part) {
			t.Fatalf("got %v\nwant %v", r.Record(), part)
		}
		at += part.NumRows()
		part.Release()
	}
	if r.Err() != nil || at != want.NumRows() {
		t.Fatal(at, r.Err())
	}
}

// TestFiles writes files in both containers and reads them in pieces, from the beginning and from the middle.
func TestFiles(t *testing.T) {
	arena := codectest.NewArena(8 << 20)
	rapid.Check(t, func(t *rapid.T) {
		schema := codectest.RandomSchema(t, 2)
		rec := codectest.Record(t, schema, 40)
		defer rec.Release()
		container := false
		dictionaries := false
		for _, f := range schema.Fields() {
			dictionaries = dictionaries || hasDictionary(f.Type)
		}
		if !dictionaries && rapid.Bool().Draw(t, "file") {
			container = true
		}
		e, err := Format().NewEncoder(schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		enc := e.(codec.BatchEncoder)
		var file []byte
		for range 2 { // the second begins anew
			enc.Reset()
			file = []byte{}
			for from := int64(0); from < rec.NumRows(); {
				to := from + int64(rapid.IntRange(1, int(rec.NumRows()-from)).Draw(t, "batch"))
				part := rec.NewSlice(from, to)
				if file, err = enc.AppendFile(file, part); err != nil {
					t.Fatal(err)
				}
				part.Release()
				from = to
			}
			if file, err = enc.AppendFile(file, nil); err != nil {
				t.Fatal(err)
			}
		}
		check(t, file, rec)
		if container {
			file = contained(t, file)
		}
		arena.Clear()
		decoder := func() codec.InputDecoder {
			d, err := Format().NewDecoder(schema, nil, arena, codec.Limits{Rows: rapid.IntRange(1, 50).Draw(t, "limit")})
			if err != nil {
				t.Fatal(err)
			}
			return d.(codec.InputDecoder)
		}
		d := decoder()
		if err := d.StartInput(nil); err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for rest := file; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if piece := cut(rest[:n]); piece > 0 {
				n = piece
			} else if n < len(rest) {
				continue
			}
			if done := file[:len(file)-len(rest)]; len(done) > 0 && !dictionaries && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
				at = take(t, d, rec, at)
				d.Close()
				d = decoder()
				if err := d.StartInput(done); err != nil {
					t.Fatal(err)
				}
			}
			at = drain(t, d, arena, rest[:n], rec, at)
			rest = rest[n:]
		}
		at = take(t, d, rec, at)
		d.Close()
		if at != rec.NumRows() || arena.Live != 0 {
			t.Fatalf("%d of %d rows, %d buffers were not freed", at, rec.NumRows(), arena.Live)
		}
	})
}

// contained copies a stream into a file with Arrow's writer.
func contained(t failer, stream []byte) []byte {
	r, err := ipc.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var out file
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(r.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		if err := w.Write(r.Record()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// file is a file that can say where it is.
type file struct{ bytes.Buffer }

func (f *file) Seek(int64, int) (int64, error) { return int64(f.Len()), nil }

// stream writes records as one stream with Arrow's writer.
func stream(t testing.TB, options []ipc.Option, recs ...arrow.Record) []byte {
	t.Helper()
	var b bytes.Buffer
	w := ipc.NewWriter(&b, append(options, ipc.WithSchema(recs[0].Schema()))...)
	for _, r := range recs {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func seven(t testing.TB, rows int) arrow.Record {
	schema := codectest.Schema(t, "id: int64, ts: timestamp[us, UTC], user: utf8, price: float64, qty: int64, ok: bool, city: utf8")
	return codectest.Rows(memory.DefaultAllocator, schema, rows)
}

func BenchmarkDecodeIPC(b *testing.B) {
	rec := seven(b, 1000)
	data := stream(b, nil, rec)
	arena := codectest.NewArena(64 << 20)
	d, err := Format().NewDecoder(rec.Schema(), nil, arena, codec.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	total := 0
	for b.Loop() {
		arena.Reset()
		arena.Allow(d.Need(len(data)))
		if n, err := d.Append(data, func(bad *codec.BadRecord) error { return bad.Fault }); err != nil || n != len(data) {
			b.Fatal(n, err)
		}
		r := d.Record()
		total += int(r.NumRows())
		r.Release()
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkEncodeIPC(b *testing.B) {
	rec := seven(b, 1000)
	e, err := Format().NewEncoder(rec.Schema(), nil)
	if err != nil {
		b.Fatal(err)
	}
	enc := e.(codec.BatchEncoder)
	var out []byte
	total := 0
	b.ReportAllocs()
	for b.Loop() {
		if out, err = enc.AppendMessage(out[:0], rec, 0, 1000); err != nil {
			b.Fatal(err)
		}
		total += 1000
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "rows/s")
}

func hasDictionary(t arrow.DataType) bool {
	if n, ok := t.(arrow.NestedType); ok {
		for _, f := range n.Fields() {
			if hasDictionary(f.Type) {
				return true
			}
		}
	}
	return t.ID() == arrow.DICTIONARY
}
