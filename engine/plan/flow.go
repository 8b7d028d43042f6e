package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

// flow computes the schemas from the inputs to the outputs. A node with a fault has no Out, and nothing behind it is checked.
func (r *resolver) flow() {
	for _, n := range r.nodes {
		n.In, n.Out = nil, nil
		known := true
		for _, id := range n.Node.Inputs {
			out := r.byID[id].Out
			known = known && out != nil
			n.In = append(n.In, out)
		}
		if known {
			n.Out = r.out(n)
		}
	}
}

// out returns what a node passes on, nil for a sink and after a fault.
func (r *resolver) out(n *ResolvedNode) *arrow.Schema {
	switch n.Node.Kind {
	case KindSource:
		if n.Source == nil {
			return nil
		}
		return sourceSchema(n.Node.Source, n.Source.Schema, n.keep)
	case KindSink:
		if n.Sink != nil {
			before := len(r.faults)
			if err := n.Sink.Sink.Check(names(n.In[0])); err != nil {
				r.place(n.Node, "sink.config", err)
			}
			r.documentSink(n, before)
		}
		return nil
	case KindUnion:
		return r.union(n)
	case KindKeyBy:
		return r.keyBy(n)
	case KindProject:
		return r.project(n)
	case KindWindow, KindAggregate:
		return r.aggregated(n)
	case KindEventTime:
		if !r.eventTime(n.Node, "event_time.column", n.Node.EventTime.Column, n.In[0]) {
			return nil
		}
		return n.In[0]
	case KindLookup:
		if n.Lookup == nil {
			return nil
		}
		return r.lookup(n)
	case KindSideOutput:
		return r.aside(n)
	}
	if n.Signature == nil {
		return nil
	}
	return r.call(n)
}

// aside returns what a window or a process puts aside.
func (r *resolver) aside(n *ResolvedNode) *arrow.Schema {
	from := r.byID[n.Node.Inputs[0]]
	if from.Node.Kind != KindProcess {
		return from.In[0]
	}
	if from.Signature == nil {
		return nil
	}
	if side := from.Signature.Side(n.Node.SideOutput.Tag); side > 0 {
		return from.Signature.Sides[side-1].Out
	}
	tags := make([]string, len(from.Signature.Sides))
	for i, s := range from.Signature.Sides {
		tags[i] = s.Tag
	}
	f := r.add(n.Node, fault.Schema, "side_output.tag", "the function `%s` has no side output `%s`", from.Signature.Name, n.Node.SideOutput.Tag)
	if f.Hint = fault.DidYouMean(n.Node.SideOutput.Tag, tags); f.Hint == "" {
		f.Hint = "it declares none"
		if len(tags) > 0 {
			f.Hint = "there is " + join(tags)
		}
	}
	return nil
}

func names(s *arrow.Schema) []string {
	list := make([]string, len(s.Fields()))
	for i, f := range s.Fields() {
		list[i] = f.Name
	}
	return list
}

func join(list []string) string { return strings.Join(list, ", ") }

func (r *resolver) unknownColumn(n *Node, path, name string, in *arrow.Schema) {
	f := r.add(n, fault.Schema, path, "unknown column `%s`", name)
	f.Hint = fault.DidYouMean(name, names(in))
	if hasDocuments(in) {
		from := n.ID
		if n.Source == nil {
			from = n.Inputs[0]
		}
		f.Hint = r.columnsHint(from, nil)
	}
}

// column returns the index of a column, -1 after a fault.
func (r *resolver) column(n *Node, path, name string, in *arrow.Schema) int {
	at := in.FieldIndices(name)
	if len(at) == 0 {
		r.unknownColumn(n, path, name, in)
		return -1
	}
	return at[0]
}

