package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// cacheDir is where machine code is kept from run to run; "" when the user has no such place.
func cacheDir() string {
	if dir := os.Getenv("WASMILL_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "wasmill")
}

// bundleEndings are those of files that can be bundles.
var bundleEndings = []string{".py", ".wasm", ".zip", ".gz"}

// library loads each bundle once.
type library struct {
	dir  string // relative paths are relative to it
	host *wasmhost.Host

	mu     sync.Mutex
	loaded map[string]udf.Bundle // guarded by mu; by path
	python map[string]bool       // guarded by mu; paths of bundles of Python code
}

func newLibrary(dir string) (*library, error) {
	host, err := wasmhost.New(wasmhost.Options{CacheDir: cacheDir()})
	if err != nil {
		// A cache is a convenience: without one every start compiles anew.
		if host, err = wasmhost.New(wasmhost.Options{}); err != nil {
			return nil, err
		}
	}
	return &library{dir: dir, host: host, loaded: make(map[string]udf.Bundle), python: make(map[string]bool)}, nil
}

// bundle returns the bundle at a path, compiled.
func (l *library) bundle(path string) (udf.Bundle, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.loaded[path]; b != nil {
		return b, nil
	}
	file := path
	if !filepath.IsAbs(file) {
		file = filepath.Join(l.dir, file)
	}
	upload, err := bundle.Open(file)
	if err != nil {
		f := fault.From(err)
		if f.Hint == "" && os.IsNotExist(statError(file)) {
			f = f.WithHint("paths are relative to the pipeline's folder; %s", nearFiles(file, bundleEndings...))
		}
		return nil, f
	}
	b, err := l.open(context.Background(), upload)
	if err != nil {
		return nil, fault.From(err).In("%s", path)
	}
	l.loaded[path], l.python[path] = b, upload.Python != nil
	return b, nil
}

// isPython reports whether a bundle that has been loaded is Python code.
func (l *library) isPython(path string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.python[path]
}

// open loads an upload into the runtime of its language.
func (l *library) open(ctx context.Context, upload *bundle.Bundle) (udf.Bundle, error) {
	return l.host.Open(ctx, upload)
}

func statError(path string) error {
	_, err := os.Stat(path)
	return err
}

// nearFiles lists the files of a folder that could have been meant.
func nearFiles(path string, endings ...string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return "the folder " + filepath.Dir(path) + " is not there either"
	}
	var names []string
	for _, e := range entries {
		for _, ending := range endings {
			if filepath.Ext(e.Name()) == ending {
				names = append(names, e.Name())
			}
		}
	}
	if len(names) == 0 {
		return "there is none in " + filepath.Dir(path) + ": is it built?"
	}
	return fault.DidYouMean(filepath.Base(path), names)
}

func (l *library) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.loaded {
		b.Close(context.Background())
	}
	l.host.Close(context.Background())
}
