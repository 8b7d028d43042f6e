package statetest

import (
	"context"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/state"
)

// Random runs random operations on a store and on a map, and compares them.
func Random(t *testing.T, open Open) {
	long := strings.Repeat("L", 64_899)
	keys := []string{"", "a", "b", "aa", "ab", "\x00", "\x00\x01", "\xff", "\xff\xff", long, long + "1", long + "12", long + "2"}
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		s, err := open(dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		model, epoch := map[string]string{}, uint64(0)
		check := func() {
			got, err := Contents(s)
			if err != nil {
				rt.Fatal(err)
			}
			if diff := difference(model, got); diff != "" {
				rt.Fatalf("-want +got\n%s", diff)
			}
			m, ok, err := s.Last()
			if err != nil || ok != (epoch > 0) || m.Epoch != epoch {
				rt.Fatalf("last is %v %v %v, want %d", m, ok, err, epoch)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"commit": func(rt *rapid.T) {
				epoch += rapid.Uint64Range(1, 3).Draw(rt, "step")
				var changes []state.Change
				for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom(keys), func(k string) string { return k }).Draw(rt, "keys") {
					if rapid.Bool().Draw(rt, "delete") {
						changes = append(changes, del(key))
						delete(model, key)
						continue
					}
					value := rapid.StringN(0, 5, 20).Draw(rt, "value")
					changes = append(changes, put(key, value))
					model[key] = value
				}
				if err := s.Commit(context.Background(), state.Commit{Marker: MarkerOf(epoch), Changes: changes}); err != nil {
					rt.Fatal(err)
				}
			},
			"get": func(rt *rapid.T) {
				key := rapid.SampledFrom(keys).Draw(rt, "key")
				value, ok, err := s.Get(nil, []byte(key))
				want, there := model[key]
				if err != nil || ok != there || string(value) != want {
					rt.Fatalf("got %q %v %v, want %q %v", value, ok, err, want, there)
				}
			},
			"scan": func(rt *rapid.T) {
				prefix := rapid.SampledFrom(keys).Draw(rt, "prefix")
				got := map[string]string{}
				from := rapid.SampledFrom(keys).Draw(rt, "from")
				scan := func(each func(k, v []byte) bool) error { return s.Scan([]byte(prefix), each) }
				if rapid.Bool().Draw(rt, "whole") {
					from = ""
				} else {
					scan = func(each func(k, v []byte) bool) error { return s.ScanFrom([]byte(prefix), []byte(from), each) }
				}
				want := maps.Clone(model)
				maps.DeleteFunc(want, func(k, _ string) bool { return !strings.HasPrefix(k, prefix) || k < from })
				if err := scan(func(k, v []byte) bool { got[string(k)] = string(v); return true }); err != nil {
					rt.Fatal(err)
				}
				if diff := difference(want, got); diff != "" {
					rt.Fatalf("-want +got\n%s", diff)
				}
			},
			"reopen": func(rt *rapid.T) {
				if rapid.IntRange(0, 7).Draw(rt, "really") != 0 {
					rt.Skip("reopening takes the longest")
				}
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				if s, err = open(dir); err != nil {
					rt.Fatal(err)
				}
				check()
			},
			"": func(*rapid.T) { check() },
		})
	})
}
