package badgerdb

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/statetest"
)

func FuzzCutChange(f *testing.F) {
	f.Add(appendChange(nil, state.Change{Key: []byte("key"), Value: []byte("value")}))
	f.Add(appendChange(appendChange(nil, state.Change{Key: []byte{}}), state.Change{Key: []byte("k"), Value: []byte{}}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			c, rest, err := cutChange(b)
			if err != nil {
				return
			}
			again, none, err := cutChange(appendChange(nil, c))
			if err != nil || len(none) > 0 || !cmp.Equal(c, again) {
				t.Fatalf("%+v becomes %+v, %d bytes left, %v", c, again, len(none), err)
			}
			b = rest
		}
	})
}

func FuzzSplitLong(f *testing.F) {
	f.Add([]byte{3, 'k', 'e', 'y'})
	f.Add(dataValue(bytes.Repeat([]byte("k"), longKey), []byte("value")))
	f.Add(dataValue(bytes.Repeat([]byte("k"), longKey), []byte("value"))[:longKey])
	f.Fuzz(func(t *testing.T, b []byte) {
		if key, value, err := splitLong(b); err == nil && (len(key) < longKey || len(key)+len(value) >= len(b)) {
			t.Fatalf("%d and %d of %d bytes", len(key), len(value), len(b))
		}
	})
}

// decidedStore returns the folder of a store that was killed right behind the decision on a journal.
func decidedStore(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	decided := ""
	s := mustOpen(t, Options{Dir: dir, Profile: Small, step: func(name string) {
		if name == "decided" {
			decided = clone(t, dir)
		}
	}})
	mustCommit(t, s, 3, epochChanges(3)...)
	if decided == "" {
		t.Fatal("the commit took no journal")
	}
	return decided
}

// TestDamagedJournal changes a decided journal: Open must not apply it, nor drop it.
func TestDamagedJournal(t *testing.T) {
	for what, damage := range map[string]func(*Store) error{
		"a group is gone": func(s *Store) error {
			w := s.newWriter(context.Background())
			defer w.close()
			w.delete(keyGroup(3, 1))
			return w.flush()
		},
		"a group is another": func(s *Store) error {
			return s.setMeta(keyGroup(3, 0), appendChange(nil, state.Change{Key: []byte("x"), Value: []byte("y")}))
		},
		"the decision is not readable": func(s *Store) error { return s.setMeta(keyDecision, []byte("{")) },
	} {
		dir := decidedStore(t)
		// Damage it below recovery, which is what is tested.
		s := &Store{dir: dir, log: &logger{}, step: func(string) {}, flying: 1}
		var err error
		if s.db, err = openBadger(Options{Dir: dir, Profile: Small}, s.log); err != nil {
			t.Fatal(err)
		}
		s.version = s.db.MaxVersion()
		if err := damage(s); err != nil {
			t.Fatal(err)
		}
		if err := s.db.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, err = Open(Options{Dir: dir, Profile: Small})
			if err == nil || !strings.HasPrefix(err.Error(), dir+": the state cannot be read: the ") {
				t.Fatalf("%s: got %v", what, err)
			}
		}
	}
}

// TestUndecidedJournalIsDropped and its epoch can be committed again.
func TestUndecidedJournalIsDropped(t *testing.T) {
	dir := t.TempDir()
	copied := ""
	s := mustOpen(t, Options{Dir: dir, Profile: Small, step: func(name string) {
		if name == "journalled" {
			copied = clone(t, dir)
		}
	}})
	mustCommit(t, s, 3, epochChanges(3)...)
	again := mustOpen(t, Options{Dir: copied, Profile: Small})
	if _, some, err := again.Last(); some || err != nil {
		t.Fatalf("there is a marker: %v", err)
	}
	mustCommit(t, again, 3, epochChanges(3)...)
	for _, s := range []*Store{s, again} {
		got, err := statetest.Contents(s)
		want := map[string]string{}
		apply(want, epochChanges(3))
		if err != nil || !cmp.Equal(want, got) {
			t.Fatalf("%d keys, want %d, %v", len(got), len(want), err)
		}
	}
}

func TestLongKeysKeepTheirPrefix(t *testing.T) {
	key := bytes.Repeat([]byte("k"), longKey+100)
	got := dataKey(nil, key)
	if len(got) != 1+longKey+32 || !bytes.HasPrefix(got[1:], key[:longKey]) || !isLong(got) {
		t.Errorf("a key of %d bytes becomes one of %d", len(key), len(got))
	}
	if short := dataKey(nil, key[:longKey-1]); isLong(short) || len(short) != longKey {
		t.Errorf("a key of %d bytes becomes one of %d", longKey-1, len(short))
	}
}
