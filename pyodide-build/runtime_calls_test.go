package pyodide_test

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/udf"
)

// TestCalls calls callables of every kind for several rows: each result is that of the row's own call.
func TestCalls(t *testing.T) {
	u := opened(t, "calls")
	for _, c := range []struct {
		function string
		kind     udf.Kind
		rows     string
		want     string
	}{
		{"added", udf.Map, `[1, 2, 3]`, `{"event":"101"}|{"event":"102"}|{"event":"103"}`},
		{"lambdas", udf.Map, `[1, 2]`, `{"event":"-1"}|{"event":"-2"}`},
		{"defaults", udf.Map, `[1, 2]`, `{"event":"3"}|{"event":"5"}`},
		{"rest", udf.Map, `[1, 2]`, `{"event":"[1,[],{}]"}|{"event":"[2,[],{}]"}`},
		{"position_only", udf.Map, `[1, 2]`, `{"event":"1"}|{"event":"2"}`},
		{"rewritten", udf.Map, `[0, 1, 2, 3]`, `{"event":"[\"first\",0]"}|{"event":"[\"first\",1]"}|{"event":"[\"one\",2]"}|{"event":"[\"one\",3]"}`},
		{"switched", udf.Map, `[2]`, `{"event":"[\"two\",6]"}`},
		{"rewritten", udf.Map, `[2, 3]`, `{"event":"[\"two\",6]"}|{"event":"[\"two\",9]"}`},
		{"deep", udf.Map, `[1, 300, 2]`, `{"event":"1"}|{"event":"300"}|{"event":"2"}`},
		{"recursive", udf.Map, `[1, 2]`, `{"event":"\"too deep\""}|{"event":"\"too deep\""}`},
		{"traced", udf.Map, `[1, 2]`, `{"event":"[\"call\",\"return\"]"}|{"event":"[\"call\",\"return\"]"}`},
		{"Things", udf.Map, `[1, 2, 3]`, `{"event":"1"}|{"event":"3"}|{"event":"6"}`},
		{"generated", udf.FlatMap, `[2, 0, 1]`, `0 {"event":"0"}|0 {"event":"1"}|2 {"event":"0"}`},
	} {
		t.Run(c.function, func(t *testing.T) {
			got, err := u.run(c.function, c.kind, "", record(t, "documents", c.rows))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(strings.TrimSpace(got), "\n", "|"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
