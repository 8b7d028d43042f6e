package avro

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
)

// testdata has files of 200 records, written by fastavro 1.12, once with each codec.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.avro")
	if err != nil || len(names) != 4 {
		t.Fatal(names, err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "trips-"), ".avro")] = b
	}
	return out
}

func read(b []byte) (records int64, data []byte, err error) {
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, nil, err
	}
	for i := range f.Blocks() {
		d, n, err := f.Block(i)
		if err != nil {
			return records, data, err
		}
		records += n
		data = append(data, d...)
	}
	return records, data, nil
}

func TestCodecsGiveTheSameRecords(t *testing.T) {
	all := files(t)
	n, want, err := read(all["null"])
	if err != nil || n != 200 {
		t.Fatal(n, err)
	}
	for codec, b := range all {
		if n, data, err := read(b); err != nil || n != 200 || !bytes.Equal(data, want) {
			t.Errorf("%s: %d records, %d bytes, %v", codec, n, len(data), err)
		}
	}
}

func TestWriter(t *testing.T) {
	w, b := NewWriter([]byte(`"long"`))
	b = w.Append(b, []byte{2, 4}, 2)
	b = w.Append(b, []byte{6}, 1)
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil || string(f.Schema()) != `"long"` || f.Blocks() != 2 {
		t.Fatal(f, err)
	}
	if n, data, err := read(b); err != nil || n != 3 || !bytes.Equal(data, []byte{2, 4, 6}) {
		t.Error(n, data, err)
	}
}

// A file that is cut short or damaged anywhere is read up to there, or refused.
func TestDamage(t *testing.T) {
	for codec, b := range files(t) {
		ends := 0
		for n := range b {
			_, _, err := read(b[:n])
			var f *fault.Fault
			switch {
			case err == nil:
				ends++
			case !errors.As(err, &f):
				t.Fatalf("%s, cut at %d: %v", codec, n, err)
			}
		}
		if f, err := Open(bytes.NewReader(b), int64(len(b))); err != nil || ends != int(f.Blocks()) {
			t.Errorf("%s: %d cuts were not noticed, expected those behind whole blocks alone (%v)", codec, ends, err)
		}
		for at := range b {
			damaged := bytes.Clone(b)
			damaged[at] ^= 0x55
			_, _, err := read(damaged)
			if f := (*fault.Fault)(nil); err != nil && !errors.As(err, &f) {
				t.Fatalf("%s, byte %d: %v", codec, at, err)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	_, head := NewWriter([]byte(`"long"`))
	marker := head[len(head)-markerBytes:]
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "it is no Avro file: it does not begin with Obj and 1"},
		{[]byte("PAR1"), "it is no Avro file: it does not begin with Obj and 1"},
		{[]byte("Obj\x01\x01\xff"), "the header of the Avro file is damaged, or above 4 MiB"},
		{append([]byte("Obj\x01\x00"), marker...), "the header of the Avro file has no schema"},
		{bytes.Replace(head, []byte("null"), []byte("lzma"), 1), `its blocks are compressed with "lzma", expected null, deflate, snappy or zstandard`},
		{append(bytes.Clone(head), 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10), "the block at byte 57 is damaged, or the file is cut short"},
		{append(bytes.Clone(head), 1, 0), "the block at byte 57 is damaged, or the file is cut short"},
	} {
		_, err := Open(bytes.NewReader(c.data), int64(len(c.data)))
		var f *fault.Fault
		if !errors.As(err, &f) || f.What != c.want {
			t.Errorf("%q: got %v, want %s", c.data, err, c.want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, b := range files(f) {
		f.Add(b)
	}
	w, head := NewWriter([]byte(`"long"`))
	f.Add(w.Append(head, []byte{2}, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, err := read(b)
		if known := (*fault.Fault)(nil); err != nil && !errors.As(err, &known) {
			t.Fatalf("%v is no fault", err)
		}
	})
}
