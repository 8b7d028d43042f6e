// Package gobuild compiles Go guests to WebAssembly for tests.
package gobuild

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build compiles the package main in a folder to a WASI reactor and returns the module's bytes. The go command's
// own cache makes all but the first build after a change quick. It ends the test when the package does not compile.
func Build(t testing.TB, dir string, flags ...string) []byte {
	t.Helper()
	wasm, err := build(t.TempDir(), dir, flags)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func build(scratch, dir string, flags []string) ([]byte, error) {
	out := filepath.Join(scratch, "guest.wasm")
	args := append([]string{"build", "-buildmode=c-shared", "-trimpath", "-o", out}, flags...)
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = dir
	// What the test's own process was built with must not leak into the guest: the race detector and coverage have no wasm.
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0", "GOTOOLCHAIN=local")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build in %s: %v\n%s", dir, err, text)
	}
	return os.ReadFile(out)
}
