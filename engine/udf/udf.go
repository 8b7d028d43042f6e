// Package udf is the seam between the engine and the runtimes that run user code: what a function is, and how rows get
// into it and out of it. The package wasmhost implements it for WebAssembly.
package udf

import (
	"context"
	"encoding/json"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/state"
)

// Kind says what a function makes of its rows.
type Kind string

// The kinds of function.
const (
	Map      Kind = "map"       // rows to as many rows, in order
	FlatMap  Kind = "flat_map"  // each row to any number of rows
	Filter   Kind = "filter"    // rows to one bool column; null counts as false
	Scalar   Kind = "scalar"    // columns to one column of as many rows
	KeyedMap Kind = "keyed_map" // as FlatMap, with state per key
)

// Kinds lists the kinds in the order in which documents name them.
var Kinds = []Kind{Map, FlatMap, Filter, Scalar, KeyedMap, Process}

// Signature describes a function of a bundle.
type Signature struct {
	// Name is the function's name. Name and kind together are unique in the bundle: where the author leaves open what a
	// function is used as, it is there once for each kind.
	Name string
	Kind Kind
	// In is the schema of the columns that the function reads, by name; for [Scalar] by position. Nil: any columns.
	In *arrow.Schema
	// Out is the schema of what it returns: for [Filter] one bool column, for [Scalar] one column. Nil: same as the input.
	Out *arrow.Schema
	// State lists the state that a [KeyedMap] or a [Process] declares; state calls name it by index.
	State []StateDecl
	// Sides lists the side outputs of a [Process].
	Sides []SideDecl
	// Doc is the author's sentence on the function; may be empty.
	Doc string
}

// Find returns the function of that name and kind, nil when there is none. Kind "" finds the first of the name.
func Find(functions []Signature, name string, kind Kind) *Signature {
	for i := range functions {
		if s := &functions[i]; s.Name == name && (kind == "" || s.Kind == kind) {
			return s
		}
	}
	return nil
}

// StateDecl declares one piece of state that a function keeps per key.
type StateDecl struct {
	// Name is unique within the function; stored state is found by it.
	Name string
	// Type is the author's name for the layout of the bytes, such as "int64" or "profile/2". A job does not start over
	// state that was stored under another type.
	Type string
	// Kind is [state.KindValue], which empty means too; for a [Process] also [state.KindList] or [state.KindMap].
	Kind state.Kind
	// TTL is when values expire, for a [Process]; nil: never.
	TTL *state.TTL
}

// Stored returns how the store knows the state.
func (d StateDecl) Stored() state.Decl {
	return state.Decl{Name: d.Name, Kind: d.Kind, Type: d.Type, TTL: d.TTL}
}

// SideDecl declares a stream of rows beside the results.
type SideDecl struct {
	// Tag is unique within the function.
	Tag string
	Out *arrow.Schema
}

// Side returns the number of the side output with a tag, counted from 1, or 0 when there is none.
func (s *Signature) Side(tag string) int {
	for i, side := range s.Sides {
		if side.Tag == tag {
			return i + 1
		}
	}
	return 0
}

// Bundle is user code that has been loaded and admitted.
type Bundle interface {
	// Digest returns the SHA-256 of the uploaded bytes, in hex.
	Digest() string
	// Functions returns the bundle's functions in its own order.
	Functions() []Signature
	// Instantiate starts a guest. A guest runs on one goroutine at a time. Errors are faults.
	Instantiate(ctx context.Context, opts Options) (Guest, error)
	// Close frees what was loaded; all guests must be closed before.
	Close(ctx context.Context) error
}

// Refuser is a Bundle that knows why something in it that looks like a function is none.
type Refuser interface {
	// Refused returns the reason for a name, "" for none.
	Refused(name string) string
}

// Options of a guest.
type Options struct {
	// MaxMemory is the most linear memory in bytes; 0 means the default of 256 MiB.
	MaxMemory uint64
	// CallTimeout is the most wall time of one call; 0 means the default of 10 s.
	CallTimeout time.Duration
	// Fuel is the most fuel of one call, in units of package wasmhost/admit (about a nanosecond each); 0 means that only
	// CallTimeout bounds it. What a guest spends while it starts is counted, but has no budget.
	Fuel uint64
	// MaxStepRows and MaxStepBytes bound one step of a result; 0 means the defaults, 65,536 rows and 64 MiB.
	MaxStepRows  int
	MaxStepBytes int64
	// Log receives what the guest logs or prints, line by line; nil discards it.
	Log func(level int, line string)
	// Metric receives what the guest adds to its counters; nil discards it. Names are printable text of up to 128 bytes.
	Metric func(name string, value float64)
	// Ask answers what an interpreter asks its host for while it is called; nil: it may not ask. The request is valid until Ask returns,
	// the answer until the next. An error ends the call and breaks the guest.
	Ask func(request []byte) ([]byte, error)
}

