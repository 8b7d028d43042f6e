package plan

import (
	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/udf"
)

// Resolved is a plan whose names have been looked up and whose columns and types fit: what the runtime runs.
type Resolved struct {
	Plan *Plan
	// Nodes are the plan's, in its order.
	Nodes []*ResolvedNode
	// Stages are chains of nodes that run as tasks, in topological order.
	Stages []*Stage
	// DeadLetter is the plan's, nil when there is none.
	DeadLetter *ResolvedSink
}

// ResolvedNode is a node and what was found out about it.
type ResolvedNode struct {
	Node *Node
	// In are the schemas of its inputs, Out the schema of what it passes on; Out is nil for a sink.
	In  []*arrow.Schema
	Out *arrow.Schema
	// Source is set for a source.
	Source *ResolvedSource
	// Sink is set for a sink.
	Sink *ResolvedSink
	// Signature is set for calls, and Columns the input column behind each column that the function reads (nil where it
	// takes any), with Args the schema of those. At is, for a scalar function, the column of Out that its result is.
	Signature *udf.Signature
	Columns   []int
	Args      *arrow.Schema
	At        int
	// Lookup is set for a lookup.
	Lookup *ResolvedLookup
	// From is set for a project: the input column behind each of its columns.
	From []int

	// keep narrows a source or a project to the columns that are read; nil keeps all.
	keep map[string]bool
}

// AggregateSpecs returns what the node aggregates, nil for others than windows and aggregates.
func (n *ResolvedNode) AggregateSpecs() []aggregate.Spec { return n.Node.aggregates() }

// ResolvedSource is a source with its connector and codec.
type ResolvedSource struct {
	Source connectors.Source
	Format codec.Format
	// Schema holds all columns of the records, declared or inferred; Inferred says that it was not declared.
	Schema   *arrow.Schema
	Inferred bool
	// Decode is the schema that the decoder builds: the columns that anybody reads, the column of event times included.
	// Pruned lists the declared columns that nobody reads.
	// It has one column at least. Out of the node lists what is passed on: not a column that only event times are taken from.
	Decode *arrow.Schema
	Pruned []string
}

// ResolvedSink is a sink with its connector and codec.
type ResolvedSink struct {
	Sink   connectors.Sink
	Format codec.Format
}

// DeadLetterSchema is the schema of what a dead-letter output gets: when, from which job and node, why and where, and the
// data: in `data` as text where it is UTF-8, else in `bytes`; and what else the function said, such as a traceback.
var DeadLetterSchema = arrow.NewSchema([]arrow.Field{
	{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}},
	{Name: "job", Type: arrow.BinaryTypes.String},
	{Name: "node", Type: arrow.BinaryTypes.String},
	{Name: "reason", Type: arrow.BinaryTypes.String},
	{Name: "where", Type: arrow.BinaryTypes.String},
	{Name: "data", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "bytes", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "detail", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

// Stage is a chain of nodes, or a tree of them where several read one, that runs fused in one goroutine per task.
type Stage struct {
	// Nodes are in the plan's order. The first is a source, or the node that reads the stage's inputs.
	Nodes       []*ResolvedNode
	Parallelism int
	// Inputs are the edges that lead into it; none where it begins with a source.
	Inputs []Input
}

// Input is an edge between stages.
type Input struct {
	// From is the node of another stage whose rows come this way.
	From     string
	Exchange Exchange
	// Keys are the columns that rows are sent by, for Hash. The stage begins with the key_by node itself.
	Keys []string
}

// Exchange says how rows are spread over the tasks of a stage.
type Exchange string

// The exchanges.
const (
	Hash      Exchange = "hash"      // by key
	Rebalance Exchange = "rebalance" // whole batches in turn
)

// Node returns the node with an id, or nil.
func (r *Resolved) Node(id string) *ResolvedNode {
	for _, n := range r.Nodes {
		if n.Node.ID == id {
			return n
		}
	}
	return nil
}
