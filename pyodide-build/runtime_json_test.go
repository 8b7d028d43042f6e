package pyodide_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/udf"
)

// TestJSON compares the codec with the standard library: on awkward values, and on as many random ones as WASMILL_JSON_ROUNDS says.
func TestJSON(t *testing.T) {
	rounds := 2000
	if n, err := strconv.Atoi(os.Getenv("WASMILL_JSON_ROUNDS")); err == nil {
		rounds = n
	}
	u := opened(t, "json")
	got, err := u.run("map", udf.Map, "", record(t, "documents", `[{"seed": 1, "rounds": `+strconv.Itoa(rounds)+`}]`))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, "compared") {
		t.Errorf("got %s", got)
	}
}

// What is written for events is JSON as others read it.
func TestJSONOfEvents(t *testing.T) {
	u := opened(t, "json")
	got, err := u.run("flat_map", udf.FlatMap, "", record(t, "documents", `[{"seed": 2, "rounds": 500}]`))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) != 501 {
		t.Fatalf("%d documents, want 501", len(lines))
	}
	last := ""
	for _, line := range lines {
		var d struct{ Event string }
		_, row, _ := strings.Cut(line, " ")
		if err := json.Unmarshal([]byte(row), &d); err != nil || !json.Valid([]byte(d.Event)) {
			t.Fatalf("not JSON: %.200q, %v", line, err)
		}
		last = d.Event
	}
	want := `{"nan":null,"inf":[null,null],"pair":"\ud83d\ude00","key":{"1":2,"null":3,"true":4,"1.5":5},"sub":["t",1,{"x":1}]}`
	if last != want {
		t.Errorf("got %s, want %s", last, want)
	}
}

// Beyond the depth that the codec follows, what is written is JSON all the same, or an error.
func TestJSONOfDeepEvents(t *testing.T) {
	u := opened(t, "json")
	got, err := u.run("deep", udf.Map, "", record(t, "documents", `["text"]`))
	if err != nil {
		t.Fatal(text(err))
	}
	var d struct{ Event string }
	if err := json.Unmarshal([]byte(got), &d); err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("[", 150) + `"é"` + strings.Repeat("]", 150); d.Event != want {
		t.Errorf("got %s, want %s", d.Event, want)
	}
	for event, why := range map[string]string{"nan": "Out of range float values are not JSON compliant", "half": "a text has half of a surrogate pair"} {
		_, err = u.run("deep", udf.Map, "", record(t, "documents", `["`+event+`"]`))
		if err == nil || !strings.Contains(text(err), why) {
			t.Errorf("%s: got %v, want: %s", event, err, why)
		}
	}
}

// Half of a surrogate pair is refused where it is returned, with its row: no reader of JSON would take it.
func TestJSONOfHalfPairs(t *testing.T) {
	u := opened(t, "json")
	for event, where := range map[string]string{"low": "1 of a text is half of a surrogate pair (U+DC00)", "high": "0 of a text is half of a surrogate pair (U+D800)",
		"last": "3 of a text is half of a surrogate pair (U+DBFF)", "key": "0 of a text is half of a surrogate pair (U+D83D)",
		"swapped": "0 of a text is half of a surrogate pair (U+DE00)"} {
		_, err := u.run("half", udf.Map, "", record(t, "documents", `["none", "`+event+`", "none"]`))
		want := "row 1: ValueError: half returned for row 1 what JSON cannot hold: character " + where + "\n"
		if err == nil || !strings.HasPrefix(text(err), want) {
			t.Errorf("%s: got %v, want %s", event, err, want)
		}
	}
}
