package schema_test

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/schema"
)

func TestDocumentColumns(t *testing.T) {
	if got := schema.FormatSchema(schema.Document()); got != "event: json!" {
		t.Errorf("got %s", got)
	}
	for text, want := range map[string]string{"json": "json", "json!": "json!", " json ! ": "json!", "utf8": "utf8"} {
		f, err := schema.ParseField("d", text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := schema.FormatField(f); got != want || schema.IsJSON(f) != (want != "utf8") {
			t.Errorf("%q: got %s, is JSON: %t", text, got, schema.IsJSON(f))
		}
	}
	plain := arrow.NewSchema([]arrow.Field{{Name: "event", Type: arrow.BinaryTypes.String}}, nil)
	two := arrow.NewSchema([]arrow.Field{schema.JSON("a", true), schema.JSON("b", true)}, nil)
	renamed := arrow.NewSchema([]arrow.Field{schema.JSON("other", true)}, nil)
	for name, c := range map[string]struct {
		schema *arrow.Schema
		want   bool
	}{"document": {schema.Document(), true}, "renamed": {renamed, true}, "plain text": {plain, false}, "two": {two, false}, "nil": {nil, false}} {
		if got := schema.IsDocument(c.schema); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	const columns = "a: json!, b: struct<x: int64!>, c: json"
	if s, err := schema.ParseSchema(columns); err != nil || schema.FormatSchema(s) != columns {
		t.Errorf("got %v, %v", s, err)
	}
	for text, want := range map[string]string{
		"a: int64,,":     `type "a: int64,,": expected a column's name`,
		"a: int64 b":     `type "a: int64 b": expected ',', got "b"`,
		"a":              `type "a": expected ':' at the end`,
		"a: list<json!>": "type \"a: list<json!>\": unknown type `json` (a whole column can be json, nothing inside of another type)",
	} {
		if _, err := schema.ParseSchema(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := schema.ParseField("d", "list<json>"); err == nil || err.Error() != "type \"list<json>\": unknown type `json` (a whole column can be json, nothing inside of another type)" {
		t.Errorf("got %v", err)
	}
}
