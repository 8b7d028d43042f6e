package python

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// File is a Python file, or a bundle of several, whose functions a Go program calls. It may be used by several goroutines, but its calls
// happen one after the other, in one guest: what a function leaves in the module's variables, the next call finds. A guest that was stopped
// or broke is replaced by a new one, which begins as the file does.
type File struct {
	bundle  udf.Bundle
	options udf.Options
	closing []func(context.Context) error

	mu    sync.Mutex
	guest udf.Guest                // guarded by mu; nil before the first call
	bound map[binding]udf.Function // guarded by mu; the functions of guest
}

// binding is what a function was bound to: itself and a schema.
type binding struct {
	name   string
	kind   udf.Kind
	schema string
}

// LoadFile executes the file at a path, which is whatever [bundle.Open] reads, in a runtime of its own that keeps machine code and images in the user's
// cache folder. Programs with many files share a [Runtime] instead. Errors are those of [bundle.Open] and [Runtime.Open].
//
// The first start on a machine compiles the interpreter, which takes seconds; see [wasmhost.CompileChild] for what main may do about
// where that happens.
func LoadFile(ctx context.Context, path string) (*File, error) {
	cache := ""
	if dir, err := os.UserCacheDir(); err == nil {
		cache = filepath.Join(dir, "wasmill")
	}
	host, err := wasmhost.New(wasmhost.Options{CacheDir: cache})
	if err != nil {
		return nil, err
	}
	r, err := New(Options{Host: host, CacheDir: cache})
	if err != nil {
		return nil, errors.Join(err, host.Close(ctx))
	}
	f, err := r.LoadFile(ctx, path, udf.Options{})
	if err != nil {
		r.Close(ctx)
		host.Close(ctx)
		return nil, err
	}
	f.closing = append(f.closing, r.Close, host.Close)
	return f, nil
}

// LoadFile executes the file at a path. The options hold for its guest. Errors are those of [bundle.Open] and [Runtime.Open].
func (r *Runtime) LoadFile(ctx context.Context, path string, options udf.Options) (*File, error) {
	upload, err := bundle.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := r.Open(ctx, upload)
	if err != nil {
		return nil, err
	}
	return &File{bundle: b, options: options, closing: []func(context.Context) error{b.Close}}, nil
}

// Functions returns what can be called: functions under each kind that they can be used as, in the file's order.
func (f *File) Functions() []udf.Signature { return f.bundle.Functions() }

// Function finds a function by name. One that can be used as several kinds is the first of them, a [udf.Map] where it can be.
// The error is a fault of code Schema.
func (f *File) Function(name string) (*Function, error) {
	s := udf.Find(f.bundle.Functions(), name, "")
	if s == nil {
		var names []string
		for _, s := range f.bundle.Functions() {
			names = append(names, s.Name)
		}
		return nil, fault.New(fault.Schema, "the file has no function `%s`", name).WithHint("%s", fault.DidYouMean(name, names))
	}
	return &Function{file: f, signature: s}, nil
}

// Call calls a function by name, see [Function.Call].
func (f *File) Call(ctx context.Context, name string, args ...any) (any, error) {
	fn, err := f.Function(name)
	if err != nil {
		return nil, err
	}
	return fn.Call(ctx, args...)
}

// CallRecord calls a function by name, see [Function.CallRecord].
func (f *File) CallRecord(ctx context.Context, name string, in arrow.Record) (arrow.Record, error) {
	fn, err := f.Function(name)
	if err != nil {
		return nil, err
	}
	return fn.CallRecord(ctx, in)
}

// Close calls the file's close(), if it has one and a function was called, and frees the file.
func (f *File) Close(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	if f.guest != nil {
		errs = append(errs, f.guest.Close(ctx))
		f.guest = nil
	}
	for _, c := range f.closing {
		errs = append(errs, c(ctx))
	}
	f.closing = nil
	return errors.Join(errs...)
}

// function returns the function bound to a schema, in a guest that works. It is called with mu held.
func (f *File) function(ctx context.Context, s *udf.Signature, in *arrow.Schema) (udf.Function, error) {
	if f.guest != nil && f.guest.Broken() {
		f.guest.Close(ctx) // it has said all that it has to say
		f.guest = nil
	}
	if f.guest == nil {
		if f.closing == nil {
			return nil, fault.New(fault.Usage, "the file is closed")
		}
		var err error
		if f.guest, err = f.bundle.Instantiate(ctx, f.options); err != nil {
			return nil, err
		}
		f.bound = map[binding]udf.Function{}
	}
	key := binding{s.Name, s.Kind, in.Fingerprint()}
	if bound, ok := f.bound[key]; ok {
		return bound, nil
	}
	bound, err := f.guest.Bind(ctx, s.Name, s.Kind, in, nil, nil)
	if err != nil {
		return nil, err
	}
	// A function that is opened once more forgets the opening before.
	for k := range f.bound {
		if k.name == s.Name && k.kind == s.Kind {
			delete(f.bound, k)
		}
	}
	f.bound[key] = bound
	return bound, nil
}
