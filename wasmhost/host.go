// Package wasmhost runs user functions inside WebAssembly: it compiles modules once, starts guests from them, and moves
// Arrow columns into a guest's memory and out of it without copying. docs/abi.md is the reference of what a guest exports and imports.
//
// Nothing that a guest says is trusted. Every pointer, length and count is checked before it is used, and any entry into
// the guest ends every earlier check, for a hostile guest may change its memory then.
//
// Every module goes through package admit before wazero sees a byte of it: it is validated under caps, and rewritten so
// that it pays fuel for what it does. When a slice of fuel is spent the host looks at the clock, the context and the
// budget of the call, so that any loop is stopped, and the garbage collector gets in. docs/sandbox.md has the limits.
package wasmhost

import (
	"context"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/admit"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// Options of a [Host]. The zero value is ready for use.
type Options struct {
	// CacheDir is a folder for machine code, found by the module's digest; made when it is not there. Who can write there
	// can run code in this process. Empty means that every Host compiles anew.
	CacheDir string
}

// Host holds what guests share: the compiler, its cache and the host's functions. It may be used by several goroutines.
type Host struct {
	cache   wazero.CompilationCache // nil without CacheDir
	runtime wazero.Runtime
	policy  admit.Policy
	offers  map[string]string // signatures of importable functions by "module.name"
}

// New returns a host. The only errors are faults of code Connect about CacheDir.
func New(options Options) (*Host, error) {
	ctx := context.Background()
	config := wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2)
	h := &Host{policy: admit.Default(), offers: map[string]string{}}
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
	if err := h.provide(ctx); err != nil {
		h.Close(ctx)
		return nil, fault.New(fault.Internal, "the host's functions cannot be set up: %v", err)
	}
	return h, nil
}

func cacheFault(err error) error {
	return fault.New(fault.Connect, "the folder for compiled modules cannot be used: %v", err).
		WithHint("it must be a folder that this user can write")
}

// provide instantiates the host's functions, and offers those that modules may import by themselves.
func (h *Host) provide(ctx context.Context) error {
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range hostFunctions() {
		b := builders[f.module]
		if b == nil {
			b = h.runtime.NewHostModuleBuilder(f.module)
			builders[f.module] = b
		}
		b.NewFunctionBuilder().WithGoModuleFunction(f.goFunction(), f.params, f.results).Export(f.name)
		if f.module != admit.ImportModule {
			h.offers[f.module+"."+f.name] = f.signature()
			h.policy.Allowed = append(h.policy.Allowed, admit.Import{
				Kind: admit.Func, Module: f.module, Name: f.name, Type: &admit.FuncType{Params: f.params, Results: f.results},
			})
		}
	}
	for _, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (f hostFunction) signature() string {
	names := func(types []api.ValueType) []string {
		var out []string
		for _, t := range types {
			out = append(out, api.ValueTypeName(t))
		}
		return out
	}
	return bundle.Signature(names(f.params), names(f.results))
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
