package pipeline

import (
	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/plan"
)

var windowKeys = []string{"tumbling", "sliding", "session", "count", "global", "time", "offset", "allowed_lateness", "trigger", "aggregate", "rows", "map", "flat_map", "late", "on_error"}

// window reads a window. Label of the rows that come too late is returned; "" when they are only counted.
func (b *builder) window(m member, all bool, positions map[string]string) (w *plan.Window, late string) {
	b.set(positions, "window", m.place())
	w = &plan.Window{All: all}
	v := m.value
	if !b.mapping(v, "`"+m.name+"`") {
		return w, ""
	}
	b.unknown(v, m.name, windowKeys, nil)
	b.positions(positions, "window", v, "tumbling", "sliding", "session", "count", "global", "time", "offset", "allowed_lateness", "trigger", "on_error")
	w.Tumbling, w.Offset, w.AllowedLateness = b.duration(v, "tumbling"), b.duration(v, "offset"), b.duration(v, "allowed_lateness")
	w.OnError = b.policy(v)
	if t := v.get("time"); t != nil {
		w.Time = b.text(t, "event or processing")
	}
	if g := v.get("global"); g != nil {
		if w.Global = g.kind == boolean && g.text == "true"; !w.Global {
			b.expected(g, "true")
		}
	}
	if s := v.get("sliding"); s != nil && b.mapping(s, "`sliding`") {
		b.unknown(s, "sliding", []string{"size", "slide"}, nil)
		w.Sliding = &plan.Sliding{Size: b.duration(s, "size"), Slide: b.duration(s, "slide")}
	}
	if s := v.get("session"); s != nil {
		w.Session = b.session(v, s)
	}
	if c := v.get("count"); c != nil {
		w.Count = b.countWindow(v, c)
	}
	if t := v.get("trigger"); t != nil {
		w.Trigger = b.trigger(t)
	}
	w.Aggregates = b.aggregates(v, m, "window.aggregates", positions)
	w.Aggregates = append(w.Aggregates, b.rows(v, positions)...)
	if l := v.get("late"); l != nil {
		late = b.text(l, "a label for the rows that come too late")
	}
	return w, late
}

func (b *builder) session(of, v *value) *plan.Session {
	if v.kind != object {
		return &plan.Session{Gap: b.duration(of, "session")}
	}
	b.unknown(v, "session", []string{"gap", "gap_column"}, nil)
	s := &plan.Session{Gap: b.duration(v, "gap")}
	if c := v.get("gap_column"); c != nil {
		s.GapColumn = b.text(c, "a column")
	}
	return s
}

func (b *builder) countWindow(of, v *value) *plan.CountWindow {
	const most = 1_000_000
	if v.kind != object {
		return &plan.CountWindow{Size: b.count(of, "count", most)}
	}
	b.unknown(v, "count", []string{"size", "slide"}, nil)
	return &plan.CountWindow{Size: b.count(v, "size", most), Slide: b.count(v, "slide", most)}
}

func (b *builder) trigger(v *value) *plan.Trigger {
	if v.kind == text {
		switch v.text {
		case "never":
			return &plan.Trigger{Never: true}
		case "end":
			return &plan.Trigger{}
		}
		b.expected(v, "end, never, or a mapping with `every` or `count`")
		return nil
	}
	if !b.mapping(v, "`trigger`") {
		return nil
	}
	b.unknown(v, "trigger", []string{"every", "count", "never", "time", "purge"}, nil)
	t := &plan.Trigger{Every: b.duration(v, "every"), Count: b.count(v, "count", 1<<30)}
	if at := v.get("time"); at != nil {
		t.Time = b.text(at, "event or processing")
	}
	for name, to := range map[string]*bool{"never": &t.Never, "purge": &t.Purge} {
		if f := v.get(name); f != nil {
			if f.kind != boolean {
				b.expected(f, "true or false")
			}
			*to = f.text == "true"
		}
	}
	return t
}

