package pipeline

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
)

var (
	stepKinds   = []string{"filter", "map", "flat_map", "scalar", "project", "drop", "rename", "key_by", "keyed_map", "process", "window", "window_all", "aggregate", "event_time", "lookup"}
	callKeys    = []string{"bundle", "function", "args", "as", "config", "on_error", "memory", "timeout", "fuel"}
	processKeys = append([]string{"side_outputs"}, callKeys...)
)

func (b *builder) steps(v *value) {
	if v == nil || v.kind == null {
		return
	}
	if v.kind != list {
		b.expected(v, "a list of steps for `pipeline`").Hint = "begin each step with a dash"
		b.partial = true
		return
	}
	for _, step := range v.items {
		b.step(step)
	}
}

// step makes a node of a mapping with one key that says what the step does, and perhaps a label and a parallelism.
func (b *builder) step(v *value) {
	if !b.mapping(v, "a step") {
		b.partial = true
		return
	}
	before := len(b.faults)
	b.unknown(v, "", append([]string{"label", "parallelism", "from"}, stepKinds...), nil)
	var what []member
	for _, m := range v.members {
		if slices.Contains(stepKinds, m.name) {
			what = append(what, m)
		}
	}
	if len(what) != 1 {
		b.partial = true
		if len(what) > 1 {
			b.add(what[1].at, "a step does one thing, this one has `%s` and `%s`", what[0].name, what[1].name).Hint = "begin another step with a dash"
		} else if len(b.faults) == before {
			b.add(v.at, "the step does not say what to do").Hint = "steps are " + strings.Join(stepKinds, ", ")
		}
		return
	}
	m := what[0]
	kind := plan.Kind(m.name)
	switch m.name {
	case "drop", "rename":
		kind = plan.KindProject
	case "window_all":
		kind = plan.KindWindow
	}
	n := b.node(v, kind)
	late := ""
	if from := b.from(v, b.last, n.Positions); from != "" {
		n.Inputs = []string{from}
	} else {
		b.partial = true
	}
	switch m.name {
	case "project":
		n.Project = &plan.Project{Columns: b.columns(m, "project.columns", n.Positions)}
	case "rename":
		n.Project = &plan.Project{Rename: b.columns(m, "project.rename", n.Positions)}
	case "drop":
		n.Project = &plan.Project{Drop: b.texts(m.value, "a column")}
		b.list(m, "project.drop", n.Positions)
	case "key_by":
		n.KeyBy = &plan.KeyBy{Columns: b.texts(m.value, "a column")}
		b.list(m, "key_by.columns", n.Positions)
	case "window", "window_all":
		n.Window, late = b.window(m, m.name == "window_all", n.Positions)
	case "aggregate":
		n.Aggregate = &plan.Aggregate{Aggregates: b.specs(m, "aggregate.aggregates", n.Positions)}
		b.set(n.Positions, "aggregate", m.place())
	case "event_time":
		if n.EventTime = b.eventTime(m.value); n.EventTime == nil {
			b.partial = true
		}
		b.set(n.Positions, "event_time", m.place())
		b.deep(n.Positions, "event_time", m.place(), m.value)
	case "lookup":
		n.Lookup = b.lookup(m, n.Positions)
	default:
		n.Call = b.call(m, n.Positions)
	}
	var over *plan.Node
	if n.Window != nil {
		over = b.over(m.value)
	}
	if over != nil {
		over.ID, over.Parallelism = n.ID, n.Parallelism
		n.ID += "-window"
		over.Inputs = []string{n.ID}
	}
	b.append(n)
	if over != nil {
		b.append(*over)
	}
	if late != "" {
		b.sideOutput(n, plan.LateTag, late, m.place())
	}
	if m.name == "process" {
		b.sideOutputs(n, m.value)
	}
}

