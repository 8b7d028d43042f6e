package plan

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// metadataKinds are what a column of metadata can be.
var metadataKinds = []string{"subject", "sequence", "timestamp", "header:NAME"}

// ValidMetadata reports whether a text names something that a message has: "subject", "sequence", "timestamp" or "header:NAME".
func ValidMetadata(from string) bool {
	header, isHeader := strings.CutPrefix(from, "header:")
	return isHeader && header != "" || !isHeader && slices.Contains(metadataKinds[:3], from)
}

func (v *validator) policy(n *Node, path string, p Policy) {
	switch p {
	case "", Fail, Skip:
	case SetAway:
		if v.plan.DeadLetter == nil {
			v.add(n, path, "rows are to be set aside, and there is no dead-letter output").Hint = "add `dead_letter: {file: {path: bad.ndjson}}`, or use fail or skip"
		}
	default:
		v.add(n, path, "unknown policy `%s`", p).Hint = fault.DidYouMean(string(p), []string{string(Fail), string(Skip), string(SetAway)})
	}
}

func (v *validator) source(n *Node, s *Source) {
	if s.Connector == "" {
		v.add(n, "source.connector", "the input names no connector")
	}
	v.validJSON(n, "source.config", s.Config)
	v.validJSON(n, "source.format_config", s.FormatConfig)
	if s.Infer && len(s.Schema) > 0 {
		v.add(n, "source.schema", "the schema is declared and to be inferred")
	}
	seen := make(map[string]bool)
	for i, f := range s.Schema {
		path := fmt.Sprintf("source.schema[%d]", i)
		if f.Name == "" {
			v.add(n, path, "a column needs a name")
		} else if seen[f.Name] {
			v.add(n, path, "the column `%s` is declared twice", f.Name)
		}
		seen[f.Name] = true
	}
	for _, name := range sortedKeys(s.Metadata) {
		path := "source.metadata." + name
		if name == "" {
			v.add(n, path, "a column needs a name")
		}
		if seen[name] {
			v.add(n, path, "the column `%s` is in the schema and in the metadata", name)
		}
		if from := s.Metadata[name]; !ValidMetadata(from) {
			v.add(n, path, "unknown metadata `%s`", from).Hint = fault.DidYouMean(from, metadataKinds)
		}
	}
	if s.EventTime != nil {
		v.eventTime(n, "source.event_time", s.EventTime)
	}
	v.policy(n, "source.on_error", s.OnError)
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// sink checks the sink of a node, or with a nil node the dead-letter output.
func (v *validator) sink(n *Node, path string, s *Sink) {
	if s.Connector == "" {
		v.add(n, path+".connector", "the output names no connector")
	}
	v.validJSON(n, path+".config", s.Config)
	v.validJSON(n, path+".format_config", s.FormatConfig)
	if n != nil || s.OnError != SetAway {
		v.policy(n, path+".on_error", s.OnError)
	}
}

func (v *validator) call(n *Node, c *Call) {
	if c.Bundle == "" {
		v.add(n, "call.bundle", "the call names no bundle")
	}
	if c.Function == "" {
		v.add(n, "call.function", "the call names no function")
	}
	if n.Kind != KindScalar {
		if len(c.Args) > 0 {
			v.add(n, "call.args", "only a scalar function has `args`").Hint = "a " + string(n.Kind) + " function reads columns by their names: rename them before"
		}
		if c.As != "" {
			v.add(n, "call.as", "only a scalar function has `as`").Hint = "a " + string(n.Kind) + " function says itself what its columns are called"
		}
	}
	for i, a := range c.Args {
		if a == "" {
			v.add(n, fmt.Sprintf("call.args[%d]", i), "a column needs a name")
		}
	}
	v.validJSON(n, "call.config", c.Config)
	if c.MaxMemory > maxGuestMemory {
		v.add(n, "call.max_memory", "expected at most 4 GiB, got %d bytes", c.MaxMemory).Hint = "guests have 32-bit memories"
	}
	if c.Timeout < 0 {
		v.add(n, "call.timeout", "a duration is not negative")
	}
	v.policy(n, "call.on_error", c.OnError)
}

func (v *validator) project(n *Node, p *Project) {
	switch {
	case len(p.Columns) == 0 && len(p.Drop) == 0 && len(p.Rename) == 0:
		v.add(n, "project", "the projection says nothing")
		return
	case len(p.Columns) > 0 && len(p.Drop)+len(p.Rename) > 0:
		v.add(n, "project", "a projection lists its columns, or what to drop and rename, not both")
	}
	v.renames(n, "project.columns", p.Columns)
	v.renames(n, "project.rename", p.Rename)
	if len(p.Drop) > 0 {
		v.columns(n, "project.drop", p.Drop)
	}
}

func (v *validator) renames(n *Node, path string, columns []Column) {
	seen := make(map[string]bool)
	for i, c := range columns {
		at := fmt.Sprintf("%s[%d]", path, i)
		if c.Name == "" || c.From == "" {
			v.add(n, at, "a column needs a name")
		} else if seen[c.Name] {
			v.add(n, at, "there are two columns `%s`", c.Name)
		}
		seen[c.Name] = true
	}
}

func (v *validator) columns(n *Node, path string, names []string) {
	if len(names) == 0 {
		v.add(n, path, "no columns are named")
	}
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		if name == "" {
			v.add(n, at, "a column needs a name")
		} else if slices.Contains(names[:i], name) {
			v.add(n, at, "the column `%s` is named twice", name)
		}
	}
}

// keyed checks that rows come to each node with state by key with their keys, and to the task that owns the key.
func (v *validator) keyed() {
	widths := v.plan.widths()
	for i := range v.plan.Nodes {
		n := &v.plan.Nodes[i]
		if !n.keyed() {
			continue
		}
		path := v.plan.keyedPath(n, v.byID)
		if first := path[0]; first.Kind != KindKeyBy {
			f := v.add(n, "", "the rows that come to `%s` have no key: `%s` before it is a %s", n.ID, first.ID, first.Kind)
			f.Hint = "put `key_by: COLUMN` before it; only projections may stand between"
			continue
		}
		for _, m := range path {
			if m.Parallelism != 0 && m.Parallelism != widths[m.ID] {
				v.add(m, "parallelism", "`%s` runs in %d tasks, others between `%s` and `%s` in %d: rows would come to tasks that do not own their keys",
					m.ID, m.Parallelism, path[0].ID, n.ID, widths[m.ID]).Hint = "set `parallelism` at the key_by alone"
			}
		}
	}
}
