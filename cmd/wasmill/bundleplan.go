package main

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

// bundlePlan is the plan of `wasmill run BUNDLE`: an input, a function, an output. The function is filled in by fillIn,
// when the bundle has been loaded.
func bundlePlan(c *runCmd) (*plan.Plan, error) {
	connector := func(file, standard string) (string, json.RawMessage) {
		if file == "-" {
			return standard, nil
		}
		config, _ := json.Marshal(map[string]string{"path": file}) // strings always marshal
		return "file", config
	}
	source := &plan.Source{OnError: plan.Policy(c.OnError)}
	source.Connector, source.Config = connector(c.Input, "stdin")
	switch c.Schema {
	case "":
	case "infer":
		source.Infer = true
	default:
		var err error
		if source.Schema, err = parseColumns(c.Schema); err != nil {
			return nil, err
		}
	}
	sink := &plan.Sink{OnError: plan.Policy(c.OnError)}
	sink.Connector, sink.Config = connector(c.Output, "stdout")
	name := strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	return &plan.Plan{
		Version: plan.Version,
		Name:    jobName(strings.TrimSuffix(name, ".tar")),
		Nodes: []plan.Node{
			{ID: "input", Kind: plan.KindSource, Source: source, Positions: map[string]string{"": "--input", "source.schema": "--schema"}},
			{ID: "function", Inputs: []string{"input"}, Positions: map[string]string{"": "--function"},
				Call: &plan.Call{Bundle: c.File, Function: c.Function, OnError: plan.Policy(c.OnError)}},
			{ID: "output", Kind: plan.KindSink, Inputs: []string{"function"}, Sink: sink, Positions: map[string]string{"": "--output"}},
		},
	}, nil
}

// jobName makes a job's name out of a file's.
func jobName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, name)
	if name = strings.Trim(name, "-"); name == "" {
		return "job"
	}
	return name
}

// parseColumns reads "a:int64,b:list<utf8>": a comma inside of a type's brackets belongs to the type.
func parseColumns(text string) ([]plan.Field, error) {
	var fields []plan.Field
	depth, start := 0, 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) {
			depth += strings.Count("<([", text[i:i+1]) - strings.Count(">)]", text[i:i+1])
			if text[i] != ',' || depth > 0 {
				continue
			}
		}
		name, typ, ok := strings.Cut(text[start:i], ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, fault.New(fault.Usage, "expected NAME:TYPE, got %q", text[start:i]).At("--schema").
				WithHint("columns are separated by commas: --schema 'id:int64,name:utf8'")
		}
		if _, _, err := schema.ParseType(strings.TrimSpace(typ)); err != nil {
			return nil, fault.From(err).In("--schema")
		}
		fields = append(fields, plan.Field{Name: strings.TrimSpace(name), Type: strings.TrimSpace(typ)})
		start = i + 1
	}
	return fields, nil
}

// fillIn completes a plan made of a bundle: which function, its kind, and the input's columns if none were given.
func (c *runCmd) fillIn(p *plan.Plan, lib *library) (*plan.Plan, error) {
	if isPipeline(c.File) {
		return p, nil
	}
	b, err := lib.bundle(c.File)
	if err != nil {
		return nil, err
	}
	f, err := chooseFunction(b.Functions(), c.Function)
	if err != nil {
		return nil, fault.From(err).In("%s", c.File)
	}
	source, call := p.Nodes[0].Source, &p.Nodes[1]
	call.Call.Function = f.Name
	call.Kind = plan.Kind(f.Kind)
	if f.Kind == udf.KeyedMap {
		return nil, fault.New(fault.Usage, "function `%s` keeps state by key, so it needs a pipeline with a key_by", f.Name).
			In("%s", c.File).WithHint("wasmill init shows the shape of a pipeline")
	}
	if source.Schema == nil && !source.Infer {
		if f.In == nil {
			source.Infer = true
		} else {
			for _, col := range f.In.Fields() {
				source.Schema = append(source.Schema, plan.Field{Name: col.Name, Type: schema.FormatNullable(col.Type, col.Nullable)})
			}
		}
	}
	return p, nil
}

func chooseFunction(functions []udf.Signature, name string) (udf.Signature, error) {
	var names []string
	for _, f := range functions {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	switch {
	case name != "":
		return udf.Signature{}, fault.New(fault.Usage, "there is no function `%s`", name).WithHint("%s", fault.DidYouMean(name, names))
	case len(functions) == 1:
		return functions[0], nil
	}
	return udf.Signature{}, fault.New(fault.Usage, "the bundle has %d functions: which one?", len(functions)).
		WithHint("choose one with --function: %s", strings.Join(names, ", "))
}
