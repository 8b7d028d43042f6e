// Package wasmhost runs user functions inside WebAssembly: it compiles modules once, starts guests from them, and moves
// Arrow columns into a guest's memory and out of it without copying. docs/abi.md is the reference of what a guest exports and imports.
//
// Nothing that a guest says is trusted. Every pointer, length and count is checked before it is used, and any entry into
// the guest ends every earlier check, for a hostile guest may change its memory then.
//
// Time: the wall time that a guest spends in one call is bounded by [github.com/wasmill/wasmill/engine/udf.Options.CallTimeout]. It is looked at whenever the
// guest calls the host and between the steps of a result. Only a host with [Options.Deadlines] can also stop a
// loop that calls nothing; see there for what that costs.
package wasmhost

import (
	"context"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// Options of a [Host]. The zero value is ready for use.
type Options struct {
	// CacheDir is a folder for machine code, found by the module's digest; made when it is not there. Who can write there
	// can run code in this process. Empty means that every Host compiles anew.
	CacheDir string
	// Deadlines makes machine code look at every loop and function entry whether its call's time is over, so that a loop that never calls
	// the host is stopped as well. It makes tight loops up to 17 times slower, and a call costs some microseconds more. Without
	// it such a loop keeps its goroutine, and the garbage collector, waiting for ever.
	Deadlines bool
}

// Host holds what guests share: the compiler, its cache and the host's functions. It may be used by several goroutines.
type Host struct {
	options Options
	cache   wazero.CompilationCache // nil without CacheDir
	runtime wazero.Runtime
	offers  map[string]string // signatures of importable functions by "module.name"
}

// New returns a host. The only errors are faults of code Connect about CacheDir.
func New(options Options) (*Host, error) {
	ctx := context.Background()
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithCloseOnContextDone(options.Deadlines)
	h := &Host{options: options, offers: map[string]string{}}
	if options.CacheDir != "" {
		dir := filepath.Join(options.CacheDir, "wasm")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, cacheFault(err)
		}
		cache, err := wazero.NewCompilationCacheWithDir(dir)
		if err != nil {
			return nil, cacheFault(err)
		}
		h.cache = cache
		config = config.WithCompilationCache(cache)
	}
	h.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	for _, module := range []struct {
		name string
		add  func(wazero.HostModuleBuilder)
	}{{wasiModule, addWASI}, {hostModule, addImports}} {
		builder := h.runtime.NewHostModuleBuilder(module.name)
		module.add(builder)
		if err := h.offer(ctx, module.name, builder); err != nil {
			h.Close(ctx)
			return nil, fault.New(fault.Internal, "the host's functions cannot be set up: %v", err)
		}
	}
	return h, nil
}

func cacheFault(err error) error {
	return fault.New(fault.Connect, "the folder for compiled modules cannot be used: %v", err).
		WithHint("it must be a folder that this user can write")
}

// offer instantiates a module of host functions and notes their signatures.
func (h *Host) offer(ctx context.Context, name string, builder wazero.HostModuleBuilder) error {
	compiled, err := builder.Compile(ctx)
	if err != nil {
		return err
	}
	for export, f := range compiled.ExportedFunctions() {
		h.offers[name+"."+export] = signatureOf(f)
	}
	_, err = h.runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName(name))
	return err
}

func signatureOf(f api.FunctionDefinition) string {
	names := func(types []api.ValueType) []string {
		var out []string
		for _, t := range types {
			out = append(out, api.ValueTypeName(t))
		}
		return out
	}
	return bundle.Signature(names(f.ParamTypes()), names(f.ResultTypes()))
}

// Close frees what the host holds. All bundles and guests must be closed before.
func (h *Host) Close(ctx context.Context) error {
	err := h.runtime.Close(ctx)
	if h.cache != nil {
		if e := h.cache.Close(ctx); err == nil {
			err = e
		}
	}
	return err
}
