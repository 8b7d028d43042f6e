package state_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// modelEntry is a value and the time of its last use.
type modelEntry struct {
	value string
	used  int64
}

// ttlModel is what a TTL means, for one value.
type ttlModel struct {
	ttl *state.TTL
	now int64
}

// read returns what is seen of an entry, and what becomes of it.
func (m *ttlModel) read(e modelEntry, ok bool) (value string, seen bool, left modelEntry, there bool) {
	switch {
	case !ok:
		return "", false, e, false
	case m.ttl == nil:
		return e.value, true, e, true
	case e.used+m.ttl.After.Milliseconds() <= m.now:
		return e.value, m.ttl.Visible == state.ReturnExpiredIfNotCleanedUp, e, false
	case m.ttl.Update == state.OnReadAndWrite:
		e.used = m.now
	}
	return e.value, true, e, true
}

// TestViewsAndTheirTTL runs random operations on every kind of state, with and without a time to live, through commits and
// crashes, and compares them with a model.
func TestViewsAndTheirTTL(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &ttlModel{now: 1000}
		if rapid.Bool().Draw(rt, "ttl") {
			m.ttl = &state.TTL{After: 10 * time.Millisecond, Update: rapid.SampledFrom([]state.TTLUpdate{state.OnCreateAndWrite, state.OnReadAndWrite}).Draw(rt, "update"),
				Visible: rapid.SampledFrom([]state.TTLVisibility{state.NeverReturnExpired, state.ReturnExpiredIfNotCleanedUp}).Draw(rt, "visible")}
		}
		r := newRig(rapid.SampledFrom([]int{1, 1 << 20}).Draw(rt, "limit"))
		clock := func() int64 { return m.now }
		var value *state.Value
		var list *state.List
		var entries *state.Map
		var sum *state.Reducing
		open := func() {
			d := func(name string, k state.Kind) state.Decl {
				return state.Decl{Name: name, Kind: k, Type: "bytes", TTL: m.ttl}
			}
			value = state.NewValue(r.overlay, "op", d("value", state.KindValue), clock)
			list = state.NewList(r.overlay, "op", d("list", state.KindList), clock)
			entries = state.NewMap(r.overlay, "op", d("map", state.KindMap), clock)
			sum = state.NewReducing(r.overlay, "op", d("sum", state.KindReducing), clock, func(a, b []byte) ([]byte, error) {
				return binary.AppendUvarint(nil, must(binary.Uvarint(a))+must(binary.Uvarint(b))), nil
			})
		}
		open()
		type world struct {
			values map[string]modelEntry
			lists  map[string][]modelEntry
			maps   map[string]map[string]modelEntry
			sums   map[string]modelEntry
		}
		copyOf := func(w world) world {
			c := world{maps.Clone(w.values), map[string][]modelEntry{}, map[string]map[string]modelEntry{}, maps.Clone(w.sums)}
			for k, v := range w.lists {
				c.lists[k] = slices.Clone(v)
			}
			for k, v := range w.maps {
				c.maps[k] = maps.Clone(v)
			}
			return c
		}
		now := copyOf(world{map[string]modelEntry{}, nil, nil, map[string]modelEntry{}})
		stored := copyOf(now)
		at := func(rt *rapid.T) (state.At, string) {
			key, ns := rapid.SampledFrom([]string{"", "a", "a\x00"}).Draw(rt, "key"), rapid.SampledFrom([]string{"", "w"}).Draw(rt, "ns")
			return state.At{Partition: 3, Key: []byte(key), Namespace: []byte(ns)}, key + "/" + ns
		}
		ok := func(err error) {
			if err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"time":   func(rt *rapid.T) { m.now += rapid.Int64Range(0, 8).Draw(rt, "ms") },
			"commit": func(rt *rapid.T) { r.all(rt); stored = copyOf(now) },
			"crash":  func(rt *rapid.T) { r.crash(rt); open(); now = copyOf(stored) },
			"set": func(rt *rapid.T) {
				a, k := at(rt)
				v := rapid.StringN(0, 3, 9).Draw(rt, "value")
				ok(value.Set(a, []byte(v)))
				now.values[k] = modelEntry{v, m.now}
			},
			"clear": func(rt *rapid.T) {
				a, k := at(rt)
				ok(value.Clear(a))
				ok(list.Clear(a))
				ok(entries.Clear(a))
				delete(now.values, k)
				delete(now.lists, k)
				delete(now.maps, k)
			},
			"get": func(rt *rapid.T) {
				a, k := at(rt)
				e, there := now.values[k]
				want, seen, left, stays := m.read(e, there)
				got, found, err := value.Get(a)
				ok(err)
				if found != seen || found && string(got) != want {
					rt.Fatalf("value: got %q %v, want %q %v", got, found, want, seen)
				}
				if now.values[k] = left; !stays {
					delete(now.values, k)
				}
			},
			"reduce": func(rt *rapid.T) {
				a, k := at(rt)
				n := rapid.Uint64Range(1, 300).Draw(rt, "n")
				e, there := now.sums[k]
				before, seen, _, _ := m.read(e, there)
				total := n
				if seen {
					total += must(binary.Uvarint([]byte(before)))
				}
				ok(sum.Add(a, binary.AppendUvarint(nil, n)))
				now.sums[k] = modelEntry{string(binary.AppendUvarint(nil, total)), m.now}
			},
			"add": func(rt *rapid.T) {
				a, k := at(rt)
				n := rapid.IntRange(1, 3).Draw(rt, "n")
				var values [][]byte
				for range n {
					v := strings.Repeat(rapid.SampledFrom([]string{"", "x", "yy"}).Draw(rt, "v"), rapid.SampledFrom([]int{1, 9000}).Draw(rt, "times"))
					values = append(values, []byte(v))
					now.lists[k] = append(now.lists[k], modelEntry{v, m.now})
				}
				ok(list.Add(a, values...))
			},
			"list": func(rt *rapid.T) {
				a, k := at(rt)
				var want []string
				var left []modelEntry
				live, renewed, expired := 0, false, false
				for _, e := range now.lists[k] {
					v, seen, after, stays := m.read(e, true)
					if seen {
						want = append(want, v)
					}
					if stays {
						live++
						left = append(left, after)
						renewed = renewed || after != e
					}
					expired = expired || !stays
				}
				got, err := list.Get(a)
				ok(err)
				if fmt.Sprint(texts(got)) != fmt.Sprint(want) {
					rt.Fatalf("list: got %.99q, want %.99q", got, want)
				}
				if expired && live == 0 || renewed {
					now.lists[k] = left // else what has expired stays until all has
				}
			},
			"put": func(rt *rapid.T) {
				a, k := at(rt)
				key, v := rapid.SampledFrom([]string{"", "p", "q", "pp"}).Draw(rt, "entry"), rapid.StringN(0, 2, 9).Draw(rt, "value")
				ok(entries.Put(a, []byte(key), []byte(v)))
				if now.maps[k] == nil {
					now.maps[k] = map[string]modelEntry{}
				}
				now.maps[k][key] = modelEntry{v, m.now}
			},
			"remove": func(rt *rapid.T) {
				a, k := at(rt)
				key := rapid.SampledFrom([]string{"", "p", "q"}).Draw(rt, "entry")
				ok(entries.Remove(a, []byte(key)))
				delete(now.maps[k], key)
			},
			"entries": func(rt *rapid.T) {
				a, k := at(rt)
				var want, got []string
				for _, key := range slices.Sorted(maps.Keys(now.maps[k])) {
					v, seen, left, stays := m.read(now.maps[k][key], true)
					if seen {
						want = append(want, key+"="+v)
					}
					if now.maps[k][key] = left; !stays {
						delete(now.maps[k], key)
					}
				}
				ok(entries.Each(a, func(key, v []byte) bool {
					got = append(got, string(key)+"="+string(v))
					return true
				}))
				if !slices.Equal(got, want) {
					rt.Fatalf("map: got %q, want %q", got, want)
				}
			},
			"sweep": func(rt *rapid.T) {
				for _, s := range []interface {
					Sweep(uint16, []byte, int) ([]byte, error)
				}{value, list, entries} {
					var from []byte
					for range 100 {
						next, err := s.Sweep(3, from, rapid.IntRange(1, 5).Draw(rt, "n"))
						ok(err)
						if from = next; from == nil {
							break
						}
					}
				}
				if m.ttl == nil {
					return
				}
				expired := func(_ string, e modelEntry) bool { return e.used+10 <= m.now }
				maps.DeleteFunc(now.values, expired)
				for k, list := range now.lists {
					now.lists[k] = slices.DeleteFunc(slices.Clone(list), func(e modelEntry) bool { return expired("", e) })
				}
				for _, entries := range now.maps {
					maps.DeleteFunc(entries, expired)
				}
			},
		})
	})
}

