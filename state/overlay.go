package state

import (
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/google/btree"
)

// Overlay is what one operator of one task sees of a store: the store's values, with the operator's own writes over them. What
// is written stays here until the epoch's barrier takes it with [Overlay.Barrier]; the store sees it when the epoch is
// committed, and until then reads and scans find it here. Values that were read are kept at hand as long as there is room.
//
// All methods but Committed belong to the task's goroutine. Slices that are returned are valid until the next call.
type Overlay struct {
	store Store
	limit int
	full  func()

	items map[string]*item
	// ordered holds the items of states that are scanned, as long as the store may not have them.
	ordered *btree.BTreeG[*item]
	bytes   int
	dirty   []*item
	written int // bytes of dirty items
	flying  []flight
	aloft   int // bytes of items in flying
	marked  bool
	undo    []undone

	epoch     uint64        // the epoch that is open, counted by Barrier
	committed atomic.Uint64 // the newest epoch that the store holds
	settled   uint64        // the one that settle has dealt with
	left      int           // bytes behind the last eviction

	timers []*Timers // what they change belongs to the epoch
}

// item is a key and what is known of its value.
type item struct {
	key     string
	value   []byte
	changed uint64 // the newest epoch that changed it; 0: read from the store
	present bool
	dirty   bool // changed in the open epoch
	ordered bool // in Overlay.ordered
	once    bool // not worth keeping once the store has it
	shared  bool // value is in the hands of a commit
	dead    bool // rolled back to where nothing was known of it
}

// flight is what an epoch changed that the store may not have yet.
type flight struct {
	epoch uint64
	items []*item
	bytes int
}

type undone struct {
	item    *item
	value   []byte
	present bool
	fresh   bool // nothing was known of it
}

// itemOverhead is about what the map, the tree and the item take beside key and value, in bytes.
const itemOverhead = 160

// NewOverlay returns an overlay of a store whose newest epoch is given. Limit is how many bytes may be kept at hand: what is
// uncommitted always is, and full (nil: nothing) is called when it takes more than half, so that an epoch ends early.
func NewOverlay(store Store, limit int, epoch uint64, full func()) *Overlay {
	o := &Overlay{store: store, limit: limit, full: full, epoch: epoch + 1, settled: epoch, items: make(map[string]*item),
		ordered: btree.NewG(32, func(a, b *item) bool { return a.key < b.key })}
	o.committed.Store(epoch)
	return o
}

func (i *item) size() int { return itemOverhead + len(i.key) + len(i.value) }

// view returns the bytes of a string, which must not be written to.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// text returns a string of bytes that stay as they are while it is used.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Get returns the value of a key, and whether there is one.
func (o *Overlay) Get(key []byte) ([]byte, bool, error) {
	o.settle()
	if i := o.items[text(key)]; i != nil {
		return i.value, i.present, nil
	}
	value, ok, err := o.store.Get(nil, key)
	if err != nil {
		return nil, false, err
	}
	i := &item{key: string(key), value: value, present: ok}
	o.items[i.key] = i
	o.bytes += i.size()
	return value, ok, nil
}

// Look is Get for values that the caller keeps: it does not keep what it reads.
func (o *Overlay) Look(key []byte) ([]byte, bool, error) {
	o.settle()
	if i := o.items[text(key)]; i != nil {
		return i.value, i.present, nil
	}
	return o.store.Get(nil, key)
}

