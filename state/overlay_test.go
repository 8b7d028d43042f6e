package state_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// rig is an overlay over a store whose commits come late, and crashes.
type rig struct {
	store   *memstate.Store
	overlay *state.Overlay
	epoch   uint64
	waiting []state.Commit
	limit   int
}

func newRig(limit int) *rig {
	r := &rig{store: memstate.New(), limit: limit}
	r.overlay = state.NewOverlay(r.store, limit, 0, nil)
	return r
}

// barrier closes an epoch, whose commit waits.
func (r *rig) barrier() {
	r.epoch++
	r.waiting = append(r.waiting, state.Commit{Marker: state.Marker{Epoch: r.epoch}, Changes: r.overlay.Barrier(r.epoch)})
}

// commit brings the oldest epoch that waits into the store.
func (r *rig) commit(t interface{ Fatal(...any) }) {
	if len(r.waiting) == 0 {
		return
	}
	c := r.waiting[0]
	r.waiting = r.waiting[1:]
	if err := r.store.Commit(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	r.overlay.Committed(c.Epoch)
}

func (r *rig) all(t interface{ Fatal(...any) }) {
	r.barrier()
	for len(r.waiting) > 0 {
		r.commit(t)
	}
}

// crash starts again from the last commit.
func (r *rig) crash(t interface{ Fatal(...any) }) {
	last, _, err := r.store.Last()
	if err != nil {
		t.Fatal(err)
	}
	r.waiting, r.epoch = nil, last.Epoch
	r.overlay = state.NewOverlay(r.store, r.limit, last.Epoch, nil)
}

func TestOverlayIsTheStoreWithItsWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(rapid.SampledFrom([]int{1, 1000, 1 << 20}).Draw(rt, "limit"))
		now, stored, marked := map[string]string{}, map[string]string{}, map[string]string(nil)
		var snapshots []map[string]string
		key := rapid.SampledFrom([]string{"a", "ab", "b", "b\x00", "c", "ca", "cb"})
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				k, v := key.Draw(rt, "key"), rapid.StringN(0, 3, 200).Draw(rt, "value")
				if err := r.overlay.PutOrdered([]byte(k), []byte(v)); err != nil {
					rt.Fatal(err)
				}
				now[k] = v
			},
			"delete": func(rt *rapid.T) {
				k := key.Draw(rt, "key")
				if err := r.overlay.DeleteOrdered([]byte(k)); err != nil {
					rt.Fatal(err)
				}
				delete(now, k)
			},
			"mark": func(*rapid.T) {
				r.overlay.Mark()
				marked = maps.Clone(now)
			},
			"rollback": func(rt *rapid.T) {
				if marked == nil {
					rt.Skip()
				}
				r.overlay.Rollback()
				now = maps.Clone(marked)
			},
			"barrier": func(*rapid.T) {
				r.barrier()
				snapshots, marked = append(snapshots, maps.Clone(now)), nil
			},
			"commit": func(rt *rapid.T) {
				if len(snapshots) > 0 {
					r.commit(rt)
					stored, snapshots = snapshots[0], snapshots[1:]
				}
			},
			"crash": func(rt *rapid.T) {
				r.crash(rt)
				now, snapshots, marked = maps.Clone(stored), nil, nil
			},
			"prefetch": func(rt *rapid.T) {
				if err := r.overlay.Prefetch([][]byte{[]byte(key.Draw(rt, "key")), []byte(key.Draw(rt, "key"))}); err != nil {
					rt.Fatal(err)
				}
			},
			"get": func(rt *rapid.T) {
				k := key.Draw(rt, "key")
				want, there := now[k]
				if v, ok, err := r.overlay.Get([]byte(k)); err != nil || ok != there || string(v) != want {
					rt.Fatalf("%q: got %q %v %v, want %q %v", k, v, ok, err, want, there)
				}
			},
			"": func(rt *rapid.T) {
				prefix, from := rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(rt, "prefix"), key.Draw(rt, "from")
				var want, got []string
				for _, k := range slices.Sorted(maps.Keys(now)) {
					if strings.HasPrefix(k, prefix) && k >= from {
						want = append(want, k+"="+now[k])
					}
				}
				if err := r.overlay.Scan([]byte(prefix), []byte(from), func(k, v []byte) bool {
					got = append(got, string(k)+"="+string(v))
					return true
				}); err != nil {
					rt.Fatal(err)
				}
				if !slices.Equal(want, got) {
					rt.Fatalf("prefix %q from %q: got %q, want %q", prefix, from, got, want)
				}
			},
		})
	})
}

// TestOverlayHoldsNoMoreThanItsLimit writes ten times as much as fits, in epochs, and reads it again.
func TestOverlayHoldsNoMoreThanItsLimit(t *testing.T) {
	const limit = 100_000
	r := newRig(limit)
	value := bytes.Repeat([]byte("v"), 100)
	for i := range 5000 {
		if err := r.overlay.Put([]byte(fmt.Sprint("key ", i)), append(value, fmt.Sprint(i)...)); err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 {
			r.all(t)
		}
	}
	for i := range 5000 {
		v, ok, err := r.overlay.Get([]byte(fmt.Sprint("key ", i)))
		if err != nil || !ok || string(v) != string(value)+fmt.Sprint(i) {
			t.Fatalf("%d: got %q %v %v", i, v, ok, err)
		}
		if r.overlay.Bytes() > limit*5/4 {
			t.Fatalf("%d bytes are at hand, the limit is %d", r.overlay.Bytes(), limit)
		}
	}
}

func TestOverlayAsksForABarrierWhenItFills(t *testing.T) {
	asked := 0
	o := state.NewOverlay(memstate.New(), 10_000, 0, func() { asked++ })
	for i := range 100 {
		if err := o.Put([]byte(fmt.Sprint(i)), make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		if full := (i+1)*260 > 5000; (asked > 0) != full && i != 18 && i != 19 {
			t.Fatalf("after %d values it asked %d times", i+1, asked)
		}
	}
	o.Barrier(1)
	asked = 0
	if err := o.Put([]byte("x"), nil); err != nil || asked != 0 {
		t.Fatalf("asked behind the barrier: %v", err)
	}
}

func TestOverlayRefusesWhatAStoreWould(t *testing.T) {
	key := state.AppendKey(nil, 1, "agg", "list", []byte("k"), nil)
	err := state.NewOverlay(memstate.New(), 1<<20, 0, nil).Put(key, make([]byte, state.MaxEntry))
	const want = "operator agg, state list, key of 1 bytes: a key and its value take 1000016 bytes, at most 1000000 can be stored " +
		"(spread what is kept over several keys or states)"
	if err == nil || err.Error() != want {
		t.Fatalf("got %v", err)
	}
}
