package wasmhost

import (
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/internal/wasmtext"
)

// Ceilings for what loading any module of the corpus may take of this process: far above what is needed, and far below
// what the bombs ask for.
const (
	ceilingBytes = 512 << 20 // a stack of calls that is too deep takes 200 MB
	ceilingTime  = 30 * time.Second
)

// bombs returns a folder of admission's corpus by name.
func bombs(t *testing.T, folder string, least int) map[string]wasmtext.Source {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("admit", "testdata", folder, "*.txt"))
	if err != nil || len(paths) < least {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	sources := map[string]wasmtext.Source{}
	for _, path := range paths {
		s, err := wasmtext.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		sources[strings.TrimSuffix(filepath.Base(path), ".txt")] = s
	}
	return sources
}

// under runs f and holds it to the ceilings.
func under(t *testing.T, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	if took := time.Since(start); took > ceilingTime {
		t.Errorf("it took %v", took)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > ceilingBytes {
		t.Errorf("it took %d MiB", took>>20)
	}
}

func TestBombsAreRefused(t *testing.T) {
	h := newTestHost(t)
	for name, s := range bombs(t, "refused", 40) {
		t.Run(name, func(t *testing.T) {
			under(t, func() {
				if _, err := h.Load(t.Context(), "m", s.Module); err == nil || !admission(err) {
					t.Errorf("loaded: %v", err)
				}
				// The same without the look at imports and exports, which is all that some of them fail.
				if _, err := h.admit(s.Module, h.policy); fault.CodeOf(err) != fault.Admission {
					t.Errorf("admitted: %v", err)
				}
			})
		})
	}
}

func admission(err error) bool {
	var faults fault.List
	faults.Append(err)
	for _, f := range faults {
		if f.Code != fault.Admission {
			return false
		}
	}
	return len(faults) > 0
}

func newTestHost(t *testing.T) *Host {
	t.Helper()
	h, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// TestBombsAreStopped runs every module that would run for ever as a guest, in a call of 200 ms.
func TestBombsAreStopped(t *testing.T) {
	h := newTestHost(t)
	for name, s := range bombs(t, "stopped", 15) {
		t.Run(name, func(t *testing.T) {
			under(t, func() {
				limit := 200 * time.Millisecond
				if strings.HasPrefix(s.Expect, "trap ") {
					limit = time.Minute // the trap must come first, however busy the machine is
				}
				p, err := h.Probe(t.Context(), s.Module)
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close(context.Background())
				_, spent, err := p.Run(t.Context(), "f", limit)
				want := "f: the guest was stopped after 200ms: its time for one call is over"
				if trap, ok := strings.CutPrefix(s.Expect, "trap "); ok {
					want = "f: the guest trapped: " + strings.Replace(trap, "stack overflow", "recursion too deep", 1)
				}
				if err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
				if spent == 0 {
					t.Error("it spent no fuel")
				}
			})
		})
	}
}
