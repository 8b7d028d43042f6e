package operator_test

import (
	"bytes"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/stream"
)

// keysOnly is an output that looks at the keys of each batch.
type keysOnly struct {
	nowhere
	see func(b *stream.Batch)
}

func (k keysOnly) Batch(b *stream.Batch) error {
	k.see(b)
	return nil
}

// TestKeyBy finds the keys of random batches, one after another in the same operator: each row's slot names its key, keys
// are there once and in the order of first occurrence, and each has its partition.
func TestKeyBy(t *testing.T) {
	var keys []string
	var fail func(format string, args ...any)
	encoder, err := stream.NewKeyEncoder(pairs, []string{"k"})
	if err != nil {
		t.Fatal(err)
	}
	k := &operator.KeyBy{Stats: &operator.Stats{}, Encoder: encoder, Partitions: 16}
	k.Next = keysOnly{see: func(b *stream.Batch) {
		bound, err := stream.NewKeyEncoder(pairs, []string{"k"})
		if err != nil {
			fail("%v", err)
		}
		bound.Bind(b.Record)
		if len(b.Keys.Slots) != len(keys) || len(b.Keys.Distinct) != len(b.Keys.Partitions) || !b.Volatile {
			fail("got %+v for %q", b.Keys, keys)
		}
		seen := int32(0)
		for row, slot := range b.Keys.Slots {
			if slot > seen {
				fail("slot %d comes before slot %d", slot, seen)
			}
			if slot == seen {
				seen++
			}
			if want := bound.AppendKey(nil, row); !bytes.Equal(b.Keys.Distinct[slot], want) {
				fail("row %d has key %x, want %x", row, b.Keys.Distinct[slot], want)
			}
		}
		for i, key := range b.Keys.Distinct {
			if b.Keys.Partitions[i] != stream.Partition(key, 16) {
				fail("key %x has partition %d", key, b.Keys.Partitions[i])
			}
		}
		if int(seen) != len(b.Keys.Distinct) {
			fail("%d of %d keys occur", seen, len(b.Keys.Distinct))
		}
	}}
	rapid.Check(t, func(rt *rapid.T) {
		fail = rt.Fatalf
		keys = rapid.SliceOfN(rapid.StringMatching("[ab]{0,4}"), 1, 200).Draw(rt, "keys")
		rec := pairsOf(memory.DefaultAllocator, keys)
		defer rec.Release()
		if err := k.Batch(&stream.Batch{Record: rec, Volatile: true}); err != nil {
			rt.Fatal(err)
		}
	})
}
