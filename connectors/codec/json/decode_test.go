package json

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
)

// decode decodes data under a schema of text and returns its rows as the encoder writes them, and what was bad, each as
// "line N: FAULT".
func decode(t *testing.T, columns, config, data string) (rows, bad []string) {
	t.Helper()
	arena := codectest.NewArena(1 << 20)
	d, err := Format().NewDecoder(codectest.Schema(t, columns), []byte(config), arena, codec.Limits{Record: 4096})
	if err != nil {
		t.Fatal(err)
	}
	arena.Allow(d.Need(len(data)))
	n, err := d.Append([]byte(data), func(b *codec.BadRecord) error {
		bad = append(bad, fmt.Sprintf("line %d: %v", b.Line, b.Fault))
		if got := data[b.Offset : b.Offset+len(b.Data)]; got != string(b.Data) {
			t.Errorf("data at the offset is %q, Data is %q", got, b.Data)
		}
		return nil
	})
	if err != nil || n != len(data) {
		t.Fatalf("took %d of %d bytes, %v", n, len(data), err)
	}
	if rec := d.Record(); rec != nil {
		rows = encode(t, rec)
		rec.Release()
	}
	d.Close()
	if arena.Live != 0 {
		t.Errorf("%d buffers were not freed", arena.Live)
	}
	return rows, bad
}

func encode(t testing.TB, rec arrow.Record) (rows []string) {
	e, err := Format().NewEncoder(rec.Schema(), nil)
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
		rows = append(rows, string(b))
	}
	return rows
}

