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
	"crypto/rand"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/admit"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/compile"
)

// Options of a [Host]. The zero value is ready for use.
type Options struct {
	// CacheDir is a folder for machine code, found by the module's digest; made when it is not there. What lies there is
	// used only if it was sealed with a key that only this user can read. Empty means that every Host compiles anew.
	CacheDir string
	// Now is what guests take for the time, nil for the system's clock. Deadlines do not use it.
	Now func() time.Time
	// Random fills what guests take for random bytes, nil for the system's. It is used by several goroutines.
	Random func([]byte)
}

// Host holds what guests share: the compiler, its cache and the host's functions. It may be used by several goroutines.
type Host struct {
	options  Options // with defaults filled in
	started  time.Time
	compiler *compile.Compiler
	policy   admit.Policy
	offers   map[string]string // signatures of importable functions by "module.name"
	rule     string            // all that admission's result depends on besides the module
}

// CompileChild does the work of a process that was started to compile a module, and reports that it did; then the program must
// end. Call it first thing in main and in TestMain:
//
//	if wasmhost.CompileChild() {
//		return
//	}
//
// A program that never calls it compiles modules in its own process, where only the caps of admission bound what that takes.
func CompileChild() bool { return compile.Child() }

// New returns a host. The only errors are faults of code Connect about folders.
func New(options Options) (*Host, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Random == nil {
		options.Random = func(b []byte) { rand.Read(b) } // never fails
	}
	h := &Host{options: options, started: options.Now(), policy: admit.Default(), offers: map[string]string{}}
	for _, f := range hostFunctions() {
		if f.module == admit.ImportModule {
			continue
		}
		h.offers[f.module+"."+f.name] = f.signature()
		h.policy.Allowed = append(h.policy.Allowed, admit.Import{
			Kind: admit.Func, Module: f.module, Name: f.name, Type: &admit.FuncType{Params: f.params, Results: f.results},
		})
	}
	h.rule = h.ruleOf(h.policy, false)
	dir := options.CacheDir
	if dir != "" {
		dir = filepath.Join(dir, "wasm")
	}
	var err error
	if h.compiler, err = compile.New(dir, compile.DefaultLimits()); err != nil {
		return nil, err
	}
	return h, nil
}

// ruleOf names all that the bytes depend on that wazero gets of a module.
func (h *Host) ruleOf(p admit.Policy, images bool) string {
	p.Allowed = nil // as offers
	return fmt.Sprintf("%d %+v %v %v", admit.RuleVersion, p, h.offers, images)
}

// runtime makes what a module's guests live in, with the host's functions. It belongs to one module, so that what
// wazero remembers of a module's types goes with it.
func (h *Host) runtime(ctx context.Context) (wazero.Runtime, error) {
	r := wazero.NewRuntimeWithConfig(ctx, h.compiler.Config())
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range hostFunctions() {
		b := builders[f.module]
		if b == nil {
			b = r.NewHostModuleBuilder(f.module)
			builders[f.module] = b
		}
		b.NewFunctionBuilder().WithGoModuleFunction(f.goFunction(), f.params, f.results).Export(f.name)
	}
	for _, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			r.Close(ctx)
			return nil, fault.New(fault.Internal, "the host's functions cannot be set up: %v", err)
		}
	}
	return r, nil
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
func (h *Host) Close(ctx context.Context) error { return h.compiler.Close(ctx) }
