package pipeline_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
)

// TestEveryKey reads a pipeline with every key there is, and compares the plan with the one kept as JSON.
func TestEveryKey(t *testing.T) {
	yaml, err := os.ReadFile("testdata/every-key.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Parse("dir/every-key.yaml", yaml, variables)
	if err != nil {
		t.Fatal(err)
	}
	if p.Dir != "dir" {
		t.Errorf("the folder is %q", p.Dir)
	}
	got, err := plan.WriteJSON(p)
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/every-key.json"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	back, err := plan.ReadJSON(got)
	if err != nil {
		t.Fatal(err)
	}
	back.Dir = p.Dir
	if diff := cmp.Diff(p, back); diff != "" {
		t.Errorf("the plan comes back as another:\n%s", diff)
	}
}

// TestPositions checks that places are where the text is, counted in characters.
func TestPositions(t *testing.T) {
	const yaml = `input:
  jetstream: {stream: ${STREAM:ÄÖÜ}, subjects: [ "ö", b ]}
  schema:
    carrier: utf8
  event_time: {column: at}
output: stdout
`
	p, err := pipeline.Parse("p.yaml", []byte(yaml), variables)
	if err != nil {
		t.Fatal(err)
	}
	for path, word := range map[string]string{
		"source.config": "{stream", "source.config.stream": "${STREAM", "source.config.subjects[0]": `"ö"`, "source.config.subjects[1]": "b ]",
		"source.schema[0].type": "utf8", "source.event_time.column": "at}", "source.connector": "jetstream", "": "jetstream",
	} {
		want := ""
		for i, line := range strings.Split(yaml, "\n") {
			if before, _, ok := strings.Cut(line, word); ok && want == "" {
				want = fmt.Sprintf("p.yaml:%d:%d", i+1, utf8.RuneCountInString(before)+1)
			}
		}
		if got := p.Position("source-1", path); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
	}
	if got := p.Position("nobody", ""); got != "" {
		t.Errorf("a node that is not there stands at %s", got)
	}
	if got, want := p.Position("", "name"), "p.yaml:1:1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
