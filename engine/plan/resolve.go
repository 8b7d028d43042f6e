package plan

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
)

// Resolve looks up what a plan names, checks that columns and types fit from the inputs to the outputs, finds the columns that
// nobody reads, and cuts the plan into stages. It touches the outside only through env.
//
// It returns a [fault.List] of all faults found, each at its place in the user's file. Behind a node whose columns cannot be
// known because of a fault, columns are not checked.
func Resolve(ctx context.Context, p *Plan, env Env) (*Resolved, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	r := &resolver{ctx: ctx, plan: p, env: env, bundles: make(map[string]*bundle), byID: make(map[string]*ResolvedNode)}
	for i := range p.Nodes {
		n := &ResolvedNode{Node: &p.Nodes[i]}
		r.nodes = append(r.nodes, n)
		r.byID[n.Node.ID] = n
		r.lookUp(n)
	}
	dead := r.deadLetter()
	r.flow()
	if len(r.faults) == 0 {
		r.prune()
	}
	if len(r.faults) == 0 {
		r.codecs()
	}
	if len(r.faults) > 0 {
		SortFaults(p.File, r.faults)
		return nil, r.faults
	}
	resolved := &Resolved{Plan: p, Nodes: r.nodes, DeadLetter: dead}
	resolved.Stages = stages(p, r.nodes)
	return resolved, nil
}

type resolver struct {
	ctx     context.Context
	plan    *Plan
	env     Env
	bundles map[string]*bundle
	nodes   []*ResolvedNode
	byID    map[string]*ResolvedNode
	faults  fault.List
	// narrowed says that the plan is free of faults, and that sources and projects pass on only what is read.
	narrowed bool
}

// bundle is what is known of a bundle's functions; broken when it cannot be read, which is reported once.
type bundle struct {
	functions []udf.Signature
	names     []string
	broken    bool
}

func (r *resolver) add(n *Node, code fault.Code, path, format string, args ...any) *fault.Fault {
	return r.faults.Add(code, r.plan.at(n, path), format, args...)
}

var pathPattern = regexp.MustCompile(`^([^\s,:.\[\]]+|\[[0-9]+\])(\.[^\s,:.\[\]]+|\[[0-9]+\])*$`)

// place adds the faults of a connector or codec. Where of such a fault is the path of a field below base, or a place in words.
func (r *resolver) place(n *Node, base string, err error) {
	var list fault.List
	list.Append(err)
	positions := r.plan.Positions
	if n != nil {
		positions = n.Positions
	}
	for _, f := range list {
		placed, path, words := *f, base, f.Where
		isPath := pathPattern.MatchString(words)
		if isPath {
			path = strings.Replace(base+"."+words, ".[", "[", 1)
		}
		if at := r.declaredAt(n, words); at != "" {
			path, isPath = at, true
		}
		if _, named := positions[path+":"]; named && f.What == "unknown field `"+path[strings.LastIndexByte(path, '.')+1:]+"`" {
			path += ":" // connectors/config says that it is the name that is wrong
		}
		placed.Where = r.plan.at(n, path)
		if _, exact := positions[path]; words != "" && (!isPath || len(positions) > 0 && !exact) {
			placed.Where += ", " + words
		}
		r.faults = append(r.faults, &placed)
	}
}

// declaredAt returns the path of a column's type, if words are "column `NAME`" and the schema of the source declares it.
func (r *resolver) declaredAt(n *Node, words string) string {
	name, is := strings.CutPrefix(words, "column `")
	if n == nil || n.Source == nil || !is {
		return ""
	}
	for i, f := range n.Source.Schema {
		if f.Name == strings.TrimSuffix(name, "`") {
			return fmt.Sprintf("source.schema[%d].type", i)
		}
	}
	return ""
}

// within adds the faults of something that knows its own places, such as a bundle.
func (r *resolver) within(n *Node, path string, err error) {
	var list fault.List
	list.Append(err)
	for _, f := range list {
		r.faults = append(r.faults, f.In("%s", r.plan.at(n, path)))
	}
}

// lookUp finds the connector, the codec and the function that a node names.
func (r *resolver) lookUp(n *ResolvedNode) {
	switch {
	case n.Node.Source != nil:
		n.Source = r.lookUpSource(n.Node)
	case n.Node.Sink != nil:
		n.Sink = r.lookUpSink(n.Node, "sink", n.Node.Sink)
	case n.Node.Lookup != nil:
		n.Lookup = r.lookUpTable(n.Node)
	case n.Node.Call != nil:
		n.Signature = r.signature(n.Node)
	}
}

func (r *resolver) connector(n *Node, path, name string) (connectors.Connector, bool) {
	c, ok := r.env.Connectors[name]
	if !ok {
		r.add(n, fault.Usage, path+".connector", "unknown connector `%s`", name).Hint = fault.DidYouMean(name, sortedKeys(r.env.Connectors))
	}
	return c, ok
}

