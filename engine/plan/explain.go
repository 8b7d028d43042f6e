package plan

import (
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
)

// Explanation says how a plan runs. [Explanation.String] is for people, its JSON for programs.
type Explanation struct {
	Name string `json:"name"`
	// Epoch is the time between commits, Partitions the number of parts of the key space.
	Epoch      Duration         `json:"epoch"`
	Partitions int              `json:"partitions"`
	Stages     []ExplainedStage `json:"stages"`
	// DeadLetter is the connector that receives what is set aside; may be empty.
	DeadLetter string `json:"dead_letter,omitempty"`
}

// ExplainedStage is a chain of nodes that runs in one goroutine per task.
type ExplainedStage struct {
	Tasks int `json:"tasks"`
	// Inputs are the edges into it; rows that come over one are copied.
	Inputs []ExplainedInput `json:"inputs,omitempty"`
	Nodes  []ExplainedNode  `json:"nodes"`
}

// ExplainedInput is an edge between stages.
type ExplainedInput struct {
	From     string   `json:"from"`
	Exchange Exchange `json:"exchange"`
	Keys     []string `json:"keys,omitempty"`
}

// ExplainedNode is a node of a stage.
type ExplainedNode struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Position is its place in the user's file; may be empty.
	Position string `json:"position,omitempty"`
	// Connector and Format are those of a source or sink, Bundle and Function those of a call.
	Connector string `json:"connector,omitempty"`
	Format    string `json:"format,omitempty"`
	Bundle    string `json:"bundle,omitempty"`
	Function  string `json:"function,omitempty"`
	// Window says what windows rows are aggregated in.
	Window string `json:"window,omitempty"`
	// Missing is what a lookup does with rows whose key is not there.
	Missing string `json:"missing,omitempty"`
	// Reads are the columns that a call or key_by reads, Pruned those that a source does not decode, Out those passed on.
	Reads    []string `json:"reads,omitempty"`
	Pruned   []string `json:"pruned,omitempty"`
	Out      []Field  `json:"out,omitempty"`
	Inferred bool     `json:"inferred,omitempty"`
	// Memory is the bundle in whose guest's memory a source decodes; empty for the engine's own.
	Memory string `json:"memory,omitempty"`
	// Copied are the columns that are copied into the guest for each call, because they lie elsewhere.
	Copied []string `json:"copied,omitempty"`
	// NonNull are columns that the function takes no nulls in although they may hold some: such rows go by `on_error`.
	NonNull []string `json:"non_null,omitempty"`
	OnError Policy   `json:"on_error,omitempty"`
}

// Explain says how a resolved plan runs.
func Explain(r *Resolved) *Explanation {
	e := &Explanation{Name: r.Plan.Name, Epoch: r.Plan.Epoch, Partitions: r.Plan.Partitions}
	if e.Epoch == 0 {
		e.Epoch = Duration(time.Second)
	}
	if e.Partitions == 0 {
		e.Partitions = stream.DefaultPartitions
	}
	if d := r.Plan.DeadLetter; d != nil {
		e.DeadLetter = d.Connector
	}
	for _, s := range r.Stages {
		x := ExplainedStage{Tasks: s.Parallelism}
		for _, in := range s.Inputs {
			x.Inputs = append(x.Inputs, ExplainedInput(in))
		}
		homes := make(map[string]homes)
		for _, n := range s.Nodes {
			x.Nodes = append(x.Nodes, s.explain(r, n, homes))
		}
		e.Stages = append(e.Stages, x)
	}
	return e
}

// JSON returns the explanation as indented JSON that ends in a line feed.
func (e *Explanation) JSON() ([]byte, error) { return indented(e) }

// homes says in which bundle's guest each column of a node's rows lies; one that is missing is in the engine's own memory.
type homes map[string]string

