package wasmhost

import (
	"context"
	"crypto/rand"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmill/wasmill/engine/fault"
)

const wasiModule = wasi_snapshot_preview1.ModuleName

// Levels of lines that a guest prints, as in log/slog.
const (
	levelInfo = 0
	levelWarn = 4
)

// addWASI adds wazero's WASI functions. What they may reach is decided per guest by [wasiConfig]. Only proc_exit is
// ours: wazero's closes the instance and unmaps its memory, which records of the host may still refer to.
func addWASI(b wazero.HostModuleBuilder) {
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(b)
	exit := api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) {
		panic(fault.New(fault.Guest, "the guest left with exit code %d", uint32(stack[0])))
	})
	b.NewFunctionBuilder().WithGoModuleFunction(exit, []api.ValueType{api.ValueTypeI32}, nil).Export("proc_exit")
}

// wasiConfig denies all but clocks, randomness, sleep and standard output: no files, sockets, arguments, environment,
// input. The empty name lets many guests of a module live in one runtime. No start function runs: the guest calls
// _initialize itself, under its limits.
func (g *guest) wasiConfig() wazero.ModuleConfig {
	return wazero.NewModuleConfig().
		WithName("").
		WithStartFunctions().
		WithStdout(&g.stdout).
		WithStderr(&g.stderr).
		WithSysWalltime().
		WithSysNanotime().
		WithNanosleep(g.sleep).
		WithRandSource(rand.Reader)
}
