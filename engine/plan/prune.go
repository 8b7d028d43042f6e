package plan

import (
	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/aggregate"
)

// need is a set of columns; all stands for every column.
type need struct {
	all     bool
	columns map[string]bool
}

func (d *need) add(names ...string) {
	if d.columns == nil {
		d.columns = make(map[string]bool)
	}
	for _, n := range names {
		d.columns[n] = true
	}
}

func (d *need) merge(o need) {
	d.all = d.all || o.all
	for n := range o.columns {
		d.add(n)
	}
}

// prune narrows sources and projects to the columns that somebody reads, and computes the schemas anew. It is called when
// there are no faults, and makes none.
func (r *resolver) prune() {
	wide := make(map[string]bool) // unions whose inputs keep everything
	for {
		for _, n := range r.nodes {
			n.keep = nil
		}
		r.narrowed = false
		r.flow()
		r.narrow(wide)
		r.narrowed = true
		r.flow()
		widened := false
		for _, n := range r.nodes {
			// A filter before a union may read a column that the other input has not kept.
			if n.Node.Kind == KindUnion && n.Out == nil && !wide[n.Node.ID] {
				wide[n.Node.ID], widened = true, true
				break
			}
		}
		if !widened {
			break
		}
		r.faults = nil
	}
	for _, n := range r.nodes {
		if n.Source != nil {
			n.decode()
		}
	}
}

// narrow finds what is read of each node, from the outputs back, and sets keep of sources and projects.
func (r *resolver) narrow(wide map[string]bool) {
	needs, aside := make(map[string]*need), make(map[string]*need)
	for _, n := range r.nodes {
		needs[n.Node.ID], aside[n.Node.ID] = &need{}, &need{}
	}
	for i := len(r.nodes) - 1; i >= 0; i-- {
		n := r.nodes[i]
		out := *needs[n.Node.ID]
		if n.Node.Kind == KindSource || n.Node.Kind == KindProject {
			n.keep = nil
			if !out.all {
				n.keep = out.columns
				if len(n.keep) == 0 {
					n.keep = map[string]bool{n.Out.Field(0).Name: true} // rows are counted even where no column is read
				}
				if e := n.eventTime(); e != nil && n.Node.Source.Metadata[e.Column] != "" {
					n.keep[e.Column] = true // metadata are not decoded: they can only be had by passing them on
				}
			}
		}
		if n.Node.Kind == KindSideOutput { // it passes on what comes to its input, not what goes out of it
			if r.byID[n.Node.Inputs[0]].Node.Kind == KindWindow {
				aside[n.Node.Inputs[0]].merge(out)
			}
			continue
		}
		in := n.reads(out, wide[n.Node.ID])
		in.merge(*aside[n.Node.ID])
		for _, id := range n.Node.Inputs {
			needs[id].merge(in)
		}
	}
}

// eventTime returns where a source's event times come from, nil for none and for other nodes.
func (n *ResolvedNode) eventTime() *EventTime {
	if n.Node.Source == nil {
		return nil
	}
	return n.Node.Source.EventTime
}

// reads returns what a node reads of its input, when out is read of it.
func (n *ResolvedNode) reads(out need, wide bool) need {
	var in need
	switch n.Node.Kind {
	case KindSink:
		in.all = true
	case KindUnion:
		in = out
		in.all = in.all || wide
	case KindKeyBy:
		in.merge(out)
		in.add(n.Node.KeyBy.Columns...)
	case KindEventTime:
		in.merge(out)
		in.add(n.Node.EventTime.Column)
	case KindLookup:
		in.merge(out)
		n.readsKeys(&in)
	case KindProject:
		in.merge(n.projected(out))
	case KindFilter:
		in.merge(out)
		n.readsArgs(&in)
	case KindScalar:
		in.merge(out)
		if n.At == len(n.In[0].Fields()) {
			delete(in.columns, n.Out.Field(n.At).Name)
		} // else it takes the place of an input column, which must stay for the columns to keep their order
		n.readsArgs(&in)
	case KindWindow, KindAggregate:
		in.add(aggregate.Columns(n.Node.aggregates())...)
		if w := n.Node.Window; w != nil && w.Session != nil && w.Session.GapColumn != "" {
			in.add(w.Session.GapColumn)
		}
	case KindMap, KindFlatMap, KindKeyedMap, KindProcess:
		n.readsArgs(&in)
	}
	return in
}

func (n *ResolvedNode) readsArgs(in *need) {
	if n.Columns == nil {
		in.all = true
		return
	}
	for _, at := range n.Columns {
		in.add(n.In[0].Field(at).Name)
	}
}

// projected returns the input columns behind the output columns that are read.
func (n *ResolvedNode) projected(out need) need {
	var in need
	for i, from := range n.From {
		if out.all || out.columns[n.Out.Field(i).Name] || n.keep[n.Out.Field(i).Name] {
			in.add(n.In[0].Field(from).Name)
		}
	}
	return in
}

// decode finds the columns that the decoder builds, and those that it passes over.
func (n *ResolvedNode) decode() {
	s := n.Source
	read := make(map[string]bool)
	for _, f := range n.Out.Fields() {
		read[f.Name] = true
	}
	if e := n.eventTime(); e != nil {
		read[e.Column] = true
	}
	s.Pruned = nil
	all := s.Format.Positional != nil && s.Format.Positional(n.Node.Source.FormatConfig)
	var fields []arrow.Field
	for _, f := range s.Schema.Fields() {
		if all || read[f.Name] {
			fields = append(fields, f)
		} else {
			s.Pruned = append(s.Pruned, f.Name)
		}
	}
	if len(fields) == 0 {
		fields, s.Pruned = s.Schema.Fields()[:1], s.Pruned[1:]
	}
	s.Decode = arrow.NewSchema(fields, nil)
}