// TestDecode has a column and a value of it each; want is the value that is written back, or the fault.
func TestDecode(t *testing.T) {
	for _, c := range []struct{ typ, value, want string }{
		{"int64", "9007199254740993", "9007199254740993"},
		{"int64", "9223372036854775807", "9223372036854775807"},
		{"int64", "-9223372036854775808", "-9223372036854775808"},
		{"int64", "-0", "0"},
		{"int64", "9223372036854775808", "column x: expected int64, got 9223372036854775808, which is out of range"},
		{"int64", "1.5", "column x: expected int64, got 1.5"},
		{"int64", "1e3", "column x: expected int64, got 1e3"},
		{"int64", `"12"`, `column x: expected int64, got "12"`},
		{"int64", "007", "byte 6: expected no digit behind a leading 0, got '0'"},
		{"int64", "-", "byte 6: expected a digit, got '}'"},
		{"int64", "true", "column x: expected int64, got true"},
		{"int64", `{"a":[1]}`, "column x: expected int64, got an object"},
		{"int64", "[1]", "column x: expected int64, got an array"},
		{"int64", "tru", "byte 5: expected `true`, got 't'"},
		{"int64", "nul", "byte 5: expected `null`, got 'n'"},
		{"int64", "+1", "byte 5: expected a value, got '+'"},
		{"int64", "", "byte 5: expected a value, got '}'"},
		{"int64!", "null", "column x: expected int64, got null"},
		{"int8", "-128", "-128"},
		{"int8", "128", "column x: expected int8, got 128, which is out of range"},
		{"int16", "-32769", "column x: expected int16, got -32769, which is out of range"},
		{"int32", "2147483648", "column x: expected int32, got 2147483648, which is out of range"},
		{"uint8", "256", "column x: expected uint8, got 256, which is out of range"},
		{"uint16", "65535", "65535"},
		{"uint32", "4294967296", "column x: expected uint32, got 4294967296, which is out of range"},
		{"uint64", "18446744073709551615", "18446744073709551615"},
		{"uint64", "18446744073709551616", "column x: expected uint64, got 18446744073709551616, which is out of range"},
		{"uint64", "-1", "column x: expected uint64, got -1, which is out of range"},
		{"uint64", "-0", "0"},
		{"float64", "5", "5"},
		{"float64", "0.1234567890123456789", "0.12345678901234568"},
		{"float64", "1e400", "column x: expected float64, got 1e400, which is out of range"},
		{"float64", "1e-400", "0"},
		{"float64", "-0.0", "-0"},
		{"float64", "2.2250738585072011e-308", "2.225073858507201e-308"},
		{"float64", "1e23", "1e+23"},
		{"float64", "NaN", "byte 5: expected a value, got 'N'"},
		{"float64", ".5", "byte 5: expected a value, got '.'"},
		{"float64", "1.", "byte 7: expected a digit behind the point, got '}'"},
		{"float64", "1e", "byte 7: expected a digit in the exponent, got '}'"},
		{"float32", "3.4028236e38", "column x: expected float32, got 3.4028236e38, which is out of range"},
		{"float32", "0.1", "0.1"},
		{"bool", "true", "true"},
		{"bool", "false", "false"},
		{"bool", "falsey", "byte 10: expected ',' or '}', got 'y'"},
		{"bool", "1", "column x: expected bool, got 1"},
		{"utf8", `"é\u00e8\ud83d\ude00😀\n\/"`, `"éè😀😀\n/"`},
		{"utf8", `"\u0000\u001f"`, `"\u0000\u001f"`},
		{"utf8", `"\ud800"`, `byte 6: expected an escape \uXXXX, in pairs for surrogates, got '\\'`},
		{"utf8", `"\udc00\ud800"`, `byte 6: expected an escape \uXXXX, in pairs for surrogates, got '\\'`},
		{"utf8", `"\u12g4"`, `byte 6: expected an escape \uXXXX, in pairs for surrogates, got '\\'`},
		{"utf8", `"\x41"`, `byte 6: expected one of " \ / b f n r t u behind a backslash, got '\\'`},
		{"utf8", "\"a\xffb\"", "byte 7: expected valid UTF-8, got byte 0xff"},
		{"utf8", "\"a\xed\xa0\x80b\"", "byte 7: expected valid UTF-8, got byte 0xed"},
		{"utf8", "\"a\x01b\"", `byte 7: expected no control character in a string, got '\x01'`},
		{"utf8", "\"1234567\x1f\"", `byte 13: expected no control character in a string, got '\x1f'`},
		{"utf8", "\"\\\x01\"", `byte 6: expected one of " \ / b f n r t u behind a backslash, got '\\'`},
		{"utf8", "\"\x7f\"", "\"\x7f\""},
		{"utf8", `"abc`, "byte 10: expected '\"' at the end of a string, got the end"},
		{"utf8", `"abc\`, "byte 11: expected '\"' at the end of a string, got the end"},
		{"utf8", "5", "column x: expected utf8, got 5"},
		{"large_utf8", `"x"`, `"x"`},
		{"binary", `"AAEC"`, `"AAEC"`},
		{"binary", `"AAE="`, `"AAE="`},
		{"binary", `"AAF="`, `column x: expected binary, got "AAF="`},
		{"binary", `"AA\nEC"`, "column x: expected binary, got \"AA\\nEC\""},
		{"binary", `"AAE"`, `column x: expected binary, got "AAE"`},
		{"binary", `"===="`, `column x: expected binary, got "===="`},
		{"large_binary", `""`, `""`},
		{"fixed_size_binary[2]", `"AAE="`, `"AAE="`},
		{"fixed_size_binary[2]", `"AAEC"`, `column x: expected fixed_size_binary[2], got "AAEC", which is not of its size`},
		{"date32", `"2013-01-31"`, `"2013-01-31"`},
		{"date32", `"1969-12-31"`, `"1969-12-31"`},
		{"date32", "15736", `"2013-01-31"`},
		{"date32", `"2013-02-29"`, `column x: expected date32, got "2013-02-29"`},
		{"date32", `"2013-00-01"`, `column x: expected date32, got "2013-00-01"`},
		{"date32", "2147483648", "column x: expected date32, got 2147483648, which is out of range"},
		{"time32[s]", `"23:59:59"`, `"23:59:59"`},
		{"time32[ms]", `"01:02:03.004"`, `"01:02:03.004"`},
		{"time32[ms]", `"24:00:00"`, `column x: expected time32[ms], got "24:00:00"`},
		{"time32[s]", "86400", "column x: expected time32[s], got 86400, which is out of range"},
		{"time64[us]", `"00:00:00.0000019"`, `column x: expected time64[us], got "00:00:00.0000019", which has more digits than it can hold`},
		{"time64[ns]", `"00:00:00.000000001"`, `"00:00:00.000000001"`},
		{"timestamp[us, UTC]", `"2024-02-29T10:00:00+02:00"`, `"2024-02-29T08:00:00.000000Z"`},
		{"timestamp[us, UTC]", `"2024-02-29 10:00:00"`, `"2024-02-29T10:00:00.000000Z"`},
		{"timestamp[us]", `"2024-02-29t10:00:00.5-00:30"`, `"2024-02-29T10:30:00.500000"`},
		{"timestamp[us, Europe/Berlin]", `"2024-02-29T10:00:00"`, `column x: expected timestamp[us, Europe/Berlin], got "2024-02-29T10:00:00", which has no offset from UTC`},
		{"timestamp[us, UTC]", `"2023-02-29T10:00:00Z"`, `column x: expected timestamp[us, UTC], got "2023-02-29T10:00:00Z"`},
		{"timestamp[us, UTC]", `"2024-01-01T00:00:60Z"`, `column x: expected timestamp[us, UTC], got "2024-01-01T00:00:60Z"`},
		{"timestamp[us, UTC]", `"2024-01-01T00:00:00.123456789Z"`, `column x: expected timestamp[us, UTC], got "2024-01-01T00:00:00.123456789Z", which has more digits than it can hold`},
		{"timestamp[ms, UTC]", `"2024-01-01T00:00:00.123000000Z"`, `"2024-01-01T00:00:00.123Z"`},
		{"timestamp[ns]", `"1677-09-21T00:12:43.145224192Z"`, `"1677-09-21T00:12:43.145224192"`},
		{"timestamp[ns]", `"1677-09-21T00:12:43.145224191Z"`, `column x: expected timestamp[ns], got "1677-09-21T00:12:43.145224191Z", which is out of range`},
		{"timestamp[ns]", `"2262-04-11T23:47:16.854775807Z"`, `"2262-04-11T23:47:16.854775807"`},
		{"timestamp[ns]", `"2262-04-11T23:47:16.854775808Z"`, `column x: expected timestamp[ns], got "2262-04-11T23:47:16.854775808Z", which is out of range`},
		{"timestamp[s]", "-62167219201", "-62167219201"},
		{"timestamp[s]", "0", `"1970-01-01T00:00:00"`},
		{"duration[ms]", "-5", "-5"},
		{"duration[ms]", `"5s"`, `column x: expected duration[ms], got "5s"`},
		{"decimal128(5, 2)", "123.45", "123.45"},
		{"decimal128(5, 2)", `"-0.05"`, "-0.05"},
		{"decimal128(5, 2)", "1.2345e2", "123.45"},
		{"decimal128(5, 2)", "12345e-2", "123.45"},
		{"decimal128(5, 2)", "1.230000", "1.23"},
		{"decimal128(5, 2)", "1e-999999999999", "column x: expected decimal128(5, 2), got 1e-999999999999, which has more digits than it can hold"},
		{"decimal128(5, 2)", "1.234", "column x: expected decimal128(5, 2), got 1.234, which has more digits than it can hold"},
		{"decimal128(5, 2)", "1000", "column x: expected decimal128(5, 2), got 1000, which is out of range"},
		{"decimal128(5, 2)", `"1,5"`, `column x: expected decimal128(5, 2), got "1,5"`},
		{"decimal128(38, 0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999"},
		{"decimal128(38, 0)", "100000000000000000000000000000000000000", "column x: expected decimal128(38, 0), got 100000000000000000000000000000000000000, which is out of range"},
		{"decimal128(38, 38)", "-0.00000000000000000000000000000000000001", "-0.00000000000000000000000000000000000001"},
		{"list<int64>", "[1, null ,3]", "[1,null,3]"},
		{"list<int64>", "[]", "[]"},
		{"list<int64>", "[1,]", "byte 8: expected a value, got ']'"},
		{"list<int64!>", "[1,null]", "column x[]: expected int64, got null"},
		{"list<int64>", "7", "column x: expected an array, got 7"},
		{"struct<a: int64, b: utf8>", `{"b":"x"}`, `{"a":null,"b":"x"}`},
		{"struct<a: int64!, b: utf8>", `{"b":"x"}`, "column x.a: expected int64, got no such field"},
		{"struct<a: int64!, b: list<int8!>!>", "null", "null"},
		{"struct<a: int64>", "3", "column x: expected an object, got 3"},
		{"struct<>", `{"a":1}`, "{}"},
		{"map<utf8, int64>", `{"a":1,"a":null}`, `{"a":1,"a":null}`},
		{"map<int32, int64!>", `{"-7":1}`, `{"-7":1}`},
		{"map<int32, int64>", `{"k":1}`, `column x.key: expected int32, got "k"`},
		{"map<utf8, int64>", `[]`, "column x: expected an object, got an array"},
		{"dictionary<int8, utf8>", `"v"`, `"v"`},
		{"dictionary<int8, utf8>", "5", "column x: expected utf8, got 5"},
		{"null", "null", "null"},
		{"null", "1", "column x: expected null, got 1"},
	} {
		rows, bad := decode(t, "x: "+c.typ, "", `{"x":`+c.value+"}")
		got := ""
		switch {
		case len(bad) == 1 && len(rows) == 0:
			got = strings.TrimPrefix(bad[0], "line 0: ")
		case len(bad) == 0 && len(rows) == 1:
			got = strings.TrimSuffix(strings.TrimPrefix(rows[0], `{"x":`), "}")
		default:
			got = fmt.Sprint(rows, bad)
		}
		if got != c.want {
			t.Errorf("%s from %s:\n got %s\nwant %s", c.typ, c.value, got, c.want)
		}
	}
}

const two = "id: int64, user: utf8"

// TestRecords has whole lines.
func TestRecords(t *testing.T) {
	const ok = `{"id":1,"user":null}`
	for _, c := range []struct{ in, rows, bad string }{
		{`{"id":1}`, ok, ""},
		{"\xef\xbb\xbf{\"id\":1}\r\n\r\n  \n\t{ \"id\" : 1 } \r\n", ok + ok, ""},
		{``, "", ""},
		{`{}`, `{"id":null,"user":null}`, ""},
		{`{"user":"u","id":1}`, `{"id":1,"user":"u"}`, ""},
		{`{"\u0069d":1}`, ok, ""},
		{`{"ID":7}`, `{"id":null,"user":null}`, ""},
		{`{"id":1,"id":2}`, "", "line 0: column id: expected the field once, got it twice"},
		{`{"id":1}x`, "", "line 0: byte 8: expected the end of the line behind the record, got 'x'"},
		{`{"id":1} {"id":2}`, "", "line 0: byte 9: expected the end of the line behind the record, got '{'"},
		{`{"id":1,}`, "", "line 0: byte 8: expected a name in quotes, got '}'"},
		{`{,"id":1}`, "", "line 0: byte 1: expected a name in quotes, got ','"},
		{`{"id" 1}`, "", "line 0: byte 6: expected ':' behind a name, got '1'"},
		{`{"id":1 "user":"u"}`, "", "line 0: byte 8: expected ',' or '}', got '\"'"},
		{`{"id":1,"meta":{"a":tru}}`, "", "line 0: byte 20: expected `true`, got 't'"},
		{`{"id":1,"meta":{"a":[1,{"b":"\ud83d\ude00"},[],{},-1.5e+7,true,false,null]}}`, ok, ""},
		{`{"id":1,"meta":[1 2]}`, "", "line 0: byte 18: expected ',' or ']', got '2'"},
		{`{"id":1,"meta":"` + "\x80" + `"}`, "", "line 0: byte 16: expected valid UTF-8, got byte 0x80"},
		{`[1]`, "", "line 0: expected an object, got an array"},
		{`null`, "", "line 0: expected an object, got null"},
		{"{\"id\":1,\n{\"id\":1}\n{\"id\":1}", ok + ok, "line 0: byte 8: expected a name in quotes, got the end (records are one a line; set `multiline: true` when they span lines)"},
		{`{"user":"only","id":"no"}` + "\n" + `{"id":1}`, ok, `line 0: column id: expected int64, got "no"`},
		{`{"x":` + strings.Repeat("[", 511) + strings.Repeat("]", 511) + "}", `{"id":null,"user":null}`, ""},
		{`{"x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "}", "", "line 0: byte 517: expected values that nest at most 512 deep, got '['"},
		{`{"user":"` + strings.Repeat("x", 5000) + "\"}\n{\"id\":1}", ok, "line 0: expected a record of at most 4096 bytes, got 5011 (raise the limit on records, or split the record)"},
	} {
		rows, bad := decode(t, two, "", c.in)
		if got := strings.Join(rows, ""); got != c.rows {
			t.Errorf("%q: rows %s, want %s", c.in, got, c.rows)
		}
		if got := strings.Join(bad, "\n"); got != c.bad {
			t.Errorf("%q:\n got %s\nwant %s", c.in, got, c.bad)
		}
	}
}

func TestMultiline(t *testing.T) {
	rows, bad := decode(t, two, `{"multiline":true}`, "{\n \"id\": 1\n}\n\n{\"id\":2}\n{\n\"id\": x}\n{\"id\":3}")
	if got := strings.Join(rows, ""); got != `{"id":1,"user":null}{"id":2,"user":null}` {
		t.Errorf("rows %s", got)
	}
	if got := strings.Join(bad, "\n"); got != "line 5: byte 9: expected a value, got 'x'" {
		t.Errorf("bad %s", got)
	}
}

func TestNewDecoderFaults(t *testing.T) {
	for _, c := range []struct {
		schema       *arrow.Schema
		config, want string
	}{
		{codectest.Schema(t, "a: int64, a: utf8"), "", "column a: the name occurs twice"},
		{codectest.Schema(t, "m: map<list<int8>, utf8>"), "", "column m: a map in JSON cannot have keys of type list<int8>"},
		{codectest.Schema(t, "a: int64"), `{"multilin":true}`, "multilin: unknown field `multilin` (did you mean `multiline`?)"},
		{arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.FixedWidthTypes.Float16}}, nil), "", "column a: type float16 cannot be decoded"},
	} {
		if _, err := Format().NewDecoder(c.schema, []byte(c.config), codectest.NewArena(64), codec.Limits{}); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
