package main

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/plan/plantest"
	"github.com/wasmill/wasmill/engine/udf"
)

func TestChooseFunctions(t *testing.T) {
	function := plantest.Function
	open := func(name string) []udf.Signature {
		return []udf.Signature{function(udf.Map, name, "", "event: json!"), function(udf.Filter, name, "", ""), function(udf.FlatMap, name, "", "event: json!")}
	}
	file := append([]udf.Signature{function(udf.Filter, "filter", "", ""), function(udf.Map, "map", "", "event: json!")}, open("helper")...)
	two := append(open("a"), function(udf.KeyedMap, "b", "k: utf8", ""))
	for _, c := range []struct {
		name      string
		functions []udf.Signature
		wanted    string
		want      string
	}{
		{"named by kind, in order", file, "", "filter filter, map map"},
		{"wanted", file, "helper, map", "map helper, map map"},
		{"wanted as", file, "filter:helper", "filter helper"},
		{"the only one", open("a"), "", "map a"},
		{"several", two, "", "the bundle has 2 functions: which one? (choose one with --function, or several that run one behind the other: a, b)"},
		{"unknown", file, "helpr", "there is no function `helpr` (did you mean `helper`?)"},
		{"of another kind", file, "scalar:helper", "there is no scalar function `helper` (there is map:helper, filter:helper, flat_map:helper)"},
		{"state", two, "b", "function `b` keeps state by key, so it needs a pipeline with a key_by (wasmill init shows the shape of a pipeline)"},
	} {
		var wanted []string
		if c.wanted != "" {
			wanted = strings.Split(c.wanted, ",")
		}
		chain, err := chooseFunctions(c.functions, wanted)
		var got []string
		for _, f := range chain {
			got = append(got, string(f.Kind)+" "+f.Name)
		}
		text := strings.Join(got, ", ")
		if err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, text, c.want)
		}
	}
}

func TestColumnsRead(t *testing.T) {
	function := plantest.Function
	for _, c := range []struct {
		name  string
		chain []udf.Signature
		want  string
	}{
		{"none", []udf.Signature{function(udf.Filter, "f", "", ""), function(udf.Map, "m", "", "event: json!")}, ""},
		{"documents", []udf.Signature{function(udf.Map, "m", "event: json!", "event: json!")}, ""},
		{
			"up to the first that makes rows", []udf.Signature{
				function(udf.Filter, "f", "a: int64!", ""), function(udf.Scalar, "s", "b: utf8, a: int64", "c: utf8"),
				function(udf.Map, "m", "c: utf8, d: bool", "x: int64"), function(udf.Map, "n", "y: int64", ""),
			}, "a int64!, b utf8, d bool",
		},
	} {
		var got []string
		for _, f := range columnsRead(c.chain) {
			got = append(got, f.Name+" "+f.Type)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: got %s, want %s", c.name, text, c.want)
		}
	}
}
