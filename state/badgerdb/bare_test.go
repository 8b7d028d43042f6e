package badgerdb

import (
	"fmt"
	"testing"

	"github.com/wasmill/wasmill/state"
)

// TestBare has Badger number the transactions in between, as it did in stores of earlier days, and goes on with the store.
func TestBare(t *testing.T) {
	const keys = 1000
	dir := t.TempDir()
	key := func(dst []byte, i int) []byte { return fmt.Appendf(dst, "k%d", i) }
	var changes []state.Change
	for i := range keys {
		changes = append(changes, state.Change{Key: key(nil, i), Value: []byte{1}})
	}
	s := mustOpen(t, Options{Dir: dir, Profile: Small})
	mustCommit(t, s, 1, changes...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Bare(Options{Dir: dir, Profile: Small}, keys, key, func(value []byte) { value[0]++ }); err != nil {
			t.Fatal(err)
		}
	}
	if err := Bare(Options{Dir: dir, Profile: Small}, 1, func(dst []byte, _ int) []byte { return append(dst, "none"...) }, nil); err == nil {
		t.Error("a key that is not there was changed")
	}
	s = mustOpen(t, Options{Dir: dir, Profile: Small})
	mustCommit(t, s, 2, state.Change{Key: key(nil, 7), Value: []byte{9}}, state.Change{Key: key(nil, 8)})
	for range 2 {
		for i := range keys {
			v, ok, err := s.Get(nil, key(nil, i))
			want := byte(3)
			if i == 7 {
				want = 9
			}
			if err != nil || ok != (i != 8) || ok && (len(v) != 1 || v[0] != want) {
				t.Fatalf("key %d is %v, %v, %v", i, v, ok, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, Options{Dir: dir, Profile: Small})
	}
}
