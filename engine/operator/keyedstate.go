package operator

import (
	"sync/atomic"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
)

// maxValue is the largest value that a function may store.
const maxValue = 1 << 20

// DefaultStateCache is how many bytes of keys and values a keyed operator keeps at hand.
const DefaultStateCache = 64 << 20

// KeyedState is a write-back cache over a store, for one keyed operator of one task. What functions write stays here until the
// epoch's barrier takes it with Barrier; the store sees it when the epoch is committed.
//
// A call's writes are undone with Rollback, as long as Begin has not been called again.
type KeyedState struct {
	store    state.Store
	operator string
	states   []udf.StateDecl
	limit    int
	// full is called when writes of the open epoch take up more than half of the limit: a commit would let go of them.
	full func()

	entries map[string]*entry
	bytes   int
	dirty   []*entry
	written int // bytes of dirty values
	slots   [][]*entry
	undo    []undo

	epoch     uint64        // the epoch that is open, counted by Barrier
	committed atomic.Uint64 // the newest epoch that the store holds
}

// entry is the value of one state of one key. The bytes of a value are never changed in place: a commit may be reading them.
type entry struct {
	key     []byte
	value   []byte // nil when absent
	dirty   bool
	changed uint64 // the newest epoch that changed it
}

type undo struct {
	entry *entry
	value []byte
}

// NewKeyedState returns the state of an operator, over a store whose newest epoch is given. Limit is in bytes.
func NewKeyedState(store state.Store, operator string, states []udf.StateDecl, limit int, epoch uint64, full func()) *KeyedState {
	k := &KeyedState{store: store, operator: operator, states: states, limit: limit, full: full, epoch: epoch + 1,
		entries: make(map[string]*entry), slots: make([][]*entry, len(states))}
	k.committed.Store(epoch)
	return k
}

const entryOverhead = 160 // of Go's map, the entry and its slices, in bytes

// Begin makes the states of the keys ready for a call: one read of the store for all that are not in the cache.
func (k *KeyedState) Begin(keys *stream.Keys) error {
	k.undo = k.undo[:0]
	if k.bytes > k.limit {
		k.evict()
	}
	var missing []*entry
	var missingKeys [][]byte
	var scratch []byte
	for s, decl := range k.states {
		k.slots[s] = k.slots[s][:0]
		for i, key := range keys.Distinct {
			scratch = state.AppendKey(scratch[:0], keys.Partitions[i], k.operator, decl.Name, key, nil)
			e, ok := k.entries[string(scratch)]
			if !ok {
				e = &entry{key: append([]byte(nil), scratch...)}
				k.entries[string(e.key)] = e
				k.bytes += 2*len(e.key) + entryOverhead
				missing = append(missing, e)
				missingKeys = append(missingKeys, e.key)
			}
			k.slots[s] = append(k.slots[s], e)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := k.store.GetMany(missingKeys, func(i int, value []byte) error {
		missing[i].value = append([]byte{}, value...)
		k.bytes += len(value)
		return nil
	})
	if err != nil {
		for _, e := range missing { // not known to be absent
			delete(k.entries, string(e.key))
		}
	}
	return err
}

func (k *KeyedState) entry(s, slot int32) (*entry, error) {
	if s < 0 || int(s) >= len(k.slots) {
		return nil, fault.New(fault.Guest, "state %d was asked for, the function declares %d", s, len(k.slots))
	}
	if slot < 0 || int(slot) >= len(k.slots[s]) {
		return nil, fault.New(fault.Guest, "key slot %d was asked for, the batch has %d", slot, len(k.slots[s]))
	}
	return k.slots[s][slot], nil
}

// Get implements [udf.State].
func (k *KeyedState) Get(s, slot int32) ([]byte, bool, error) {
	e, err := k.entry(s, slot)
	if err != nil {
		return nil, false, err
	}
	return e.value, e.value != nil, nil
}

// Put implements [udf.State].
func (k *KeyedState) Put(s, slot int32, value []byte) error {
	if len(value) > maxValue {
		return fault.New(fault.Limit, "a value of %d bytes for state `%s`, the most is %d", len(value), k.states[s].Name, maxValue)
	}
	return k.set(s, slot, append(make([]byte, 0, len(value)), value...))
}

// Delete implements [udf.State].
func (k *KeyedState) Delete(s, slot int32) error { return k.set(s, slot, nil) }

func (k *KeyedState) set(s, slot int32, value []byte) error {
	e, err := k.entry(s, slot)
	if err != nil {
		return err
	}
	k.undo = append(k.undo, undo{e, e.value})
	k.bytes += len(value) - len(e.value)
	k.written += len(value)
	e.value, e.changed = value, k.epoch
	if !e.dirty {
		e.dirty = true
		k.dirty = append(k.dirty, e)
		k.written += len(e.key)
	}
	if k.written > k.limit/2 && k.full != nil {
		k.full()
	}
	return nil
}

// Rollback undoes what was written since Begin. Entries stay listed as dirty: writing the value that the store has does
// no harm, and taking them off the list would cost a search.
func (k *KeyedState) Rollback() {
	for i := len(k.undo) - 1; i >= 0; i-- {
		u := k.undo[i]
		k.bytes += len(u.value) - len(u.entry.value)
		u.entry.value = u.value
	}
	k.undo = k.undo[:0]
}

// Barrier closes the epoch and returns what it changed. The changes share memory with the cache and are not to be modified.
func (k *KeyedState) Barrier(epoch uint64) []state.Change {
	changes := make([]state.Change, len(k.dirty))
	for i, e := range k.dirty {
		changes[i] = state.Change{Key: e.key, Value: e.value}
		e.dirty, e.changed = false, epoch
	}
	clear(k.dirty)
	k.dirty, k.written, k.epoch = k.dirty[:0], 0, epoch+1
	return changes
}

// Committed says that the store holds the epoch. It may be called from any goroutine.
func (k *KeyedState) Committed(epoch uint64) { k.committed.Store(epoch) }

// evict lets go of entries that the store has, until a quarter of the limit is free.
func (k *KeyedState) evict() {
	committed := k.committed.Load()
	for name, e := range k.entries {
		if k.bytes <= k.limit*3/4 {
			return
		}
		if !e.dirty && e.changed <= committed {
			delete(k.entries, name)
			k.bytes -= 2*len(e.key) + len(e.value) + entryOverhead
		}
	}
}
