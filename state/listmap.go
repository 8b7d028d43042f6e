package state

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/wasmill/wasmill/engine/fault"
)

// Map keeps entries under keys of their own, which are read one by one, and shown in the order of their bytes.
type Map struct {
	place
	prefix []byte
}

// NewMap returns the entries of a state.
func NewMap(o *Overlay, operator string, d Decl, now Clock) *Map {
	return &Map{place: newPlace(o, operator, d, now)}
}

// entry returns the key of an entry, until the next call: the namespace's length and itself stand before the entry's own key.
func (m *Map) entry(at At, key []byte) []byte {
	m.key = m.start(m.key[:0], at)
	m.key = append(m.key, key...)
	return m.key
}

func (m *Map) start(dst []byte, at At) []byte {
	dst = AppendKeyPrefix(dst, at.Partition, m.operator, m.name, at.Key)
	dst = binary.AppendUvarint(dst, uint64(len(at.Namespace)))
	return append(dst, at.Namespace...)
}

// Get returns the value of an entry, until the next call of the overlay, and whether there is one.
func (m *Map) Get(at At, key []byte) ([]byte, bool, error) { return m.read(m.entry(at, key)) }

// Put stores a copy of a value.
func (m *Map) Put(at At, key, value []byte) error {
	return m.o.PutOrdered(m.entry(at, key), m.wrap(value))
}

// Remove removes an entry.
func (m *Map) Remove(at At, key []byte) error { return m.o.DeleteOrdered(m.entry(at, key)) }

// pageEntries is how many entries of a map are read before the first of them is shown.
const pageEntries = 256

// Each shows the entries in the order of their keys' bytes, until each returns false. Each may change the map: entries that it
// removes are not shown, and those that it adds behind the one shown may be.
func (m *Map) Each(at At, each func(key, value []byte) bool) error { return m.EachFrom(at, nil, each) }

// EachFrom is Each for the entries whose keys are not before `first`.
func (m *Map) EachFrom(at At, first []byte, each func(key, value []byte) bool) error {
	m.prefix = m.start(m.prefix[:0], at)
	prefix := slices.Clone(m.prefix)
	from := append(slices.Clip(prefix), first...)
	for {
		var keys [][]byte
		err := m.o.Scan(prefix, from, func(key, _ []byte) bool {
			keys = append(keys, slices.Clone(key))
			return len(keys) < pageEntries
		})
		if err != nil {
			return err
		}
		for _, key := range keys {
			value, ok, err := m.read(key)
			if err != nil {
				return err
			}
			if ok && !each(key[len(prefix):], value) {
				return nil
			}
		}
		if len(keys) < pageEntries {
			return nil
		}
		from = append(keys[len(keys)-1], 0)
	}
}

// Empty reports whether there are no entries.
func (m *Map) Empty(at At) (bool, error) {
	empty := true
	err := m.Each(at, func([]byte, []byte) bool {
		empty = false
		return false
	})
	return empty, err
}

// Clear removes all entries.
func (m *Map) Clear(at At) error { return clearPrefix(m.o, m.start(nil, at)) }

// clearPrefix removes all keys with a prefix that Scan finds.
func clearPrefix(o *Overlay, prefix []byte) error {
	var keys [][]byte
	if err := o.Scan(prefix, nil, func(key, _ []byte) bool {
		keys = append(keys, slices.Clone(key))
		return true
	}); err != nil {
		return err
	}
	for _, key := range keys {
		if err := o.DeleteOrdered(key); err != nil {
			return err
		}
	}
	return nil
}

// List keeps values in the order in which they were added. They lie in chunks, so that adding to a long list writes little.
type List struct{ place }

// NewList returns the lists of a state.
func NewList(o *Overlay, operator string, d Decl, now Clock) *List {
	return &List{newPlace(o, operator, d, now)}
}

// chunkBytes is from which size on a list goes on in another chunk.
const chunkBytes = 16 << 10

// chunk returns the key of a chunk. The first holds the number of the last one before its elements.
func (l *List) chunk(at At, n uint32) []byte {
	l.key = AppendKey(l.key[:0], at.Partition, l.operator, l.name, at.Key, nil)
	l.key = binary.AppendUvarint(l.key, uint64(len(at.Namespace)))
	l.key = append(l.key, at.Namespace...)
	l.key = binary.BigEndian.AppendUint32(l.key, n)
	return l.key
}

// read returns a chunk's elements, and of the first one the number of the last.
func (l *List) readChunk(at At, n uint32) (elements []byte, last uint32, ok bool, err error) {
	stored, ok, err := l.o.Get(l.chunk(at, n))
	if err != nil || !ok || n > 0 {
		return stored, 0, ok, err
	}
	if len(stored) < 4 {
		return nil, 0, false, l.broken()
	}
	return stored[4:], binary.BigEndian.Uint32(stored), true, nil
}

func (l *List) broken() error {
	return fault.New(fault.State, "a list is not as it was written").At("operator %s, state %s", l.operator, l.name)
}

func (l *List) writeChunk(at At, n, last uint32, elements []byte) error {
	if n == 0 {
		elements = append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(elements)), last), elements...)
	}
	return l.o.PutOrdered(l.chunk(at, n), elements)
}

// Add adds copies of values at the end.
func (l *List) Add(at At, values ...[]byte) error { return l.add(at, values, l.wrap) }

