package overhead

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"testing/fstest"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost/admit"
)

// Program is a program in Python, which runs from its first line to its last.
type Program struct {
	Name   string
	Source []byte
}

// ProgramCost is the least time of a program as it is, with fuel, and with fuel and the tables that package admit fills as they are called through.
type ProgramCost struct {
	Name                 string
	Plain, Metered, Lazy time.Duration
}

// Programs runs each program in so many rounds in three interpreters, one behind the other, and takes the time of clock, such as the process's own. They are trusted: they run
// without limits, under wazero's WASI.
func Programs(ctx context.Context, python *pyodide.Runtime, programs []Program, rounds int, clock func() (time.Duration, error)) ([]ProgramCost, error) {
	p := admit.Trusted()
	p.Images = true
	for _, m := range []string{"wasi_snapshot_preview1", hostModule} {
		p.Allowed = append(p.Allowed, admit.Import{Kind: admit.Func, Module: m, Name: "*"})
	}
	metered, _, err := admit.Instrument(python.Wasm, p)
	if err != nil {
		return nil, err
	}
	p.LazyTables = true
	lazy, _, err := admit.Instrument(python.Wasm, p)
	if err != nil {
		return nil, err
	}
	files := fstest.MapFS{"lib/" + pyodide.StdlibName: {Data: python.Stdlib, Mode: 0o444}, "lib/" + pyodide.PackagesName: {Data: python.Packages, Mode: 0o444}}
	for _, program := range programs {
		files["bundle/"+program.Name+".py"] = &fstest.MapFile{Data: program.Source, Mode: 0o444}
	}
	var runs [3]*interpreter
	for i, code := range [][]byte{python.Wasm, metered, lazy} {
		r := wazero.NewRuntime(ctx)
		defer r.Close(ctx)
		if runs[i], err = start(ctx, r, code, files); err != nil {
			return nil, err
		}
	}
	costs := make([]ProgramCost, len(programs))
	for i, program := range programs {
		least := [3]time.Duration{math.MaxInt64, math.MaxInt64, math.MaxInt64}
		for range rounds {
			for v, run := range runs {
				began, err := clock()
				if err == nil {
					err = run.execute(ctx, program.Name)
				}
				if err != nil {
					return nil, fmt.Errorf("%s: %w", program.Name, err)
				}
				ended, err := clock()
				if err != nil {
					return nil, err
				}
				least[v] = min(least[v], ended-began)
			}
		}
		costs[i] = ProgramCost{program.Name, least[0], least[1], least[2]}
	}
	return costs, ctx.Err()
}

const hostModule = "wasmill"

// interpreter is an instance of python.wasm.
type interpreter struct{ m api.Module }

func start(ctx context.Context, r wazero.Runtime, wasm []byte, files fs.FS) (*interpreter, error) {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, err
	}
	compiled, err := r.CompileModule(ctx, wasm)
	if err != nil {
		return nil, err
	}
	host := r.NewHostModuleBuilder(hostModule)
	for _, f := range compiled.ImportedFunctions() {
		if module, name, _ := f.Import(); module == hostModule {
			host.NewFunctionBuilder().WithGoModuleFunction(nothing, f.ParamTypes(), f.ResultTypes()).Export(name)
		}
	}
	if _, err := host.Instantiate(ctx); err != nil {
		return nil, err
	}
	if err := provideFuel(ctx, r); err != nil {
		return nil, err
	}
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithFSConfig(wazero.NewFSConfig().WithFSMount(files, "/"))
	m, err := r.InstantiateModule(ctx, compiled, config)
	if err != nil {
		return nil, err
	}
	p := &interpreter{m}
	return p, p.status(ctx, "wasmill_py_boot", 1)
}

// nothing stands for the host's functions, which programs do not need.
var nothing = api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) {
	if len(stack) > 0 {
		stack[0] = 0
	}
})

// execute runs a program.
func (p *interpreter) execute(ctx context.Context, name string) error {
	job := fmt.Appendf(nil, `{"path": "/bundle/%s.py", "name": %q, "main": true}`, name, name)
	at, err := p.m.ExportedFunction("wasmill_alloc").Call(ctx, uint64(len(job)), 1)
	if err != nil {
		return err
	}
	if !p.m.Memory().Write(uint32(at[0]), job) {
		return errors.New("the interpreter has no memory")
	}
	if err := p.status(ctx, "wasmill_py_load", at[0], uint64(len(job))); err != nil {
		return err
	}
	_, err = p.m.ExportedFunction("wasmill_free").Call(ctx, at[0], uint64(len(job)), 1)
	return err
}

// status calls an export that returns 0 when all went well.
func (p *interpreter) status(ctx context.Context, export string, params ...uint64) error {
	status, err := p.m.ExportedFunction(export).Call(ctx, params...)
	if err != nil || status[0] == 0 {
		return err
	}
	where, err := p.m.ExportedFunction("wasmill_error").Call(ctx)
	if err != nil {
		return err
	}
	text, _ := p.m.Memory().Read(uint32(where[0]>>32), uint32(where[0]))
	return fmt.Errorf("%s: %s", export, text)
}