func (s *Stage) explain(r *Resolved, n *ResolvedNode, known map[string]homes) ExplainedNode {
	x := ExplainedNode{ID: n.Node.ID, Kind: n.Node.Kind, Position: r.Plan.Position(n.Node.ID, "")}
	if n.Out != nil {
		x.Out = fieldsOf(n.Out)
	}
	here := make(homes)
	known[x.ID] = here
	var before homes
	if len(n.Node.Inputs) == 1 {
		before = known[n.Node.Inputs[0]] // nil for another stage's node: rows come copied
	}
	switch {
	case n.Source != nil:
		x.Connector, x.Format, x.OnError = n.Node.Source.Connector, n.Source.Format.Name, n.Node.Source.OnError
		x.Pruned, x.Inferred = n.Source.Pruned, n.Source.Inferred
		if next := s.nextCall(n); next != nil {
			x.Memory = next.Node.Call.Bundle
			for _, f := range n.Source.Decode.Fields() {
				here[f.Name] = x.Memory
			}
		}
	case n.Sink != nil:
		x.Connector, x.Format, x.OnError = n.Node.Sink.Connector, n.Sink.Format.Name, n.Node.Sink.OnError
	case n.Signature != nil:
		s.explainCall(n, &x, before, here)
	case n.Node.aggregates() != nil:
		x.Reads = aggregate.Columns(n.Node.aggregates())
		if w := n.Node.Window; w != nil {
			x.Window, x.OnError = w.Describe(), w.OnError
		}
	case n.Node.Kind == KindProject:
		for i, f := range n.Out.Fields() {
			here[f.Name] = before[n.In[0].Field(n.From[i]).Name]
		}
	case n.Node.Kind == KindSideOutput && r.Node(n.Node.Inputs[0]).Signature != nil:
		// Rows that a call of a process made are copied out of the guest.
	default:
		if n.Lookup != nil {
			n.explainLookup(&x)
		}
		if n.Node.KeyBy != nil {
			x.Reads = n.Node.KeyBy.Columns
		}
		if n.Node.EventTime != nil {
			x.Reads = []string{n.Node.EventTime.Column}
		}
		for name, home := range before {
			here[name] = home
		}
	}
	return x
}

func (s *Stage) explainCall(n *ResolvedNode, x *ExplainedNode, before, here homes) {
	c := n.Node.Call
	x.Bundle, x.Function, x.OnError = c.Bundle, c.Function, c.OnError
	reads := n.In[0].Fields()
	if n.Columns != nil {
		reads = nil
		for _, at := range n.Columns {
			reads = append(reads, n.In[0].Field(at))
		}
	}
	for i, f := range reads {
		x.Reads = append(x.Reads, f.Name)
		if before[f.Name] != c.Bundle {
			x.Copied = append(x.Copied, f.Name)
		}
		if n.Columns != nil && f.Nullable && !n.Args.Field(i).Nullable {
			x.NonNull = append(x.NonNull, f.Name)
		}
	}
	switch n.Node.Kind {
	case KindFilter:
		// The rows kept are gathered: in the guest if the next function runs there, else outside.
		if next := s.nextCall(n); next != nil && next.Node.Call.Bundle == c.Bundle {
			for _, f := range n.Out.Fields() {
				here[f.Name] = c.Bundle
			}
		}
	case KindScalar:
		for name, home := range before {
			here[name] = home
		}
		here[n.Out.Field(n.At).Name] = c.Bundle
	default:
		for _, f := range n.Out.Fields() {
			here[f.Name] = c.Bundle
		}
	}
}

// nextCall returns the next call that the rows of n meet in this stage, when nothing but projections and keys lies between.
func (s *Stage) nextCall(n *ResolvedNode) *ResolvedNode {
	for {
		var next *ResolvedNode
		for _, candidate := range s.Nodes {
			if len(candidate.Node.Inputs) == 1 && candidate.Node.Inputs[0] == n.Node.ID {
				if next != nil {
					return nil
				}
				next = candidate
			}
		}
		if next == nil || next.Node.Call != nil {
			return next
		}
		if next.Node.aggregates() != nil {
			return nil // rows end there
		}
		n = next
	}
}

func fieldsOf(s *arrow.Schema) []Field {
	var fields []Field
	for _, f := range s.Fields() {
		fields = append(fields, Field{Name: f.Name, Type: schema.FormatField(f)})
	}
	return fields
}
