package main

import (
	"encoding/json"
	"path/filepath"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
)

// checkFiles refuses an output that is a file of the input's: opening it would empty what is to be read.
func checkFiles(p *plan.Plan) error {
	var faults fault.List
	for _, out := range p.Nodes {
		if out.Sink == nil || out.Sink.Connector != "file" {
			continue
		}
		for _, in := range p.Nodes {
			if in.Source == nil || in.Source.Connector != "file" {
				continue
			}
			for _, target := range paths(p.Dir, out.Sink.Config) {
				for _, pattern := range paths(p.Dir, in.Source.Config) {
					if same, err := filepath.Match(pattern, target); err == nil && same || pattern == target {
						faults.Add(fault.Usage, p.Position(out.ID, "sink.config.path"), "the output is the file that `%s` reads: %s", in.ID, target).
							Hint = "write to another file"
					}
				}
			}
		}
	}
	return faults.Err()
}

// paths returns the files or patterns that a configuration of the connector file names: its path, one or several.
func paths(dir string, config json.RawMessage) []string {
	var c struct{ Path json.RawMessage }
	raw := config
	if json.Unmarshal(config, &c) == nil && c.Path != nil {
		raw = c.Path
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		var one string
		if json.Unmarshal(raw, &one) != nil {
			return nil
		}
		list = []string{one}
	}
	for i, path := range list {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		list[i] = filepath.Clean(path)
	}
	return list
}