// add adds values as wrap stores them.
func (l *List) add(at At, values [][]byte, wrap func([]byte) []byte) error {
	first, last, _, err := l.readChunk(at, 0)
	if err != nil {
		return err
	}
	first = slices.Clone(first)
	n, elements := uint32(0), first
	if last > 0 {
		if elements, _, _, err = l.readChunk(at, last); err != nil {
			return err
		}
		n, elements = last, slices.Clone(elements)
	}
	for _, v := range values {
		v = wrap(v)
		if len(elements) > 0 && len(elements)+len(v) > chunkBytes {
			if n > 0 {
				err = l.writeChunk(at, n, 0, elements)
			} else {
				first = elements
			}
			if err != nil {
				return err
			}
			n, elements = n+1, nil
		}
		elements = append(binary.AppendUvarint(elements, uint64(len(v))), v...)
	}
	switch {
	case n == 0:
		return l.writeChunk(at, 0, 0, elements)
	case n != last:
		if err := l.writeChunk(at, 0, n, first); err != nil {
			return err
		}
	}
	return l.writeChunk(at, n, 0, elements)
}

// MaxListBytes is the most that the values of a list may take when it is read, each with its slice's header.
const MaxListBytes = 64 << 20

const sliceHeader = 24

// Get returns copies of the values, none where nothing was added. A list that takes more than [MaxListBytes] gives a fault of code Limit.
func (l *List) Get(at At) ([][]byte, error) {
	var values, live [][]byte
	taken := 0
	expired, renewed := false, false
	for n, last := uint32(0), uint32(0); n <= last; n++ {
		elements, end, ok, err := l.readChunk(at, n)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			if !ok {
				return nil, nil
			}
			last = end
		}
		elements = bytes.Clone(elements)
		for len(elements) > 0 {
			size, w := binary.Uvarint(elements)
			if w <= 0 || size > uint64(len(elements)-w) {
				return nil, l.broken()
			}
			v, old, renew, err := l.unwrap(elements[w : w+int(size)])
			if err != nil {
				return nil, err
			}
			elements = elements[w+int(size):]
			if taken += sliceHeader + len(v); taken > MaxListBytes {
				return nil, fault.New(fault.Limit, "the values of a list take more than %d bytes", MaxListBytes).
					At("operator %s, state %s", l.operator, l.name).WithHint("spread what is kept over several keys, or keep a map")
			}
			expired, renewed = expired || old, renewed || renew
			if !old {
				live = append(live, v)
			}
			if !old || l.returns() {
				values = append(values, v)
			}
		}
	}
	var err error
	switch {
	case expired && len(live) == 0:
		err = l.Clear(at)
	case renewed:
		err = l.Set(at, live...)
	}
	return values, err
}

// Set replaces all values; without any the list is as if nothing had been added.
func (l *List) Set(at At, values ...[]byte) error {
	if err := l.Clear(at); err != nil || len(values) == 0 {
		return err
	}
	return l.Add(at, values...)
}

// Clear removes all values.
func (l *List) Clear(at At) error {
	_, last, ok, err := l.readChunk(at, 0)
	if err != nil || !ok {
		return err
	}
	for n := uint32(0); n <= last; n++ {
		if err := l.o.DeleteOrdered(l.chunk(at, n)); err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes the values of lists in a partition that have expired. It looks for lists among up to n chunks.
func (l *List) Sweep(partition uint16, from []byte, n int) (next []byte, err error) {
	if l.ttl == nil {
		return nil, nil
	}
	var places []At
	prefix := AppendStatePrefix(nil, partition, l.operator, l.name)
	err = l.o.Scan(prefix, from, func(key, _ []byte) bool {
		if n--; n < 0 {
			next = slices.Clone(key)
			return false
		}
		k, bad := ParseKey(key)
		size, w := binary.Uvarint(k.Namespace)
		if bad == nil && w > 0 && uint64(len(k.Namespace)-w) == size+4 && binary.BigEndian.Uint32(k.Namespace[len(k.Namespace)-4:]) == 0 {
			places = append(places, At{partition, k.Key, slices.Clone(k.Namespace[w : w+int(size)])})
		}
		return true
	})
	for _, at := range places {
		if err != nil {
			return nil, err
		}
		err = l.expire(at)
	}
	return next, err
}

// expire removes those values of a list that have expired. The others keep their times.
func (l *List) expire(at At) error {
	var live [][]byte
	expired := false
	for n, last := uint32(0), uint32(0); n <= last; n++ {
		elements, end, ok, err := l.readChunk(at, n)
		if err != nil || n == 0 && !ok {
			return err
		}
		if n == 0 {
			last = end
		}
		for elements = bytes.Clone(elements); len(elements) > 0; {
			size, w := binary.Uvarint(elements)
			if w <= 0 || size > uint64(len(elements)-w) {
				return l.broken()
			}
			stored := elements[w : w+int(size)]
			_, old, _, err := l.unwrap(stored)
			if err != nil {
				return err
			}
			if expired = expired || old; !old {
				live = append(live, stored)
			}
			elements = elements[w+int(size):]
		}
	}
	if !expired {
		return nil
	}
	if err := l.Clear(at); err != nil || len(live) == 0 {
		return err
	}
	return l.add(at, live, func(stored []byte) []byte { return stored })
}
