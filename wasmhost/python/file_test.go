package python_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/python"
)

const api = `
from dataclasses import dataclass
from datetime import datetime, timedelta, date
from typing import Iterator, Optional

def same(event): return event
def big(event) -> bool: return event["n"] > 10
def spread(event):
    for i in range(event["n"]): yield {"i": i}
def speed(distance: float, hours: float) -> float: return distance / hours

@dataclass
class In:
    a: int
    b: Optional[str]
    t: datetime
    d: date
    x: bytes
    l: list[float]

@dataclass
class Out:
    a: int
    b: Optional[str]
    later: datetime
    d: date
    x: bytes
    l: list[float]
    took: timedelta

def typed(r: In) -> Out:
    return Out(r.a + 1, r.b, r.t + timedelta(hours=1), r.d, r.x * 2, r.l + [0.5], timedelta(seconds=1.5))

calls = 0
def count(event):
    global calls
    calls += 1
    return calls
`

func TestCallsWithGoValues(t *testing.T) {
	f := load(t, newRuntime(t, python.Options{}), api, udf.Options{})
	at := time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)
	day := time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		args []any
		want any
	}{
		{"same", []any{map[string]any{"a": 1, "b": []any{1.5, nil, "ü", true}}}, map[string]any{"a": int64(1), "b": []any{1.5, nil, "ü", true}}},
		{"same", []any{uint64(1<<64 - 1)}, json.Number("18446744073709551615")},
		{"same", []any{json.Number("123456789012345678901234567890")}, json.Number("123456789012345678901234567890")},
		{"same", []any{"text"}, "text"},
		{"big", []any{map[string]any{"n": 11}}, true},
		{"big", []any{map[string]any{"n": 10}}, false},
		{"spread", []any{map[string]any{"n": 2}}, []any{map[string]any{"i": int64(0)}, map[string]any{"i": int64(1)}}},
		{"spread", []any{map[string]any{"n": 0}}, []any{}},
		{"speed", []any{100.0, 2}, 50.0},
		{"speed", []any{map[string]any{"distance": 100, "hours": 8.0}}, 12.5},
		{
			"typed", []any{41, nil, at, day, []byte("ab"), []float64{1, 2}},
			map[string]any{"a": int64(42), "b": nil, "later": at.Add(time.Hour), "d": day, "x": []byte("abab"), "l": []any{1.0, 2.0, 0.5}, "took": 1500 * time.Millisecond},
		},
		{"count", []any{nil}, int64(1)},
		{"count", []any{nil}, int64(2)},
	} {
		if got := call(t, f, c.name, c.args...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s%v: got %#v, want %#v", c.name, c.args, got, c.want)
		}
	}
}

func TestCallsThatCannotBe(t *testing.T) {
	f := load(t, newRuntime(t, python.Options{}), api, udf.Options{})
	for _, c := range []struct {
		name string
		args []any
		want string
	}{
		{"spede", nil, "the file has no function `spede` (did you mean `speed`?)"},
		{"speed", []any{1}, "function speed: expected 2 values (distance: float64!, hours: float64!), got 1"},
		{"speed", []any{1, "two"}, "function speed, column hours: a Go string does not fit float64"},
		{"speed", []any{map[string]any{"distance": 1, "hour": 2}}, "function speed: there is no column `hour` among those that the function takes (distance: float64!, hours: float64!)"},
		{"speed", []any{nil, 2}, "function speed, column distance: the function takes no nulls here, and the row has one"},
		{"same", []any{nil}, "function same: TypeError: same returned None for row 0 (a forgotten return?)"},
		{"same", []any{func() {}}, "function same, column event: the value has no JSON: json: unsupported type: func()"},
		{"speed", []any{1, 0}, "function speed: ZeroDivisionError: float division by zero (user.py, line 10, in speed)"},
	} {
		_, err := f.Call(t.Context(), c.name, c.args...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s%v: got %v, want %s", c.name, c.args, err, c.want)
		}
	}
	if got := call(t, f, "speed", 1, 2); got != 0.5 {
		t.Errorf("after all that: got %v", got)
	}
}

func TestCallsWithRecords(t *testing.T) {
	f := load(t, newRuntime(t, python.Options{}), api, udf.Options{})
	fn, err := f.Function("speed")
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	b := array.NewRecordBuilder(mem, fn.Signature().In)
	defer b.Release()
	for i := range 3000 {
		b.Field(0).(*array.Float64Builder).Append(float64(i))
		b.Field(1).(*array.Float64Builder).Append(2)
	}
	in := b.NewRecord()
	defer in.Release()
	out, err := fn.CallRecord(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	if got := out.Column(0).(*array.Float64); out.NumRows() != 3000 || got.Value(2999) != 1499.5 {
		t.Errorf("got %v", out)
	}
	wrong := array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int8}}, nil), nil, 0)
	defer wrong.Release()
	if _, err := fn.CallRecord(t.Context(), wrong); fault.CodeOf(err) != fault.Schema {
		t.Errorf("got %v", err)
	}
}
