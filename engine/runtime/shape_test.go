package runtime

import (
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
)

var millis = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}

func fields(list ...any) *arrow.Schema {
	var f []arrow.Field
	for i := 0; i < len(list); i += 2 {
		f = append(f, arrow.Field{Name: list[i].(string), Type: list[i+1].(arrow.DataType), Nullable: true})
	}
	return arrow.NewSchema(f, nil)
}

func shapeOf(t *testing.T, decode, out *arrow.Schema, spec plan.Source) *shape {
	t.Helper()
	s, err := newShape(&plan.ResolvedNode{Node: &plan.Node{Source: &spec}, Out: out, Source: &plan.ResolvedSource{Decode: decode}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestShape adds what describes messages, in the order of the output's columns, and leaves out what is decoded for its time alone.
func TestShape(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	i64, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	decode := fields("n", i64, "at", millis)
	s := shapeOf(t, decode, fields("subject", text, "n", i64, "h", text, "seq", arrow.PrimitiveTypes.Uint64, "sent", millis), plan.Source{
		Metadata:  map[string]string{"subject": "subject", "h": "header:H", "seq": "sequence", "sent": "timestamp"},
		EventTime: &plan.EventTime{Column: "at"},
	})
	b := array.NewRecordBuilder(alloc, decode)
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil)
	b.Field(1).(*array.TimestampBuilder).AppendValues([]arrow.Timestamp{10, 20, 30}, []bool{true, false, true})
	decoded := b.NewRecord()
	b.Release()
	defer decoded.Release()
	header := func(name string) string { return map[string]string{"H": "v\xff"}[name] }
	tags := []tag{
		{2, connectors.Message{Subject: "a", Sequence: 7, Time: 99, Header: header}},
		{3, connectors.Message{Subject: "b\xff", Sequence: 8, Time: stream.NoTime}},
	}
	rec, err := s.complete(decoded, tags)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	times, err := s.times(rec, tags)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{10, stream.NoTime, 30}, times); diff != "" {
		t.Error(diff)
	}
	out, err := s.visible(rec)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	var got []string
	for r := range 3 {
		line := ""
		for i, c := range out.Columns() {
			line += fmt.Sprintf("%s=%s ", out.ColumnName(i), c.ValueStr(r))
		}
		got = append(got, line)
	}
	want := []string{
		"subject=a n=1 h=v� seq=7 sent=1970-01-01 00:00:00.099Z ",
		"subject=a n=2 h=v� seq=7 sent=1970-01-01 00:00:00.099Z ",
		"subject=b� n=3 h=(null) seq=8 sent=(null) ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestShapeOfAWrongDecoder names the column whose type is not the declared one.
func TestShapeOfAWrongDecoder(t *testing.T) {
	s := shapeOf(t, fields("n", arrow.PrimitiveTypes.Int64), fields("n", arrow.PrimitiveTypes.Int64), plan.Source{})
	b := array.NewRecordBuilder(memory.DefaultAllocator, fields("n", arrow.PrimitiveTypes.Int32))
	rec := b.NewRecord()
	_, err := s.visible(rec)
	if want := "column `n`: expected int64, got int32"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEventTimes(t *testing.T) {
	stamp := func(unit arrow.TimeUnit, v int64) arrow.Array {
		b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: unit})
		b.Append(arrow.Timestamp(v))
		return b.NewArray()
	}
	day := array.NewDate32Builder(memory.DefaultAllocator)
	day.Append(-1)
	number := array.NewInt64Builder(memory.DefaultAllocator)
	number.Append(-3)
	for _, c := range []struct {
		column arrow.Array
		want   int64
	}{
		{stamp(arrow.Second, -2), -2000},
		{stamp(arrow.Second, math.MaxInt64), math.MaxInt64 / 1000 * 1000},
		{stamp(arrow.Second, math.MinInt64), math.MinInt64 / 1000 * 1000},
		{stamp(arrow.Millisecond, 5), 5},
		{stamp(arrow.Microsecond, -1), -1},
		{stamp(arrow.Microsecond, -1000), -1},
		{stamp(arrow.Nanosecond, 1_999_999), 1},
		{day.NewArray(), -86_400_000},
		{number.NewArray(), -3},
	} {
		schema := fields("at", c.column.DataType())
		s := shapeOf(t, schema, schema, plan.Source{EventTime: &plan.EventTime{Column: "at"}})
		got, err := s.times(array.NewRecord(schema, []arrow.Array{c.column}, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got[0] != c.want {
			t.Errorf("%s %s: got %d, want %d", c.column.DataType(), c.column.ValueStr(0), got[0], c.want)
		}
	}
	s := shapeOf(t, fields("at", arrow.BinaryTypes.String), fields(), plan.Source{EventTime: &plan.EventTime{Column: "at"}})
	text := array.NewStringBuilder(memory.DefaultAllocator)
	_, err := s.times(array.NewRecord(fields("at", arrow.BinaryTypes.String), []arrow.Array{text.NewArray()}, 0), nil)
	if want := "expected a timestamp, a date32 or an int64 in milliseconds for the event time, got utf8"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestTimesOfMessages takes the broker's time where no column is named, also for a message whose rows come in two batches.
func TestTimesOfMessages(t *testing.T) {
	schema := fields("n", arrow.PrimitiveTypes.Int64)
	s := shapeOf(t, schema, schema, plan.Source{EventTime: &plan.EventTime{}})
	tags := []tag{{1, connectors.Message{Time: 5}}, {4, connectors.Message{Time: 6}}}
	batch := func(values ...int64) []int64 {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
		times, err := s.times(b.NewRecord(), tags)
		if err != nil {
			t.Fatal(err)
		}
		dropTags(&tags, len(values))
		return times
	}
	if diff := cmp.Diff([]int64{5, 6, 6}, batch(1, 2, 3)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{6}, batch(4)); diff != "" {
		t.Error(diff)
	}
	if len(tags) != 0 {
		t.Errorf("%d tags are left", len(tags))
	}
}