// format looks up a codec, that of the connector's habit where none is named.
func (r *resolver) format(n *Node, path, name, habit string) codec.Format {
	if name == "" {
		name = habit
	}
	if name == "" {
		r.add(n, fault.Usage, path, "the format is not known").Hint = "add `format: NAME`; " + fault.DidYouMean("", sortedKeys(r.env.Formats))
		return codec.Format{}
	}
	f, ok := r.env.Formats[name]
	if !ok {
		r.add(n, fault.Usage, path+".format", "unknown format `%s`", name).Hint = fault.DidYouMean(name, sortedKeys(r.env.Formats))
	}
	return f
}

func (r *resolver) lookUpSink(n *Node, path string, s *Sink) *ResolvedSink {
	c, ok := r.connector(n, path, s.Connector)
	if !ok {
		return nil
	}
	if c.NewSink == nil {
		r.add(n, fault.Usage, path+".connector", "`%s` cannot be an output", s.Connector).Hint = "outputs are " + r.connectorNames(func(c connectors.Connector) bool { return c.NewSink != nil })
		return nil
	}
	sink, err := c.NewSink(s.Config)
	habit := ""
	if err != nil {
		r.place(n, path+".config", err)
		if s.Format == "" {
			return nil
		}
	} else {
		habit = sink.DefaultFormat()
	}
	f := r.format(n, path, s.Format, habit)
	if err != nil || f.Name == "" {
		return nil
	}
	if f.NewEncoder == nil {
		r.add(n, fault.Usage, path+".format", "the format `%s` cannot be written", f.Name)
		return nil
	}
	return &ResolvedSink{Sink: sink, Format: f}
}

// deadLetter looks up the plan's dead-letter output, and checks it against what is written there.
func (r *resolver) deadLetter() *ResolvedSink {
	spec := r.plan.DeadLetter
	if spec == nil {
		return nil
	}
	s := r.lookUpSink(nil, "dead_letter", spec)
	if s == nil {
		return nil
	}
	if err := s.Sink.Check(names(DeadLetterSchema)); err != nil {
		r.place(nil, "dead_letter.config", err)
	}
	if _, err := s.Format.NewEncoder(DeadLetterSchema, spec.FormatConfig); err != nil {
		r.place(nil, "dead_letter.format_config", err)
	}
	return s
}

func (r *resolver) connectorNames(keep func(connectors.Connector) bool) string {
	var names []string
	for _, name := range sortedKeys(r.env.Connectors) {
		if keep(r.env.Connectors[name]) {
			names = append(names, name)
		}
	}
	return join(names)
}

// signature finds the function that a node calls, and checks that it is of the node's kind.
func (r *resolver) signature(n *Node) *udf.Signature {
	c := n.Call
	b, ok := r.bundles[c.Bundle]
	if !ok {
		b = &bundle{}
		r.bundles[c.Bundle] = b
		functions, err := r.env.Functions(r.ctx, c.Bundle)
		if err != nil {
			b.broken = true
			r.within(n, "call.bundle", err)
		}
		for _, s := range functions {
			b.functions = append(b.functions, s)
			if !slices.Contains(b.names, s.Name) {
				b.names = append(b.names, s.Name)
			}
		}
	}
	if b.broken {
		return nil
	}
	if s := udf.Find(b.functions, c.Function, udf.Kind(n.Kind)); s != nil {
		if !r.sound(n, s) {
			return nil
		}
		return s
	}
	var kinds []string
	for _, s := range b.functions {
		if s.Name == c.Function {
			kinds = append(kinds, string(s.Kind))
		}
	}
	if len(kinds) > 0 {
		r.add(n, fault.Schema, "call.function", "`%s` is a %s function, not a %s function", c.Function, strings.Join(kinds, " or "), n.Kind).Hint =
			"write `" + strings.Join(kinds, ":` or `") + ":` for it"
		return nil
	}
	if r.env.Refused != nil {
		if why := r.env.Refused(c.Bundle, c.Function); why != "" {
			r.add(n, fault.Schema, "call.function", "`%s` of the bundle `%s` cannot be called: %s", c.Function, c.Bundle, why)
			return nil
		}
	}
	r.add(n, fault.Schema, "call.function", "the bundle `%s` has no function `%s`", c.Bundle, c.Function).Hint = fault.DidYouMean(c.Function, b.names)
	return nil
}

// sound checks what the engine takes for granted of a signature.
func (r *resolver) sound(n *Node, s *udf.Signature) bool {
	single := func(what string, t arrow.Type) bool {
		if s.Out != nil && len(s.Out.Fields()) == 1 && (t == arrow.NULL || s.Out.Field(0).Type.ID() == t) {
			return true
		}
		r.add(n, fault.Bundle, "call.function", "the function `%s` returns %s", s.Name, what)
		return false
	}
	switch {
	case s.Kind == udf.Filter && s.Out != nil:
		return single("something else than one bool column", arrow.BOOL)
	case s.Kind == udf.Scalar:
		return single("something else than one column", arrow.NULL)
	}
	return true
}
