package pyodide_test

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/udf"
)

// TestConventions calls functions in every way that there is. What comes out is compared as JSON, documents within it quoted.
func TestConventions(t *testing.T) {
	u := opened(t, "conventions")
	const pairs, ab = "a: int64!, b: utf8", `[{"a": 1, "b": "x"}, {"a": 2}, {"a": 70000, "b": "ü"}]`
	for _, c := range []struct {
		function string
		kind     udf.Kind
		in, rows string
		config   string
		want     string
	}{
		{"map", udf.Map, "documents", `[{"delay": 3}, {"delay": 30}]`, "", `{"event":"{\"delay\":3,\"late\":false}"}|{"event":"{\"delay\":30,\"late\":true}"}`},
		{"map", udf.Map, "delay: int64, c: utf8", `[{"delay": 3, "c": "a"}]`, "", `{"event":"{\"delay\":3,\"c\":\"a\",\"late\":false}"}`},
		{"filter", udf.Filter, "documents", `[{"delay": 3}, {"delay": 0}, {}]`, "", `{"keep":true}|{"keep":false}|{"keep":false}`},
		{"flat_map", udf.FlatMap, "documents", `[{"id": 1, "legs": ["a", "b"]}, {"id": 2, "legs": []}, {"id": 3, "legs": ["c"]}]`, "",
			`0 {"event":"{\"id\":1,\"leg\":\"a\"}"}|0 {"event":"{\"id\":1,\"leg\":\"b\"}"}|2 {"event":"{\"id\":3,\"leg\":\"c\"}"}`},
		{"lines", udf.FlatMap, "documents", `[{"id": 1, "n": 2}, {"id": 2, "n": 0}]`, "", `0 {"event":"1"}|0 {"event":"1"}`},
		{"speed", udf.Scalar, "distance: float64!, air_time: float64!", `[{"distance": 3, "air_time": 2}]`, "", `{"speed":1.5}`},
		{"speed", udf.Map, "distance: float64!, air_time: float64!", `[{"distance": 3, "air_time": 2}]`, "", `{"speed":1.5}`},
		{"far", udf.Filter, "distance: int64!", `[{"distance": 3}, {"distance": 3000}]`, "", `{"keep":false}|{"keep":true}`},
		{"far", udf.Scalar, "distance: int64!", `[{"distance": 3}]`, "", `{"far":false}`},
		{"moved", udf.Map, "x: float64!, y: float64!", `[{"x": 1, "y": 2}]`, "", `{"x":2,"y":2}`},
		{"doubled", udf.Map, "x: int64!", `[{"x": 21}]`, "", `{"twice":42,"x":21}`},
		{"pair", udf.Map, pairs, ab, "", `{"a":2,"b":"x"}|{"a":3,"b":null}|{"a":70001,"b":"ü"}`},
		{"told", udf.Map, pairs, ab, "", `{"a":2,"b":"x"}|{"a":3,"b":null}|{"a":70001,"b":"ü"}`},
		{"typed", udf.Map, pairs, ab, "", `{"a":1,"b":"none"}|{"a":2,"b":"none"}|{"a":70000,"b":"none"}`},
		{"row", udf.Map, pairs, ab, "", `{"a":2,"b":"x"}|{"a":3,"b":null}|{"a":70001,"b":"ü"}`},
		{"rows", udf.FlatMap, pairs, `[{"a": 1, "b": "x"}, {"a": 2}]`, "", `0 {"a":1,"b":"x"}|0 {"a":1,"b":"second"}|1 {"a":2,"b":null}|1 {"a":2,"b":"second"}`},
		{"text", udf.Map, pairs, `[{"a": 1, "b": "x"}]`, "", `{"value":"Row(a=1, b='x') Row(f0=1, f1=2) Row(a=1) True False"}`},
		{"positions", udf.Map, pairs, `[{"a": 1}]`, "", `{"a":1,"b":"by position"}`},
		{"several", udf.FlatMap, pairs, `[{"a": 2, "b": "x"}, {"a": 0}, {"a": 1}]`, "", `0 {"a":0,"b":"x"}|0 {"a":1,"b":"x"}|2 {"a":0,"b":null}`},
		{"together", udf.Map, "b: utf8, more: bool, a: int64", `[{"a": 1, "b": "x"}]`, "", `{"event":"\"1x\""}`},
		{"anything", udf.Map, "documents", `[1, "x", null, [], {}]`, "",
			`{"event":"{\"type\":\"int\"}"}|{"event":"{\"type\":\"str\"}"}|{"event":"{\"type\":\"NoneType\"}"}|{"event":"{\"type\":\"list\"}"}|{"event":"{\"type\":\"dict\"}"}`},
		{"declared", udf.Map, "a: int64!", `[{"a": 3}]`, "", `{"half":1.5,"name":null}`},
		{"scaled", udf.Map, "documents", `[{"x": 3}]`, "", `{"event":"{\"x\":30}"}`},
		{"Counter", udf.Map, "documents", `[{}, {}]`, `{"by": 3}`, `{"event":"{\"seen\":3}"}|{"event":"{\"seen\":6}"}`},
		{"by_five", udf.Map, "documents", `[{}]`, "", `{"event":"{\"seen\":5}"}`},
		{"by_five", udf.FlatMap, "documents", `[7]`, "", strings.TrimSuffix(strings.Repeat(`0 {"event":"7"}|`, 5), "|")},
		{"keeps", udf.Map, pairs, `[{"a": 1000, "b": "xx"}, {"a": 2000, "b": "yy"}]`, "", `{"value":"1000 xx 1000 xx"}|{"value":"1000 xx 1000 xx; 2000 yy 2000 yy"}`},
		{"keeps", udf.Map, pairs, `[{"a": 3000, "b": "zz"}]`, "", `{"value":"1000 xx 1000 xx; 2000 yy 2000 yy; 3000 zz 3000 zz"}`},
		{"added", udf.Scalar, "a: int64!, b: int64!", `[{"a": 1, "b": 2}, {"a": 3, "b": 4}]`, "", `{"added":3}|{"added":7}`},
		{"same", udf.Scalar, "a: int64!", `[{"a": 1}, {"a": 3}]`, "", `{"same":1}|{"same":3}`},
		{"viewed", udf.Scalar, "a: int64!", `[{"a": 1}, {"a": 3}]`, "", `{"viewed":1}|{"viewed":3}`},
		{"written", udf.Map, "a: int64", `[{"a": 1}, {"a": 3}]`, "", `{"written":0.5}|{"written":1.5}`},
		{"shown", udf.Scalar, "b: utf8", `[{"b": "x"}, {}]`, "", `{"shown":"'x'"}|{"shown":"None"}`},
		{"kept_rows", udf.Filter, "a: int64", `[{"a": 1}, {}, {"a": 2}]`, "", `{"keep":false}|{"keep":false}|{"keep":true}`},
		{"both", udf.Map, "a: int64, b: utf8", `[{"a": 1, "b": "x"}, {"a": 2}]`, "", `{"a":2,"b":"x"}|{"a":4,"b":null}`},
	} {
		t.Run(c.function+" as "+string(c.kind), func(t *testing.T) {
			got, err := u.run(c.function, c.kind, c.config, record(t, c.in, c.rows))
			if err != nil {
				t.Fatal(text(err))
			}
			if got = strings.ReplaceAll(strings.TrimSuffix(got, "\n"), "\n", "|"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestHooks looks at the module's open(), called once before the first event, and close().
func TestHooks(t *testing.T) {
	u := opened(t, "conventions")
	for range 2 {
		got, err := u.run("hooks", udf.Map, `{"by": 4}`, record(t, "documents", `[1]`))
		if err != nil {
			t.Fatal(text(err))
		}
		if want := `{"event":"[\"open 4\",{\"by\":4}]"}` + "\n"; got != want {
			t.Errorf("got  %swant %s", got, want)
		}
	}
	if err := u.guest.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(u.lines, "|"); got != "closed after open 4" {
		t.Errorf("got %q", got)
	}
}
