package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/schema"
)

// bundlePlan is the plan of `wasmill run BUNDLE`: an input and an output. The functions between them are put in by fillIn, when
// the bundle has been loaded.
func bundlePlan(c *runCmd) (*plan.Plan, error) {
	connector := func(file, standard string) (string, json.RawMessage) {
		if file == "-" {
			return standard, nil
		}
		path, _ := json.Marshal(map[string]string{"path": file}) // strings always marshal
		return "file", path
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
	base := filepath.Base(filepath.Clean(c.File))
	name := strings.TrimSuffix(base, filepath.Ext(base))
	return &plan.Plan{
		Version: plan.Version,
		Name:    jobName(strings.TrimSuffix(name, ".tar")),
		Nodes: []plan.Node{
			{ID: "input", Kind: plan.KindSource, Source: source, Positions: map[string]string{"": "--input", "source.schema": "--schema"}},
			{ID: "output", Kind: plan.KindSink, Sink: sink, Positions: map[string]string{"": "--output"}},
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

// fillIn completes a plan made of a bundle: which functions, their kinds, and the input's columns if none were given.
func (c *runCmd) fillIn(p *plan.Plan, lib *library, w *wires) (*plan.Plan, error) {
	if isPipeline(c.File) {
		return p, nil
	}
	b, err := lib.bundle(c.File)
	if err != nil {
		return nil, err
	}
	for _, name := range c.Function {
		if why := lib.refused(c.File, name); why != "" {
			return nil, fault.New(fault.Usage, "`%s` cannot be called: %s", name, why).In("%s", c.File)
		}
	}
	chain, err := chooseFunctions(b.Functions(), c.Function)
	if err != nil {
		return nil, fault.From(err).In("%s", c.File)
	}
	call, err := c.call()
	if err != nil {
		return nil, err
	}
	input, output := p.Nodes[0], p.Nodes[1]
	p.Nodes = []plan.Node{input}
	last := input.ID
	for _, f := range chain {
		one := *call
		one.Function = f.Name
		n := plan.Node{
			ID: freeID(p, f.Name, input.ID, output.ID), Kind: plan.Kind(f.Kind), Inputs: []string{last}, Call: &one,
			Positions: map[string]string{"": c.File},
		}
		p.Nodes = append(p.Nodes, n)
		last = n.ID
	}
	output.Inputs = []string{last}
	p.Nodes = append(p.Nodes, output)
	if source := input.Source; source.Schema == nil && !source.Infer {
		if source.Schema = columnsRead(chain); source.Schema == nil {
			source.Infer = !lib.isPython(c.File) || !w.knowsColumns(source)
		}
	}
	return p, nil
}

// call returns what the flags say about the calls of functions.
func (c *runCmd) call() (*plan.Call, error) {
	if c.Timeout < 0 {
		return nil, fault.New(fault.Usage, "expected a duration such as \"2s\", got %s", c.Timeout).At("--timeout")
	}
	memory, err := c.memory()
	return &plan.Call{Bundle: c.File, OnError: plan.Policy(c.OnError), Timeout: plan.Duration(c.Timeout), MaxMemory: memory}, err
}

// memory returns what --memory says in bytes, 0 for nothing.
func (c *runCmd) memory() (uint64, error) {
	if c.Memory == "" {
		return 0, nil
	}
	var size config.Bytes
	text, _ := json.Marshal(c.Memory) // strings always marshal
	if err := size.UnmarshalJSON(text); err != nil {
		return 0, fault.New(fault.Usage, "%v", err).At("--memory")
	}
	return uint64(size), nil
}

// freeID returns an id for a function's node: its name, with a number behind it where that is taken.
func freeID(p *plan.Plan, name string, taken ...string) string {
	for _, n := range p.Nodes {
		taken = append(taken, n.ID)
	}
	base := jobName(name)
	if len(base) > 48 {
		base = base[:48]
	}
	id := base
	for i := 2; slices.Contains(taken, id); i++ {
		id = fmt.Sprintf("%s-%d", base, i)
	}
	return id
}
