package operator

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// countingStore counts the entries that scans show.
type countingStore struct {
	state.Store
	shown int
}

func (c *countingStore) ScanFrom(prefix, from []byte, each func(key, value []byte) bool) error {
	return c.Store.ScanFrom(prefix, from, func(key, value []byte) bool {
		c.shown++
		return each(key, value)
	})
}

func (c *countingStore) entries(t *testing.T) (n int) {
	t.Helper()
	if err := c.Store.Scan(nil, func(_, _ []byte) bool {
		n++
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestExpiredStateIsRemoved writes states of many keys, of which nobody uses any again, and goes on with other epochs: a little is removed in each,
// until nothing is left but what lives.
func TestExpiredStateIsRemoved(t *testing.T) {
	const keys, partitions = 3000, 16
	store := &countingStore{Store: memstate.New()}
	ttl := &state.TTL{After: 10 * time.Second, Update: state.OnCreateAndWrite, Visible: state.NeverReturnExpired}
	p := NewProcessState(ProcessStateOptions{Store: store, Operator: "p", To: partitions, Limit: 1 << 20, States: []udf.StateDecl{
		{Name: "value", Type: "bytes", TTL: ttl}, {Name: "list", Kind: state.KindList, Type: "bytes", TTL: ttl},
		{Name: "map", Kind: state.KindMap, Type: "bytes", TTL: ttl}, {Name: "kept", Type: "bytes"},
	}})
	epoch := uint64(0)
	barrier := func() {
		t.Helper()
		store.shown = 0
		if err := p.sweeper.sweep(); err != nil {
			t.Fatal(err)
		}
		if most := sweptTogether * (sweptEntries + 1); store.shown > most {
			t.Fatalf("a barrier looked at %d entries, the most is %d", store.shown, most)
		}
		epoch++
		if err := store.Commit(context.Background(), state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: p.Barrier(epoch)}); err != nil {
			t.Fatal(err)
		}
		p.Committed(epoch)
	}
	write := func(from, to int) {
		t.Helper()
		batch := &stream.Keys{}
		for i := from; i < to; i++ {
			batch.Distinct, batch.Partitions = append(batch.Distinct, fmt.Appendf(nil, "k%d", i)), append(batch.Partitions, uint16(i%partitions))
		}
		if err := p.begin(batch); err != nil {
			t.Fatal(err)
		}
		for slot := range int32(to - from) {
			for _, err := range []error{p.Put(0, slot, []byte("v")), p.Add(1, slot, []byte("l")), p.MapPut(2, slot, []byte("e"), []byte("m")), p.Put(3, slot, []byte("x"))} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	write(0, keys)
	barrier()
	if n := store.entries(t); n != 4*keys {
		t.Fatalf("%d entries are stored, want %d", n, 4*keys)
	}
	p.now = 5000
	write(0, 10) // these live on
	barrier()
	p.now = 12_000
	rounds, before := 0, store.entries(t)
	for ; store.entries(t) > keys+30; rounds++ {
		barrier()
		if rounds > 100 {
			t.Fatalf("%d entries are left", store.entries(t))
		}
	}
	if rounds < 3 || before != 4*keys {
		t.Errorf("%d of %d entries went in %d epochs: too much at once", before-keys-30, before, rounds)
	}
	one := &stream.Keys{Distinct: [][]byte{[]byte("k3")}, Partitions: []uint16{3}}
	if err := p.begin(one); err != nil {
		t.Fatal(err)
	}
	// Of the two elements that were added the first has gone.
	if list, err := p.List(1, 0); err != nil || len(list) != 1 {
		t.Errorf("the list is %q, %v", list, err)
	}
	if v, ok, err := p.Get(0, 0); string(v) != "v" || !ok || err != nil {
		t.Errorf("the value is %q, %v", v, err)
	}
}
