package operator

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// TestStateLargerThanMemory counts in states of every kind, of far more keys than there is memory for, with commits that come an epoch late: what is at
// hand stays within the limit, the task asks for its barriers itself, and no count is lost.
func TestStateLargerThanMemory(t *testing.T) {
	const keys, rounds, batch, limit = 20_000, 3, 500, 2 << 20
	ttl := &state.TTL{After: time.Hour, Update: state.OnCreateAndWrite, Visible: state.NeverReturnExpired}
	store, full := memstate.New(), false
	p := NewProcessState(ProcessStateOptions{Store: store, Operator: "p", To: 8, Limit: limit, Full: func() { full = true }, States: []udf.StateDecl{
		{Name: "cell", Type: "bytes"}, {Name: "value", Type: "bytes", TTL: ttl}, {Name: "list", Kind: state.KindList, Type: "bytes"},
		{Name: "map", Kind: state.KindMap, Type: "bytes"},
	}})
	var late []state.Commit
	epoch, most := uint64(0), 0
	commit := func() {
		t.Helper()
		if err := store.Commit(context.Background(), late[0]); err != nil {
			t.Fatal(err)
		}
		p.Committed(late[0].Epoch)
		late = late[1:]
	}
	barrier := func() {
		epoch++
		late = append(late, state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: p.Barrier(epoch)})
		if full = false; len(late) > 1 {
			commit()
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	count := func(old []byte) []byte {
		value := make([]byte, 100)
		copy(value, old)
		binary.LittleEndian.PutUint64(value, binary.LittleEndian.Uint64(value)+1)
		return value
	}
	for row := 0; row < keys*rounds; row += batch {
		k := &stream.Keys{}
		for i := row; i < row+batch; i++ {
			k.Distinct, k.Partitions = append(k.Distinct, fmt.Appendf(nil, "k%d", i%keys)), append(k.Partitions, uint16(i%8))
		}
		check(p.begin(k))
		for slot := range int32(batch) {
			for s := range int32(2) {
				old, _, err := p.Get(s, slot)
				check(err)
				check(p.Put(s, slot, count(old)))
			}
			check(p.Add(2, slot, []byte("element")))
			old, _, err := p.MapGet(3, slot, []byte("entry"))
			check(err)
			check(p.MapPut(3, slot, []byte("entry"), count(old)))
		}
		if full {
			barrier()
		}
		most = max(most, p.bytes+p.overlay.Bytes())
	}
	if most > 2*limit {
		t.Errorf("%d bytes were at hand, the limit is %d", most, limit)
	}
	if epoch < 10 {
		t.Errorf("%d barriers were asked for", epoch)
	}
	barrier()
	for len(late) > 0 {
		commit()
	}
	for i := range keys {
		k := &stream.Keys{Distinct: [][]byte{fmt.Appendf(nil, "k%d", i)}, Partitions: []uint16{uint16(i % 8)}}
		check(p.begin(k))
		for s := range int32(2) {
			if v, _, err := p.Get(s, 0); err != nil || binary.LittleEndian.Uint64(v) != rounds {
				t.Fatalf("state %d of key %d is %v, %v", s, i, v, err)
			}
		}
		if l, err := p.List(2, 0); err != nil || len(l) != rounds {
			t.Fatalf("the list of key %d is %q, %v", i, l, err)
		}
		if v, _, err := p.MapGet(3, 0, []byte("entry")); err != nil || binary.LittleEndian.Uint64(v) != rounds {
			t.Fatalf("the entry of key %d is %v, %v", i, v, err)
		}
	}
}
