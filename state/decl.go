package state

import (
	"fmt"
	"time"
)

// Kind tells how a state is used.
type Kind string

// The kinds of state, which are PyFlink's.
const (
	KindValue       Kind = "value"
	KindList        Kind = "list"
	KindMap         Kind = "map"
	KindReducing    Kind = "reducing"
	KindAggregating Kind = "aggregating"
	KindBroadcast   Kind = "broadcast"
)

// Decl declares a state of an operator.
type Decl struct {
	// Name is unique in the operator; what is stored is found by it.
	Name string
	Kind Kind
	// Type names the layout of the values, such as "int64" or "map<utf8, int64>". What is stored under another is refused.
	Type string
	// TTL is when values expire; nil: never.
	TTL *TTL
}

// StoredType is what [Store.Declare] notes of a state: all that its bytes depend on.
func (d Decl) StoredType() string {
	t := d.Type
	if d.Kind != KindValue && d.Kind != "" {
		t = fmt.Sprintf("%s<%s>", d.Kind, t)
	}
	if d.TTL != nil {
		t += " with time"
	}
	return t
}

// TTL says how long a value lives behind its last use, in processing time. A value in a list or a map lives for itself.
type TTL struct {
	After  time.Duration
	Update TTLUpdate
	// Visible says what is seen of a value that has expired and is not cleaned up yet.
	Visible TTLVisibility
}

// TTLUpdate says which uses prolong a value's life. The names are PyFlink's.
type TTLUpdate string

// The update types.
const (
	OnCreateAndWrite TTLUpdate = "OnCreateAndWrite"
	OnReadAndWrite   TTLUpdate = "OnReadAndWrite"
)

// TTLVisibility says whether an expired value may be seen. The names are PyFlink's.
type TTLVisibility string

// The visibilities.
const (
	NeverReturnExpired          TTLVisibility = "NeverReturnExpired"
	ReturnExpiredIfNotCleanedUp TTLVisibility = "ReturnExpiredIfNotCleanedUp"
)
