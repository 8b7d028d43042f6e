package python

import (
	"context"
	"encoding/json"
	"path"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// job is what wasmill_py_load is told.
type job struct {
	Path  string   `json:"path"` // of the file
	Name  string   `json:"name"` // of the module that it becomes
	Main  bool     `json:"main"` // it runs as a script
	Paths []string `json:"paths,omitempty"`
	// Of scripts: what stands behind the file's name in sys.argv, and how many subtasks an operator has that does not say itself.
	Args        []string `json:"argv,omitempty"`
	Parallelism int      `json:"parallelism,omitempty"`
	Temporary   string   `json:"temporary,omitempty"` // the folder for what is
}

// Open executes a bundle's file, unless its job image is in the cache, and returns the bundle, whose guests are clones of that image.
//
// Errors are faults with the bundle's name in front of their position: of code Guest for what the file raised, with the traceback as Detail, and for one that has no function; Limit
// for one that takes too long or too much memory; and what [pyodide.Load] says where there is no Python.
func (r *Runtime) Open(ctx context.Context, b *bundle.Bundle) (udf.Bundle, error) {
	if b.Python == nil {
		return nil, notPython(b)
	}
	t, p, err := r.ready(ctx)
	if err != nil {
		return nil, err
	}
	files, err := wasmhost.BundleFiles(b.Files, libraries(p))
	if err != nil {
		return nil, fault.From(err).In("%s", b.Name)
	}
	image, err := r.jobImage(ctx, t, p, b, files)
	if err != nil {
		return nil, fault.From(err).In("%s", b.Name)
	}
	return t.Bundle(ctx, b.Name, b.Digest, image, true, files)
}

func notPython(b *bundle.Bundle) error {
	return fault.New(fault.Bundle, "this is no Python").At("%s", b.Name).WithHint("a .wasm is opened by wasmhost.Host.Open")
}

// jobImage returns the image of a bundle whose file has been executed.
func (r *Runtime) jobImage(ctx context.Context, t *wasmhost.Template, p *pyodide.Runtime, b *bundle.Bundle, files *wasmhost.Files) (*wasmhost.Image, error) {
	j := jobOf(b, false)
	text, err := json.Marshal(j)
	if err != nil {
		return nil, fault.New(fault.Internal, "a job is no JSON: %v", err)
	}
	key := digest("job", p.Digest, b.Digest, string(text))
	if image, ok := r.images.Get(key, t); ok {
		return image, nil
	}
	seed, err := r.seed(ctx, t, p, files)
	if err != nil {
		return nil, err
	}
	defer seed.Close(ctx)
	if err := seed.RunWith(ctx, exportLoad, text); err != nil {
		return nil, told(err)
	}
	image, err := seed.Image(ctx, true)
	if err != nil {
		return nil, err
	}
	r.images.Put(key, image)
	return image, nil
}

// seed starts a guest from the base image.
func (r *Runtime) seed(ctx context.Context, t *wasmhost.Template, p *pyodide.Runtime, files *wasmhost.Files) (*wasmhost.Seed, error) {
	base, err := r.started(ctx, t, p)
	if err != nil {
		return nil, err
	}
	return t.Seed(ctx, base, files, r.limits())
}

func jobOf(b *bundle.Bundle, main bool) job {
	j := job{Path: bundlePath + b.Python.Main, Name: strings.TrimSuffix(path.Base(b.Python.Main), ".py"), Main: main}
	for _, p := range b.Python.Paths {
		j.Paths = append(j.Paths, bundlePath+p)
	}
	return j
}

// told makes a fault of the user's own of what their file raised: which of our exports it went through is no business of theirs.
func told(err error) error {
	f := *fault.From(err)
	if f.Where == exportLoad {
		f.Where = ""
	}
	return &f
}
