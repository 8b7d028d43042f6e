// Package python runs Python files inside the sandbox: CPython on WebAssembly, started by cloning an image.
//
// A [Runtime] starts the interpreter once and keeps its memory as the *base image*. A bundle's file is executed once in a guest that starts
// from it; what is there then, modules, closures and models included, is the bundle's *job image*. Each guest of the bundle is a copy-on-write
// clone of that, made in less than a millisecond. Both images are kept on disk, so that later runs execute nothing anew: what module-level code
// read from the clock or from random numbers is the same in all of them, and it sees no more of the outside than its bundle's files.
//
// Programs that want to call a function in a Python file, and nothing more, use [LoadFile]:
//
//	file, err := python.LoadFile(ctx, "prices.py")
//	if err != nil {
//		return err
//	}
//	defer file.Close(ctx)
//	gross, err := file.Call(ctx, "with_tax", 100.0)
//
// Errors are faults (package engine/fault), and those that the user's code raised carry its traceback as Detail.
package python

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost"
)

// Options of a [Runtime]. The zero value but for Host is ready for use.
type Options struct {
	// Host runs the guests. It is the caller's to close, after the runtime.
	Host *wasmhost.Host
	// Runtime is the Python to run; nil for pyodide.Load's, which is looked for when the first file is opened.
	Runtime *pyodide.Runtime
	// CacheDir is a folder for images, made when it is not there; usually the host's. Empty means that every Runtime makes its own.
	CacheDir string
	// LoadTimeout is how long a file may take to be executed; 0 means a minute.
	LoadTimeout time.Duration
	// LoadMemory is the most memory in bytes that a file may take while it is executed; 0 means 256 MiB. Guests have their own limit.
	LoadMemory uint64
	// Log receives what files print while they are executed; nil discards it. It may be called by several goroutines.
	Log func(level int, line string)
}

// Runtime is Python in the sandbox. It may be used by several goroutines.
type Runtime struct {
	options Options
	images  *wasmhost.ImageStore

	mu       sync.Mutex
	python   *pyodide.Runtime   // guarded by mu; nil before it is needed, as are the following
	template *wasmhost.Template // guarded by mu
	base     *wasmhost.Image    // guarded by mu
}

// format is part of the keys of images: it changes when guests of older images would not do any more.
const format = 1

// Where the guest finds its libraries, and where the user's files.
const (
	stdlibPath   = "lib/" + pyodide.StdlibName
	packagesPath = "lib/" + pyodide.PackagesName
	bundlePath   = "/" + wasmhost.BundleFolder + "/"
)

// The exports that only Python has.
const (
	exportBoot = "wasmill_py_boot"
	exportLoad = "wasmill_py_load"
)

// New returns a runtime. It starts nothing. The error is a fault of code Connect about the cache's folder.
func New(options Options) (*Runtime, error) {
	if options.LoadTimeout <= 0 {
		options.LoadTimeout = time.Minute
	}
	r := &Runtime{options: options}
	if options.CacheDir == "" {
		return r, nil
	}
	var err error
	r.images, err = wasmhost.OpenImages(options.CacheDir)
	return r, err
}

// Close frees what the runtime holds. All bundles and guests must be closed before.
func (r *Runtime) Close(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.base != nil {
		r.base.Close()
	}
	template := r.template
	r.base, r.template = nil, nil
	if template == nil {
		return nil
	}
	return template.Close(ctx)
}

// ready returns the interpreter's code, compiled.
func (r *Runtime) ready(ctx context.Context) (*wasmhost.Template, *pyodide.Runtime, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.template != nil {
		return r.template, r.python, nil
	}
	r.python = r.options.Runtime
	var err error
	if r.python == nil {
		if r.python, err = pyodide.Load(); err != nil {
			return nil, nil, err
		}
	}
	r.template, err = r.options.Host.Template(ctx, "python", r.python.Wasm, true)
	return r.template, r.python, err
}

// libraries are the files that all guests see.
func libraries(p *pyodide.Runtime) map[string][]byte {
	return map[string][]byte{stdlibPath: p.Stdlib, packagesPath: p.Packages}
}

// started returns the base image, from the cache if it is there.
func (r *Runtime) started(ctx context.Context, t *wasmhost.Template, p *pyodide.Runtime) (*wasmhost.Image, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.base != nil {
		return r.base, nil
	}
	key := digest("base", p.Digest)
	image, ok := r.images.Get(key, t)
	if !ok {
		var err error
		if image, err = r.boot(ctx, t, p); err != nil {
			return nil, fault.From(err).In("python")
		}
		r.images.Put(key, image)
	}
	r.base = image
	return image, nil
}

// boot starts the interpreter and makes the base image.
func (r *Runtime) boot(ctx context.Context, t *wasmhost.Template, p *pyodide.Runtime) (*wasmhost.Image, error) {
	files, err := wasmhost.BundleFiles(nil, libraries(p))
	if err != nil {
		return nil, err
	}
	seed, err := t.Seed(ctx, nil, files, udf.Options{CallTimeout: bootTimeout, Log: r.options.Log})
	if err != nil {
		return nil, err
	}
	defer seed.Close(ctx)
	if err := seed.Run(ctx, exportBoot, uint64(hashSeed())); err != nil {
		return nil, err
	}
	return seed.Image(ctx, false)
}

// bootTimeout is far more than the start of the interpreter takes on any machine.
const bootTimeout = 5 * time.Minute

// hashSeed is what strings are hashed with in all guests of an image. It is the machine's own, so that nobody outside can choose keys that
// collide, and not 0, which means none.
func hashSeed() uint32 {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint32(b[:]) | 1
}

func (r *Runtime) limits() udf.Options {
	return udf.Options{MaxMemory: r.options.LoadMemory, CallTimeout: r.options.LoadTimeout, Log: r.options.Log}
}

// digest names an image after what it was made of.
func digest(parts ...string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %q", format, parts)
	return hex.EncodeToString(h.Sum(nil))
}
