package operator_test

import (
	"bytes"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

var twoStates = []udf.StateDecl{{Name: "count", Type: "int64"}, {Name: "text", Type: "utf8"}}

// TestKeyedState holds the cache to a plain map through calls, rollbacks, barriers and late commits, with so small a limit
// that it evicts all the time. What was committed is then read by a cache that begins anew.
func TestKeyedState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store := memstate.New()
		limit := rapid.SampledFrom([]int{1, 2000, 1 << 20}).Draw(rt, "limit")
		k := operator.NewKeyedState(store, "op", twoStates, limit, 0, nil)
		model, committed := map[string]string{}, map[string]string{} // by key and state; absent when not there
		var pending []state.Commit
		var then []map[string]string
		commit := func() {
			c := pending[0]
			if err := store.Commit(t.Context(), c); err != nil {
				rt.Fatal(err)
			}
			k.Committed(c.Epoch)
			committed, pending, then = then[0], pending[1:], then[1:]
		}
		epoch := uint64(0)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				epoch++
				pending = append(pending, state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: k.Barrier(epoch)})
				then = append(then, maps.Clone(model))
			case 1:
				if len(pending) > 0 {
					commit()
				}
			default:
				model = keyedCall(rt, k, model)
			}
		}
		for len(pending) > 0 {
			commit()
		}
		again := operator.NewKeyedState(store, "op", twoStates, limit, epoch, nil)
		keys := someKeys([]int{0, 1, 2, 3, 4, 5, 6, 7})
		if err := again.Begin(keys); err != nil {
			rt.Fatal(err)
		}
		compare(rt, again, keys, committed)
	})
}

func someKeys(numbers []int) *stream.Keys {
	keys := &stream.Keys{}
	for _, n := range numbers {
		key := []byte(fmt.Sprintf("key\x00%d", n))
		keys.Distinct = append(keys.Distinct, key)
		keys.Partitions = append(keys.Partitions, stream.Partition(key, 128))
	}
	return keys
}

// keyedCall is a call of a function that reads and writes, and may fail. It returns what the model is then.
func keyedCall(rt *rapid.T, k *operator.KeyedState, model map[string]string) map[string]string {
	keys := someKeys(rapid.SliceOfNDistinct(rapid.IntRange(0, 7), 1, 8, rapid.ID).Draw(rt, "keys"))
	if err := k.Begin(keys); err != nil {
		rt.Fatal(err)
	}
	compare(rt, k, keys, model)
	after := maps.Clone(model)
	for range rapid.IntRange(0, 10).Draw(rt, "writes") {
		s := rapid.Int32Range(0, 1).Draw(rt, "state")
		slot := rapid.Int32Range(0, int32(len(keys.Distinct)-1)).Draw(rt, "slot")
		name := fmt.Sprintf("%s/%d", keys.Distinct[slot], s)
		var err error
		if rapid.IntRange(0, 3).Draw(rt, "delete") == 0 {
			err = k.Delete(s, slot)
			delete(after, name)
		} else {
			size := rapid.SampledFrom([]int{0, 1, 8, 9, 200}).Draw(rt, "size")
			value := bytes.Repeat([]byte{byte(rapid.IntRange(1, 250).Draw(rt, "byte"))}, size)
			err = k.Put(s, slot, value)
			after[name] = string(value)
			clear(value) // the caller's memory is its own again
		}
		if err != nil {
			rt.Fatal(err)
		}
	}
	compare(rt, k, keys, after)
	if rapid.IntRange(0, 2).Draw(rt, "fails") == 0 {
		k.Rollback()
		compare(rt, k, keys, model)
		return model
	}
	return after
}

