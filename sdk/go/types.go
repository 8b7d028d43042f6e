package wasmill

import (
	"reflect"
	"unsafe"
)

// Null is a value or null, for columns with nulls where a pointer would be one allocation more.
type Null[T any] struct {
	Value T
	Valid bool
}

// Some returns a value that is not null.
func Some[T any](v T) Null[T] { return Null[T]{v, true} }

// Column stands for a column that a function does not look into: see the package's table of types.
type Column struct{}

// Decimal128 is the unscaled value of a decimal128(P, S): High·2⁶⁴ + Low, which stands for that divided by 10ˢ.
type Decimal128 struct {
	Low  uint64
	High int64
}

// Keyed, embedded in the state of a [KeyedMap], tells whether there was any state, and deletes it.
type Keyed struct {
	New    bool // nothing was stored for this key before this row
	Remove bool // set by the function: forget everything stored for this key
}

// nullable is how reflection knows a Null.
type nullable interface {
	layout() (value reflect.Type, valid uintptr)
}

func (n Null[T]) layout() (reflect.Type, uintptr) {
	return reflect.TypeFor[T](), unsafe.Offsetof(n.Valid)
}
