package wasmill

import (
	"encoding/binary"
	"iter"
	"reflect"
	"unsafe"
)

// stateField is how a state is described.
type stateField struct{ name, kind, text, ttl string }

// handle is a state of a process function: what there is of it belongs to the key of the row or timer at hand.
type handle struct {
	f     *function
	index int
	name  string
}

func (h *handle) declare(f *function, name, kind, text, ttl string) {
	h.f, h.index, h.name = f, len(f.states), name
	f.states = append(f.states, stateField{name, kind, text, ttl})
}

func (h *handle) slot() int32 { return h.f.slots[h.f.at] }

// Clear removes all that is stored.
func (h *handle) Clear() { stateDelete(h.index, h.slot()) }

// refuse ends the row with what is wrong.
func (h *handle) refuse(what string) { panic(refusal{failure("state " + h.name + ": " + what)}) }

// stored moves values of a type between Go and what the host stores.
type stored[T any] struct {
	codec   *codec
	scratch *output
}

func (s *stored[T]) compile(text, where string) string {
	s.codec = compileType(reflect.TypeFor[T](), text, where)
	if s.codec.pass || s.codec.nulls || len(s.codec.items) > 0 {
		panic(where + ": " + reflect.TypeFor[T]().String() + " cannot be stored: numbers, text, bytes and times can")
	}
	s.scratch = newOutput(s.codec)
	return s.codec.text
}

// encode returns the bytes of a value, until the next call.
func (s *stored[T]) encode(h *handle, v T) []byte {
	if s.codec.check != nil {
		if fault := s.codec.check(unsafe.Pointer(&v)); fault != "" {
			h.refuse(fault)
		}
	}
	s.scratch.reset()
	s.codec.write(s.scratch, 1, unsafe.Pointer(&v), 0)
	if s.codec.width >= 0 {
		return s.scratch.values[:max(s.codec.width, 1)]
	}
	return s.scratch.data
}

func (s *stored[T]) decode(h *handle, value []byte) (v T) {
	if width := max(s.codec.width, 1); s.codec.width >= 0 && len(value) != width {
		h.refuse("holds " + itoa(len(value)) + " bytes, expected " + itoa(width))
	}
	decodeValue(s.codec, value, unsafe.Pointer(&v))
	return v
}

// ValueState is a value per key.
type ValueState[T any] struct {
	handle
	value stored[T]
}

func (s *ValueState[T]) bind(f *function, name, text, ttl, where string) {
	s.declare(f, name, "value", s.value.compile(text, where), ttl)
}

// Get returns the value, and whether there is one.
func (s *ValueState[T]) Get() (v T, ok bool) {
	value, ok := stateGet(s.index, s.slot())
	if !ok {
		return v, false
	}
	return s.value.decode(&s.handle, value), true
}

// Set stores a value.
func (s *ValueState[T]) Set(v T) {
	if value := s.value.encode(&s.handle, v); !statePut(s.index, s.slot(), value) {
		s.refuse("a value of " + itoa(len(value)) + " bytes was refused")
	}
}

// ReducingState keeps one value per key, made of all that were added.
type ReducingState[T any] struct {
	ValueState[T]
	// Reduce makes one value of two.
	Reduce func(a, b T) T
}

// Add adds a value: the first is stored as it is.
func (s *ReducingState[T]) Add(v T) {
	if old, ok := s.Get(); ok {
		v = s.Reduce(old, v)
	}
	s.Set(v)
}

func (s *ReducingState[T]) bind(f *function, name, text, ttl, where string) {
	if s.Reduce == nil {
		panic(where + ": a ReducingState needs its Reduce function")
	}
	s.ValueState.bind(f, name, text, ttl, where)
}

// ListState is a list per key.
type ListState[T any] struct {
	handle
	value stored[T]
}

func (s *ListState[T]) bind(f *function, name, text, ttl, where string) {
	s.declare(f, name, "list", s.value.compile(text, where), ttl)
}

// Add appends a value.
func (s *ListState[T]) Add(v T) {
	if value := s.value.encode(&s.handle, v); !listAdd(s.index, s.slot(), value) {
		s.refuse("a value of " + itoa(len(value)) + " bytes was refused")
	}
}

// Get returns all values, in the order in which they were added.
func (s *ListState[T]) Get() []T {
	var values []T
	for all := listGet(s.index, s.slot()); len(all) >= 4; {
		n := binary.LittleEndian.Uint32(all)
		values, all = append(values, s.value.decode(&s.handle, all[4:4+n])), all[4+n:]
	}
	return values
}

// Update replaces all values.
func (s *ListState[T]) Update(values []T) {
	s.Clear()
	for _, v := range values {
		s.Add(v)
	}
}

// MapState is a map per key. Its entries are stored one by one.
type MapState[K comparable, V any] struct {
	handle
	key   stored[K]
	value stored[V]
}

func (s *MapState[K, V]) bind(f *function, name, _, ttl, where string) {
	s.declare(f, name, "map", s.key.compile("", where)+", "+s.value.compile("", where), ttl)
}

// Get returns the value of an entry, and whether there is one.
func (s *MapState[K, V]) Get(key K) (v V, ok bool) {
	value, ok := mapGet(s.index, s.slot(), s.key.encode(&s.handle, key))
	if !ok {
		return v, false
	}
	return s.value.decode(&s.handle, value), true
}

// Put stores the value of an entry.
func (s *MapState[K, V]) Put(key K, v V) {
	k, value := s.key.encode(&s.handle, key), s.value.encode(&s.handle, v)
	if !mapPut(s.index, s.slot(), k, value) {
		s.refuse("an entry of " + itoa(len(k)+len(value)) + " bytes was refused")
	}
}

// Remove removes an entry.
func (s *MapState[K, V]) Remove(key K) {
	mapRemove(s.index, s.slot(), s.key.encode(&s.handle, key))
}

// All goes through the entries, in the order of their keys' stored bytes: of text, that of the text. The map may be changed meanwhile:
// entries that are removed may still be shown, and new ones may or may not be.
func (s *MapState[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		last, first := []byte(nil), true
		for {
			page := mapNext(s.index, s.slot(), last, first)
			if len(page) == 0 {
				return
			}
			for first = false; len(page) >= 8; {
				k, v := binary.LittleEndian.Uint32(page), binary.LittleEndian.Uint32(page[4:])
				last = page[8 : 8+k]
				key, value := s.key.decode(&s.handle, last), s.value.decode(&s.handle, page[8+k:8+k+v])
				if page = page[8+k+v:]; !yield(key, value) {
					return
				}
			}
		}
	}
}
