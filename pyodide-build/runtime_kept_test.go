package pyodide_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

// TestNothingStays calls functions of all kinds very often, the failing ones too, and counts what Python keeps.
func TestNothingStays(t *testing.T) {
	u := opened(t, "kept")
	typed := record(t, "a: int64!, s: utf8!, l: list<int64!>!", `[{"a": 1, "s": "aa", "l": [1]}, {"a": 2, "s": "ü", "l": []}, {"a": 3, "s": "", "l": [70000, 2]}, {"a": 4000, "s": "s", "l": []}]`)
	documents := record(t, "documents", `[{"a": 1}, {"a": 2, "x": [1, {"y": "ü"}]}, {"a": 3}, {"a": 70000}]`)
	blocks := func() int {
		got, err := u.run("blocks", udf.Map, "", record(t, "documents", `[1]`))
		if err != nil {
			t.Fatal(text(err))
		}
		var row struct{ Event string }
		if err := json.Unmarshal([]byte(got), &row); err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(row.Event)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	narrow := func(columns ...int) arrow.Record {
		var fields []arrow.Field
		var values []arrow.Array
		for _, i := range columns {
			fields, values = append(fields, typed.Schema().Field(i)), append(values, typed.Column(i))
		}
		return array.NewRecord(arrow.NewSchema(fields, nil), values, typed.NumRows())
	}
	for _, c := range []struct {
		function string
		kind     udf.Kind
		in       arrow.Record
		fails    bool
	}{
		{"row", udf.Map, typed, false}, {"instance", udf.Map, typed, false}, {"named", udf.Map, typed, false},
		{"document", udf.Map, documents, false}, {"document", udf.Filter, documents, false}, {"document", udf.FlatMap, documents, true},
		{"twice", udf.FlatMap, documents, false}, {"cycle", udf.Map, documents, false}, {"fails", udf.Map, documents, true},
		{"mistyped", udf.Map, typed, true}, {"halfway", udf.FlatMap, typed, true}, {"positional", udf.Scalar, typed, false},
		{"columns", udf.Map, narrow(0, 1), false}, {"bad_columns", udf.Map, narrow(0), true},
	} {
		t.Run(c.function+" as "+string(c.kind), func(t *testing.T) {
			f, err := u.guest.Bind(t.Context(), c.function, c.kind, c.in.Schema(), nil, nil)
			if err != nil {
				t.Fatal(text(err))
			}
			batches := func(n int) int {
				for range n {
					err := f.Call(t.Context(), c.in, nil, func(udf.Result) error { return nil })
					if (err != nil) != c.fails {
						t.Fatal(err)
					}
				}
				return blocks()
			}
			before := batches(100)
			if after := batches(1000); after > before+900 { // a leak keeps at least one object per batch; texts of errors fill caches
				t.Errorf("%d blocks before, %d after 1000 batches", before, after)
			}
		})
	}
}

// TestSteps takes three steps of a generator that never ends, and all of results that are large: neither fills the memory.
func TestSteps(t *testing.T) {
	u := opened(t, "kept")
	enough := errors.New("enough")
	for range 3 {
		steps, rows := 0, int64(0)
		err := u.call("endless", udf.FlatMap, "", record(t, "documents", `[1, 2]`), func(r udf.Result) error {
			if !r.Partial || r.Last {
				t.Errorf("partial %t, last %t", r.Partial, r.Last)
			}
			if rows += r.Record.NumRows(); r.Record.Column(0).(*array.String).Value(0) != strconv.FormatInt(rows-r.Record.NumRows(), 10) {
				t.Errorf("a step begins with %s", r.Record.Column(0).ValueStr(0))
			}
			if steps++; steps == 3 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || rows != 3*8192 {
			t.Fatalf("%d rows, %v", rows, err)
		}
	}
	for kind, want := range map[udf.Kind]int64{udf.Map: 30, udf.Filter: 30} {
		rows, steps := int64(0), 0
		err := u.call("wide", kind, "", record(t, "documents", "["+strings.Repeat("1,", 29)+"1]"), func(r udf.Result) error {
			rows += r.Record.NumRows()
			steps++
			return nil
		})
		if err != nil || rows != want || (kind == udf.Map) != (steps > 1) {
			t.Errorf("%s: %d rows in %d steps, %v", kind, rows, steps, err)
		}
	}
}

// TestVectorsLieInPlace looks at where the memory of columns is that a vectorised function returns as it got them, or as an array of its own.
func TestVectorsLieInPlace(t *testing.T) {
	u, err := open(t, `
from array import array
from wasmill import vectorized
own = array("q", [7, 8, 9])
@vectorized
def same(a: list[int]) -> list[int]: return memoryview(a)
@vectorized
def new(a: list[int]) -> list[int]: return own
`)
	if err != nil {
		t.Fatal(text(err))
	}
	s, err := schema.ParseSchema("a: int64!")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.guest.Arena().Reserve(1 << 12); err != nil {
		t.Fatal(text(err))
	}
	b := array.NewInt64Builder(u.guest.Arena())
	defer b.Release()
	b.AppendValues([]int64{1, 2, 3}, nil)
	column := b.NewInt64Array()
	defer column.Release()
	in := array.NewRecord(s, []arrow.Array{column}, 3)
	defer in.Release()
	place := func(function string) (at *int64) {
		err := u.call(function, udf.Scalar, "", in, func(r udf.Result) error {
			at = &r.Record.Column(0).(*array.Int64).Int64Values()[0]
			return nil
		})
		if err != nil {
			t.Fatal(text(err))
		}
		return at
	}
	if at, want := place("same"), &column.Int64Values()[0]; at != want {
		t.Errorf("the result is at %p, the input at %p", at, want)
	}
	if first, again := place("new"), place("new"); first != again || *first != 7 {
		t.Errorf("the array is at %p, then at %p", first, again)
	}
	if copied := u.guest.Stats().CopiedBytes; copied != 0 {
		t.Errorf("%d bytes were copied", copied)
	}
}

// TestObjectsAreNew: the object of a row is given out again where nobody can tell. A function that keeps it, looks at it afterwards or changes what it is
// sees an object of each row's own.
func TestObjectsAreNew(t *testing.T) {
	const head = `
import weakref
from dataclasses import dataclass
from wasmill import Row, function

kept, ended = [], []

class Order(Row):
    a: int
    s: str

class Ending(Row):
    a: int
    s: str
    def __del__(self): ended.append(self.a)

@dataclass
class Item:
    a: int
    s: str

class Other:
    pass

@function(kind="map", output={"seen": str})
`
	const first, second, third = `{"seen":"1 a"}`, `{"seen":"2 b"}`, `{"seen":"3 c"}`
	values := []string{first, second, third}
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"plain", "def f(r: Order): return (f'{r.a} {r.s}',)", values},
		{"dataclass", "def f(r: Item): return (f'{r.a} {r.s}',)", values},
		{"dict", "def f(r: dict): return {'seen': f'{r[\"a\"]} {r[\"s\"]}'}", values},
		{"dict that comes back", "def f(r: dict):\n    r['seen'] = f'{r.pop(\"a\")} {r.pop(\"s\")}'\n    return r", values},
		{"dict with other values", "def f(r: dict):\n    had = f'{r[\"a\"]} {r[\"s\"]}'\n    r['a'] = [r]\n    r['a'] = r['s'] = []\n    return {'seen': had}", values},
		{"dict with a key more", "def f(r: dict):\n    had = 'more' in r\n    r['more'] = 1\n    return {'seen': f'{had} {r[\"a\"]}'}",
			[]string{`{"seen":"False 1"}`, `{"seen":"False 2"}`, `{"seen":"False 3"}`}},
		{"dict with a key that is no text", "def f(r: dict):\n    had = 5 in r\n    r[5] = 1\n    del r[5]\n    return {'seen': f'{had} {r[\"a\"]}'}",
			[]string{`{"seen":"False 1"}`, `{"seen":"False 2"}`, `{"seen":"False 3"}`}},
		{"dict in another order", "def f(r: dict):\n    had = ' '.join(map(str, r.values()))\n    r['a'] = r.pop('a')\n    return {'seen': had}", values},
		{"dict that is empty", "def f(r: dict):\n    had = ' '.join(map(str, r.values()))\n    r.clear()\n    return {'seen': had}", values},
		{"dict that is kept", "def f(r: dict):\n    kept.append(r)\n    return {'seen': ' '.join(f'{k[\"a\"]} {k[\"s\"]}' for k in kept)}",
			[]string{first, `{"seen":"1 a 2 b"}`, `{"seen":"1 a 2 b 3 c"}`}},
		{"dict whose values are kept", "def f(r: dict):\n    kept.append(r.items())\n    return {'seen': ' '.join(str(v) for k in kept for _, v in k)}",
			[]string{first, `{"seen":"1 a 2 b"}`, `{"seen":"1 a 2 b 3 c"}`}},
		{"kept", "def f(r: Order):\n    kept.append(r)\n    return (' '.join(f'{k.a} {k.s}' for k in kept),)",
			[]string{first, `{"seen":"1 a 2 b"}`, `{"seen":"1 a 2 b 3 c"}`}},
		{"kept every other time", "def f(r: Item):\n    if r.a != 2: kept.append(r)\n    return (' '.join(f'{k.a} {k.s}' for k in kept),)",
			[]string{first, first, `{"seen":"1 a 3 c"}`}},
		{"looked at by a weak reference", "def f(r: Order):\n    kept.append(weakref.ref(r))\n    return (str([k() is None for k in kept]),)",
			[]string{`{"seen":"[False]"}`, `{"seen":"[True, False]"}`, `{"seen":"[True, True, False]"}`}},
		{"with an attribute more", "def f(r: Item):\n    had = hasattr(r, 'more')\n    r.more = 1\n    return (f'{had} {r.a}',)",
			[]string{`{"seen":"False 1"}`, `{"seen":"False 2"}`, `{"seen":"False 3"}`}},
		{"with an attribute less", "def f(r: Order):\n    had = f'{r.a} {r.s}'\n    del r.s\n    return (had,)", values},
		{"in another order", "def f(r: Item):\n    had = ' '.join(map(str, vars(r).values()))\n    s = r.s\n    del r.s, r.a\n    r.s, r.a = s, 7\n    return (had,)", values},
		{"whose dict is kept", "def f(r: Item):\n    kept.append(vars(r))\n    return (f'{kept[0][\"a\"]} {r.s}',)", []string{first, `{"seen":"1 b"}`, `{"seen":"1 c"}`}},
		{"of another class", "def f(r: Item):\n    had = type(r).__name__\n    r.__class__ = Other\n    return (had,)",
			[]string{`{"seen":"Item"}`, `{"seen":"Item"}`, `{"seen":"Item"}`}},
		{"with an end", "def f(r: Ending): return (f'{r.a} {ended}',)", []string{`{"seen":"1 []"}`, `{"seen":"2 [1]"}`, `{"seen":"3 [1, 2]"}`}},
		{"given an end later", "def f(r: Order):\n    if r.a == 2: Order.__del__ = lambda self: ended.append(self.a)\n    return (f'{r.a} {ended}',)",
			[]string{`{"seen":"1 []"}`, `{"seen":"2 []"}`, `{"seen":"3 [2]"}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := open(t, head+c.body)
			if err != nil {
				t.Fatal(text(err))
			}
			got, err := u.run("f", udf.Map, "", record(t, "a: int64!, s: utf8!", `[{"a": 1, "s": "a"}, {"a": 2, "s": "b"}, {"a": 3, "s": "c"}]`))
			if err != nil {
				t.Fatal(text(err))
			}
			if want := strings.Join(c.want, "\n") + "\n"; got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}
