package operator

import (
	"unsafe"

	"github.com/wasmill/wasmill/engine/stream"
)

// KeyBy finds the key of each row.
type KeyBy struct {
	stream.Forward
	Stats      *Stats
	Encoder    *stream.KeyEncoder
	Partitions int

	slots map[string]int32 // keys are views of bytes
	bytes []byte
	keys  stream.Keys
}

// Batch passes the rows on with their keys.
func (k *KeyBy) Batch(b *stream.Batch) error {
	start := k.Stats.enter(b.Rows())
	defer k.Stats.leave(start)
	k.find(b)
	return k.Stats.Pass(k.Next, &stream.Batch{Record: b.Record, Times: b.Times, Keys: &k.keys, Volatile: b.Volatile})
}

func (k *KeyBy) find(b *stream.Batch) {
	if k.slots == nil {
		k.slots = make(map[string]int32)
	}
	clear(k.slots)
	k.bytes = k.bytes[:0]
	k.keys.Slots, k.keys.Distinct, k.keys.Partitions = k.keys.Slots[:0], k.keys.Distinct[:0], k.keys.Partitions[:0]
	k.Encoder.Bind(b.Record)
	for row := range b.Rows() {
		at := len(k.bytes)
		k.bytes = k.Encoder.AppendKey(k.bytes, row)
		key := k.bytes[at:len(k.bytes):len(k.bytes)]
		slot, known := k.slots[string(key)]
		if known {
			k.bytes = k.bytes[:at]
		} else {
			slot = int32(len(k.keys.Distinct))
			// When bytes grows, earlier keys stay where they are: in the array that was.
			k.slots[unsafe.String(unsafe.SliceData(key), len(key))] = slot
			k.keys.Distinct = append(k.keys.Distinct, key)
			k.keys.Partitions = append(k.keys.Partitions, stream.Partition(key, k.Partitions))
		}
		k.keys.Slots = append(k.keys.Slots, slot)
	}
}

// sliceKeys returns the keys of the rows from (inclusive) to to (exclusive), with slots numbered anew.
func sliceKeys(keys *stream.Keys, from, to int) *stream.Keys {
	if keys == nil || from == 0 && to == len(keys.Slots) {
		return keys
	}
	part := &stream.Keys{Slots: make([]int32, 0, to-from)}
	renumbered := make(map[int32]int32)
	for _, slot := range keys.Slots[from:to] {
		n, known := renumbered[slot]
		if !known {
			n = int32(len(part.Distinct))
			renumbered[slot] = n
			part.Distinct = append(part.Distinct, keys.Distinct[slot])
			part.Partitions = append(part.Partitions, keys.Partitions[slot])
		}
		part.Slots = append(part.Slots, n)
	}
	return part
}
