package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/enginetest"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/badgerdb"
)

// TestScriptsOverBadger runs the engine's scripts with their state in Badger, with a crash behind every step, and little memory.
func TestScriptsOverBadger(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "engine", "enginetest", "testdata", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			dir := t.TempDir()
			v := enginetest.Variant{Parallelism: 2, Restored: 3, StateCache: 1, Crashes: !strings.Contains(string(text), "Without crashes"),
				Open: func() (state.Store, error) { return badgerdb.Open(badgerdb.Options{Dir: dir, Profile: badgerdb.Small}) }}
			if err := enginetest.Run(t.Context(), string(text), v); err != nil {
				t.Fatal(err)
			}
		})
	}
}
