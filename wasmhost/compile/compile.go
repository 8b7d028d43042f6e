// Package compile turns admitted WebAssembly into machine code. wazero's compiler is not built for hostile input: what it needs grows
// faster than the module, and package admit's caps bound that only roughly. So a foreign module is compiled in a child process with
// limits of memory, CPU time, wall time and output, which ends with it. The child is the program itself, started anew:
// main and TestMain call [Child] first.
//
// Machine code is kept on disk, sealed (see package sealed). wazero gets what was checked as a private copy, never the file itself.
package compile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
)

// Limits of one compilation in a child process. All are inclusive.
type Limits struct {
	Memory uint64        // bytes of data that the child takes beyond what it starts with
	CPU    time.Duration // of all its threads together, in whole seconds
	Wall   time.Duration
	Output int64 // bytes of machine code
}

// DefaultLimits are a few times what the largest modules of standard Go that admission lets pass need.
func DefaultLimits() Limits {
	return Limits{Memory: 1536 << 20, CPU: 60 * time.Second, Wall: 2 * time.Minute, Output: 256 << 20}
}

// ample returns the limits for what no stranger wrote: it is worth waiting for on a machine that has much else to do.
func (l Limits) ample() Limits {
	l.CPU, l.Wall = 10*l.CPU, 10*l.Wall
	return l
}

// Module is what is to be compiled.
type Module struct {
	// Digest is the SHA-256 of the foreign bytes.
	Digest [32]byte
	// Rule names all else that the bytes of Instrument depend on: the rewriter's version and its policy.
	Rule string
	// Instrument returns the bytes to compile. It is not called when they are kept.
	Instrument func() ([]byte, error)
	// Trusted says that no stranger wrote the module: its machine code is then used by every build of the program, not only by
	// the one that made it.
	Trusted bool
}

// Compiler compiles modules and keeps their machine code. It may be used by several goroutines.
type Compiler struct {
	limits  Limits
	scratch string // a folder of our own, without files at rest
	claimed *os.File
	code    string // the folder in it where wazero looks for machine code
	cache   wazero.CompilationCache
	store   *store // nil when nothing is kept
	running chan struct{}

	mu sync.Mutex // held while a file is in code
}

// New returns a compiler that keeps machine code in dir, which is made; nowhere if dir is empty. Errors are faults of
// code Connect about folders.
func New(dir string, limits Limits) (*Compiler, error) {
	c := &Compiler{limits: limits, running: make(chan struct{}, 2)}
	var err error
	if dir != "" {
		if c.store, err = openStore(dir); err != nil {
			return nil, folderFault(err)
		}
	}
	sweep()
	if c.scratch, err = os.MkdirTemp("", scratchPrefix); err != nil {
		return nil, folderFault(err)
	}
	if c.claimed, err = claim(c.scratch); err == nil {
		c.cache, err = wazero.NewCompilationCacheWithDir(c.scratch)
	}
	if err == nil {
		c.code, err = only(c.scratch)
	}
	if err != nil {
		c.claimed.Close() // of nil too
		os.RemoveAll(c.scratch)
		return nil, folderFault(err)
	}
	return c, nil
}

// scratchPrefix begins the names of scratch folders, which lie where the system keeps temporary files.
const scratchPrefix = "wasmill-code-"

func folderFault(err error) error {
	return fault.New(fault.Connect, "the folder for compiled modules cannot be used: %v", err).
		WithHint("it must be a folder that this user can write")
}

// only returns the path of the one entry of a folder.
func only(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(entries) != 1 {
		return "", fmt.Errorf("%s has %d entries, expected 1", dir, len(entries))
	}
	return filepath.Join(dir, entries[0].Name()), nil
}

// Config is the configuration of runtimes that modules are compiled for.
func (c *Compiler) Config() wazero.RuntimeConfig { return config().WithCompilationCache(c.cache) }

// config is the same in the child.
func config() wazero.RuntimeConfig {
	return wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2)
}

// Compile compiles a module for a runtime that was made with [Compiler.Config]. Errors are Instrument's, and faults of code Admission for
// a module that wazero refuses, Limit for one whose compilation exceeds a limit.
func (c *Compiler) Compile(ctx context.Context, r wazero.Runtime, m Module) (wazero.CompiledModule, error) {
	key := c.key(m)
	e, ok := c.store.get(key, c.limits.Output)
	if !ok {
		defer c.store.lock(ctx, key)()
		e, ok = c.store.get(key, c.limits.Output) // another process may have had its turn
	}
	if ok {
		return c.load(ctx, r, e)
	}
	var err error
	if e.wasm, err = m.Instrument(); err != nil {
		return nil, err
	}
	if !ready.Load() {
		return c.here(ctx, r, key, e)
	}
	select {
	case c.running <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.New(fault.Internal, "the module was not compiled: %v", ctx.Err())
	}
	limits := c.limits
	if m.Trusted {
		limits = limits.ample()
	}
	e.name, e.code, err = c.run(ctx, e.wasm, limits)
	<-c.running
	if err != nil {
		return nil, err
	}
	c.store.put(key, e)
	return c.load(ctx, r, e)
}

// load hands wazero machine code that is known to be good, by putting it where wazero looks for it.
func (c *Compiler) load(ctx context.Context, r wazero.Runtime, e entry) (wazero.CompiledModule, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := filepath.Join(c.code, e.name)
	if err := os.WriteFile(path, e.code, 0o600); err != nil {
		return nil, folderFault(err)
	}
	defer os.Remove(path)
	compiled, err := compileModule(ctx, r, e.wasm)
	if err != nil {
		return nil, err
	}
	if used, err := only(c.code); err != nil || used != path {
		compiled.Close(ctx)
		return nil, fault.New(fault.Internal, "the machine code was made for another configuration than this process has")
	}
	return compiled, nil
}

// here compiles in this process, for programs that do not call [Child]. Admission's caps are all that bounds it.
func (c *Compiler) here(ctx context.Context, r wazero.Runtime, key string, e entry) (wazero.CompiledModule, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	compiled, err := compileModule(ctx, r, e.wasm)
	if err != nil {
		return nil, err
	}
	path, err := only(c.code)
	if err != nil {
		return compiled, nil // wazero had it in memory
	}
	defer os.Remove(path)
	if e.code, err = os.ReadFile(path); err == nil {
		e.name = filepath.Base(path)
		c.store.put(key, e)
	}
	return compiled, nil
}

// compileModule turns what wazero says about a module into a fault. A panic is a mistake of the compiler's over bytes that it
// accepted; they are a stranger's, so it must not end the process.
func compileModule(ctx context.Context, r wazero.Runtime, wasm []byte) (compiled wazero.CompiledModule, err error) {
	defer func() {
		if p := recover(); p != nil {
			compiled, err = nil, fault.New(fault.Admission, "the module cannot be compiled: %v", p)
		}
	}()
	compiled, err = r.CompileModule(ctx, wasm)
	if err != nil {
		return nil, fault.New(fault.Admission, "the module is not valid: %v", err)
	}
	return compiled, nil
}

// Close frees what the compiler holds. The runtimes must be closed before.
func (c *Compiler) Close(ctx context.Context) error {
	err := c.cache.Close(ctx)
	if e := os.RemoveAll(c.scratch); err == nil {
		err = e
	}
	c.claimed.Close()
	return err
}
