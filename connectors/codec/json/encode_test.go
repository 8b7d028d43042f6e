package json

import (
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

func TestEncodeFloats(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "-0", 1: "1", -16777215: "-16777215", 16777217: "16777217", 0.1: "0.1", 1e20: "100000000000000000000",
		1e21: "1e+21", 1e-6: "0.000001", 1e-7: "1e-07", math.MaxFloat64: "1.7976931348623157e+308", 5e-324: "5e-324",
		math.NaN(): "null", math.Inf(1): "null", math.Inf(-1): "null",
	} {
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		b.Append(v)
		rec := array.NewRecord(codectest.Schema(t, "v: float64"), []arrow.Array{b.NewArray()}, 1)
		if got := encode(t, rec)[0]; got != `{"v":`+want+"}" {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}

func TestEncodeText(t *testing.T) {
	for v, want := range map[string]string{
		"": `""`, "abcdefgh\"": `"abcdefgh\""`, "\\\b\f\n\r\t\x1f\x7f": `"\\\u0008\u000c\n\r\t\u001f` + "\x7f\"",
		"é\u2028<>&": "\"é\u2028<>&\"", "12345678é1234567\x00": "\"12345678é1234567\\u0000\"",
	} {
		if got, ok := appendText(nil, []byte(v)); !ok || string(got) != want {
			t.Errorf("%q: got %s, want %s", v, got, want)
		}
	}
	for _, v := range []string{"\xff", "1234567\xc3", "12345678\xed\xa0\x80", "\xc3\""} {
		if _, ok := appendText(nil, []byte(v)); ok {
			t.Errorf("%q was written", v)
		}
	}
}

func TestEncodeFaults(t *testing.T) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.Append("fine")
	b.Append("\xff")
	rec := array.NewRecord(codectest.Schema(t, "v: utf8"), []arrow.Array{b.NewArray()}, 2)
	e, err := newEncoder(rec.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Bind(rec); err != nil {
		t.Fatal(err)
	}
	out, err := e.Append([]byte("before"), 1)
	const want = "column v: expected valid UTF-8, got other bytes (declare the column as binary, which is written as base64)"
	if err == nil || err.Error() != want || string(out) != "before" {
		t.Errorf("got %q, %v, want %s", out, err, want)
	}
	other := array.NewRecord(codectest.Schema(t, "v: utf8, w: int8"), []arrow.Array{rec.Column(0), array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Int8, 2)}, 2)
	if err := e.Bind(other); err == nil || err.Error() != "expected 1 columns, got 2" {
		t.Errorf("got %v", err)
	}
	if e, err = newEncoder(codectest.Schema(t, "v: int8")); err != nil {
		t.Fatal(err)
	}
	if err := e.Bind(rec); err == nil || err.Error() != "column v: expected int8, got utf8" {
		t.Errorf("got %v", err)
	}
	union := arrow.SparseUnionOf([]arrow.Field{{Name: "a", Type: arrow.Null}}, []arrow.UnionTypeCode{0})
	if _, err := newEncoder(arrow.NewSchema([]arrow.Field{{Name: "u", Type: union}}, nil)); err == nil || err.Error() != "column u: type sparse_union cannot be written as JSON" {
		t.Errorf("got %v", err)
	}
}

func TestEncodeAllocatesNothingPerRow(t *testing.T) {
	rec := decoded(t, rows(500))
	defer rec.Release()
	e, err := Format().NewEncoder(rec.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	enc := e.(codec.RowEncoder)
	if err := enc.Bind(rec); err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 0, 1024)
	i := 0
	if n := testing.AllocsPerRun(400, func() {
		if out, err = enc.Append(out[:0], i); err != nil {
			t.Fatal(err)
		}
		i++
	}); n != 0 {
		t.Errorf("%v allocations for a row", n)
	}
}

func TestInfer(t *testing.T) {
	for _, c := range []struct{ sample, want string }{
		{`{"b":1,"a":"x"}` + "\n" + `{"a":null,"c":true,"b":2.5}`, "b: float64, a: utf8, c: bool"},
		{`{"t":"2024-01-01T00:00:00Z","d":"2024-01-01","n":null}{"t":"2024-01-01T00:00:00.5+01:00"}`, "t: timestamp[us, UTC], d: date32, n: utf8"},
		{`{"t":"2024-01-01T00:00:00Z"}{"t":"today"}`, "t: utf8"},
		{`{"t":"2024-01-01T00:00:00Z"}{"t":"2024-01-01"}`, "t: utf8"},
		{`{"l":[1,2.5,null],"s":{"y":1,"x":[{"z":"q"}]},"e":[]}`, "l: list<float64>, s: struct<y: int64, x: list<struct<z: utf8>>>, e: list<utf8>"},
		{`{"i":9223372036854775808}`, "i: float64"},
		{"\xef\xbb\xbf{\"a\":1}\n{\"a\":\"cut o", "a: int64"},
		{`[1]`, "record 1, at byte 0: expected an object, got an array (a schema can only be inferred from records that decode)"},
		{`{"a":1}` + "\n" + `{"a":x}`, "record 2, at byte 8, byte 13: expected a value, got 'x' (a schema can only be inferred from records that decode)"},
		{``, "no columns can be inferred: the sample has no record with a field (declare a schema)"},
		{`{"a":` + strings.Repeat("[", 40), "record 1, at byte 0: values nest more than 32 deep (a schema can only be inferred from records that decode)"},
	} {
		s, err := Format().Infer([]byte(c.sample), nil)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = codectest.Format(s)
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.sample, got, c.want)
		}
	}
}
