package pipeline_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/plan"
)

func TestExplain(t *testing.T) {
	golden(t, "testdata/explain.txt", func(yaml string) string {
		r, err := resolve(yaml)
		if err != nil {
			return err.Error()
		}
		e := plan.Explain(r)
		for _, line := range strings.Split(e.String(), "\n") {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
			}
		}
		b, err := e.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var back plan.Explanation
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, &back); diff != "" {
			t.Errorf("the JSON says something else:\n%s", diff)
		}
		return strings.TrimRight(e.String(), "\n")
	})
}
