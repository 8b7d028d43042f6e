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
//
// With many keys its time goes into cache misses, so all states of a key lie together behind one look-up, and values
// are changed where they are.
type KeyedState struct {
	store    state.Store
	operator string
	states   []udf.StateDecl
	limit    int
	// full is called when writes of the open epoch take up more than half of the limit: a commit would let go of them.
	full func()

	entries map[string]*entry // by key
	bytes   int
	dirty   []place
	written int      // bytes of dirty keys and values
	slots   []*entry // of the keys of the call
	undo    []undo
	before  []byte // the values that undo is about

	epoch     uint64        // the epoch that is open, counted by Barrier
	committed atomic.Uint64 // the newest epoch that the store holds
	swept     uint64        // the epoch of the last eviction
	left      int           // bytes behind it
}

// entry is all that is kept of one key.
type entry struct {
	key       string
	partition uint16
	cells     []cell // by state
	changed   uint64 // the newest epoch that changed it
}

// cell is the value of one state of one key.
type cell struct {
	value   []byte // owned, and changed in place
	present bool
	dirty   bool
}

// place is where a cell is.
type place struct {
	entry *entry
	state int32
}

// undo is a cell's value before a write: n bytes of before, or none.
type undo struct {
	place
	present bool
	n       int
}

// NewKeyedState returns the state of an operator, over a store whose newest epoch is given. Limit is in bytes.
func NewKeyedState(store state.Store, operator string, states []udf.StateDecl, limit int, epoch uint64, full func()) *KeyedState {
	k := &KeyedState{store: store, operator: operator, states: states, limit: limit, full: full, epoch: epoch + 1,
		entries: make(map[string]*entry)}
	k.committed.Store(epoch)
	return k
}

// What Go's map, the entry and a cell take, in bytes.
const (
	entryOverhead = 144
	cellOverhead  = 32
)

func (k *KeyedState) size(e *entry) int {
	size := entryOverhead + len(e.key) + cellOverhead*len(e.cells)
	for i := range e.cells {
		size += len(e.cells[i].value)
	}
	return size
}

// Begin makes the states of the keys ready for a call: one read of the store for all that are not in the cache.
func (k *KeyedState) Begin(keys *stream.Keys) error {
	k.undo, k.before = k.undo[:0], k.before[:0]
	// Looking through all entries for few to let go of is put off until there is hope for more.
	if committed := k.committed.Load(); k.bytes > k.limit && (committed != k.swept || k.bytes > k.left+k.limit/8) {
		k.evict(committed)
		k.swept, k.left = committed, k.bytes
	}
	k.slots = k.slots[:0]
	var missing []*entry
	for i, key := range keys.Distinct {
		e, ok := k.entries[string(key)]
		if !ok {
			e = &entry{key: string(key), partition: keys.Partitions[i], cells: make([]cell, len(k.states))}
			missing = append(missing, e)
		}
		k.slots = append(k.slots, e)
	}
	if len(missing) == 0 {
		return nil
	}
	if err := k.load(missing); err != nil {
		k.slots = k.slots[:0]
		return err
	}
	for _, e := range missing {
		k.entries[e.key] = e
		k.bytes += k.size(e)
	}
	return nil
}

// load reads the values of keys that are not in the cache.
func (k *KeyedState) load(missing []*entry) error {
	if len(k.states) == 0 {
		return nil
	}
	keys := make([][]byte, 0, len(missing)*len(k.states))
	var all []byte // in one piece; when it grows, earlier keys stay in the array that was
	for _, e := range missing {
		for s := range k.states {
			at := len(all)
			all = k.appendKey(all, place{e, int32(s)})
			keys = append(keys, all[at:len(all):len(all)])
		}
	}
	return k.store.GetMany(keys, func(i int, value []byte) error {
		c := &missing[i/len(k.states)].cells[i%len(k.states)]
		c.value, c.present = append([]byte(nil), value...), true
		return nil
	})
}

// appendKey appends the key under which the store has a cell.
func (k *KeyedState) appendKey(dst []byte, p place) []byte {
	return state.AppendKey(dst, p.entry.partition, k.operator, k.states[p.state].Name, []byte(p.entry.key), nil)
}

func (k *KeyedState) entry(s, slot int32) (*entry, error) {
	if s < 0 || int(s) >= len(k.states) {
		return nil, fault.New(fault.Guest, "state %d was asked for, the function declares %d", s, len(k.states))
	}
	if slot < 0 || int(slot) >= len(k.slots) {
		return nil, fault.New(fault.Guest, "key slot %d was asked for, the batch has %d", slot, len(k.slots))
	}
	return k.slots[slot], nil
}