// aggregates reads the `aggregate` of a window.
func (b *builder) aggregates(v *value, m member, path string, positions map[string]string) []aggregate.Spec {
	for _, a := range v.members {
		if a.name == "aggregate" {
			return b.specs(a, path, positions)
		}
	}
	if v.get("rows") == nil {
		b.add(m.place(), "there is nothing to aggregate").Hint = "add `aggregate: {n: count}`, or `rows: [COLUMN]` for a function"
	}
	return nil
}

// rows reads the columns of which a window collects all values.
func (b *builder) rows(v *value, positions map[string]string) []aggregate.Spec {
	var specs []aggregate.Spec
	for _, m := range v.members {
		if m.name != "rows" {
			continue
		}
		for _, column := range b.texts(m.value, "a column") {
			b.set(positions, "window.aggregates."+column, m.value.at)
			specs = append(specs, aggregate.Spec{Name: column, Func: "collect_all", Column: column})
		}
	}
	return specs
}

// over returns the call that a window is to make over what it fires, nil for none. It is a step of its own, which has the window's label.
func (b *builder) over(v *value) *plan.Node {
	if v.kind != object {
		return nil
	}
	var n *plan.Node
	for _, m := range v.members {
		if m.name != string(plan.KindMap) && m.name != string(plan.KindFlatMap) {
			continue
		}
		if n != nil {
			b.add(m.place(), "a window has one function, this one has `map` and `flat_map`")
			return n
		}
		n = &plan.Node{Kind: plan.Kind(m.name), Positions: make(map[string]string)}
		b.set(n.Positions, "", m.place())
		n.Call = b.call(m, n.Positions)
	}
	return n
}

// specs reads a mapping of columns to what they are: `n: count`, `total: {sum: amount}`, `worst: {max_by: {take: id, by: delay}}`.
func (b *builder) specs(m member, path string, positions map[string]string) []aggregate.Spec {
	b.set(positions, path, m.place())
	if !b.mapping(m.value, "`aggregate`") {
		return nil
	}
	var specs []aggregate.Spec
	for _, c := range m.value.members {
		b.deep(positions, path+"."+c.name, c.place(), c.value)
		s := aggregate.Spec{Name: c.name}
		switch v := c.value; {
		case v.kind == text:
			s.Func = v.text
		case v.kind == object && len(v.members) == 1:
			f := v.members[0]
			s.Func = f.name
			if f.value.kind == object {
				b.unknown(f.value, f.name, []string{"take", "by"}, nil)
				for name, to := range map[string]*string{"take": &s.Column, "by": &s.By} {
					if t := f.value.get(name); t != nil {
						*to = b.text(t, "a column")
					}
				}
			} else {
				s.Column = b.text(f.value, "a column")
			}
		default:
			b.expected(v, "an aggregate such as count or {sum: COLUMN}")
			continue
		}
		specs = append(specs, s)
	}
	return specs
}

// sideOutputs reads the labels that the side outputs of a process are given, by their tags.
func (b *builder) sideOutputs(of plan.Node, call *value) {
	if call.kind != object {
		return
	}
	v := call.get("side_outputs")
	if v == nil || !b.mapping(v, "`side_outputs`") {
		return
	}
	for _, m := range v.members {
		if label := b.text(m.value, "a label"); label != "" {
			b.sideOutput(of, m.name, label, m.place())
		}
	}
}

// sideOutput appends the node of rows that a step puts aside under a tag, which others name as their `from`.
func (b *builder) sideOutput(of plan.Node, tag, label string, at place) {
	n := plan.Node{ID: label, Kind: plan.KindSideOutput, Inputs: []string{of.ID}, SideOutput: &plan.SideOutput{Tag: tag}, Positions: make(map[string]string)}
	b.set(n.Positions, "", at)
	b.plan.Nodes = append(b.plan.Nodes, n)
}

// from returns the node whose rows an output gets: the one that it names, or the last step.
func (b *builder) from(v *value, last string, positions map[string]string) string {
	f := v.get("from")
	if f == nil {
		return last
	}
	b.set(positions, "inputs[0]", f.at)
	return b.text(f, "a label")
}
