package csv

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

func write(t testing.TB, rec arrow.Record, config string) (lines []string) {
	e, err := Format().NewEncoder(rec.Schema(), []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	enc := e.(codec.RowEncoder)
	if err := enc.Bind(rec); err != nil {
		t.Fatal(err)
	}
	for i := range int(rec.NumRows()) {
		b, err := enc.Append(nil, i)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	return lines
}

func decode(t *testing.T, columns, config, data string, start bool) (rows, bad []string, err error) {
	t.Helper()
	arena := codectest.NewArena(1 << 20)
	d, err := Format().NewDecoder(codectest.Schema(t, columns), []byte(config), arena, codec.Limits{Record: 200})
	if err != nil {
		return nil, nil, err
	}
	if start {
		if err := d.(codec.InputDecoder).StartInput(nil); err != nil {
			t.Fatal(err)
		}
	}
	arena.Allow(d.Need(len(data)))
	n, err := d.Append([]byte(data), func(b *codec.BadRecord) error {
		bad = append(bad, fmt.Sprintf("line %d: %v", b.Line, b.Fault))
		if got := data[b.Offset : b.Offset+len(b.Data)]; got != string(b.Data) {
			t.Errorf("data at the offset is %q, Data is %q", got, b.Data)
		}
		return nil
	})
	if err == nil && n != len(data) {
		t.Fatalf("took %d of %d bytes", n, len(data))
	}
	if rec := d.Record(); rec != nil {
		rows = write(t, rec, "")
		rec.Release()
	}
	d.Close()
	if arena.Live != 0 {
		t.Errorf("%d buffers were not freed", arena.Live)
	}
	return rows, bad, err
}

func TestRecords(t *testing.T) {
	const columns = "a: int64, b: utf8"
	for _, c := range []struct{ config, in, rows, bad string }{
		{"", "a,b\n1,x\n2,y\n", "1,x|2,y", ""},
		{"", "\xef\xbb\xbfb,extra,a\r\nx,\"q\r\n\"\"\",1\r\n\r\n,,\r\n", `1,x|,`, ""},
		{"", "a,b\n1,\"two\nlines, \"\"quoted\"\"\"", "1,\"two\nlines, \"\"quoted\"\"\"", ""},
		{"", "a,b\n1,\"\"\n2,", `1,""|2,`, ""},
		{`{"header":false}`, "1,x\n", "1,x", ""},
		{`{"header":false,"columns":["z","b","a"]}`, "0,x,1\n", "1,x", ""},
		{`{"delimiter":"\t","null":["NA",""]}`, "a\tb\nNA\t\"NA\"\n\tNA\n", ",NA|,", ""},
		{"", "a,b\n1\n2,y,z\n3,w", "3,w", "line 1: expected 2 fields, got 1|line 2: expected 2 fields, got 3"},
		{"", "a,b\nx,y\n2,y", "2,y", `line 1: column a: expected int64, got "x"`},
		{"", "a,b\n1.0,y", "", `line 1: column a: expected int64, got "1.0"`},
		{"", "a,b\n 1,y", "", `line 1: column a: expected int64, got " 1"`},
		{"", "a,b\n9223372036854775808,y\n9223372036854775807,z", "9223372036854775807,z", `line 1: column a: expected int64, got "9223372036854775808", which is out of range`},
		{"", "a,b\n1,x\"y\n2,z", "2,z", "line 1: byte 3: expected no quote in a field that does not begin with one"},
		{"", "a,b\n1,\"x\"y\n2,z", "2,z", "line 1: byte 5: expected ',' or the line's end behind a closing quote, got 'y'"},
		{"", "a,b\n1,\"x\n2,z\n", "2,z", "line 1: byte 9: expected a closing quote, got the end"},
		{"", "a,b\n1,\xff\n2,z", "2,z", "line 1: column b: expected valid UTF-8, got byte 0xff at 0"},
		{"", "a,b\n1," + strings.Repeat("x", 200) + "\n2,z", "2,z", "line 1: expected a record of at most 200 bytes, got 203 (raise the limit on records, or look for a quote that is not closed)"},
		{"", "a,b\n", "", ""},
		{"", "", "", ""},
	} {
		rows, bad, err := decode(t, columns, c.config, c.in, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(rows, "|"); got != c.rows {
			t.Errorf("%q: rows %s, want %s", c.in, got, c.rows)
		}
		if got := strings.Join(bad, "|"); got != c.bad {
			t.Errorf("%q:\n got %s\nwant %s", c.in, got, c.bad)
		}
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct{ typ, in, want string }{
		{"bool", "True", "true"}, {"bool", "FALSE", "false"}, {"bool", "1", `column x: expected bool, got "1"`},
		{"uint8", "-0", "0"}, {"uint8", "-1", `column x: expected uint8, got "-1", which is out of range`},
		{"float64", "nan", "NaN"}, {"float64", "-inf", "-Inf"}, {"float64", "+1.5e3", "1500"}, {"float64", "1_0", `column x: expected float64, got "1_0"`},
		{"float32", "1e39", `column x: expected float32, got "1e39", which is out of range`},
		{"date32", "2013-01-31", "2013-01-31"}, {"date32", "15736", "2013-01-31"}, {"date32", "31.1.2013", `column x: expected date32, got "31.1.2013"`},
		{"timestamp[ms, UTC]", "2013-01-31 05:00:00", "2013-01-31T05:00:00.000Z"}, {"timestamp[s]", "-62167219201", "-62167219201"},
		{"time32[s]", "86400", `column x: expected time32[s], got "86400", which is out of range`},
		{"decimal128(9, 2)", "-12.5", "-12.50"}, {"binary", "AAE=", "AAE="}, {"binary", "!", `column x: expected binary, got "!"`},
		{"dictionary<int8, utf8>", "v", "v"}, {"duration[s]", "7", "7"}, {"int64!", "\"\"", "column x: expected int64, got null"},
		{"utf8!", "\"\"", `""`}, {"utf8", `"a,b"`, `"a,b"`}, {"null", "x", `column x: expected null, got "x"`}, {"null", `""`, `""`},
	} {
		rows, bad, err := decode(t, "x: "+c.typ, `{"header":false}`, c.in, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimPrefix(strings.Join(append(rows, bad...), "|"), "line 0: "); got != c.want {
			t.Errorf("%s from %s: got %s, want %s", c.typ, c.in, got, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ columns, config, in, want string }{
		{"a: int64, carrier: utf8", "", "a,cariier\n1,x", "line of names: expected a name `carrier`, got none (did you mean `cariier`?)"},
		{"a: int64", "", "a,a\n1,x", "line of names: the name `a` occurs twice"},
		{"a: int64", "", "\"a\n1,x", "line of names, byte 6: expected a closing quote, got the end"},
		{"a: int64", `{"header":false,"columns":["b"]}`, "", "columns: expected a name `a`, got none (did you mean `b`?)"},
		{"a: int64", `{"header":true,"columns":["a"]}`, "", "columns: there is a line of names already (set `header: false`)"},
		{"a: list<int64>", "", "", "column a: type list<int64> cannot be had in CSV"},
		{"a: int64", `{"delimiter":"ab"}`, "", `delimiter: expected one ASCII character that is neither a quote nor a line end, got "ab"`},
		{"a: int64", `{"null":[]}`, "", "null: expected one text at least"},
	} {
		if _, _, err := decode(t, c.columns, c.config, c.in, true); err == nil || err.Error() != c.want {
			t.Errorf("%s %q:\n got %v\nwant %s", c.config, c.in, err, c.want)
		}
	}
	rec := codectest.Schema(t, "s: struct<a: int64>")
	if _, err := Format().NewEncoder(rec, nil); err == nil || err.Error() != "column s: type struct<a: int64> cannot be written as CSV" {
		t.Errorf("got %v", err)
	}
}

// TestInputs has messages, each an input of its own, and files, which come in pieces and may go on in the middle.
func TestInputs(t *testing.T) {
	schema := codectest.Schema(t, "a: int64, b: utf8")
	type step struct {
		start      bool
		head, data string
	}
	for _, c := range []struct {
		config string
		steps  []step
		want   string
	}{
		{"", []step{{data: "1,x\n"}, {data: "2,y"}}, "1,x|2,y"},
		{`{"header":true}`, []step{{data: "a,b\n1,x\n"}, {data: "b,a\ny,2"}, {data: "c\n"}, {data: "b,a\n"}}, "1,x|2,y|bad"},
		{"", []step{{start: true, data: "b,a\nx,1\n"}, {data: "y,2\n"}, {start: true, data: "a,b\n3,z"}}, "1,x|2,y|3,z"},
		{"", []step{{start: true, head: "\xef\xbb\xbfb,a\nx,1\n", data: "y,2\n"}}, "2,y"},
		{`{"header":false}`, []step{{start: true, head: "1,x\n", data: "2,y\n"}}, "2,y"},
	} {
		d, err := Format().NewDecoder(schema, []byte(c.config), codectest.NewArena(1<<20), codec.Limits{Rows: 1})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		bad := 0
		for _, s := range c.steps {
			if s.start {
				var head []byte
				if s.head != "" {
					head = []byte(s.head)
				}
				if err := d.(codec.InputDecoder).StartInput(head); err != nil {
					t.Fatal(err)
				}
			}
			for rest := s.data; ; {
				n, err := d.Append([]byte(rest), func(*codec.BadRecord) error { bad++; return nil })
				if err != nil {
					t.Fatal(err)
				}
				if rec := d.Record(); rec != nil {
					got = append(got, write(t, rec, "")...)
					rec.Release()
				}
				if rest = rest[n:]; rest == "" {
					break
				}
			}
		}
		for range bad {
			got = append(got, "bad")
		}
		if got := strings.Join(got, "|"); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.steps, got, c.want)
		}
	}
}

func TestPositional(t *testing.T) {
	for config, want := range map[string]bool{"": true, `{"header":true}`: false, `{"header":false}`: true, `{"header":false,"columns":["a"]}`: false} {
		if got := Format().Positional([]byte(config)); got != want {
			t.Errorf("%s: got %v", config, got)
		}
	}
	_, bad, err := decode(t, "a: int64", "", "1,2", false)
	if want := "line 0: expected 1 fields, got 2 (set `header` to say whether messages begin with a line of names, or `columns`)"; err != nil || strings.Join(bad, "|") != want {
		t.Errorf("got %v, %v", bad, err)
	}
}

func TestCut(t *testing.T) {
	for in, want := range map[string]int{
		"": 0, "a,b": 0, "a,b\n": 4, "a,b\n1,\"x\n": 4, "a,b\n1,\"x\n\"": 4, "a,b\n1,\"x\n\"\n": 11, "a,b\r\n\r\n1": 7,
		"a\"b\n1,\"\n": 4, "\xef\xbb\xbfa": 0, "\xef\xbb\xbfa\n": 5, "\"a\"x\nb": 5,
	} {
		if got := Format().Cut([]byte(in), nil); got != want {
			t.Errorf("%q: got %d, want %d", in, got, want)
		}
	}
}

func TestInfer(t *testing.T) {
	for _, c := range []struct{ config, sample, want string }{
		{"", "carrier,delay,at,day,ok,x\nAA,5,2013-01-01T05:00:00Z,2013-01-01,true,\nUA,2.5,2013-01-01T06:00:00Z,2013-01-02,False,\nDL", "carrier: utf8, delay: float64, at: timestamp[us, UTC], day: date32, ok: bool, x: utf8"},
		{`{"header":false}`, "1,a\n2,b\n", "f1: int64, f2: utf8"},
		{`{"columns":["n","s"],"null":["NA"]}`, "1,a\nNA,b\n", "n: int64, s: utf8"},
		{"", "a,b\n1\n", "line 2: expected 2 fields, got 1"},
		{"", "", "no columns can be inferred: the sample has no record with a field (declare a schema)"},
	} {
		s, err := Format().Infer([]byte(c.sample), []byte(c.config))
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = codectest.Format(s)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.sample, got, c.want)
		}
	}
}
