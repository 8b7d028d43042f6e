package aggregate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/aggregate"
)

// event is a row; nil is null.
type event struct {
	I *int64   `json:"i"`
	F *float64 `json:"f"`
	S *string  `json:"s"`
}

var eventSchema = arrow.NewSchema([]arrow.Field{
	{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func record(t interface{ Fatal(...any) }, events []event) arrow.Record {
	text, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, eventSchema, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

var specs = []aggregate.Spec{
	{Name: "rows", Func: "count"}, {Name: "n", Func: "count", Column: "i"}, {Name: "sum", Func: "sum", Column: "i"},
	{Name: "total", Func: "sum", Column: "f"}, {Name: "least", Func: "min", Column: "i"}, {Name: "most", Func: "max", Column: "s"},
	{Name: "avg", Func: "avg", Column: "i"}, {Name: "first", Func: "first", Column: "s"}, {Name: "last", Func: "last", Column: "f"},
	{Name: "all", Func: "collect", Column: "s"}, {Name: "each", Func: "collect_all", Column: "s"}, {Name: "each_i", Func: "collect_all", Column: "i"}, {Name: "of_least", Func: "min_by", Column: "s", By: "i"},
	{Name: "of_most", Func: "max_by", Column: "i", By: "s"},
}

// result is what the aggregates mean, as JSON of one row.
func result(events []event) string {
	r := map[string]any{"rows": len(events), "n": 0, "sum": nil, "total": nil, "least": nil, "most": nil, "avg": nil, "first": nil, "last": nil,
		"of_least": nil, "of_most": nil}
	var n, sum int64
	var total float64
	var least, mostRow *event
	all, each, eachI := []string{}, []*string{}, []*int64{}
	for i := range events {
		e := &events[i]
		each, eachI = append(each, e.S), append(eachI, e.I)
		if e.I != nil {
			n, sum = n+1, sum+*e.I
			r["n"], r["sum"], r["avg"] = n, sum, float64(sum)/float64(n)
			if least == nil || *e.I < *least.I {
				least = e
			}
		}
		if e.F != nil {
			total += *e.F
			r["total"], r["last"] = total, *e.F
		}
		if e.S != nil {
			if r["first"] == nil {
				r["first"] = *e.S
			}
			if mostRow == nil || *e.S > *mostRow.S {
				mostRow = e
			}
			all = append(all, *e.S)
		}
	}
	if least != nil {
		r["least"], r["of_least"] = *least.I, least.S
	}
	if mostRow != nil {
		r["most"], r["of_most"] = *mostRow.S, mostRow.I
	}
	r["all"], r["each"], r["each_i"] = all, each, eachI
	text, _ := json.Marshal(r)
	return string(text)
}

func build(t interface{ Fatal(...any) }, s *aggregate.Set, row aggregate.Row) string {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(s.Fields(), nil))
	defer b.Release()
	if err := s.Build(b.Fields(), row); err != nil {
		t.Fatal(err)
	}
	rec := b.NewRecord()
	defer rec.Release()
	var out bytes.Buffer
	if err := array.RecordToJSON(rec, &out); err != nil {
		t.Fatal(err)
	}
	var any map[string]any
	if err := json.Unmarshal(out.Bytes(), &any); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(any)
	return string(text)
}

// TestPartsMakeTheWhole spreads rows over parts, stores and reads those, merges them in any order, and compares with what the
// aggregates mean. Floats are whole, so that their sum does not depend on the order.
func TestPartsMakeTheWhole(t *testing.T) {
	events := rapid.Custom(func(t *rapid.T) event {
		var e event
		if rapid.IntRange(0, 4).Draw(t, "has i") > 0 {
			e.I = new(rapid.SampledFrom([]int64{-5, -1, 0, 1, 2, 3, 1 << 40}).Draw(t, "i"))
		}
		if rapid.IntRange(0, 4).Draw(t, "has f") > 0 {
			e.F = new(float64(rapid.IntRange(-9, 9).Draw(t, "f")))
		}
		if rapid.IntRange(0, 4).Draw(t, "has s") > 0 {
			e.S = new(rapid.SampledFrom([]string{"", "a", "b", "long enough"}).Draw(t, "s"))
		}
		return e
	})
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(events, 0, 30).Draw(rt, "events")
		s, err := aggregate.New(eventSchema, specs)
		if err != nil {
			rt.Fatal(err)
		}
		parts := make([]aggregate.Row, rapid.IntRange(1, 4).Draw(rt, "parts"))
		for i := range parts {
			parts[i] = s.NewRow()
		}
		rec := record(rt, all)
		defer rec.Release()
		s.Bind(rec)
		for i := range all {
			s.Add(parts[rapid.IntRange(0, len(parts)-1).Draw(rt, "part")], i, int64(i))
		}
		whole := s.NewRow()
		for _, i := range rand.New(rand.NewPCG(1, rapid.Uint64().Draw(rt, "order"))).Perm(len(parts)) {
			part, rest, err := s.Read(append(s.Append(nil, parts[i]), "rest"...))
			if err != nil || string(rest) != "rest" {
				rt.Fatalf("%q %v", rest, err)
			}
			s.Merge(whole, part)
		}
		if whole.Empty() != (len(all) == 0) {
			rt.Fatal("empty")
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(result(all)), &want); err != nil {
			rt.Fatal(err)
		}
		text, _ := json.Marshal(want)
		if got := build(rt, s, whole); got != string(text) {
			rt.Fatalf("got  %s\nwant %s", got, text)
		}
	})
}

func TestSumsThatDoNotFit(t *testing.T) {
	s, err := aggregate.New(eventSchema, []aggregate.Spec{{Name: "sum", Func: "sum", Column: "i"}})
	if err != nil {
		t.Fatal(err)
	}
	rec := record(t, []event{{I: new(int64(1 << 62))}, {I: new(int64(-1 << 63))}})
	defer rec.Release()
	s.Bind(rec)
	row := s.NewRow()
	for range 3 {
		s.Add(row, 0, 1)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(s.Fields(), nil))
	defer b.Release()
	err = s.Build(b.Fields(), row)
	if want := "aggregate sum: the sum of 3 values does not fit int64 (sum a column of type float64)"; err == nil || err.Error() != want {
		t.Fatalf("got %v", err)
	}
	s.Add(row, 1, 2) // the order does not matter: 3 * 2^62 - 2^63 = 2^62
	if got := build(t, s, row); got != `{"sum":4611686018427388000}` {
		t.Fatal(got)
	}
}

func TestFaults(t *testing.T) {
	_, err := aggregate.New(arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String}, {Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.String)}}, nil),
		[]aggregate.Spec{
			{Name: "a", Func: "summ", Column: "s"}, {Name: "b", Func: "sum", Column: "s"}, {Name: "c", Func: "sum"}, {Name: "d", Func: "min", Column: "l"},
			{Name: "e", Func: "max", Column: "t"}, {Name: "f", Func: "max_by", Column: "s"}, {Name: "g", Func: "max", Column: "s", By: "s"},
		})
	want := strings.Join([]string{
		"aggregate.a: unknown aggregate `summ` (did you mean `sum`?)",
		"aggregate.b: there is no sum of the column `s` of type utf8 (a sum is of integers or floats)",
		"aggregate.c: a sum needs a column (write `c: {sum: COLUMN}`)",
		"aggregate.d: there is no min of the column `l` of type list<utf8> (columns may be bool, integers, floats, utf8, binary, dates, times, timestamps or durations)",
		"aggregate.e: unknown column `t` (did you mean `l`?)",
		"aggregate.f: a max_by takes a column of the row that is extreme by another (write `f: {max_by: {take: COLUMN, by: COLUMN}}`)",
		"aggregate.g: a max has no `by`",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Fatalf("got\n%v\nwant\n%s", err, want)
	}
}

func FuzzRead(f *testing.F) {
	s, err := aggregate.New(eventSchema, specs)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Append(nil, s.NewRow()))
	f.Fuzz(func(t *testing.T, b []byte) {
		row, _, err := s.Read(b)
		if err != nil {
			return
		}
		s.Merge(row, row)
		b2 := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(s.Fields(), nil))
		defer b2.Release()
		_ = s.Build(b2.Fields(), row) // must not panic
	})
}

func BenchmarkAdd(b *testing.B) {
	s, err := aggregate.New(eventSchema, []aggregate.Spec{{Name: "n", Func: "count"}, {Name: "sum", Func: "sum", Column: "i"}})
	if err != nil {
		b.Fatal(err)
	}
	var events []event
	for i := range 8192 {
		events = append(events, event{I: new(int64(i)), S: new(fmt.Sprint(i))})
	}
	rec := record(b, events)
	defer rec.Release()
	row := s.NewRow()
	b.ReportAllocs()
	for b.Loop() {
		s.Bind(rec)
		for i := range events {
			s.Add(row, i, int64(i))
		}
	}
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "rows/s")
}
