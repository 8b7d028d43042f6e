package admit

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
)

func sources(t testing.TB, folder string, least int) []source {
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
	if err != nil || len(files) < least {
		t.Fatalf("%d sources in %s: %v", len(files), folder, err)
	}
	var list []source
	for _, f := range files {
		s := readSource(t, f)
		s.name = strings.TrimSuffix(filepath.Base(f), ".txt")
		list = append(list, s)
	}
	return list
}

// TestRefused checks the text of every refusal, and that it takes no memory to speak of: a bomb is refused for what it
// announces, before that is allocated.
func TestRefused(t *testing.T) {
	for _, s := range sources(t, "refused", 40) {
		t.Run(s.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := Validate(s.module, Default())
			runtime.ReadMemStats(&after)
			var f *fault.Fault
			if !errors.As(err, &f) || f.Code != fault.Admission {
				t.Fatalf("got %v", err)
			}
			got := f.Where + ": " + f.What
			if got != s.expect && !strings.HasSuffix(got, ": "+s.expect) {
				t.Errorf("got  %s\nwant %s", got, s.expect)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > uint64(4<<20+2*len(s.module)) {
				t.Errorf("refusing %d bytes took %d bytes of memory", len(s.module), took)
			}
			var refusal *Refusal
			if !errors.As(err, &refusal) || strings.Contains(f.What, "the cap is") != (refusal.Value > refusal.Limit) {
				t.Errorf("cause is %#v", refusal)
			}
		})
	}
}

// errStop is what a test's host stops a guest with.
var errStop = errors.New("the budget is spent")

// TestStopped runs every source that would run for ever, with two slices: it ends, and at the same fuel.
func TestStopped(t *testing.T) {
	for _, s := range sources(t, "stopped", 15) {
		t.Run(s.name, func(t *testing.T) {
			const budget = 30_000_000
			var spent []int64
			for _, slice := range []int64{DefaultSlice, DefaultSlice, 77_777} {
				g := newGuest(t, s.module, Default(), slice)
				_, n, err := g.metered(budget, "f")
				switch want, isTrap := strings.CutPrefix(s.expect, "trap "); {
				case isTrap && (err == nil || !strings.Contains(err.Error(), want)):
					t.Fatalf("got %v, want %s", err, want)
				case !isTrap && !errors.Is(err, errStop):
					t.Fatalf("got %v, want a stop", err)
				case !isTrap && (n <= budget || n > budget+1_000_000):
					t.Errorf("stopped after %d of %d", n, budget)
				}
				spent = append(spent, n)
			}
			if spent[0] != spent[1] {
				t.Errorf("fuel differs between runs: %d", spent)
			}
			if spent[0] != spent[2] {
				t.Errorf("fuel differs between slices: %d", spent)
			}
		})
	}
}
