package sdk_test

import (
	"path/filepath"
	"testing"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/internal/gobuild"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/conformance"
)

func load(t testing.TB, wasm []byte) udf.Bundle {
	t.Helper()
	host, err := wasmhost.New(wasmhost.Options{CacheDir: cacheDir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(t.Context()) })
	b, err := host.Load(t.Context(), "guest.wasm", wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(t.Context()) })
	return b
}

func TestConformanceC(t *testing.T) {
	wasm := cbuild.Build(t, []string{filepath.Join("testdata", "c", "conformance.c")}, append(cbuild.Freestanding, "-Ic")...)
	t.Logf("%d bytes", len(wasm))
	conformance.Run(t, load(t, wasm))
}

func TestConformanceGo(t *testing.T) {
	wasm := gobuild.Build(t, filepath.Join("testdata", "go"))
	t.Logf("%d bytes", len(wasm))
	conformance.Run(t, load(t, wasm))
}
