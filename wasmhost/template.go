package wasmhost

import (
	"bytes"
	"context"
	"crypto/sha256"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/admit"
	"github.com/wasmill/wasmill/wasmhost/compile"
)

// Template is a module whose guests start from images: it is compiled without its data, which the host writes into the first guest.
// It may be used by several goroutines.
type Template struct{ module *module }

// Template admits and compiles a module for images: beside what the guest ABI asks for, its mutable globals are exported, as a C
// compiler's `__stack_pointer` is by `-Wl,--export=__stack_pointer`; its tables never change; and its data lies at constant offsets. A module that is trusted, because
// no stranger wrote it, is admitted under the wider caps of [admit.Trusted]; what bounds its guests is the same.
//
// Errors are those of [Host.Load] about modules, with name as their position.
func (h *Host) Template(ctx context.Context, name string, wasm []byte, trusted bool) (*Template, error) {
	m, err := h.buildTemplate(ctx, wasm, trusted)
	if err != nil {
		return nil, inAll(err, name)
	}
	return &Template{m}, nil
}

func (h *Host) buildTemplate(ctx context.Context, wasm []byte, trusted bool) (*module, error) {
	p := admit.Default()
	if trusted {
		p = admit.Trusted()
	}
	p.Allowed, p.Images, p.LazyTables = h.policy.Allowed, true, trusted
	info, err := h.inspect(wasm, p)
	if err != nil {
		return nil, err
	}
	m := &module{images: true}
	var parts error
	if _, m.segments, parts = split(wasm); parts == nil {
		m.globals, parts = mutableGlobals(wasm)
	}
	if parts != nil {
		return nil, parts
	}
	return m, m.compile(ctx, h, info, compile.Module{
		Digest: sha256.Sum256(wasm), Rule: h.ruleOf(p, true), Trusted: trusted,
		Instrument: func() ([]byte, error) {
			instrumented, err := h.admit(wasm, p)
			if err == nil {
				instrumented, _, err = split(instrumented)
			}
			return instrumented, err
		},
	})
}

// Close frees the module's code. All that came from the template must be closed before.
func (t *Template) Close(ctx context.Context) error { return t.module.close(ctx) }

// Seed is a guest that is prepared so that an image can be made of it. It is used by one goroutine.
type Seed struct{ guest *guest }

// Seed starts a guest: from an image, or from the module alone if it is nil. Then its `_initialize` has run, and nothing else. It sees
// the files given, nil for none; guests of its image must see the same, or more in folders that it has not looked into.
// Errors are those of [udf.Bundle.Instantiate].
func (t *Template) Seed(ctx context.Context, image *Image, files *Files, opts udf.Options) (*Seed, error) {
	b := &loaded{module: t.module, files: files}
	if image != nil {
		g, err := b.clone(ctx, opts, image)
		if err != nil {
			return nil, err
		}
		return &Seed{g}, nil
	}
	g, err := b.blank(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := g.prepare(ctx); err != nil {
		g.discard(ctx)
		return nil, err
	}
	return &Seed{g}, nil
}

// OnExecute makes the guest one that may hand jobs to the host: a script, whose lines are logged at once, and more of them than a call of a function
// may print; after each job it has a new allowance.
func (s *Seed) OnExecute(execute Execute) {
	s.guest.driver.execute, s.guest.log.live = execute, true
}

// Run enters an export that returns OK or ERROR, with numbers as parameters. It has the time of one call, and a guest that can be interrupted is, before it is stopped. Errors are faults: of code Guest for one that
// returned ERROR, with its text, or trapped, and Limit for one that was stopped.
func (s *Seed) Run(ctx context.Context, export string, params ...uint64) error {
	g := s.guest
	f := g.mod.ExportedFunction(export)
	if f == nil {
		return fault.New(fault.Guest, "the module does not export `%s`", export)
	}
	defer g.account(ctx, nil)()
	g.clock.limit, g.clock.left = g.options.CallTimeout, g.options.CallTimeout
	return g.status(ctx, export, f, params...)
}

// RunWith is [Seed.Run] for an export that takes the address and the length of a text. The text stays in the guest's memory.
func (s *Seed) RunWith(ctx context.Context, export string, text []byte) error {
	g := s.guest
	ptr, err := g.takeMemory(uint32(len(text)), 1)
	if err != nil {
		return err
	}
	to, ok := g.view(ptr, uint32(len(text)))
	if !ok || ptr == 0 {
		return fault.New(fault.Limit, "the guest has no %d bytes of memory", len(text)).WithHint("raise the memory limit")
	}
	copy(to, text)
	return s.Run(ctx, export, uint64(ptr), uint64(len(text)))
}

// Image makes an image of the guest, and asks it for its description before if describe is set. The guest can be used on. Errors are
// faults: of code Guest for a guest with an open file, and those of [Host.Load] about descriptions.
func (s *Seed) Image(ctx context.Context, describe bool) (*Image, error) {
	g := s.guest
	if g.bundle.has[exportIrq] {
		if err := g.findInterrupt(ctx); err != nil {
			return nil, err
		}
	}
	var text []byte
	if describe {
		found, err := g.description(ctx)
		if err != nil {
			return nil, err
		}
		text = bytes.Clone(found)
		if _, err := parseDescription(text); err != nil {
			return nil, err
		}
	}
	image, err := g.picture()
	if err != nil {
		return nil, err
	}
	image.describes = text
	return image, nil
}

// Close ends the guest without asking it to close.
func (s *Seed) Close(ctx context.Context) error { return s.guest.discard(ctx) }
