package parquet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
	"github.com/wasmill/wasmill/engine/fault"
)

const mixed = "id: int64!, ts: timestamp[us, UTC], user: utf8, price: float64, small: int16, ok: bool, amount: decimal128(20, 3), day: date32, raw: fixed_size_binary[5]"

// TestReadsWhatArrowWrites: files of Arrow's own writer, with pages of both versions, several row groups and pages, and all encodings.
func TestReadsWhatArrowWrites(t *testing.T) {
	s := codectest.Schema(t, mixed)
	rec := codectest.Rows(memory.DefaultAllocator, s, 3_000)
	defer rec.Release()
	codecs := []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Zstd, compress.Codecs.Brotli}
	for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
		for _, compression := range codecs {
			for _, dictionary := range []bool{true, false} {
				properties := []parquet.WriterProperty{
					parquet.WithDataPageVersion(version), parquet.WithCompression(compression), parquet.WithDictionaryDefault(dictionary),
					parquet.WithDataPageSize(2_000), parquet.WithMaxRowGroupLength(1_250),
				}
				if !dictionary {
					properties = append(properties, parquet.WithEncodingFor("id", parquet.Encodings.DeltaBinaryPacked),
						parquet.WithEncodingFor("user", parquet.Encodings.DeltaLengthByteArray), parquet.WithEncodingFor("ok", parquet.Encodings.RLE))
				}
				data := arrowWrites(t, rec, properties...)
				for _, first := range []int64{0, 1_249, 2_999} {
					at := first
					err := decodeFrom(t, s, data, first, func(got arrow.Record) {
						want := rec.NewSlice(at, at+got.NumRows())
						defer want.Release()
						at += got.NumRows()
						if !codectest.Equal(want, got) {
							t.Errorf("page version %v, %v, dictionary %v: rows up to %d differ", version, compression, dictionary, at)
						}
					})
					if err != nil || at != rec.NumRows() {
						t.Errorf("page version %v, %v, dictionary %v, from row %d: read up to %d, %v", version, compression, dictionary, first, at, err)
					}
				}
			}
		}
	}
}

