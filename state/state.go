// Package state holds the contract of the store that a job keeps its keyed state in, and the layout of its keys.
package state

import (
	"context"
	"encoding/json"
)

// Store keeps the keyed state of one job on one worker. Reads may run concurrently with each other and with Commit;
// commits come one at a time, with rising epochs.
type Store interface {
	// Get returns a copy of the value, appended to dst, and whether there is one.
	Get(dst, key []byte) ([]byte, bool, error)
	// GetMany calls found for every key that has a value, with the key's index. Value is valid until found returns.
	GetMany(keys [][]byte, found func(i int, value []byte) error) error
	// Scan calls each in key order for every key with the prefix, until it returns false. Key and value are valid until
	// each returns.
	Scan(prefix []byte, each func(key, value []byte) bool) error
	// ScanFrom is Scan for the keys from `from` on, which need not have the prefix.
	ScanFrom(prefix, from []byte, each func(key, value []byte) bool) error
	// Commit applies an epoch: all of its changes and its marker, or after a crash none of them. It returns when they are durable.
	Commit(ctx context.Context, c Commit) error
	// Last returns the marker of the last epoch committed, and false in a new store.
	Last() (Marker, bool, error)
	// Declare notes the types of an operator's state at the start of a job, and returns a fault of code State when a
	// state of that name is stored under another type.
	Declare(operator string, types map[string]string) error
	// Size returns the approximate bytes on disk.
	Size() int64
	Close() error
}

// Commit is what one epoch changed.
type Commit struct {
	Marker
	// Changes holds each key at most once, in any order.
	Changes []Change
}

// Marker names an epoch and holds what the job needs to go on behind it.
type Marker struct {
	Epoch uint64
	// Positions holds the positions of sources and sinks behind the epoch, by "<node>/<split>"; opaque to the store.
	Positions map[string]json.RawMessage
}

// Change puts a value, or deletes the key when Value is nil. An empty value is not nil.
type Change struct {
	Key, Value []byte
}