func (r *resolver) union(n *ResolvedNode) *arrow.Schema {
	first := n.In[0]
	for i, in := range n.In[1:] {
		if !slices.EqualFunc(first.Fields(), in.Fields(), sameField) {
			r.add(n.Node, fault.Schema, fmt.Sprintf("inputs[%d]", i+1), "the inputs of a union have the same columns, but `%s` has %s and `%s` has %s",
				n.Node.Inputs[0], schema.FormatSchema(first), n.Node.Inputs[i+1], schema.FormatSchema(in)).
				Hint = "declare them alike, in the same order, or `project` them to the same columns"
			return nil
		}
	}
	return first
}

func sameField(a, b arrow.Field) bool {
	return a.Name == b.Name && a.Nullable == b.Nullable && arrow.TypeEqual(a.Type, b.Type) && schema.IsJSON(a) == schema.IsJSON(b)
}

func (r *resolver) keyBy(n *ResolvedNode) *arrow.Schema {
	in, ok := n.In[0], true
	for i, name := range n.Node.KeyBy.Columns {
		path := fmt.Sprintf("key_by.columns[%d]", i)
		at := r.column(n.Node, path, name, in)
		if at < 0 {
			ok = false
		} else if schema.IsJSON(in.Field(at)) {
			r.add(n.Node, fault.Schema, path, "the column `%s` holds JSON documents, which cannot be a key", name).Hint = r.columnsHint(n.Node.Inputs[0], nil)
			ok = false
		} else if t := in.Field(at).Type; !stream.Keyable(t) {
			r.add(n.Node, fault.Schema, path, "the column `%s` of type %s cannot be a key", name, schema.Format(t)).
				Hint = "use bool, integers, floats, utf8, binary, dates or timestamps"
			ok = false
		}
	}
	if !ok {
		return nil
	}
	return in
}

func (r *resolver) project(n *ResolvedNode) *arrow.Schema {
	p, in, ok := n.Node.Project, n.In[0], true
	find := func(path, name string) {
		// Once all is known to be there, columns that nobody reads are left out of the input.
		if !r.narrowed && r.column(n.Node, path, name, in) < 0 {
			ok = false
		}
	}
	var columns []Column
	if len(p.Columns) > 0 {
		for i, c := range p.Columns {
			find(fmt.Sprintf("project.columns[%d]", i), c.From)
		}
		columns = p.Columns
	} else {
		renamed := make(map[string]string) // old to new
		for i, c := range p.Rename {
			find(fmt.Sprintf("project.rename[%d]", i), c.From)
			renamed[c.From] = c.Name
		}
		for i, name := range p.Drop {
			find(fmt.Sprintf("project.drop[%d]", i), name)
		}
		for _, f := range in.Fields() {
			if slices.Contains(p.Drop, f.Name) {
				continue
			}
			name := f.Name
			if to, is := renamed[name]; is {
				name = to
			}
			columns = append(columns, Column{Name: name, From: f.Name})
		}
	}
	if !ok {
		return nil
	}
	n.From = nil
	var fields []arrow.Field
	for _, c := range columns {
		if n.keep != nil && !n.keep[c.Name] {
			continue
		}
		if slices.ContainsFunc(fields, func(f arrow.Field) bool { return f.Name == c.Name }) {
			r.add(n.Node, fault.Schema, "project", "there are two columns `%s`", c.Name).Hint = "drop or rename one of them"
			return nil
		}
		at := in.FieldIndices(c.From)[0]
		f := in.Field(at)
		f.Name = c.Name
		fields, n.From = append(fields, f), append(n.From, at)
	}
	if len(fields) == 0 {
		r.add(n.Node, fault.Schema, "project", "no column is left")
		return nil
	}
	return arrow.NewSchema(fields, nil)
}

// call finds the columns that a function reads and what comes out of it.
func (r *resolver) call(n *ResolvedNode) *arrow.Schema {
	in, s := n.In[0], n.Signature
	if !r.arguments(n) {
		return nil
	}
	switch s.Kind {
	case udf.Filter:
		return in
	case udf.Scalar:
		f := s.Out.Field(0)
		if as := n.Node.Call.As; as != "" {
			f.Name = as
		}
		fields := slices.Clone(in.Fields())
		if at := in.FieldIndices(f.Name); len(at) > 0 {
			n.At = at[0]
			fields[n.At] = f
		} else {
			n.At = len(fields)
			fields = append(fields, f)
		}
		return arrow.NewSchema(fields, nil)
	}
	if s.Out == nil {
		return n.Args
	}
	return s.Out
}

