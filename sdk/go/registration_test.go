package wasmill

import (
	"strings"
	"testing"
	"time"
)

// registered runs fn with nothing registered, and returns the description of what it registers or the text of its panic.
func registered(fn func()) (text string) {
	before := functions
	defer func() {
		functions = before
		if p := recover(); p != nil {
			text = p.(string)
		}
	}()
	functions = nil
	fn()
	return string(describe())
}

type event struct {
	Word    string           `wasmill:"word"`
	At      *time.Time       `wasmill:"at,timestamp[ms, Europe/Berlin]"`
	Price   Null[Decimal128] `wasmill:"price,decimal128(10, 2)"`
	Tags    []string
	Where   struct{ X, Y *float64 }
	Raw     Column `wasmill:"raw,map<utf8, int64>"`
	ignored int
	Ignored int `wasmill:"-"`
}

type kept struct {
	Raw  Column `wasmill:"raw"`
	Late bool
	ID   [16]byte
	Took *time.Duration
}

type counts struct {
	Keyed
	N    int64
	Last *string
}

func TestDescription(t *testing.T) {
	_ = event{}.ignored
	got := registered(func() {
		Map("keep", func(event) (kept, error) { return kept{}, nil }, Doc("a \"doc\"\nof \\ two lines"))
		Filter("late", func(struct{ Delay float64 }) (bool, error) { return true, nil })
		Scalar2("add", func(a, b int64) int64 { return a + b }, Columns("x", "y"), Result("sum"))
		Vector1("half", func(a []float64, out []float32) error { return nil })
		KeyedMap("count", func(s *counts, in struct{ N int64 }) (struct{ N int64 }, error) { return in, nil })
		AnyFilter("any", func(Batch, int) (bool, error) { return true, nil })
		AnyMap("echo", func(Batch) error { return nil })
	})
	want := `{"abi": 1, "functions": [
{"name": "keep", "kind": "map", "doc": "a \"doc\"\u000aof \\ two lines", "in": [{"name": "word", "type": "utf8"}, {"name": "at", "type": "timestamp[ms, Europe/Berlin]"}, {"name": "price", "type": "decimal128(10, 2)"}, {"name": "tags", "type": "list<utf8!>"}, {"name": "where", "type": "struct<x: float64, y: float64>"}, {"name": "raw", "type": "map<utf8, int64>"}], "out": [{"name": "raw", "type": "map<utf8, int64>"}, {"name": "late", "type": "bool!"}, {"name": "id", "type": "fixed_size_binary[16]!"}, {"name": "took", "type": "duration[ns]"}]},
{"name": "late", "kind": "filter", "in": [{"name": "delay", "type": "float64"}]},
{"name": "add", "kind": "scalar", "in": [{"name": "x", "type": "int64"}, {"name": "y", "type": "int64"}], "out": [{"name": "sum", "type": "int64!"}]},
{"name": "half", "kind": "scalar", "in": [{"name": "a", "type": "float64"}], "out": [{"name": "value", "type": "float32"}]},
{"name": "count", "kind": "keyed_map", "in": [{"name": "n", "type": "int64"}], "out": [{"name": "n", "type": "int64!"}], "state": [{"name": "n", "type": "int64"}, {"name": "last", "type": "utf8"}]},
{"name": "any", "kind": "filter"},
{"name": "echo", "kind": "map"}
]}`
	if got != want {
		t.Errorf("expected\n%s\ngot\n%s", want, got)
	}
}

func one[In, Out any]() func() {
	return func() {
		Map("f", func(In) (out Out, err error) { return out, err })
	}
}

func TestRefusedRegistrations(t *testing.T) {
	type fine struct{ N int64 }
	for _, c := range []struct {
		register func()
		want     string
	}{
		{one[int, fine](), "wasmill: f: expected a struct for a row, got int"},
		{one[struct{ C chan int }, fine](), "wasmill: f: struct { C chan int }.C: chan int cannot be a column; the documentation of package wasmill lists what can"},
		{one[struct{ N int }, fine](), "wasmill: f: struct { N int }.N: int cannot be a column; the documentation of package wasmill lists what can"},
		{one[struct{ P **int64 }, fine](), "wasmill: f: struct { P **int64 }.P: a pointer or Null of *int64 cannot be a column: one level of null is all that there is"},
		{one[struct {
			N int64 `wasmill:"n,utf8"`
		}, fine](), "wasmill: f: struct { N int64 \"wasmill:\\\"n,utf8\\\"\" }.N: int64 cannot hold utf8"},
		{one[struct{ D Decimal128 }, fine](), "wasmill: f: struct { D wasmill.Decimal128 }.D: a Decimal128 needs a tag with its type, as in `wasmill:\"price,decimal128(10, 2)\"`"},
		{one[struct {
			N int64
			M int64 `wasmill:"n"`
		}, fine](), "wasmill: f: struct { N int64; M int64 \"wasmill:\\\"n\\\"\" }.M: there are two columns named n"},
		{one[struct {
			n int64 `wasmill:"n"`
		}, fine](), "wasmill: f: struct { n int64 \"wasmill:\\\"n\\\"\" }.n: a column's field must be exported"},
		{one[fine, struct{ C Column }](), "wasmill: f: there is no input column c to pass on"},
		{one[struct{ C Column }, fine](), "wasmill: f: column c: a Column of an input needs a tag with its type, as in `wasmill:\"carrier,utf8\"`"},
		{func() { FlatMap("f", func(fine, func(struct{ C Column })) error { return nil }) }, "wasmill: f: column c cannot be passed on: only a map has one row for each"},
		{func() {
			KeyedMap("f", func(*struct{ L []int64 }, fine) (fine, error) { return fine{}, nil })
		}, "wasmill: f: state l: lists, structs and Column cannot be state; store a []byte"},
		{func() { one[fine, fine]()(); one[fine, fine]()() }, "wasmill: two functions are named f"},
		{func() { Scalar1("f", func(a int64) int64 { return a }, Columns("a", "b")) }, "wasmill: f: Columns has 2 names, which is not how many columns there are"},
		{func() { Map("f", func(f fine) (fine, error) { return f, nil }, Result("x")) }, "wasmill: f: Result is for scalar functions"},
	} {
		if got := registered(c.register); got != c.want {
			t.Errorf("expected %s\ngot      %s", c.want, got)
		}
	}
}

func TestPanicSaysWhere(t *testing.T) {
	err := protect(func() error { panic(time.Second) })
	lines := strings.Split(err.Error(), "\n")
	if lines[0] != "panic: 1s" {
		t.Errorf("expected the panic's text, got %q", lines[0])
	}
	if err := protect(func() error { panic(struct{}{}) }); !strings.HasPrefix(err.Error(), "panic: a value that is no error and no string") {
		t.Errorf("got %v", err)
	}
	if err := protect(func() error { return nil }); err != nil {
		t.Errorf("expected none, got %v", err)
	}
}
