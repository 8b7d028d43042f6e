package udf

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow"
)

// Process is a [FlatMap] with state and timers per key, which sees event times: its functions are of type [TimedFunction], and
// its state of type [TimedState].
const Process Kind = "process"

// Keyed reports whether functions of a kind keep state by the key of their rows.
func (k Kind) Keyed() bool { return k == KeyedMap || k == Process }

// Domain is the time that a timer is about.
type Domain int8

// The domains.
const (
	EventTime      Domain = 0
	ProcessingTime Domain = 1
)

// Timer is a timer that fires, for the key of a slot.
type Timer struct {
	Slot int32
	// Time is in milliseconds since 1970 UTC.
	Time   int64
	Domain Domain
}

// TimedFunction is a function of kind [Process].
type TimedFunction interface {
	Function
	// CallAt is Call with the event times of the rows in milliseconds since 1970 UTC, [math.MinInt64] for none; nil: no row
	// has one.
	CallAt(ctx context.Context, in arrow.Record, slots []int32, times []int64, yield func(Result) error) error
	// Timers fires timers in their order, as Call runs the function over rows: origins and failed rows are indices of timers.
	// Slots are numbered from 0 in the order in which they first occur.
	Timers(ctx context.Context, timers []Timer, yield func(Result) error) error
}

// TimedState is what the engine offers a [Process] during a call. Get and Put are for values, Delete is for states of all kinds: it
// removes all that a list or a map holds. What is read is as the call's own writes have left it.
type TimedState interface {
	State
	// Add appends a copy of a value to a list, and List returns copies of its values in the order in which they were added.
	Add(state, slot int32, value []byte) error
	List(state, slot int32) ([][]byte, error)
	// MapGet returns the value of an entry of a map, valid until the next call, and whether there is one. MapPut stores a copy of one.
	MapGet(state, slot int32, key []byte) ([]byte, bool, error)
	MapPut(state, slot int32, key, value []byte) error
	MapRemove(state, slot int32, key []byte) error
	// MapFrom shows the entries of a map whose keys are not before `from`, in the order of their bytes, until each returns false.
	// What it shows is valid until each returns, which must not use the state.
	MapFrom(state, slot int32, from []byte, each func(key, value []byte) bool) error
	// SetTimer makes sure that the key of a slot has a timer. A time that is over already fires as soon as can be.
	SetTimer(slot int32, domain Domain, time int64) error
	// DeleteTimer removes a timer, if there is one.
	DeleteTimer(slot int32, domain Domain, time int64) error
	// Watermark returns the event time that the function's input has come to, and Now processing time, in milliseconds since
	// 1970 UTC. Before the first watermark it is [math.MinInt64].
	Watermark() int64
	Now() int64
}
