package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseKnown(t *testing.T) {
	for _, c := range []struct {
		name, text string
		known      []explanation
		fault      string
	}{
		{"two", "# About this file.\n\n# They write\n# files.\n* | OSError: *\na.b | X\n\n# No.\nc | *\n", []explanation{
			{"They write files.", []pattern{{"*", "OSError: *"}, {"a.b", "X"}}}, {"No.", []pattern{{"c", "*"}}}}, ""},
		{"no reason", "# Above.\n\na | b", nil, `known.txt:3: there is no reason above "a | b"`},
		{"no line", "# Reason.\na.b.c", nil, "known.txt:2: expected `TEST | LAST LINE`, got \"a.b.c\""},
		{"reason below", "# Reason.\na | b\n# Late.", nil, "known.txt:3: a reason stands above the failures that it explains, after an empty line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			known, err := parseKnown(c.text)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if diff := cmp.Diff(c.known, known, cmp.AllowUnexported(explanation{}, pattern{})); diff != "" || text != c.fault {
				t.Errorf("error %q, %s", text, diff)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	known := []explanation{{"files", []pattern{{"test.test_a.*", "OSError: * no *"}}}, {"one", []pattern{{"test.test_b.B.test_x", "*"}}}}
	for _, c := range []struct {
		test, trace string
		want        int
	}{
		{"test.test_a.A.test_y", "Traceback\n  File\nOSError: [Errno 2] no file\n", 0},
		{"test.test_a.A.test_y", "OSError: no place\nValueError: x", -1},
		{"test.test_b.B.test_x", "", 1},
		{"test.test_b.B.test_xx", "anything", -1},
	} {
		if got := explain(known, c.test, c.trace); got != c.want {
			t.Errorf("%s, %q: expected %d, got %d", c.test, c.trace, c.want, got)
		}
	}
}

// The files that we ship must be ones that the program can read.
func TestLists(t *testing.T) {
	text, err := os.ReadFile("known.txt")
	if err != nil {
		t.Fatal(err)
	}
	known, err := parseKnown(string(text))
	if err != nil || len(known) == 0 {
		t.Errorf("%d explanations, error %v", len(known), err)
	}
	for _, e := range known {
		for _, p := range e.patterns {
			if module, _, _ := strings.Cut(p.test, "*"); strings.Count(module, ".") < 2 || p.line == "*" {
				t.Errorf("%s | %s: it explains more than a test", p.test, p.line)
			}
		}
	}
	list, err := os.ReadFile("modules.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := modules(string(list))
	for _, name := range []string{"test_json", "test_re", "test_datetime", "test_decimal", "test_collections", "test_itertools", "test_functools", "test_struct", "test_pickle",
		"test_zlib", "test_hashlib", "test_csv", "test_statistics", "test_random", "test_string", "test_unicodedata", "test_generators", "test_dataclasses", "test_typing"} {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ") {
			t.Errorf("%s is not run", name)
		}
	}
}
