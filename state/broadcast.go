package state

import (
	"slices"

	"github.com/google/btree"
)

// Broadcast is a map that every task of an operator has whole, because all get the same elements. One of them, the first,
// writes what is stored; it lies in partition 0.
type Broadcast struct {
	o       *Overlay
	prefix  []byte
	writes  bool
	entries *btree.BTreeG[pair]
}

type pair struct{ key, value string }

// NewBroadcast reads what is stored of a state. Writes says that this task is the one that stores changes.
func NewBroadcast(o *Overlay, operator string, d Decl, writes bool) (*Broadcast, error) {
	b := &Broadcast{o: o, writes: writes, prefix: AppendKeyPrefix(nil, 0, operator, d.Name, nil),
		entries: btree.NewG(16, func(a, b pair) bool { return a.key < b.key })}
	err := o.Scan(b.prefix, nil, func(key, value []byte) bool {
		b.entries.ReplaceOrInsert(pair{string(key[len(b.prefix):]), string(value)})
		return true
	})
	return b, err
}

// Get returns the value of an entry, and whether there is one.
func (b *Broadcast) Get(key []byte) ([]byte, bool) {
	p, ok := b.entries.Get(pair{key: text(key)})
	return []byte(p.value), ok
}

// Put stores a copy of a value.
func (b *Broadcast) Put(key, value []byte) error {
	b.entries.ReplaceOrInsert(pair{string(key), string(value)})
	if !b.writes {
		return nil
	}
	return b.o.PutOrdered(append(slices.Clip(b.prefix), key...), value)
}

// Remove removes an entry.
func (b *Broadcast) Remove(key []byte) error {
	b.entries.Delete(pair{key: text(key)})
	if !b.writes {
		return nil
	}
	return b.o.DeleteOrdered(append(slices.Clip(b.prefix), key...))
}

// Each shows the entries in the order of their keys' bytes, until each returns false. It must not change the map.
func (b *Broadcast) Each(each func(key, value []byte) bool) {
	b.entries.Ascend(func(p pair) bool { return each([]byte(p.key), []byte(p.value)) })
}

// Len returns the number of entries.
func (b *Broadcast) Len() int { return b.entries.Len() }