func arrowWrites(t testing.TB, rec arrow.Record, properties ...parquet.WriterProperty) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(rec.Schema(), &out, parquet.NewWriterProperties(properties...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// arrowReads reads a file with Arrow's own reader.
func arrowReads(data []byte) (arrow.Table, error) {
	return pqarrow.ReadTable(context.Background(), bytes.NewReader(data), parquet.NewReaderProperties(nil), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
}

// TestArrowReadsWhatIsWritten: values nest as they like, in several parts, with a Mark and another encoder in between.
func TestArrowReadsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := codectest.FlatSchema(t)
		for _, f := range s.Fields() {
			if !storable(f.Type) {
				t.Skip("the type is written as another")
			}
		}
		rec := codectest.Record(t, s, 50)
		defer rec.Release()
		var data []byte
		e, err := newEncoder(s, Config{})
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(0); at < rec.NumRows() || at == 0; {
			n := rapid.Int64Range(0, rec.NumRows()-at).Draw(t, "rows")
			part := rec.NewSlice(at, at+n)
			if data, err = e.AppendFile(data, part); err != nil {
				t.Fatal(err)
			}
			part.Release()
			at += n
			if rapid.Bool().Draw(t, "mark") {
				if data, err = e.Mark(data); err != nil {
					t.Fatal(err)
				}
				if _, err := readFooter(bytes.NewReader(data), int64(len(data))); err == nil {
					t.Fatal("a file without an end is read")
				}
				if rapid.Bool().Draw(t, "other encoder") {
					if e, err = newEncoder(s, Config{Compression: "zstd"}); err != nil {
						t.Fatal(err)
					}
					if err := e.Resume(bytes.NewReader(data), int64(len(data))); err != nil {
						t.Fatal(err)
					}
				}
			}
			if at == 0 && rec.NumRows() == 0 {
				break
			}
		}
		if data, err = e.AppendFile(data, nil); err != nil {
			t.Fatal(err)
		}
		table, err := arrowReads(data)
		if err != nil {
			t.Fatal(err)
		}
		if table.NumRows() != rec.NumRows() {
			t.Fatalf("expected %d rows, Arrow reads %d", rec.NumRows(), table.NumRows())
		}
		for i := range int(rec.NumCols()) {
			row := 0
			for _, chunk := range table.Column(i).Data().Chunks() {
				for j := range chunk.Len() {
					want, got := rec.Column(i).ValueStr(row), chunk.ValueStr(j)
					if d, ok := rec.Column(i).(*array.Dictionary); ok && d.IsValid(row) {
						want = d.Dictionary().ValueStr(d.GetValueIndex(row))
					}
					if want != got && !sameTime(rec.Column(i), chunk, row, j) {
						t.Fatalf("column %v, row %d: expected %s, Arrow reads %s", s.Field(i), row, want, got)
					}
					row++
				}
			}
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

// sameTime compares times by their number: of large ones the text overflows.
func sameTime(a, b arrow.Array, i, j int) bool {
	x, ok := a.(*array.Timestamp)
	y, also := b.(*array.Timestamp)
	return ok && also && x.IsValid(i) == y.IsValid(j) && x.Value(i) == y.Value(j)
}

// TestNestedIsWritten: lists, maps and structs are written, though not read.
func TestNestedIsWritten(t *testing.T) {
	s := codectest.Schema(t, "l: list<int64>, s: struct<a: utf8, t: timestamp[ms]>, m: map<utf8, float64>")
	rec := codectest.Rows(memory.DefaultAllocator, s, 100)
	defer rec.Release()
	table, err := arrowReads(encode(t, "{}", rec, rec))
	if err != nil || table.NumRows() != 200 {
		t.Fatalf("Arrow reads %v, %v", table, err)
	}
	for i, c := range rec.Columns() {
		for j := range 100 {
			if got := table.Column(i).Data().Chunk(0).ValueStr(j); got != c.ValueStr(j) {
				t.Fatalf("column %d, row %d: expected %s, Arrow reads %s", i, j, c.ValueStr(j), got)
			}
		}
	}
}

// TestStatistics: the least and the largest text are those of the rows, though the memory of a batch is used again for the next.
func TestStatistics(t *testing.T) {
	s := codectest.Schema(t, "word: utf8")
	e, err := newEncoder(s, Config{})
	if err != nil {
		t.Fatal(err)
	}
	a := codectest.NewArena(1 << 20)
	var data []byte
	for _, words := range [][]string{{"mmm", "aaa", "zzz"}, {"kkk", "lll", "nnn"}} {
		a.Clear()
		b := array.NewRecordBuilder(a, s)
		b.Field(0).(*array.StringBuilder).AppendValues(words, nil)
		rec := b.NewRecord()
		part := rec.NewSlice(1, 3)
		if data, err = e.AppendFile(data, part); err != nil {
			t.Fatal(err)
		}
		part.Release()
		rec.Release()
		b.Release()
	}
	if data, err = e.AppendFile(data, nil); err != nil {
		t.Fatal(err)
	}
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.MetaData().RowGroup(0).ColumnChunk(0)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := c.Statistics()
	if err != nil || string(stats.EncodeMin()) != "aaa" || string(stats.EncodeMax()) != "zzz" {
		t.Errorf("expected aaa to zzz, got %s to %s, %v", stats.EncodeMin(), stats.EncodeMax(), err)
	}
}

func TestResumeRefuses(t *testing.T) {
	s := codectest.Schema(t, "n: int64")
	rec := codectest.Rows(memory.DefaultAllocator, s, 3)
	defer rec.Release()
	e, err := newEncoder(s, Config{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := e.AppendFile(nil, rec)
	if err == nil {
		data, err = e.Mark(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	const replaced = "the Parquet file is not as the last commit left it (--fresh writes it anew)"
	for _, c := range []struct {
		columns, want string
		data          []byte
	}{
		{"n: int64", "", data},
		{"n: int64", "", nil},
		{"n: int64", replaced, data[:len(data)-1]},
		{"n: int64", replaced, []byte("short")},
		{"m: int64", "the file has other columns than are to be written (--fresh writes it anew)", data},
	} {
		e, err := newEncoder(codectest.Schema(t, c.columns), Config{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := e.Resume(bytes.NewReader(c.data), int64(len(c.data))); err != nil {
			got = err.Error()
			if f := new(fault.Fault); !errors.As(err, &f) || f.Code != fault.State {
				t.Errorf("%s: code %v", c.columns, err)
			}
		}
		if got != c.want {
			t.Errorf("expected %q, got %q", c.want, got)
		}
	}
}

// TestMemoryOfLargeFile: of a file of many row groups no more is read than a batch needs.
func TestMemoryOfLargeFile(t *testing.T) {
	s := codectest.Schema(t, "n: int64, user: utf8")
	rec := codectest.Rows(memory.DefaultAllocator, s, 8192)
	defer rec.Release()
	var data []byte
	e, err := newEncoder(s, Config{Compression: "none"})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if data, err = e.AppendFile(data, rec); err != nil {
			t.Fatal(err)
		}
	}
	if data, err = e.AppendFile(data, nil); err != nil {
		t.Fatal(err)
	}
	counted := &counting{in: bytes.NewReader(data)}
	d, err := Format().NewDecoder(s, nil, memory.DefaultAllocator, codec.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.(codec.FileDecoder).StartFile(counted, int64(len(data))); err != nil {
		t.Fatal(err)
	}
	n, err := d.Append(codec.RowNumbers(nil, 350_000, 100), func(b *codec.BadRecord) error { return b.Fault })
	if err != nil || n != 800 {
		t.Fatal(n, err)
	}
	rec2 := d.Record()
	defer rec2.Release()
	if got := fmt.Sprint(rec2.Column(1).ValueStr(0)); got != fmt.Sprintf("user%d", 350_000%8192) {
		t.Errorf("row 350,000 has %s", got)
	}
	if counted.bytes > len(data)/2 {
		t.Errorf("%d of %d bytes were read for 100 rows", counted.bytes, len(data))
	}
}

type counting struct {
	in    *bytes.Reader
	bytes int
}

func (c *counting) ReadAt(b []byte, at int64) (int, error) {
	c.bytes += len(b)
	return c.in.ReadAt(b, at)
}