func compare(rt *rapid.T, k *operator.KeyedState, keys *stream.Keys, model map[string]string) {
	rt.Helper()
	for slot, key := range keys.Distinct {
		for s := range int32(len(twoStates)) {
			got, ok, err := k.Get(s, int32(slot))
			if err != nil {
				rt.Fatal(err)
			}
			want, there := model[fmt.Sprintf("%s/%d", key, s)]
			if ok != there || string(got) != want {
				rt.Fatalf("%q state %d: got %q %v, want %q %v", key, s, got, ok, want, there)
			}
		}
	}
}

func TestKeyedStateFaults(t *testing.T) {
	k := operator.NewKeyedState(memstate.New(), "op", twoStates, 1<<20, 0, nil)
	if err := k.Begin(someKeys([]int{1, 2})); err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 1<<20+1)
	for _, c := range []struct {
		err  error
		want string
	}{
		{third(k.Get(2, 0)), "state 2 was asked for, the function declares 2"},
		{third(k.Get(-1, 0)), "state -1 was asked for, the function declares 2"},
		{third(k.Get(0, 2)), "key slot 2 was asked for, the batch has 2"},
		{k.Put(1, -1, nil), "key slot -1 was asked for, the batch has 2"},
		{k.Delete(0, 7), "key slot 7 was asked for, the batch has 2"},
		{k.Put(1, 0, large), "a value of 1048577 bytes for state `text`, the most is 1048576"},
		{k.Put(2, 0, large), "state 2 was asked for, the function declares 2"},
		{k.Put(1, 0, large[:state.MaxEntry-16]), "a value of 999984 bytes and its key of 20 bytes for state `text`, together at most 1000000 can be stored " +
			"(spread what is kept over several keys or states)"},
		{k.Put(1, 0, large[:state.MaxEntry-20]), "<nil>"},
	} {
		if fmt.Sprint(c.err) != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
}

func third(_ []byte, _ bool, err error) error { return err }

// TestWhatIsPutCanBeCommitted puts values and keys around the limit: what is not refused at once is not refused at the commit.
func TestWhatIsPutCanBeCommitted(t *testing.T) {
	store := memstate.New()
	k := operator.NewKeyedState(store, "op", twoStates, 64<<20, 0, nil)
	epoch, refused, zeros := uint64(0), 0, make([]byte, state.MaxEntry)
	for _, fill := range []byte{0, 1} { // zeros in a key are stored as two bytes
		for _, size := range []int{0, 1, 499_970, 499_990, 500_000, 999_970, 999_990, 1_000_000} {
			keys := &stream.Keys{Distinct: [][]byte{bytes.Repeat([]byte{fill}, size)}, Partitions: []uint16{7}}
			for _, length := range []int{0, 14, 15, 16} {
				if err := k.Begin(keys); err != nil {
					t.Fatal(err)
				}
				if k.Put(0, 0, zeros[:max(0, state.MaxEntry-size-length)]) != nil {
					refused++
				}
			}
			epoch++
			if err := store.Commit(t.Context(), state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: k.Barrier(epoch)}); err != nil {
				t.Errorf("key of %d bytes %d: %v", size, fill, err)
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

// TestKeyedStateFull asks for a commit when half of the limit is taken up by what is not committed.
func TestKeyedStateFull(t *testing.T) {
	asked := 0
	k := operator.NewKeyedState(memstate.New(), "op", twoStates, 4000, 0, func() { asked++ })
	put := func(n, size int) {
		if err := k.Begin(someKeys([]int{n})); err != nil {
			t.Fatal(err)
		}
		if err := k.Put(1, 0, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		put(1, 500) // the same value again takes up no more
	}
	if asked != 0 {
		t.Fatalf("asked for %d commits too early", asked)
	}
	put(2, 1600)
	if asked != 1 {
		t.Fatalf("asked for %d commits, want 1", asked)
	}
	if n := len(k.Barrier(1)); n != 2 {
		t.Errorf("%d changes, want 2", n)
	}
	put(3, 500)
	if asked != 1 {
		t.Errorf("asked for %d commits after a barrier, want no more than 1", asked)
	}
}