// arguments fills Columns and Args.
func (r *resolver) arguments(n *ResolvedNode) bool {
	in, s, args := n.In[0], n.Signature, n.Node.Call.Args
	n.Columns, n.Args = nil, in
	if s.In == nil {
		if len(args) == 0 {
			return true
		}
		// A function that takes any columns gets those that are named.
		fields := make([]arrow.Field, len(args))
		for i, name := range args {
			at := r.column(n.Node, fmt.Sprintf("call.args[%d]", i), name, in)
			if at < 0 {
				return false
			}
			fields[i], n.Columns = in.Field(at), append(n.Columns, at)
		}
		n.Args = arrow.NewSchema(fields, nil)
		return true
	}
	want := s.In.Fields()
	if len(args) > 0 && len(args) != len(want) {
		r.add(n.Node, fault.Schema, "call.args", "the function `%s` takes %d columns (%s), got %d", s.Name, len(want), schema.FormatSchema(s.In), len(args))
		return false
	}
	ok := true
	n.Columns = make([]int, 0, len(want))
	for i, w := range want {
		name, path := w.Name, "call.function"
		if len(args) > 0 {
			name, path = args[i], fmt.Sprintf("call.args[%d]", i)
		}
		at := in.FieldIndices(name)
		if len(at) == 0 {
			r.missing(n, path, name, i)
			if ok = false; schema.IsDocument(in) {
				break // none of the others is there either
			}
			continue
		}
		if got := in.Field(at[0]); !arrow.TypeEqual(w.Type, got.Type) || schema.IsJSON(w) && !schema.IsJSON(got) {
			r.mismatch(n, path, name, w, got)
			ok = false
		}
		n.Columns = append(n.Columns, at[0])
	}
	n.Args = s.In
	return ok
}

func (r *resolver) missing(n *ResolvedNode, path, name string, i int) {
	in, s := n.In[0], n.Signature
	if len(n.Node.Call.Args) > 0 {
		r.unknownColumn(n.Node, path, name, in)
		return
	}
	w := s.In.Field(i)
	f := r.add(n.Node, fault.Schema, path, "the function `%s` reads the column `%s: %s`, which is not there", s.Name, name, typeName(w))
	f.Hint = fault.DidYouMean(name, names(in))
	switch near := fault.Suggest(name, names(in)); {
	case hasDocuments(in):
		f.Hint = r.columnsHint(n.Node.Inputs[0], s.In)
	case near != "" && s.Kind == udf.Scalar:
		f.Hint = fmt.Sprintf("name the columns with `args`; did you mean `%s`?", near)
	case near != "":
		f.Hint = fmt.Sprintf("did you mean `%s`? then put `rename: {%s: %s}` before it", near, name, near)
	}
}

func (r *resolver) mismatch(n *ResolvedNode, path, name string, want, got arrow.Field) {
	f := r.add(n.Node, fault.Schema, path, "the function `%s` expects %s for the column `%s`, got %s", n.Signature.Name, typeName(want), name, typeName(got))
	if from, declared := r.origin(n.Node.Inputs[0], name); declared && !schema.IsJSON(want) && !schema.IsJSON(got) {
		f.Hint = fmt.Sprintf("declare it in the schema of `%s` as `%s: %s`", from.ID, name, schema.Format(want.Type))
	}
}

// origin follows a column of a node's output back to a source whose schema can say another type.
func (r *resolver) origin(id, name string) (*Node, bool) {
	for n := r.byID[id].Node; ; n = r.byID[n.Inputs[0]].Node {
		switch n.Kind {
		case KindSource:
			return n, n.Source.Metadata[name] == ""
		case KindFilter, KindKeyBy, KindUnion, KindEventTime:
		default:
			return nil, false
		}
	}
}