// Get implements [udf.State].
func (k *KeyedState) Get(s, slot int32) ([]byte, bool, error) {
	e, err := k.entry(s, slot)
	if err != nil {
		return nil, false, err
	}
	c := &e.cells[s]
	return c.value, c.present, nil
}

// Put implements [udf.State].
func (k *KeyedState) Put(s, slot int32, value []byte) error {
	if len(value) > maxValue && s >= 0 && int(s) < len(k.states) {
		return fault.New(fault.Limit, "a value of %d bytes for state `%s`, the most is %d", len(value), k.states[s].Name, maxValue)
	}
	return k.set(s, slot, value, true)
}

// Delete implements [udf.State].
func (k *KeyedState) Delete(s, slot int32) error { return k.set(s, slot, nil, false) }

func (k *KeyedState) set(s, slot int32, value []byte, present bool) error {
	e, err := k.entry(s, slot)
	if err != nil {
		return err
	}
	if err := k.fits(e, s, value); err != nil {
		return err
	}
	c := &e.cells[s]
	k.undo = append(k.undo, undo{place{e, s}, c.present, len(c.value)})
	k.before = append(k.before, c.value...)
	k.bytes += len(value) - len(c.value)
	e.changed = k.epoch
	if c.dirty {
		k.written += len(value) - len(c.value)
	} else {
		c.dirty = true
		k.dirty = append(k.dirty, place{e, s})
		k.written += len(e.key) + len(value)
	}
	c.put(value, present)
	if k.written > k.limit/2 && k.full != nil {
		k.full()
	}
	return nil
}

// fits refuses at once what the store would refuse at the commit, when it is too late to set the row aside.
func (k *KeyedState) fits(e *entry, s int32, value []byte) error {
	if len(value)+2*(len(e.key)+len(k.operator)+len(k.states[s].Name))+keyOverhead <= state.MaxEntry {
		return nil
	}
	key := len(k.appendKey(nil, place{e, s}))
	if key+len(value) <= state.MaxEntry {
		return nil
	}
	return fault.New(fault.Limit, "a value of %d bytes and its key of %d bytes for state `%s`, together at most %d can be stored", len(value),
		key, k.states[s].Name, state.MaxEntry).WithHint("spread what is kept over several keys or states")
}

// keyOverhead is the most that a stored key takes beside twice its parts, in bytes.
const keyOverhead = 16

// put takes a copy of value, in the memory of the one before where that is not much too large.
func (c *cell) put(value []byte, present bool) {
	if cap(c.value) > 64 && cap(c.value) > 2*len(value) {
		c.value = nil
	}
	c.value, c.present = append(c.value[:0], value...), present
}

// Rollback undoes what was written since Begin. Cells stay listed as dirty: writing the value that the store has does
// no harm, and taking them off the list would cost a search.
func (k *KeyedState) Rollback() {
	for i := len(k.undo) - 1; i >= 0; i-- {
		u := k.undo[i]
		c := &u.entry.cells[u.state]
		at := len(k.before) - u.n
		k.bytes += u.n - len(c.value)
		k.written += u.n - len(c.value)
		c.put(k.before[at:], u.present)
		k.before = k.before[:at]
	}
	k.undo = k.undo[:0]
}

// Barrier closes the epoch and returns what it changed, in memory of its own.
func (k *KeyedState) Barrier(epoch uint64) []state.Change {
	changes := make([]state.Change, len(k.dirty))
	// In pieces: one block for all would have to be moved when it grows, and is let go of as one.
	const piece = 64 << 10
	var block []byte
	for i, p := range k.dirty {
		c := &p.entry.cells[p.state]
		if cap(block)-len(block) < len(c.value)+len(p.entry.key)+piece/64 {
			block = make([]byte, 0, max(piece, 2*(len(c.value)+len(p.entry.key))))
		}
		at := len(block)
		block = k.appendKey(block, p)
		changes[i].Key = block[at:len(block):len(block)]
		if c.present {
			at = len(block)
			block = append(block, c.value...)
			changes[i].Value = block[at:len(block):len(block)]
		}
		c.dirty, p.entry.changed = false, epoch
	}
	clear(k.dirty)
	k.dirty, k.written, k.epoch = k.dirty[:0], 0, epoch+1
	return changes
}

// Committed says that the store holds the epoch. It may be called from any goroutine.
func (k *KeyedState) Committed(epoch uint64) { k.committed.Store(epoch) }

// evict lets go of entries that the store has at an epoch, until a quarter of the limit is free.
func (k *KeyedState) evict(committed uint64) {
	for key, e := range k.entries {
		if k.bytes <= k.limit*3/4 {
			return
		}
		if e.changed <= committed {
			delete(k.entries, key)
			k.bytes -= k.size(e)
		}
	}
}
