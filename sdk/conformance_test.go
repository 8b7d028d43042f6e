package sdk_test

import (
	"path/filepath"
	"testing"

	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/wasmhost/conformance"
)

func TestConformance(t *testing.T) {
	t.Run("c", func(t *testing.T) { conformance.Run(t, load(t, buildC(t, "conformance.c"))) })
	t.Run("c with libc", func(t *testing.T) {
		flags := []string{"--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Ic"}
		wasm := cbuild.Build(t, []string{filepath.Join("testdata", "c", "conformance.c")}, flags...)
		conformance.Run(t, load(t, wasm))
	})
	t.Run("go", func(t *testing.T) { conformance.Run(t, load(t, buildGo(t, "conformance"))) })
	t.Run("rust", func(t *testing.T) { conformance.Run(t, load(t, buildRust(t, "conformance"))) })
}
