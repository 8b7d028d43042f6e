package operator_test

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/schema"
)

func TestWithoutRow(t *testing.T) {
	for detail, want := range map[string]string{
		"":                                 "",
		"row: {}":                          "",
		"Traceback\n  line 1\nrow: {1: 2}": "Traceback\n  line 1",
		"at row: 7":                        "at row: 7",
	} {
		if got := operator.WithoutRow(detail); got != want {
			t.Errorf("%q: got %q, want %q", detail, got, want)
		}
	}
}

func TestRowTextOfADocument(t *testing.T) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema.Document())
	defer b.Release()
	b.Field(0).(*array.StringBuilder).AppendValues([]string{"1", `{"a": [1]}`}, nil)
	rec := b.NewRecord()
	defer rec.Release()
	if got := string(operator.RowText(rec, 1)); got != `{"a": [1]}` {
		t.Error(got)
	}
}
