package sealed

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var things = Kind{Magic: "things 1\n", Ending: ".thing", Most: 1 << 20}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, things)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStoreGivesBackWhatWasPut(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Put("one", []byte("a "), []byte("thing"))
	s := open(t, dir) // another process
	if got, ok := s.Get("one", 7); !ok || string(got) != "a thing" {
		t.Errorf("got %q, %v", got, ok)
	}
	if _, ok := s.Get("two", 7); ok {
		t.Error("what was not put is there")
	}
	if _, ok := s.Get("one", 6); ok {
		t.Error("what is too long is there")
	}
	if _, ok := (*Store)(nil).Get("one", 7); ok {
		t.Error("a nil store keeps something")
	}
	(*Store)(nil).Put("one", nil)
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock := open(t, dir).Lock(t.Context(), "one")
	open(t, dir).Lock(t.Context(), "two")() // is free
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	open(t, dir).Lock(ctx, "one")()
	if ctx.Err() == nil {
		t.Error("a lock that is held was had")
	}
	unlock()
	open(t, dir).Lock(t.Context(), "one")()
	(*Store)(nil).Lock(t.Context(), "one")()
}

func TestASealIsForOneKey(t *testing.T) {
	s := open(t, t.TempDir())
	s.Put("one", []byte("thing"))
	if err := os.Rename(s.path("one"), s.path("two")); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Get("two", 100); ok {
		t.Error("a renamed file is used")
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) != 1 {
		t.Errorf("%v is left, %v", entries, err)
	}
}

// TestSpoiledFilesAreNotUsed changes every byte in turn, and cuts the file at each.
func TestSpoiledFilesAreNotUsed(t *testing.T) {
	s := open(t, t.TempDir())
	s.Put("one", []byte("a thing"))
	whole, err := os.ReadFile(s.path("one"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		spoiled := bytes.Clone(whole)
		spoiled[i] ^= 1
		for _, file := range [][]byte{spoiled, whole[:i]} {
			if err := os.WriteFile(s.path("one"), file, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, ok := s.Get("one", 100); ok {
				t.Fatalf("a file that was changed at byte %d of %d is used", i, len(whole))
			}
			if _, err := os.Stat(s.path("one")); !os.IsNotExist(err) {
				t.Fatalf("it stays: %v", err)
			}
		}
	}
}

func TestTheOldestFilesGoFirst(t *testing.T) {
	s := open(t, t.TempDir())
	for i, key := range []string{"a", "b", "c"} {
		s.Put(key, make([]byte, 1000))
		at := time.Unix(int64(1000-i), 0)
		if err := os.Chtimes(s.path(key), at, at); err != nil {
			t.Fatal(err)
		}
	}
	s.trim(2200)
	for key, want := range map[string]bool{"a": true, "b": true, "c": false} {
		if _, ok := s.Get(key, 10_000); ok != want {
			t.Errorf("%s is there: %v", key, ok)
		}
	}
}

func TestManyWriteAtOnce(t *testing.T) {
	dir := t.TempDir()
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			s, err := Open(dir, things)
			if err != nil {
				t.Error(err)
				return
			}
			s.Put("one", content)
			if got, ok := s.Get("one", 1<<20); !ok || !bytes.Equal(got, content) {
				t.Errorf("got %d bytes, %v", len(got), ok)
			}
		}()
	}
	all.Wait()
	if left, err := filepath.Glob(filepath.Join(dir, "new-*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
