package plan

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// The bounds of a plan.
const (
	MaxNodes       = 1000
	MaxParallelism = 256
	MaxPartitions  = 1 << 15
	MinEpoch       = 10 * time.Millisecond
	MaxEpoch       = time.Hour
	maxGuestMemory = 4 << 30
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidName reports whether a text can be the name of a job or the id of a node.
func ValidName(name string) bool { return namePattern.MatchString(name) }

const nameHint = "use up to 64 letters, digits, `-` and `_`"

// Validate checks the plan by itself, without looking at bundles, connectors or columns. It returns a [fault.List] of all
// faults found, of code Usage, or nil.
func (p *Plan) Validate() error {
	v := &validator{plan: p, byID: make(map[string]*Node)}
	v.header()
	v.nodes()
	if len(v.faults) == 0 {
		v.reach()
		v.keyed()
		v.shares()
	}
	SortFaults(p.File, v.faults)
	return v.faults.Err()
}

type validator struct {
	plan   *Plan
	byID   map[string]*Node // the nodes before the one that is checked
	faults fault.List
}

// at returns the place of a member of a node, or of the plan for a nil node; without positions, its path.
func (p *Plan) at(n *Node, path string) string {
	positions, fallback := p.Positions, path
	if n != nil {
		positions, fallback = n.Positions, "node "+n.ID
		if path != "" {
			fallback += ", " + path
		}
	}
	if where := position(p.File, positions, path); where != "" {
		return where
	}
	return fallback
}

func (v *validator) add(n *Node, path, format string, args ...any) *fault.Fault {
	return v.faults.Add(fault.Usage, v.plan.at(n, path), format, args...)
}

func (v *validator) header() {
	p := v.plan
	if p.Version < 1 || p.Version > Version {
		v.add(nil, "version", "expected version 1 to %d, got %d", Version, p.Version)
	}
	if !ValidName(p.Name) {
		v.add(nil, "name", "`%s` cannot be a job's name", p.Name).Hint = nameHint
	}
	v.between(nil, "parallelism", p.Parallelism, MaxParallelism)
	v.between(nil, "partitions", p.Partitions, MaxPartitions)
	if e := time.Duration(p.Epoch); e != 0 && (e < MinEpoch || e > MaxEpoch) {
		v.add(nil, "epoch", "expected an epoch from %v to %v, got %v", MinEpoch, MaxEpoch, e)
	}
	r := p.Restart
	if r.Delay < 0 || r.MaxDelay < 0 {
		v.add(nil, "restart", "a delay is not negative")
	}
	if r.MaxDelay != 0 && r.MaxDelay < r.Delay {
		v.add(nil, "restart.max_delay", "expected a longest delay of at least the first, %v, got %v", time.Duration(r.Delay), time.Duration(r.MaxDelay))
	}
	if d := p.DeadLetter; d != nil {
		v.sink(nil, "dead_letter", d)
		if d.OnError == SetAway {
			v.add(nil, "dead_letter.on_error", "what fails in the dead-letter output cannot go there").Hint = "use fail or skip"
		}
	}
}

func (v *validator) between(n *Node, path string, value, most int) {
	if value < 0 || value > most {
		v.add(n, path, "expected `%s` from 1 to %d, got %d", path, most, value)
	}
}

func (v *validator) nodes() {
	p := v.plan
	if len(p.Nodes) > MaxNodes {
		v.add(nil, "nodes", "expected at most %d nodes, got %d", MaxNodes, len(p.Nodes))
		return
	}
	kinds := make(map[Kind]int)
	for i := range p.Nodes {
		n := &p.Nodes[i]
		kinds[n.Kind]++
		v.node(n)
		if _, taken := v.byID[n.ID]; !taken {
			v.byID[n.ID] = n
		}
	}
	if kinds[KindSource] == 0 {
		v.add(nil, "", "there is no input")
	}
	if kinds[KindSink] == 0 {
		v.add(nil, "", "there is no output")
	}
}

func (v *validator) node(n *Node) {
	if !ValidName(n.ID) {
		v.add(n, "id", "`%s` cannot be a label", n.ID).Hint = nameHint
	} else if _, taken := v.byID[n.ID]; taken {
		v.add(n, "id", "there are two nodes `%s`", n.ID).Hint = "give one of them another label: state is found by it"
	}
	v.between(n, "parallelism", n.Parallelism, MaxParallelism)
	v.members(n)
	v.inputs(n)
}

// members checks that exactly the member that the kind names is there, and what is in it.
func (v *validator) members(n *Node) {
	has := map[string]bool{"source": n.Source != nil, "sink": n.Sink != nil, "call": n.Call != nil, "project": n.Project != nil, "key_by": n.KeyBy != nil,
		"window": n.Window != nil, "aggregate": n.Aggregate != nil, "side_output": n.SideOutput != nil, "event_time": n.EventTime != nil, "lookup": n.Lookup != nil}
	want := ""
	switch n.Kind {
	case KindSource, KindSink, KindProject, KindKeyBy, KindWindow, KindAggregate, KindSideOutput, KindEventTime, KindLookup:
		want = string(n.Kind)
	case KindFilter, KindMap, KindFlatMap, KindScalar, KindKeyedMap, KindProcess:
		want = "call"
	case KindUnion:
	default:
		f := v.add(n, "kind", "unknown kind `%s`", n.Kind)
		f.Hint = fault.DidYouMean(string(n.Kind), kindNames())
		return
	}
	for _, name := range []string{"source", "sink", "call", "project", "key_by", "window", "aggregate", "side_output", "event_time", "lookup"} {
		switch {
		case name == want && !has[name]:
			v.add(n, "", "a %s node needs `%s`", n.Kind, name)
			return
		case name != want && has[name]:
			v.add(n, name, "a %s node has no `%s`", n.Kind, name)
		}
	}
	switch want {
	case "source":
		v.source(n, n.Source)
	case "sink":
		v.sink(n, "sink", n.Sink)
	case "call":
		v.call(n, n.Call)
	case "project":
		v.project(n, n.Project)
	case "key_by":
		v.columns(n, "key_by.columns", n.KeyBy.Columns)
	case "window":
		v.window(n, n.Window)
	case "aggregate":
		v.aggregates(n, "aggregate.aggregates", n.Aggregate.Aggregates)
	case "side_output":
		v.sideOutput(n, n.SideOutput)
	case "event_time":
		v.eventTimeStep(n, n.EventTime)
	case "lookup":
		v.lookup(n, n.Lookup)
	}
}

func kindNames() []string {
	var names []string
	for _, k := range []Kind{KindSource, KindFilter, KindMap, KindFlatMap, KindScalar, KindProject, KindKeyBy, KindKeyedMap, KindProcess, KindUnion, KindSink,
		KindWindow, KindAggregate, KindSideOutput, KindEventTime, KindLookup} {
		names = append(names, string(k))
	}
	return names
}

func (v *validator) inputs(n *Node) {
	switch {
	case n.Kind == KindSource && len(n.Inputs) > 0:
		v.add(n, "inputs", "a source has no inputs, this one has %d", len(n.Inputs))
	case n.Kind == KindUnion && len(n.Inputs) < 2:
		v.add(n, "inputs", "a union needs two inputs or more, this one has %d", len(n.Inputs))
	case n.Kind != KindSource && n.Kind != KindUnion && len(n.Inputs) != 1:
		v.add(n, "inputs", "a %s node has one input, this one has %d", n.Kind, len(n.Inputs))
	}
	for i, id := range n.Inputs {
		path := fmt.Sprintf("inputs[%d]", i)
		from, earlier := v.byID[id]
		switch {
		case !earlier && slices.ContainsFunc(v.plan.Nodes, func(o Node) bool { return o.ID == id }):
			v.add(n, path, "the input `%s` does not stand before the node", id).Hint = "nodes are listed in the order of the data's way, which has no circles"
		case !earlier:
			v.add(n, path, "unknown input `%s`", id).Hint = fault.DidYouMean(id, v.known())
		case from.Kind == KindSink:
			v.add(n, path, "`%s` is an output: nothing comes behind it", id)
		}
		if slices.Contains(n.Inputs[:i], id) {
			v.add(n, path, "the input `%s` is named twice", id)
		}
	}
}

func (v *validator) known() []string {
	names := make([]string, 0, len(v.byID))
	for id, n := range v.byID {
		if n.Kind != KindSink {
			names = append(names, id)
		}
	}
	slices.Sort(names)
	return names
}

// reach reports nodes whose rows come to no output. All inputs are known to be earlier nodes.
func (v *validator) reach() {
	read := make(map[string]bool)
	for i := len(v.plan.Nodes) - 1; i >= 0; i-- {
		n := &v.plan.Nodes[i]
		if n.Kind != KindSink && !read[n.ID] {
			v.add(n, "", "nothing reads the rows of `%s`", n.ID).Hint = "add an output behind it, or leave it out"
		}
		for _, id := range n.Inputs {
			read[id] = true
		}
	}
}

// shares checks that every task behind a key_by owns a partition.
func (v *validator) shares() {
	partitions := v.plan.Partitions
	if partitions == 0 {
		partitions = stream.DefaultPartitions
	}
	widths := v.plan.widths()
	for i := range v.plan.Nodes {
		n := &v.plan.Nodes[i]
		if width := widths[n.ID]; n.Kind == KindKeyBy && width > partitions {
			v.add(n, "parallelism", "%d tasks cannot share %d partitions", width, partitions).Hint = "raise `partitions`; their number is fixed when the job is created"
		}
	}
}

// validJSON reports a configuration that a program built wrongly.
func (v *validator) validJSON(n *Node, path string, raw json.RawMessage) {
	if len(raw) > 0 && !json.Valid(raw) {
		v.add(n, path, "the configuration is not valid JSON")
	}
}