// list notes the places of a list's items, or of the single item that stands for it.
func (b *builder) list(m member, path string, positions map[string]string) {
	b.set(positions, strings.SplitN(path, ".", 2)[0], m.place())
	b.deep(positions, path, m.place(), m.value)
	if m.value.kind != list {
		b.set(positions, path+"[0]", m.place())
	}
}

// columns reads a list of columns, or a mapping of new names to columns.
func (b *builder) columns(m member, path string, positions map[string]string) []plan.Column {
	b.list(m, path, positions)
	var columns []plan.Column
	if m.value.kind == object {
		for i, c := range m.value.members {
			b.set(positions, fmt.Sprintf("%s[%d]", path, i), c.place())
			columns = append(columns, plan.Column{Name: c.name, From: b.text(c.value, "a column")})
		}
		return columns
	}
	if m.name == "rename" {
		b.expected(m.value, "a mapping of new names to columns").Hint = "write `rename: {new: old}`"
		return nil
	}
	for _, name := range b.texts(m.value, "a column") {
		columns = append(columns, plan.Column{Name: name, From: name})
	}
	return columns
}

// call reads a function's name, or a mapping.
func (b *builder) call(m member, positions map[string]string) *plan.Call {
	b.set(positions, "call", m.place())
	c, v := &plan.Call{}, m.value
	if v.kind == text {
		c.Function = v.text
		b.set(positions, "call.function", v.at)
		b.bundle(c, nil, m.place(), positions)
		return c
	}
	if !b.mapping(v, "`"+m.name+"`") {
		return c
	}
	keys := callKeys
	if m.name == "process" {
		keys = processKeys
	}
	b.unknown(v, m.name, keys, nil)
	b.positions(positions, "call", v, "bundle", "function", "args", "as", "config", "on_error", "timeout", "fuel")
	if f := v.get("function"); f != nil {
		c.Function = b.text(f, "a function's name")
	}
	b.bundle(c, v.get("bundle"), m.place(), positions)
	if a := v.get("args"); a != nil {
		c.Args = b.texts(a, "a column")
		if a.kind != list {
			b.set(positions, "call.args[0]", a.at)
		}
	}
	if a := v.get("as"); a != nil {
		c.As = b.text(a, "a column")
	}
	if a := v.get("config"); a != nil {
		c.Config = raw(a)
	}
	c.OnError = b.policy(v)
	c.Timeout = b.duration(v, "timeout")
	if f := v.get("fuel"); f != nil {
		c.Fuel = uint64(b.integer(f, 1, math.MaxInt))
	}
	for _, a := range v.members {
		if a.name == "memory" {
			b.set(positions, "call.max_memory", a.place())
			c.MaxMemory = b.size(a.value)
		}
	}
	return c
}

// bundle finds the path of a call's bundle: behind its short name, as it stands, or that of the only bundle there is.
func (b *builder) bundle(c *plan.Call, v *value, at place, positions map[string]string) {
	names := make([]string, 0, len(b.bundles))
	for name := range b.bundles {
		names = append(names, name)
	}
	slices.Sort(names)
	if v == nil {
		if len(names) != 1 {
			f := b.add(at, "the step names no bundle")
			f.Hint = "add `bundle: PATH`"
			if len(names) > 1 {
				f.Hint = "add `bundle: NAME`; there is " + strings.Join(names, ", ")
			}
			return
		}
		c.Bundle = b.bundles[names[0]].path
		b.set(positions, "call.bundle", b.bundles[names[0]].at)
		return
	}
	name := b.text(v, "a bundle's name or path")
	if short, known := b.bundles[name]; known {
		c.Bundle = short.path
		b.set(positions, "call.bundle", short.at)
		return
	}
	c.Bundle = name
	if name != "" && !strings.ContainsAny(name, "./") {
		f := b.add(v.at, "unknown bundle `%s`", name)
		if f.Hint = fault.DidYouMean(name, names); f.Hint == "" {
			f.Hint = "write its path, such as `./" + name + ".wasm`, or name it in `bundles`"
		}
	}
}
