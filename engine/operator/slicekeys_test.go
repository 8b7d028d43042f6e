package operator

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/stream"
)

// TestSliceKeys cuts keys of random rows: each row keeps its key and partition, and slots are numbered as KeyBy does.
func TestSliceKeys(t *testing.T) {
	if sliceKeys(nil, 0, 3) != nil {
		t.Error("got keys of a batch that has none")
	}
	rapid.Check(t, func(rt *rapid.T) {
		keys := &stream.Keys{}
		at := map[byte]int32{}
		for _, b := range rapid.SliceOfN(rapid.ByteRange('a', 'f'), 1, 30).Draw(rt, "rows") {
			slot, known := at[b]
			if !known {
				slot = int32(len(keys.Distinct))
				at[b] = slot
				keys.Distinct = append(keys.Distinct, []byte{b})
				keys.Partitions = append(keys.Partitions, uint16(b))
			}
			keys.Slots = append(keys.Slots, slot)
		}
		from := rapid.IntRange(0, len(keys.Slots)).Draw(rt, "from")
		to := rapid.IntRange(from, len(keys.Slots)).Draw(rt, "to")
		part := sliceKeys(keys, from, to)
		if len(part.Slots) != to-from || len(part.Distinct) != len(part.Partitions) {
			rt.Fatalf("got %+v", part)
		}
		next := int32(0)
		for i, slot := range part.Slots {
			if slot > next {
				rt.Fatalf("slot %d comes before slot %d", slot, next)
			}
			next = max(next, slot+1)
			want := keys.Distinct[keys.Slots[from+i]]
			if string(part.Distinct[slot]) != string(want) || part.Partitions[slot] != uint16(want[0]) {
				rt.Fatalf("row %d has key %s, want %s", i, part.Distinct[slot], want)
			}
		}
		if int(next) != len(part.Distinct) {
			rt.Fatalf("%d of %d keys occur", next, len(part.Distinct))
		}
	})
}
