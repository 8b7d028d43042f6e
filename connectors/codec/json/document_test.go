package json

import (
	"bytes"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
	"github.com/wasmill/wasmill/engine/schema"
)

func TestDocuments(t *testing.T) {
	deep := strings.Repeat("[", 513) + strings.Repeat("]", 513)
	for _, c := range []struct{ name, config, data, rows, bad string }{
		{"any value", "", `{"a":1}` + "\n" + `[1, 2]` + "\n7\n\"x\"\nnull\ntrue", `{"a":1}|[1, 2]|7|"x"|null|true`, ""},
		{"as it stands", "", ` {"b" : 1.50e2,"a":"\u00e9"}` + " \r\n", `{"b" : 1.50e2,"a":"\u00e9"}`, ""},
		{"names that occur twice", "", `{"a":1,"a":2}`, `{"a":1,"a":2}`, ""},
		{"blank lines", "", "\n \n1\n\n", "1", ""},
		{"not JSON", "", "{\"a\":1}\n{'a':1}\n{\"a\":2}", `{"a":1}|{"a":2}`, "line 1: byte 1: expected a name in quotes, got '\\''"},
		{"two values", "", `{} {}`, "", "line 0: byte 3: expected the end of the line behind the record, got '{'"},
		{"NaN", "", `{"a":NaN}`, "", "line 0: byte 5: expected a value, got 'N'"},
		{"not UTF-8", "", "{\"a\":\"\xff\"}", "", "line 0: byte 6: expected valid UTF-8, got byte 0xff"},
		{"lone surrogate", "", `"\ud800"`, "", "line 0: byte 1: expected an escape \\uXXXX, in pairs for surrogates, got '\\\\'"},
		{"deep", "", deep, "", "line 0: byte 512: expected values that nest at most 512 deep, got '['"},
		{"large", "", `"` + strings.Repeat("x", 4095) + `"`, "", "line 0: expected a record of at most 4096 bytes, got 4097 (raise the limit on records, or split the record)"},
		{"lines within", `{"multiline": true}`, "{\n \"a\": 1\r\n}\n[\n]", `{  "a": 1  }|[ ]`, ""},
	} {
		rows, bad := decode(t, "event: json!", c.config, c.data)
		if got := strings.Join(rows, "|"); got != c.rows {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.rows)
		}
		if got := strings.Join(bad, "|"); got != c.bad {
			t.Errorf("%s: bad\n got %s\nwant %s", c.name, got, c.bad)
		}
	}
}

// documents makes a record of what a guest returned.
func documents(s *arrow.Schema, texts ...string) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for _, text := range texts {
		for i := range s.Fields() {
			b.Field(i).(*array.StringBuilder).Append(text)
		}
	}
	return b.NewRecord()
}

func TestEncodeDocuments(t *testing.T) {
	for text, want := range map[string]string{
		` {"a" : 1} `:  `{"a" : 1}`,
		"[\n1,\r\n2]":  "[ 1,  2]",
		`"a\nb"`:       `"a\nb"`,
		"":             "column event, byte 0: this is not one JSON value: expected a value, got the end",
		"{}{}":         "column event, byte 2: this is not one JSON value: expected the end behind one value, got '{'",
		"{\"a\":nan}":  "column event, byte 5: this is not one JSON value: expected `null`, got 'n'",
		"\"a\nb\"":     "column event, byte 2: this is not one JSON value: expected no control character in a string, got '\\n'",
		"\"\xc3\x28\"": "column event, byte 1: this is not one JSON value: expected valid UTF-8, got byte 0xc3",
	} {
		rec := documents(schema.Document(), text)
		e, err := Format().NewEncoder(rec.Schema(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.(codec.RowEncoder).Bind(rec); err != nil {
			t.Fatal(err)
		}
		got, err := e.(codec.RowEncoder).Append([]byte("before "), 0)
		if err != nil {
			if string(got) != "before " {
				t.Errorf("%q: a row that fails left %q", text, got)
			}
			got = []byte("before " + err.Error())
		}
		if string(got) != "before "+want {
			t.Errorf("%q:\n got %s\nwant %s", text, got[len("before "):], want)
		}
	}
}

func TestDocumentsBesideOtherColumns(t *testing.T) {
	rec := documents(codectest.Schema(t, "event: json!, subject: utf8"), `{"a":1}`)
	if got := encode(t, rec)[0]; got != `{"event":{"a":1},"subject":"{\"a\":1}"}` {
		t.Error(got)
	}
	_, err := Format().NewDecoder(rec.Schema(), nil, memory.DefaultAllocator, codec.Limits{})
	if want := "column event: a column of type json is the whole record, so it is the only one (declare what is in it, as struct<...> for instance, or leave out the other columns)"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// FuzzDocument compares with a strict library what a document is, and wants it back as it was, in memory that holds no more
// than Need said.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}]}`, "7", `"\ud83d\ude00"`, `[1,]`, "\"\x00\"", "1 2", `{"a":1,"a":2}`, "-0.0e+5"} {
		f.Add([]byte(s))
	}
	arena := codectest.NewArena(1 << 20)
	f.Fuzz(func(t *testing.T, line []byte) {
		line = bytes.ReplaceAll(line, []byte{'\n'}, []byte{' '})
		if bytes.HasPrefix(line, []byte("\xef\xbb\xbf")) || len(bytes.TrimLeft(line, " \t\r")) == 0 || len(line) > 4096 || deep(line) {
			return
		}
		want := jsontext.Value(line).IsValid(jsontext.AllowDuplicateNames(true))
		arena.Clear()
		d, err := Format().NewDecoder(schema.Document(), nil, arena, codec.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		arena.Allow(d.Need(len(line)))
		bad := 0
		if n, err := d.Append(line, func(*codec.BadRecord) error { bad++; return nil }); err != nil || n != len(line) {
			t.Fatal(n, err)
		}
		rec := d.Record()
		if (rec != nil) != want || (bad == 0) != want {
			t.Fatalf("%q is JSON: %t, %d bad", line, want, bad)
		}
		if rec == nil {
			return
		}
		defer rec.Release()
		if got, w := encode(t, rec)[0], string(bytes.Trim(line, " \t\r")); got != strings.ReplaceAll(w, "\r", " ") {
			t.Fatalf("%q became %q", w, got)
		}
	})
}

// BenchmarkDecodeDocuments passes lines on as they are: what bounds it is the look at whether they are JSON.
func BenchmarkDecodeDocuments(b *testing.B) {
	data := rows(6000)
	alloc := codectest.NewArena(64 << 20)
	d, err := Format().NewDecoder(schema.Document(), nil, alloc, codec.Limits{})
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
