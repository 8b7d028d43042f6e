package badgerdb

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmill/wasmill/state"
)

// TestALogWithoutAByte is what a kill leaves behind between the making of a log and its first byte.
func TestALogWithoutAByte(t *testing.T) {
	for _, name := range []string{"00099.mem", "000099.vlog"} {
		dir := t.TempDir()
		s, err := Open(Options{Dir: dir, Profile: Small})
		if err != nil {
			t.Fatal(err)
		}
		c := state.Commit{Marker: state.Marker{Epoch: 1}, Changes: []state.Change{{Key: []byte("k"), Value: []byte("v")}}}
		if err := s.Commit(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(Options{Dir: dir, Profile: Small}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v, ok, err := s.Get(nil, []byte("k")); err != nil || !ok || string(v) != "v" {
			t.Errorf("%s: got %q, %v, %v", name, v, ok, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
