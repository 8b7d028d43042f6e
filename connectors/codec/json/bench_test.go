package json

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

// rows are n lines of 170 bytes on average: seven columns and one field that no column wants.
func rows(n int) []byte {
	r := rand.New(rand.NewSource(1))
	cities := []string{"Amsterdam", "Berlin", "Copenhagen", "Dublin", `Gen\u00e8ve`, "São Paulo", `He said \"hi\"`, "Helsinki"}
	var b bytes.Buffer
	for i := range n {
		at := time.UnixMicro(1700000000000000 + int64(i)*1234567).UTC()
		price := strconv.FormatFloat(math.Round(r.Float64()*1e5)/1e2, 'g', -1, 64)
		fmt.Fprintf(&b, `{"id":%d,"ts":"%s","user":"user%d","price":%s,"qty":%d,"ok":%v,`, r.Int63n(1e12),
			at.Format("2006-01-02T15:04:05.000Z"), r.Intn(1e6), price, r.Intn(100), r.Intn(2) == 0)
		if i%10 == 0 {
			b.WriteString(`"city":null,`)
		} else {
			fmt.Fprintf(&b, `"city":"%s",`, cities[r.Intn(8)])
		}
		fmt.Fprintf(&b, `"meta":{"ip":"10.0.%d.%d","tags":["a","b"]}}`, r.Intn(256), r.Intn(256))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

const benchSchema = "id: int64, ts: timestamp[us, UTC], user: utf8, price: float64, qty: int64, ok: bool, city: utf8"

// BenchmarkDecodeNDJSON decodes batches of 1 MiB into an arena-like allocator. The scan of strings and of what is
// passed over takes most of the time.
func BenchmarkDecodeNDJSON(b *testing.B) {
	data := rows(6000)
	alloc := codectest.NewArena(64 << 20)
	d, err := Format().NewDecoder(codectest.Schema(b, benchSchema), nil, alloc, codec.Limits{})
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
		n, err := d.Append(data, func(bad *codec.BadRecord) error { return bad.Fault })
		if err != nil || n != len(data) {
			b.Fatal(n, err)
		}
		r := d.Record()
		total += int(r.NumRows())
		r.Release()
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkEncodeNDJSON writes the same rows; the floats and times take most of the time.
func BenchmarkEncodeNDJSON(b *testing.B) {
	rec := decoded(b, rows(6000))
	defer rec.Release()
	e, err := Format().NewEncoder(rec.Schema(), nil)
	if err != nil {
		b.Fatal(err)
	}
	enc := e.(codec.RowEncoder)
	var out []byte
	total := 0
	b.ReportAllocs()
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

func decoded(t testing.TB, data []byte) arrow.Record {
	d, err := Format().NewDecoder(codectest.Schema(t, benchSchema), nil, codectest.NewArena(64<<20), codec.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Append(data, func(bad *codec.BadRecord) error { return bad.Fault }); err != nil {
		t.Fatal(err)
	}
	return d.Record()
}
