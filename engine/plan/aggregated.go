package plan

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// The columns of a window's results.
const (
	WindowStart = "window_start"
	WindowEnd   = "window_end"
)

// aggregated returns the columns that a window or an aggregate passes on: those of the key, the window's, the aggregates.
func (r *resolver) aggregated(n *ResolvedNode) *arrow.Schema {
	in, w := n.In[0], n.Node.Window
	path := "aggregate.aggregates"
	if w != nil {
		path = "window.aggregates"
	}
	set, err := aggregate.New(in, n.Node.aggregates())
	if err != nil {
		var list fault.List
		list.Append(err)
		for _, f := range list {
			g := r.add(n.Node, f.Code, path+f.Where[len("aggregate"):], "%s", f.What)
			g.Hint = f.Hint
		}
		return nil
	}
	var fields []arrow.Field
	if w == nil || !w.All {
		var ok bool
		if fields, ok = r.keyFields(n); !ok {
			return nil
		}
	}
	if w != nil {
		t := &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
		endless := w.Count != nil || w.Global
		fields = append(fields, arrow.Field{Name: WindowStart, Type: t, Nullable: endless}, arrow.Field{Name: WindowEnd, Type: t, Nullable: endless})
		if !r.windowed(n, w) {
			return nil
		}
	}
	for _, f := range set.Fields() {
		if slices.ContainsFunc(fields, func(o arrow.Field) bool { return o.Name == f.Name }) {
			r.add(n.Node, fault.Schema, path+"."+f.Name, "there are two columns `%s`", f.Name).Hint = "call the aggregate something else"
			return nil
		}
		fields = append(fields, f)
	}
	return arrow.NewSchema(fields, nil)
}

// keyFields returns the columns of the key that rows come with.
func (r *resolver) keyFields(n *ResolvedNode) ([]arrow.Field, bool) {
	by := r.byID[r.plan.keyedPath(n.Node, r.nodesByID())[0].ID]
	var fields []arrow.Field
	for _, name := range by.Node.KeyBy.Columns {
		if len(by.In) == 0 || by.In[0] == nil {
			return nil, false
		}
		f := by.In[0].Field(by.In[0].FieldIndices(name)[0])
		f.Type = stream.KeyType(f.Type)
		f.Metadata = arrow.Metadata{}
		fields = append(fields, f)
	}
	return fields, true
}

func (r *resolver) nodesByID() map[string]*Node {
	all := make(map[string]*Node, len(r.nodes))
	for _, n := range r.nodes {
		all[n.Node.ID] = n.Node
	}
	return all
}

// windowed checks what windows need of their rows.
func (r *resolver) windowed(n *ResolvedNode, w *Window) bool {
	if w.Session != nil && w.Session.GapColumn != "" {
		at := r.column(n.Node, "window.session.gap_column", w.Session.GapColumn, n.In[0])
		if at < 0 {
			return false
		}
		if t := n.In[0].Field(at).Type; t.ID() != arrow.INT64 && t.ID() != arrow.DURATION {
			r.add(n.Node, fault.Schema, "window.session.gap_column", "expected an int64 in milliseconds or a duration for the gap of sessions, got %s", t)
			return false
		}
	}
	if !w.NeedsEventTime() {
		return true
	}
	for _, from := range r.timed(n.Node) {
		if from.Source != nil && from.Source.EventTime == nil {
			r.add(n.Node, fault.Schema, "window", "windows of event time need the time of each row, and `%s` does not say where it is", from.ID).
				Hint = "add `event_time: COLUMN` to the input or as a step, or `time: processing` to the window"
			return false
		}
	}
	return true
}

// timed returns the nodes that the rows which come to a node have their times from: sources and event_time steps.
func (r *resolver) timed(n *Node) []*Node {
	if n.Source != nil || n.EventTime != nil {
		return []*Node{n}
	}
	var all []*Node
	for _, id := range n.Inputs {
		all = append(all, r.timed(r.byID[id].Node)...)
	}
	return all
}
