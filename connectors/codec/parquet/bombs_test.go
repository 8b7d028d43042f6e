package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/parquet/compress"
)

// TestDecompressionStops: a page that comes to more than it announces costs what it announces.
func TestDecompressionStops(t *testing.T) {
	zeros := make([]byte, 32<<20)
	for _, how := range []compress.Compression{compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Zstd, compress.Codecs.Brotli} {
		c, err := compress.GetCodec(how)
		if err != nil {
			t.Fatal(err)
		}
		bomb := c.Encode(make([]byte, c.CompressBound(int64(len(zeros)))), zeros)
		var d decompressor
		before := allocated()
		if err := d.decompress(how, make([]byte, 1000), bomb); err == nil || !strings.HasPrefix(err.Error(), "a page cannot be decompressed: ") {
			t.Errorf("%v: got %v", how, err)
		}
		if took := allocated() - before; took > 16<<20 {
			t.Errorf("%v took %d bytes for a page of 1,000", how, took)
		}
		if err := d.decompress(how, make([]byte, len(zeros)), bomb); err != nil {
			t.Errorf("%v: %v", how, err)
		}
		if err := d.decompress(how, make([]byte, len(zeros)+1), bomb); err == nil {
			t.Errorf("%v: a page with a byte too few is read", how)
		}
		d.close()
	}
	var d decompressor
	// A frame of zstd that refers 2 GiB back.
	if err := d.decompress(compress.Codecs.Zstd, make([]byte, 10), []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00}); err == nil {
		t.Error("a window of 2 GiB is taken")
	}
	if err := d.decompress(compress.Codecs.Lz4, nil, nil); err == nil || err.Error() != "the compression LZ4 cannot be read (write the file with snappy, gzip, zstd or brotli, or uncompressed)" {
		t.Errorf("got %v", err)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// thriftFooter ends a file with a footer of these bytes.
func thriftFooter(footer []byte) []byte {
	out := append([]byte("PAR1"), footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), "PAR1"...)
}

// element is a SchemaElement: a name, and children where there are any.
func element(name string, children uint64) []byte {
	out := append(binary.AppendUvarint([]byte{0x48}, uint64(len(name))), name...)
	if children > 0 {
		out = binary.AppendUvarint(append(out, 0x15), 2*children)
	}
	return append(out, 0)
}

// elements is a FileMetaData of version 1 that has only a schema.
func elements(list ...[]byte) []byte {
	out := binary.AppendUvarint([]byte{0x15, 2, 0x19, 0xfc}, uint64(len(list)))
	return append(append(out, bytes.Join(list, nil)...), 0)
}

// TestFooterBombs: footers that announce more than they hold, or hold more than a library should build.
func TestFooterBombs(t *testing.T) {
	nested := make([][]byte, 40)
	for i := range nested {
		nested[i] = element("g", 1)
	}
	many := make([][]byte, maxElements+1)
	for i := range many {
		many[i] = element("c", 0)
	}
	for _, c := range []struct {
		name, want string
		footer     []byte
	}{
		{"children", "expected at most 10000 columns", elements(element("root", 1<<30))},
		{"elements", "expected at most 10000 columns", elements(many...)},
		{"nesting", "expected columns in at most 32 groups", elements(nested...)},
		{"name", "expected names of at most 1024 bytes, got 5000", elements(element(strings.Repeat("n", 5000), 0))},
		{"list", "the footer of the Parquet file is damaged behind byte 13", []byte{0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f}},
		{"structs", fmt.Sprintf("expected a footer of at most %d values, got more", maxStructs), append(binary.AppendUvarint([]byte{0x15, 2, 0x49, 0xfc}, maxStructs+10), make([]byte, maxStructs+10)...)},
	} {
		before := allocated()
		_, err := Format().Infer(thriftFooter(c.footer), nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: expected %q, got %v", c.name, c.want, err)
		}
		if took := allocated() - before; took > 8<<20 {
			t.Errorf("%s: took %d bytes", c.name, took)
		}
	}
}

func TestRuns(t *testing.T) {
	for _, c := range []struct {
		b                  []byte
		width, n           int
		wantCount, wantOne int
	}{
		{[]byte{10, 1}, 1, 5, 5, 5},         // a run of 5
		{[]byte{10, 1}, 1, 9, 5, 5},         // of which 9 are asked for
		{[]byte{10, 0, 6, 1}, 1, 7, 7, 2},   // 5 and 2 of 3
		{[]byte{3, 0b10110001}, 1, 8, 8, 4}, // packed
		{[]byte{3, 0b10110001}, 1, 3, 3, 1}, // of which 3
		{[]byte{5, 0xff}, 1, 16, 8, 8},      // cut off
		{[]byte{3, 1, 2, 3}, 3, 8, 8, 0},    // 3 bits
		{[]byte{0, 1, 0, 1}, 1, 4, 0, 0},    // of nothing
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1, 4, 0, 0},
		{nil, 1, 1, 0, 0},
		{[]byte{10}, 0, 5, 5, 0}, // a width of 0 takes no bytes
	} {
		if count, ones := runs(c.b, c.width, c.n); count != c.wantCount || ones != c.wantOne {
			t.Errorf("%v: expected %d and %d ones, got %d and %d", c.b, c.wantCount, c.wantOne, count, ones)
		}
	}
	if deltas([]byte{0x80, 0x80, 0x80, 0x80, 0x10, 1, 5}, 5) || deltas([]byte{0x80, 1, 4, 4}, 5) || deltas([]byte{0x80}, 0) || !deltas([]byte{0x80, 1, 4, 5}, 5) {
		t.Error("heads of differences")
	}
}
