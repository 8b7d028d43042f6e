package pyodide_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/udf"
)

// TestErrors holds the texts of errors that functions raise, and of results that do not fit.
func TestErrors(t *testing.T) {
	u := opened(t, "errors")
	documents := record(t, "documents", `[{"x": 1}, {"x": 0}, {"x": 2}]`)
	number := func(rows string) arrow.Record { return record(t, "x: int64!", rows) }
	for _, c := range []struct {
		function string
		kind     udf.Kind
		in       arrow.Record
		want     string
	}{
		{"deep", udf.Map, documents, `row 1: ZeroDivisionError: division by zero (clean.py, line 32, in inner)
Traceback (most recent call last):
  File "clean.py", line 28, in deep
    return inner(event)
  File "clean.py", line 32, in inner
    return 1 / event["x"]
           ~~^~~~~~~~~~~~
ZeroDivisionError: division by zero
row: {'x': 0}`},
		{"chained", udf.Map, documents, `row 0: ValueError: no (clean.py, line 39, in chained)
Traceback (most recent call last):
  File "clean.py", line 37, in chained
    event["nothing"]
    ~~~~~^^^^^^^^^^^
KeyError: 'nothing'

which led to:

Traceback (most recent call last):
  File "clean.py", line 39, in chained
    raise ValueError("no\nthing") from e
ValueError: no
thing
row: {'x': 1}`},
		{"leaves", udf.Map, documents, `row 0: SystemExit: 3 (clean.py, line 43, in leaves)
hint: a function ends with return; sys.exit() ends no job
Traceback (most recent call last):
  File "clean.py", line 43, in leaves
    raise SystemExit(3)
SystemExit: 3
row: {'x': 1}`},
		{"interrupted", udf.Map, documents, `row 0: KeyboardInterrupt (clean.py, line 47, in interrupted)
Traceback (most recent call last):
  File "clean.py", line 47, in interrupted
    raise KeyboardInterrupt
KeyboardInterrupt
row: {'x': 1}`},
		{"stops", udf.FlatMap, documents, `row 0: StopIteration (clean.py, line 51, in stops)
Traceback (most recent call last):
  File "clean.py", line 51, in stops
    raise StopIteration
StopIteration
row: {'x': 1}`},
		{"silent", udf.Map, documents, "row 0: TypeError: silent returned None for row 0 (a forgotten return?)\nrow: {'x': 1}"},
		{"unwritable", udf.Map, documents, "row 0: TypeError: unwritable returned for row 0 what JSON cannot hold: Object of type set is not JSON serializable\nrow: {'x': 1}"},
		{"text", udf.FlatMap, documents, "row 0: TypeError: text returned str for row 0, expected an iterable of rows: return a list, or yield them\nrow: {'x': 1}"},
		{"odd", udf.Map, documents, `row 0: Odd: <an exception whose str() raises> (clean.py, line 67, in odd)
Traceback (most recent call last):
  File "clean.py", line 67, in odd
    raise Odd
clean.Odd: <exception str() failed>
row: {'x': 1}`},
		{"strange", udf.Map, documents, `row 0: ValueError: \ud800 \x1b[31m (clean.py, line 71, in strange)
Traceback (most recent call last):
  File "clean.py", line 71, in strange
    raise ValueError("\ud800 \x1b[31m")
ValueError: \ud800 \x1b[31m
row: {'x': 1}`},
		{"endless", udf.Map, documents, `row 0: RecursionError: maximum recursion depth exceeded (clean.py, line 75, in endless)
hint: the depth of calls is limited to 1000
Traceback (most recent call last):
  File "clean.py", line 75, in endless
    return endless(event)
  File "clean.py", line 75, in endless
    return endless(event)
  File "clean.py", line 75, in endless
    return endless(event)
  [Previous line repeated 37 more times]
RecursionError: maximum recursion depth exceeded
row: {'x': 1}`},
		{"untrue", udf.Filter, documents, `row 0: ValueError: neither true nor false (clean.py, line 18, in __bool__)
Traceback (most recent call last):
  File "clean.py", line 18, in __bool__
    raise ValueError("neither true nor false")
ValueError: neither true nor false
row: {'x': 1}`},
		{"late", udf.FlatMap, documents, `row 0: ValueError: after one (clean.py, line 84, in late)
Traceback (most recent call last):
  File "clean.py", line 84, in late
    raise ValueError("after one")
ValueError: after one
row: {'x': 1}`},
		{"typed", udf.Map, number(`[{"x": 0}]`), "row 0: TypeError: typed returned str for column `delay` of row 0, expected int or None\nrow: {'x': 0}"},
		{"typed", udf.Map, number(`[{"x": 1}]`), "row 0: OverflowError: typed returned 9223372036854775808 for column `delay` of row 0, which does not fit: int64 holds -9223372036854775808 to 9223372036854775807\nrow: {'x': 1}"},
		{"typed", udf.Map, number(`[{"x": 2}]`), "row 0: TypeError: typed returned None for column `carrier` of row 0, expected str\nrow: {'x': 2}"},
		{"typed", udf.Map, number(`[{"x": 3}]`), "row 0: ValueError: typed returned dict without `carrier` for row 0, and that column is not Optional\nrow: {'x': 3}"},
		{"typed", udf.Map, number(`[{"x": 5}]`), "row 0: ValueError: typed returned 1 values for row 0, expected 2, one per column\nrow: {'x': 5}"},
		{"typed", udf.Map, number(`[{"x": 6}]`), "row 0: TypeError: typed returned str for row 0, expected dict, Row or dataclass\nrow: {'x': 6}"},
		{"typed", udf.Map, number(`[{"x": 7}]`), "row 0: TypeError: typed returned None for row 0 (a forgotten return?)\nrow: {'x': 7}"},
		{"typed", udf.Map, number(`[{"x": 8}]`), "row 0: TypeError: typed returned float for column `delay` of row 0, expected int or None\nrow: {'x': 8}"},
		{"typed", udf.Map, number(`[{"x": 9}]`), "row 0: TypeError: typed returned bool for column `delay` of row 0, expected int or None\nrow: {'x': 9}"},
		{"small", udf.Scalar, number(`[{"x": 127}, {"x": 128}]`), "row 1: OverflowError: small returned 128 for column `small` of row 1, which does not fit: int8 holds -128 to 127\nrow: {'x': 128}"},
		{"exact", udf.Scalar, record(t, "x: utf8!", `[{"x": "1.555"}]`), "row 0: OverflowError: exact returned Decimal('1.555') for column `exact` of row 0, which does not fit: it has more decimals than the column; use quantize() to round it\nrow: {'x': '1.555'}"},
		{"exact", udf.Scalar, record(t, "x: utf8!", `[{"x": "1e999999"}]`), "row 0: OverflowError: exact returned Decimal('1E+999999') for column `exact` of row 0, which does not fit: it has more digits than the column's precision\nrow: {'x': '1e999999'}"},
		{"exact", udf.Scalar, record(t, "x: utf8!", `[{"x": "NaN"}]`), "row 0: OverflowError: exact returned Decimal('NaN') for column `exact` of row 0, which does not fit: it is not finite\nrow: {'x': 'NaN'}"},
		{"rounded", udf.Scalar, record(t, "x: utf8!", `[{"x": "9007199254740992"}, {"x": "9007199254740993"}]`), "row 1: OverflowError: rounded returned 9007199254740993 for column `rounded` of row 1, which does not fit: float64 holds integers beyond 2**53 in part only; return float(x) to round it\nrow: {'x': '9007199254740993'}"},
		{"nested", udf.Scalar, number(`[{"x": 1}]`), "row 0: TypeError: nested returned str for column `nested.value[]` of row 0, expected int\nrow: {'x': 1}"},
		{"listed", udf.Scalar, number(`[{"x": 1}]`), "row 0: TypeError: listed returned str for column `listed[].delay` of row 0, expected int or None\nrow: {'x': 1}"},
		{"short", udf.Scalar, number(`[{"x": 1}, {"x": 2}]`), "row -1: ValueError: short returned 1 values for 2 rows"},
		{"wrong", udf.Scalar, number(`[{"x": 1}, {"x": 2}]`), "row 1: TypeError: wrong returned str for column `wrong` of row 1, expected int\nrow: {'x': 2}"},
		{"kept", udf.Scalar, number(`[{"x": 1}]`), "row -1: BufferError: a memoryview of column 'x' outlives the batch; copy what is needed longer, with tolist() or bytes()"},
	} {
		t.Run(c.function, func(t *testing.T) {
			_, err := u.run(c.function, c.kind, "", c.in)
			if err == nil {
				t.Fatal("expected an error")
			}
			if got := text(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if u.guest.Broken() {
				t.Fatal("the guest is broken")
			}
			// The guest goes on as if nothing had been.
			if got, err := u.run("fine", udf.Map, "", documents); err != nil || strings.Count(got, "\n") != 3 {
				t.Errorf("after the error: %q, %v", got, err)
			}
		})
	}
}

// TestErrorWithoutBuiltins looks at an error of code that has overwritten what Python itself is made of.
func TestErrorWithoutBuiltins(t *testing.T) {
	u := opened(t, "errors")
	_, err := u.run("shadowed", udf.Map, "", record(t, "documents", `[1]`))
	if err == nil || !strings.HasPrefix(text(err), "row 0: ValueError: without builtins") {
		t.Errorf("got %v", err)
	}
}

// TestMemoryErrors fills the memory: with little things and with one big, both of which leave the guest in order.
func TestMemoryErrors(t *testing.T) {
	u := opened(t, "errors")
	u.guest = u.instantiate(udf.Options{MaxMemory: 64 << 20})
	in := record(t, "documents", `[{"x": 1}]`)
	for range 3 {
		for _, function := range []string{"all_memory", "big_memory"} {
			_, err := u.run(function, udf.Map, "", in)
			if err == nil {
				t.Fatal("expected an error")
			}
			// Where the last byte is gone there is none for a traceback either.
			first, rest, _ := strings.Cut(text(err), "\n")
			if first != "row 0: MemoryError" && !strings.HasPrefix(first, "row 0: MemoryError (clean.py, line ") || !strings.HasPrefix(rest, "hint: the guest's memory is at its limit (--memory)\n") {
				t.Fatalf("%s: got %s", function, text(err))
			}
			if got, err := u.run("fine", udf.Map, "", in); err != nil || got != `{"event":"{\"x\":1}"}`+"\n" {
				t.Fatalf("after the error: %q, %v", got, err)
			}
		}
	}
}
