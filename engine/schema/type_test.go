package schema_test

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/schema"
)

func TestRoundTrip(t *testing.T) {
	for _, text := range []string{
		"bool", "int8", "uint64", "float32", "utf8", "large_utf8", "binary", "large_binary", "null", "date32",
		"fixed_size_binary[16]", "time32[ms]", "time64[ns]", "duration[us]", "timestamp[s]",
		"timestamp[ms, Europe/Berlin]", "timestamp[us, +02:00]", "decimal128(38, 10)", "list<int64>", "list<int64!>",
		"struct<a: int64!, b: list<utf8>>", "struct<>", "map<utf8, int64!>", "dictionary<int32, utf8>",
		"list<map<utf8, struct<x: float64, y: dictionary<int8, binary>>>>", "int64!",
	} {
		typ, nullable, err := schema.ParseType(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := schema.FormatNullable(typ, nullable); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if typ, _, _ := schema.ParseType("string"); typ.ID() != arrow.STRING {
		t.Error("string is not utf8")
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                       `type "": expected a type`,
		"itn64":                  "type \"itn64\": unknown type `itn64` (did you mean `int64`?)",
		"list<int64":             `type "list<int64": expected '>' at the end`,
		"int64 int64":            `type "int64 int64": expected the end of the type, got "int64"`,
		"timestamp":              `type "timestamp": expected '[' at the end`,
		"time32[ns]":             `type "time32[ns]": expected a unit of s, ms, got "ns"`,
		"decimal128(39,1)":       `type "decimal128(39,1)": expected a precision from 0 to 38, got "39"`,
		"dictionary<utf8, utf8>": `type "dictionary<utf8, utf8>": expected an integer type for the index, got utf8`,
	} {
		if _, _, err := schema.ParseType(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzParseType(f *testing.F) {
	f.Add("list<struct<a: int64!, b: decimal128(3, 1)>>")
	f.Add("timestamp[ms, UTC]")
	f.Fuzz(func(t *testing.T, text string) {
		typ, nullable, err := schema.ParseType(text)
		if err != nil {
			return
		}
		again := schema.FormatNullable(typ, nullable)
		typ2, nullable2, err := schema.ParseType(again)
		if err != nil {
			t.Fatalf("%q was written as %q, which does not parse: %v", text, again, err)
		}
		if nullable != nullable2 || !arrow.TypeEqual(typ, typ2) {
			t.Fatalf("%q became %q", text, again)
		}
	})
}
