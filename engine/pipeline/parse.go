// Package pipeline reads pipelines written as YAML, and makes plans of them. docs/pipeline.md is the reference.
//
// Every fault has its place in the file, and so has every member of the plan, so that what is found out later (an unknown
// column, a bad option of a connector) is reported there as well.
package pipeline

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
)

// Parse reads a pipeline. File is where data came from: positions name it, the plan's folder is its folder, and the job is called
// after it if the pipeline does not say. Env looks up variables. The error is a [fault.List] of code Usage, in the order of the file.
func Parse(file string, data []byte, env func(string) (string, bool)) (*plan.Plan, error) {
	b := &builder{
		reader: &reader{file: file, env: env},
		plan:   &plan.Plan{Version: plan.Version, File: file, Dir: filepath.Dir(file), Positions: make(map[string]string)},
		counts: make(map[plan.Kind]int), bundles: make(map[string]bundle),
	}
	if root := b.read(data); root != nil && b.values <= maxValues {
		b.pipeline(root)
		if !b.partial || len(b.faults) == 0 {
			b.validate()
		}
	}
	plan.SortFaults(file, b.faults)
	if err := b.faults.Err(); err != nil {
		return nil, err
	}
	return b.plan, nil
}

type builder struct {
	*reader
	plan    *plan.Plan
	counts  map[plan.Kind]int
	bundles map[string]bundle
	last    string // the node whose rows come next
	// partial says that parts of the pipeline could not be made sense of, so that the plan as a whole says nothing.
	partial bool
}

// bundle is a short name for a path.
type bundle struct {
	path string
	at   place
}

var topKeys = []string{
	"name", "parallelism", "partitions", "epoch", "restart", "input", "inputs", "bundles", "pipeline", "output", "outputs", "dead_letter",
}

func (b *builder) pipeline(root *value) {
	p := b.plan
	b.set(p.Positions, "", root.at)
	if root.kind != object {
		b.expected(root, "a mapping for a pipeline").Hint = "it has an `input`, a `pipeline` of steps, and an `output`"
		b.partial = true
		return
	}
	b.unknown(root, "", topKeys, func(name string) bool { return strings.HasPrefix(name, "x-") })
	p.Name = b.name(root.get("name"))
	b.positions(p.Positions, "", root, "name", "parallelism", "partitions", "epoch", "restart")
	p.Parallelism = b.count(root, "parallelism", plan.MaxParallelism)
	p.Partitions = b.count(root, "partitions", plan.MaxPartitions)
	p.Epoch = b.duration(root, "epoch")
	b.restart(root.get("restart"))
	b.readBundles(root.get("bundles"))
	if d := root.get("dead_letter"); d != nil {
		p.DeadLetter = &plan.Sink{}
		b.sink(d, "dead_letter", p.DeadLetter, p.Positions, []string{"format", "on_error"})
	}
	b.inputs(root)
	b.steps(root.get("pipeline"))
	b.outputs(root)
}

// name returns the job's name: the one given, or one made from the file's.
func (b *builder) name(v *value) string {
	if v != nil {
		return b.text(v, "a name")
	}
	base := filepath.Base(b.file)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	name := strings.Map(func(c rune) rune {
		if plan.ValidName(string(c)) {
			return c
		}
		return '-'
	}, base)
	if name = strings.Trim(name[:min(len(name), 64)], "-"); name == "" {
		return "pipeline"
	}
	return name
}

func (b *builder) restart(v *value) {
	if v == nil || !b.mapping(v, "`restart`") {
		return
	}
	b.unknown(v, "restart", []string{"attempts", "delay", "max_delay"}, nil)
	r := &b.plan.Restart
	if a := v.get("attempts"); a != nil {
		r.Attempts = b.integer(a, -1, 1<<30)
	}
	r.Delay, r.MaxDelay = b.duration(v, "delay"), b.duration(v, "max_delay")
}

func (b *builder) readBundles(v *value) {
	if v == nil || !b.mapping(v, "`bundles`") {
		return
	}
	for _, m := range v.members {
		if path := b.text(m.value, "the path of a bundle"); path != "" {
			b.bundles[m.name] = bundle{path, m.value.at}
		}
	}
}

// node makes a node's id and its place.
func (b *builder) node(v *value, kind plan.Kind) plan.Node {
	b.counts[kind]++
	n := plan.Node{Kind: kind, ID: fmt.Sprintf("%s-%d", kind, b.counts[kind]), Positions: make(map[string]string)}
	b.set(n.Positions, "", v.at)
	if l := v.get("label"); l != nil {
		b.positions(n.Positions, "", v, "label")
		n.Positions["id"] = n.Positions["label"]
		delete(n.Positions, "label")
		if label := b.text(l, "a label"); label != "" {
			n.ID = label
		}
	}
	b.positions(n.Positions, "", v, "parallelism")
	n.Parallelism = b.count(v, "parallelism", plan.MaxParallelism)
	return n
}

func (b *builder) append(n plan.Node) {
	b.plan.Nodes = append(b.plan.Nodes, n)
	b.last = n.ID
}

// validate adds what the plan as a whole gets wrong, but nothing about places where there is a fault already.
func (b *builder) validate() {
	var found fault.List
	found.Append(b.plan.Validate())
	for _, f := range found {
		if !slices.ContainsFunc(b.faults, func(g *fault.Fault) bool { return g.Where == f.Where }) {
			b.faults = append(b.faults, f)
		}
	}
}