// LookMany is Look for many keys: it calls found for every key that has a value, with the key's index, in no order. Value is valid until
// found returns.
func (o *Overlay) LookMany(keys [][]byte, found func(n int, value []byte) error) error {
	o.settle()
	var missing [][]byte
	var at []int
	for n, key := range keys {
		i := o.items[text(key)]
		switch {
		case i == nil:
			missing, at = append(missing, key), append(at, n)
		case i.present:
			if err := found(n, i.value); err != nil {
				return err
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return o.store.GetMany(missing, func(n int, value []byte) error { return found(at[n], value) })
}

// Hand stores a copy of a value that the caller keeps, or removes it (nil): it is let go of once the store has it.
func (o *Overlay) Hand(key, value []byte) error { return o.set(key, value, value != nil, false, true) }

// Prefetch reads the values of keys that are not at hand, all at once.
func (o *Overlay) Prefetch(keys [][]byte) error {
	o.settle()
	var missing [][]byte
	var items []*item
	for _, key := range keys {
		if o.items[text(key)] == nil {
			i := &item{key: string(key)}
			o.items[i.key] = i
			items, missing = append(items, i), append(missing, view(i.key))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := o.store.GetMany(missing, func(n int, value []byte) error {
		items[n].value, items[n].present = append([]byte(nil), value...), true
		return nil
	})
	for _, i := range items {
		if err != nil {
			delete(o.items, i.key)
		} else {
			o.bytes += i.size()
		}
	}
	return err
}

// Put stores a copy of a value. A value that is too large for a store is refused with a fault of code State.
func (o *Overlay) Put(key, value []byte) error { return o.set(key, value, true, false, false) }

// Delete removes the value of a key.
func (o *Overlay) Delete(key []byte) error { return o.set(key, nil, false, false, false) }

// PutOrdered is Put for keys that Scan is to find.
func (o *Overlay) PutOrdered(key, value []byte) error { return o.set(key, value, true, true, false) }

// DeleteOrdered is Delete for keys that were put with PutOrdered.
func (o *Overlay) DeleteOrdered(key []byte) error { return o.set(key, nil, false, true, false) }

func (o *Overlay) set(key, value []byte, present, ordered, once bool) error {
	o.settle()
	if len(key)+len(value) > MaxEntry {
		if err := (Change{Key: key, Value: value}).Check(); err != nil {
			return err
		}
	}
	i := o.items[text(key)]
	fresh := i == nil
	if fresh {
		i = &item{key: string(key)}
		o.items[i.key] = i
		o.bytes += i.size()
	}
	if o.marked {
		o.undo = append(o.undo, undone{i, i.value, i.present, fresh})
	}
	if ordered && !i.ordered {
		i.ordered = true
		o.ordered.ReplaceOrInsert(i)
	}
	o.change(i, value, present)
	i.once = once
	if !i.dirty {
		i.dirty = true
		o.dirty = append(o.dirty, i)
		o.written += i.size()
	}
	if o.full != nil && o.uncommitted() > o.limit/2 {
		o.full()
	}
	return nil
}

// uncommitted returns the bytes that the open epoch changed.
func (o *Overlay) uncommitted() int {
	n := o.written
	for _, t := range o.timers {
		n += t.written
	}
	return n
}

// change replaces the value of an item, where it is if nobody else has it.
func (o *Overlay) change(i *item, value []byte, present bool) {
	grown := len(value) - len(i.value)
	o.bytes += grown
	if i.dirty {
		o.written += grown
	}
	if i.shared || o.marked || cap(i.value) > 64 && cap(i.value) > 2*len(value) {
		i.value, i.shared = nil, false
	}
	i.value, i.present, i.changed = append(i.value[:0], value...), present, o.epoch
}

// Mark begins a part of the epoch that Rollback can undo; what was written before stands.
func (o *Overlay) Mark() {
	clear(o.undo)
	o.undo, o.marked = o.undo[:0], true
}

// Rollback undoes what was written since Mark. Items stay listed as changed: to write the value that the store has does no harm.
func (o *Overlay) Rollback() {
	for n := len(o.undo) - 1; n >= 0; n-- {
		u := o.undo[n]
		grown := len(u.value) - len(u.item.value)
		o.bytes += grown
		o.written += grown
		// The value may be one that a commit holds: it is not to be written to.
		u.item.value, u.item.present, u.item.shared = u.value, u.present, true
		if u.fresh {
			// What the store has of it is not known here.
			u.item.dead = true
			o.written -= u.item.size()
			o.drop(u.item)
			o.ordered.Delete(u.item)
		}
	}
	o.Mark()
}

// Scan calls each in key order for every key with the prefix from `from` on that was put with PutOrdered, until it returns
// false. What each writes meanwhile may be shown or not.
func (o *Overlay) Scan(prefix, from []byte, each func(key, value []byte) bool) error {
	o.settle()
	start := max(string(prefix), string(from))
	within := string(prefix)
	next := o.first(start, within)
	going := true
	show := func() {
		if next.present {
			going = each(view(next.key), next.value)
		}
		next = o.first(next.key+"\x00", within)
	}
	err := o.store.ScanFrom(prefix, []byte(start), func(key, value []byte) bool {
		for going && next != nil && next.key < text(key) {
			show()
		}
		switch {
		case !going:
		case next != nil && next.key == text(key):
			show()
		default:
			going = each(key, value)
		}
		return going
	})
	for err == nil && going && next != nil {
		show()
	}
	return err
}

// first returns the first ordered item from a key on that has the prefix, or nil.
func (o *Overlay) first(from, prefix string) (found *item) {
	o.ordered.AscendGreaterOrEqual(&item{key: from}, func(i *item) bool {
		if strings.HasPrefix(i.key, prefix) {
			found = i
		}
		return false
	})
	return found
}

// Barrier closes the epoch and returns what it changed. The changes stay as they are whatever is written later.
func (o *Overlay) Barrier(epoch uint64) []Change {
	o.dirty = slices.DeleteFunc(o.dirty, func(i *item) bool { return i.dead })
	changes := make([]Change, len(o.dirty))
	for n, i := range o.dirty {
		changes[n].Key = view(i.key)
		if i.present {
			if i.value == nil {
				i.value = []byte{}
			}
			changes[n].Value, i.shared = i.value, true
		}
		i.dirty, i.changed = false, epoch
	}
	if len(o.dirty) > 0 {
		o.flying = append(o.flying, flight{epoch, o.dirty, o.written})
		o.aloft += o.written
	}
	for _, t := range o.timers {
		changes = t.barrier(epoch, changes)
	}
	clear(o.undo)
	o.dirty, o.undo, o.marked, o.written, o.epoch = nil, o.undo[:0], false, 0, epoch+1
	return changes
}

// Committed says that the store holds the epoch. It may be called from any goroutine.
func (o *Overlay) Committed(epoch uint64) { o.committed.Store(epoch) }

// Newest returns the newest epoch that the store is known to hold.
func (o *Overlay) Newest() uint64 { return o.committed.Load() }

// settle lets go of what a commit has brought into the store, and of what there is no room for.
func (o *Overlay) settle() {
	committed := o.committed.Load()
	if committed == o.settled && (o.bytes <= o.limit || o.bytes <= o.left+o.limit/8) {
		return
	}
	o.settled = committed
	for len(o.flying) > 0 && o.flying[0].epoch <= committed {
		for _, i := range o.flying[0].items {
			if i.changed > committed || i.dirty {
				continue
			}
			if i.ordered {
				i.ordered = false
				o.ordered.Delete(i)
			}
			if i.once {
				o.drop(i)
			}
		}
		o.aloft -= o.flying[0].bytes
		o.flying[0].items = nil
		o.flying = o.flying[1:]
	}
	if o.bytes <= o.limit || o.bytes-o.written-o.aloft < o.limit/8 { // next to nothing to let go of
		o.left = o.bytes
		return
	}
	for _, i := range o.items {
		if o.bytes <= o.limit*3/4 {
			break
		}
		if i.changed <= committed && !i.dirty {
			o.drop(i)
		}
	}
	o.left = o.bytes
}

func (o *Overlay) drop(i *item) {
	if o.items[i.key] == i {
		delete(o.items, i.key)
		o.bytes -= i.size()
	}
}

// Len returns how many keys are at hand, and Bytes about what they take.
func (o *Overlay) Len() int { return len(o.items) }

// Bytes returns about how much memory the overlay takes, its timers included.
func (o *Overlay) Bytes() int {
	n := o.bytes
	for _, t := range o.timers {
		n += t.bytes
	}
	return n
}
