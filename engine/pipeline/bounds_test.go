package pipeline_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/pipeline"
)

func TestBounds(t *testing.T) {
	ends := "input: {stdin: {}, schema: {a: int64}}\noutput: stdout\n"
	var laughs strings.Builder
	laughs.WriteString("x-0: &x0 [a, a, a, a, a, a, a, a, a, a]\n")
	for i := 1; i <= 9; i++ {
		fmt.Fprintf(&laughs, "x-%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 10), ", "))
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"a billion values out of aliases", laughs.String() + ends,
			"p.yaml:1:20: the pipeline has more than 100000 values (aliases may stand for too much)"},
		{"brackets", "a: " + strings.Repeat("[", 100_000), "p.yaml:1:68: values nest more than 64 deep"},
		{"braces", strings.Repeat("{a: ", 1000), "p.yaml:1:257: values nest more than 64 deep"},
		{"dashes", strings.Repeat("- ", 1000) + "a", "p.yaml:1:129: values nest more than 64 deep"},
		{"question marks", strings.Repeat("? ", 1000) + "a", "p.yaml:1:129: values nest more than 64 deep"},
		{"tags", "a: " + strings.Repeat("!!str ", 1000) + "a", "p.yaml:1:319: values nest more than 64 deep"},
		{"indentation", "x-a:\n" + nested(70) + ends, "p.yaml:66:67: values nest more than 64 deep"},
		{"keys", strings.Repeat("a: b\n", 10_000), "p.yaml:5001:2: the pipeline has more than 5000 keys"},
		{"words", "x-a:\n" + strings.Repeat("- a\n", 60_000), "p.yaml:50001:1: the pipeline has more than 100000 words and signs"},
		{"variables", "x-a: " + strings.Repeat("${A:b} ", 1001) + "\n" + ends, "p.yaml:1:1: the pipeline has more than 1000 variables"},
		{"bytes", "#" + strings.Repeat("x", 1<<20), "p.yaml:1:1: the pipeline has 1048577 bytes, at most 1048576 are allowed"},
		{"no UTF-8", "input: a\n  b\xff", "p.yaml:2:4: the file is not valid UTF-8"},
		{"a character of our own", "input: \U000F0024", "p.yaml:1:8: the character U+F0024 cannot stand in a pipeline"},
		{"a null byte", "input: \x00", "p.yaml:1:8: the character U+0000 cannot stand in a pipeline"},
	} {
		_, err := pipeline.Parse("p.yaml", []byte(c.yaml), variables)
		var list fault.List
		if !errors.As(err, &list) || list[0].Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if len(list) > 100 {
			t.Errorf("%s: %d faults", c.name, len(list))
		}
	}
}

func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

// TestManyKeys checks that what is within bounds is read.
func TestManyKeys(t *testing.T) {
	var yaml strings.Builder
	yaml.WriteString("input:\n  stdin: {}\n  schema:\n")
	for i := range 2000 {
		fmt.Fprintf(&yaml, "    column_%d: int64\r\n", i)
	}
	yaml.WriteString("output: stdout\n")
	p, err := pipeline.Parse("p.yaml", []byte(yaml.String()), variables)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Nodes[0].Source.Schema); n != 2000 {
		t.Errorf("got %d columns", n)
	}
	if got, want := p.Position("source-1", "source.schema[1999].type"), "p.yaml:2003:18"; got != want {
		t.Errorf("the last type stands at %s, want %s", got, want)
	}
}

func TestNames(t *testing.T) {
	for file, want := range map[string]string{
		"dir/flights.yaml": "flights", "my flights.v2.yaml": "my-flights-v2", "-": "pipeline", "": "pipeline", ".yaml": "pipeline",
		"ÄÖ.yml": "pipeline", strings.Repeat("x", 100) + ".yaml": strings.Repeat("x", 64),
	} {
		p, err := pipeline.Parse(file, []byte("input: {stdin: {}, schema: {a: int64}}\noutput: stdout\n"), variables)
		if err != nil {
			t.Errorf("%q: %v", file, err)
		} else if p.Name != want {
			t.Errorf("%q: got %q, want %q", file, p.Name, want)
		}
	}
}
