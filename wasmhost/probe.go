package wasmhost

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/compile"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// Probe is a module that need not keep the guest ABI, under all limits that a guest has: the sandbox is tested and measured
// with bombs of a few bytes.
type Probe struct{ bundle *loaded }

// Probe admits and compiles a module. Errors are those of [Host.Load] about modules.
func (h *Host) Probe(ctx context.Context, wasm []byte) (*Probe, error) {
	info, err := bundle.Inspect(wasm)
	if err != nil {
		return nil, err
	}
	m := &module{}
	err = m.compile(ctx, h, info, compile.Module{
		Digest: sha256.Sum256(wasm), Rule: h.rule, Instrument: func() ([]byte, error) { return h.admit(wasm, h.policy) },
	})
	if err != nil {
		return nil, err
	}
	return &Probe{&loaded{module: m}}, nil
}

// Run starts a guest, calls one of its exports without parameters, and returns how long that call took, what it spent and how it
// ended. The guest is gone then.
func (p *Probe) Run(ctx context.Context, export string, timeout time.Duration) (took time.Duration, fuel uint64, err error) {
	g, err := p.start(ctx, timeout)
	if err != nil {
		return 0, 0, err
	}
	defer g.discard(ctx)
	f := g.mod.ExportedFunction(export)
	if f == nil {
		return 0, 0, fault.New(fault.Usage, "the module does not export `%s`", export)
	}
	defer g.account(ctx, &function{guest: g})()
	start := time.Now()
	_, err = g.enter(ctx, export, f)
	return time.Since(start), g.Stats().Fuel, err
}

func (p *Probe) start(ctx context.Context, timeout time.Duration) (*guest, error) {
	g := p.bundle.guest(udf.Options{CallTimeout: timeout})
	var err error
	if g.memory, err = linmem.Reserve(p.bundle.minMemory, g.options.MaxMemory); err != nil {
		return nil, err
	}
	if err := g.instantiate(ctx); err != nil {
		g.discard(ctx)
		return nil, err
	}
	return g, nil
}

// Close frees the module's code.
func (p *Probe) Close(ctx context.Context) error { return p.bundle.Close(ctx) }
