package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/python"
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

// defaultMemory is the most memory of a guest in bytes where nobody says.
const defaultMemory = 256 << 20

// mostMemory returns the most memory that a call of the plan's may take, in bytes; 0 where none says.
func mostMemory(p *plan.Plan) (most uint64) {
	for _, n := range p.Nodes {
		if n.Call != nil {
			most = max(most, n.Call.MaxMemory)
		}
	}
	return most
}

// library loads each bundle once.
type library struct {
	dir     string // relative paths are relative to it
	host    *wasmhost.Host
	scripts *python.Runtime // starts nothing until the first bundle of Python code is opened

	mu     sync.Mutex
	loaded map[string]udf.Bundle // guarded by mu; by path
	python map[string]bool       // guarded by mu; the paths of those that are Python code
}

// newLibrary returns a library without bundles. Log receives what files in Python print while they are executed, for which they
// may take as many bytes as memory says, where that is more than the default.
func newLibrary(dir string, log *slog.Logger, memory uint64) (*library, error) {
	cache := cacheDir()
	host, err := wasmhost.New(wasmhost.Options{CacheDir: cache})
	if err != nil {
		// A cache is a convenience: without one every start compiles anew.
		cache = ""
		if host, err = wasmhost.New(wasmhost.Options{}); err != nil {
			return nil, err
		}
	}
	options := python.Options{Host: host, CacheDir: cache, LoadMemory: max(memory, defaultMemory), Log: func(level int, line string) {
		log.Log(context.Background(), slog.Level(level), line, "from", "python")
	}}
	scripts, err := python.New(options)
	if err != nil {
		options.CacheDir = ""
		if scripts, err = python.New(options); err != nil {
			host.Close(context.Background())
			return nil, err
		}
	}
	return &library{dir: dir, host: host, scripts: scripts, loaded: make(map[string]udf.Bundle), python: make(map[string]bool)}, nil
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
			hint := nearFiles(file, bundleEndings...)
			if l.dir != "" {
				hint = "paths are relative to the pipeline's folder; " + hint
			}
			f = f.WithHint("%s", hint)
		}
		return nil, f
	}
	b, err := l.open(context.Background(), upload)
	if err != nil {
		return nil, inFile(err, upload.Name, path)
	}
	l.loaded[path], l.python[path] = b, upload.Python != nil
	return b, nil
}

// refused returns why something in a bundle that has been loaded is no function, "" for nothing.
func (l *library) refused(path, name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.loaded[path].(udf.Refuser); ok {
		return r.Refused(name)
	}
	return ""
}

// isPython reports whether a bundle that has been loaded is Python code.
func (l *library) isPython(path string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.python[path]
}

// inFile places what is wrong with a bundle, which begins with its name, by its path.
func inFile(err error, name, path string) error {
	var list fault.List
	list.Append(err)
	for i, f := range list {
		placed := *f
		if rest, ok := strings.CutPrefix(f.Where, name); ok && (rest == "" || strings.HasPrefix(rest, ", ")) {
			placed.Where = strings.TrimPrefix(rest, ", ")
		}
		list[i] = placed.In("%s", path)
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// open loads an upload into the runtime of its language.
func (l *library) open(ctx context.Context, upload *bundle.Bundle) (udf.Bundle, error) {
	if upload.Python != nil {
		b, err := l.scripts.Open(ctx, upload)
		if fault.CodeOf(err) == fault.Guest { // what is wrong is in the file, not in any of its functions
			f := *fault.From(err)
			f.Code, err = fault.Bundle, &f
		}
		return b, err
	}
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
	l.scripts.Close(context.Background())
	l.host.Close(context.Background())
}