func must(n uint64, w int) uint64 {
	if w <= 0 {
		panic("not a number")
	}
	return n
}

func texts(values [][]byte) []string {
	var all []string
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// concat is an aggregate that joins texts and gives their length.
type concat struct{ fails bool }

func (concat) Create() ([]byte, error) { return nil, nil }
func (c concat) Add(acc, v []byte) ([]byte, error) {
	if c.fails {
		return nil, errors.New("no")
	}
	return append(acc, v...), nil
}
func (concat) Merge(a, b []byte) ([]byte, error) { return append(a, b...), nil }
func (concat) Result(acc []byte) ([]byte, error) { return fmt.Append(nil, len(acc)), nil }

func TestAggregating(t *testing.T) {
	r := newRig(1 << 20)
	a := state.NewAggregating(r.overlay, "op", state.Decl{Name: "a", Kind: state.KindAggregating, Type: "concat"}, nil, concat{})
	at := state.At{Key: []byte("k")}
	if _, ok, err := a.Get(at); ok || err != nil {
		t.Fatal(ok, err)
	}
	for range 3 {
		if err := a.Add(at, []byte("four")); err != nil {
			t.Fatal(err)
		}
	}
	if v, ok, err := a.Get(at); !ok || err != nil || string(v) != "12" {
		t.Fatal(string(v), ok, err)
	}
	if err := a.Clear(at); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := a.Get(at); ok {
		t.Fatal("cleared")
	}
	failing := state.NewAggregating(r.overlay, "op", state.Decl{Name: "a"}, nil, concat{fails: true})
	if err := failing.Add(at, nil); err == nil || err.Error() != "no" {
		t.Fatal(err)
	}
}

// TestBroadcast has two tasks with the same map, of which one stores it.
func TestBroadcast(t *testing.T) {
	r := newRig(1 << 20)
	d := state.Decl{Name: "rules", Kind: state.KindBroadcast, Type: "bytes"}
	open := func(writes bool) *state.Broadcast {
		b, err := state.NewBroadcast(r.overlay, "op", d, writes)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, b := range []*state.Broadcast{open(true), open(false)} {
		for _, k := range []string{"b", "a", "c"} {
			if err := b.Put([]byte(k), []byte("of "+k)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Remove([]byte("c")); err != nil {
			t.Fatal(err)
		}
	}
	r.all(t)
	if err := open(true).Put([]byte("lost"), nil); err != nil {
		t.Fatal(err)
	}
	r.crash(t)
	var got bytes.Buffer
	b := open(false)
	b.Each(func(k, v []byte) bool {
		fmt.Fprintf(&got, "%s=%s ", k, v)
		return true
	})
	if v, ok := b.Get([]byte("a")); got.String() != "a=of a b=of b " || b.Len() != 2 || !ok || string(v) != "of a" {
		t.Fatal(got.String(), b.Len(), ok, string(v))
	}
}

func TestStoredTypes(t *testing.T) {
	for want, d := range map[string]state.Decl{
		"int64":                      {Kind: state.KindValue, Type: "int64"},
		"list<utf8>":                 {Kind: state.KindList, Type: "utf8"},
		"map<utf8, int64> with time": {Kind: state.KindMap, Type: "utf8, int64", TTL: &state.TTL{}},
	} {
		if got := d.StoredType(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAListThatIsTooLargeToBeRead(t *testing.T) {
	l := state.NewList(state.NewOverlay(memstate.New(), 1<<30, 0, nil), "op", state.Decl{Name: "l", Kind: state.KindList}, nil)
	at, value := state.At{Key: []byte("k")}, make([]byte, 900_000)
	for range state.MaxListBytes / len(value) {
		if err := l.Add(at, value); err != nil {
			t.Fatal(err)
		}
	}
	if values, err := l.Get(at); err != nil || len(values) != state.MaxListBytes/len(value) {
		t.Fatalf("%d values, %v", len(values), err)
	}
	if err := l.Add(at, value); err != nil {
		t.Fatal(err)
	}
	_, err := l.Get(at)
	const want = "operator op, state l: the values of a list take more than 67108864 bytes (spread what is kept over several keys, or keep a map)"
	if fault.CodeOf(err) != fault.Limit || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