// Guest is one instance of a bundle with its own memory.
type Guest interface {
	// Bind prepares the function of that name and kind for an input of the schema given, whose columns are those of the
	// signature's In, in that order and with those types (any, where In is nil). Config is JSON for the function, nil for
	// none. State is nil but for a [KeyedMap], and for a [Process] a [TimedState].
	Bind(ctx context.Context, function string, kind Kind, in *arrow.Schema, config json.RawMessage, state State) (Function, error)
	// Arena returns the allocator whose memory lies inside the guest.
	Arena() Arena
	// Broken reports whether the guest trapped, overran its time or broke the ABI; it must then be closed and replaced.
	Broken() bool
	// Stats returns counters since the guest started.
	Stats() Stats
	// Close frees the guest. Records in its memory must not be touched afterwards.
	Close(ctx context.Context) error
}

// Stats counts a guest's work.
type Stats struct {
	Calls, Rows uint64
	// CopiedBytes counts bytes of column data that had to be copied into the guest because they lay elsewhere.
	CopiedBytes uint64
	// Fuel counts what the guest spent in all. The same calls cost the same in every run.
	Fuel uint64
	// MemoryBytes is the current size of the guest's memory.
	MemoryBytes uint64
}

// Arena is an Arrow allocator over a guest's memory.
type Arena interface {
	memory.Allocator
	// Reserve makes sure that the next allocations of n bytes in all, in pieces rounded up to 64 bytes, will not fail.
	// It may enter the guest. It returns a [fault.Limit] fault when the guest's memory cannot hold them.
	Reserve(n int) error
}

// Function is a function bound to a guest and an input schema.
type Function interface {
	// Out returns the schema of the results.
	Out() *arrow.Schema
	// Call runs the function over a record. Columns whose buffers lie in the guest's arena cross without a copy, others
	// are copied in. Yield is called for each step of the result, at least once on success; what it gets is valid until
	// yield returns, and yield must not enter the same guest except through a Function bound to it, whose results are
	// then nested inside. An error from yield ends the call and is returned as it is.
	//
	// A failing row gives a *[CallError]. The caller owns in; after Call returns, columns of in that lie in the guest's
	// memory may have been changed by a hostile guest and must be checked again with Recheck before they are read.
	Call(ctx context.Context, in arrow.Record, slots []int32, yield func(Result) error) error
	// Recheck checks offsets and validity of the columns of rec that lie in guest memory, so that Arrow may read them.
	Recheck(rec arrow.Record) error
}

// Result is one step of what a function returned, in guest memory.
type Result struct {
	// Record holds the rows: for [Filter] and [Scalar] one column.
	Record arrow.Record
	// Origins holds, for each row, the index of the input row that it came from, never falling; nil means row by row.
	// It is Go memory, valid as long as Record.
	Origins []int32
	// Side is 0 for the function's results, else the number of the side output that the rows go to, counted from 1.
	Side int
	// Last is set on the final step: every input row has been processed.
	Last bool
	// Partial is set when the last input row of this step has more rows to come in the next.
	Partial bool
}

// CallError is a failed call.
type CallError struct {
	// Row is the input row that failed, or -1 when the guest did not say which.
	Row int
	// Err is the fault, with the function as its position.
	Err error
}

func (e *CallError) Error() string { return e.Err.Error() }

// Unwrap returns the fault.
func (e *CallError) Unwrap() error { return e.Err }

// State is what the engine offers a keyed function during a call, by the index of its declaration and the key's slot.
// Calls with an index or slot out of range return a fault; the guest sees an error and its call fails.
type State interface {
	// Get returns the stored bytes, valid until the next call of State, and whether there are any.
	Get(state, slot int32) ([]byte, bool, error)
	// Put stores a copy of value.
	Put(state, slot int32, value []byte) error
	// Delete removes what is stored.
	Delete(state, slot int32) error
}
