package pipeline_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/pipeline"
)

// TestDocs reads every example of the reference. Parts that an example leaves out are filled in.
func TestDocs(t *testing.T) {
	var examples [][]string
	for _, file := range []string{"pipeline.md", "windows.md", "lookup.md"} {
		data, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(data), -1)...)
	}
	if len(examples) < 8 {
		t.Fatalf("found %d examples", len(examples))
	}
	for _, e := range examples {
		yaml := "\n" + e[1]
		for key, filling := range map[string]string{
			"input": "input: {stdin: {}, schema: {a: int64}}\n", "output": "output: stdout\n", "dead_letter": "dead_letter: {file: bad.ndjson}\n",
		} {
			if !strings.Contains(yaml, "\n"+key) {
				yaml += filling
			}
		}
		if _, err := pipeline.Parse("pipeline.md", []byte(yaml), variables); err != nil {
			t.Errorf("%v\n%s", err, yaml)
		}
	}
}
