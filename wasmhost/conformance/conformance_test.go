package conformance_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/conformance"
)

// load builds a guest of testdata and loads it.
func load(t testing.TB, host *wasmhost.Host, source string, flags ...string) (udf.Bundle, error) {
	t.Helper()
	wasm := cbuild.Build(t, []string{filepath.Join("testdata", source)}, append(append([]string{}, cbuild.Freestanding...), flags...)...)
	b, err := host.Load(t.Context(), source, wasm)
	if err == nil {
		t.Cleanup(func() { b.Close(context.Background()) })
	}
	return b, err
}

func newHost(t testing.TB, options wasmhost.Options) *wasmhost.Host {
	t.Helper()
	host, err := wasmhost.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(context.Background()) })
	return host
}

func TestReference(t *testing.T) {
	b, err := load(t, newHost(t, wasmhost.Options{}), "reference.c")
	if err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, b)
}
