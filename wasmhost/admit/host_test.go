package admit

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// host gives a runtime the out_of_fuel function.
func host(t testing.TB, r wazero.Runtime, refill func(left int64) int64) {
	t.Helper()
	_, err := r.NewHostModuleBuilder(ImportModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) {
			stack[0] = uint64(refill(int64(stack[0])))
		}), []api.ValueType{api.ValueTypeI64}, []api.ValueType{api.ValueTypeI64}).Export(ImportName).Instantiate(context.Background())
	if err != nil {
		t.Fatal(err)
	}
}

func wasi(t testing.TB, r wazero.Runtime) {
	t.Helper()
	if _, err := wasi_snapshot_preview1.Instantiate(context.Background(), r); err != nil {
		t.Fatal(err)
	}
}

// wasiPolicy is the default with WASI's imports.
func wasiPolicy() Policy {
	p := Default()
	p.Allowed = []Import{{Kind: Func, Module: "wasi_snapshot_preview1", Name: "*"}}
	return p
}
