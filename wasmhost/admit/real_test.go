package admit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/internal/rustbuild"
)

// wasiReactor are the flags for a C guest with wasi-libc.
var wasiReactor = []string{"--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror"}

// buildGo compiles a folder to a guest in standard Go.
func buildGo(t testing.TB, folder string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func buildC(t testing.TB, file string, flags ...string) []byte {
	return cbuild.Build(t, []string{filepath.Join("testdata", "c", file)}, flags...)
}

// TestRealModules admits what the compilers make under the default caps, and runs it with the same results as plain.
func TestRealModules(t *testing.T) {
	for _, c := range []struct {
		name string
		wasm []byte
		arg  uint64
	}{
		{"go", buildGo(t, filepath.Join("testdata", "goguest")), 20},
		{"c", buildC(t, "ordinary.c", wasiReactor...), 500},
		{"c with vectors and bulk memory", buildC(t, "ordinary.c", append([]string{"-msimd128", "-mbulk-memory", "-mmultivalue"}, wasiReactor...)...), 500},
		{"c unoptimised", buildC(t, "ordinary.c", append(wasiReactor[:len(wasiReactor):len(wasiReactor)], "-O0")...), 500},
		{"rust", rustbuild.Build(t, filepath.Join("testdata", "rustguest")), 100},
		{"rust unoptimised", rustbuild.BuildDebug(t, filepath.Join("testdata", "rustguest")), 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain, metered := plainGuest(t, c.wasm), newGuest(t, c.wasm, wasiPolicy(), 0)
			for _, g := range []*guest{plain, metered} {
				if _, err := g.call("_initialize"); err != nil {
					t.Fatal(err)
				}
			}
			want, err := plain.call("work", c.arg)
			if err != nil {
				t.Fatal(err)
			}
			got, spent, err := metered.metered(1<<40, "work", c.arg)
			if err != nil {
				t.Fatal(err)
			}
			if got[0] != want[0] || int32(got[0]) <= 0 {
				t.Errorf("got %d, plain %d", got[0], want[0])
			}
			if spent < 10_000 {
				t.Errorf("spent %d", spent)
			}
			t.Logf("%d bytes to %d, %d functions of which %d free, %d helpers, %d fuel", metered.info.BytesIn,
				metered.info.BytesOut, metered.info.Functions, metered.info.Free, metered.info.Helpers, spent)
		})
	}
}

// TestATraceKeepsItsNames traps in a function whose index has moved.
func TestATraceKeepsItsNames(t *testing.T) {
	g := newGuest(t, buildC(t, "kernels.c", kernelFlags...), Default(), 0)
	_, _, err := g.metered(10_000, "recursion", 1_000_000)
	if err == nil || !strings.Contains(err.Error(), ".ackermann(") || !strings.Contains(err.Error(), ImportModule+".helper(") {
		t.Errorf("got %v", err)
	}
}
