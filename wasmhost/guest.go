package wasmhost

import (
	"context"
	"io"
	"math"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/admit"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

const (
	pageSize = linmem.PageSize
	maxPages = linmem.MaxSize / pageSize
)

// Defaults of [udf.Options].
const (
	defaultMemory    = 256 << 20
	defaultTimeout   = 10 * time.Second
	defaultStepRows  = 65536
	defaultStepBytes = 64 << 20
)

// instance is what wazero has of a guest.
type instance struct {
	memory *linmem.Memory
	grown  *kept
	mod    api.Module
	fuel   api.MutableGlobal // what the guest's code has left of its slice

	call, next, release, timers api.Function // those that are entered for every batch; see kept
}

// kept looks an exported function up once. It has a stack of its own, of at least 10 KiB, so that those that are rarely entered
// are looked up each time.
func (i *instance) kept(f *api.Function, name string) api.Function {
	if *f == nil {
		*f = i.mod.ExportedFunction(name)
	}
	return *f
}

// guest is one guest. It is used by one goroutine at a time.
type guest struct {
	instance
	bundle  *loaded
	options udf.Options // with defaults filled in
	arena   *arena
	log     guestLog
	stdout  printer
	stderr  printer
	noop    uint32
	files   []*openFile // by descriptor, from rootDescriptor on; nil where none is open
	opened  bool        // a function was, so that there is something to close

	entry     entryContext
	clock     clock
	interrupt uint32      // where the guest says how it is interrupted, see soften; 0 if it cannot be
	meter     admit.Meter // of the entry under way
	refilled  time.Time   // when the slice was granted
	unclocked int64       // fuel charged since the clock was last looked at
	running   *function   // the function that is being called, for its state; nil outside
	driver    driver
	answer    []byte  // to what the guest asked last
	pool      *clones // where the instance goes when the guest is closed in good order; nil for nowhere
	broken    *fault.Fault
	stats     udf.Stats
	stack     [4]uint64 // parameters and results; only used from filling it to reading it
}

var _ udf.Guest = (*guest)(nil)

// starter starts a guest, so far that its functions can be bound. Its description has not been read.
type starter func(ctx context.Context, opts udf.Options) (*guest, error)

// guest returns a guest without an instance.
func (b *loaded) guest(opts udf.Options) *guest {
	g := &guest{bundle: b, options: withDefaults(opts)}
	g.log.sink = opts.Log
	g.stdout, g.stderr = printer{log: &g.log, level: levelInfo}, printer{log: &g.log, level: levelWarn}
	g.entry.guest = g
	g.meter.Slice = firstSlice
	if b.files != nil {
		g.files = []*openFile{{node: b.files.root}}
	}
	return g
}

// fresh starts a guest from the module alone. It is a starter.
func (b *loaded) fresh(ctx context.Context, opts udf.Options) (*guest, error) {
	g, err := b.blank(ctx, opts)
	if err == nil {
		err = g.prepare(ctx)
	}
	if err == nil && b.has[exportIrq] {
		err = g.findInterrupt(ctx)
	}
	if err != nil {
		if g != nil {
			g.discard(ctx)
		}
		return nil, err
	}
	return g, nil
}

// blank makes a guest of which no code has run.
func (b *loaded) blank(ctx context.Context, opts udf.Options) (*guest, error) {
	g := b.guest(opts)
	var err error
	if g.memory, err = linmem.Reserve(b.minMemory, g.options.MaxMemory); err != nil {
		return nil, err
	}
	if err = g.instantiate(ctx); err == nil {
		err = place(b.segments, g.memory.Bytes())
	}
	if err != nil {
		g.discard(ctx)
		return nil, err
	}
	g.own()
	return g, nil
}

// instantiate makes the instance over the guest's memory. None of its code runs: a start function is refused at admission, and _initialize is called
// under the guest's limits. The empty name lets many guests of a module live in one runtime.
func (g *guest) instantiate(ctx context.Context) error {
	g.grown = &kept{Memory: g.memory}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(noRandom{}) // else each instance has a source of its own, of 5 KiB
	var err error
	g.mod, err = g.bundle.runtime.InstantiateModule(experimental.WithMemoryAllocator(ctx, g.grown), g.bundle.compiled, config)
	if err != nil {
		what, _ := splitTrap(err.Error())
		return fault.New(fault.Guest, "the guest cannot be started: %s", what)
	}
	global, ok := g.mod.ExportedGlobal(admit.FuelGlobal).(api.MutableGlobal)
	if !ok {
		return fault.New(fault.Internal, "the module was not instrumented")
	}
	g.fuel = global
	return nil
}

// noRandom is what wazero's own WASI would read, which no guest has: random_get is in wasi.go.
type noRandom struct{}

func (noRandom) Read([]byte) (int, error) { return 0, io.EOF }

// own makes the guest's arena.
func (g *guest) own() {
	g.arena = &arena{linmem.NewArena(g.memory, linmem.Source{Alloc: g.takeMemory, Free: g.giveMemory}), g}
}

func withDefaults(o udf.Options) udf.Options {
	if o.MaxMemory == 0 {
		o.MaxMemory = defaultMemory
	}
	if o.CallTimeout <= 0 {
		o.CallTimeout = defaultTimeout
	}
	if o.MaxStepRows <= 0 {
		o.MaxStepRows = defaultStepRows
	}
	o.MaxStepRows = min(o.MaxStepRows, math.MaxInt32)
	if o.MaxStepBytes <= 0 {
		o.MaxStepBytes = defaultStepBytes
	}
	return o
}

// prepare enters the guest for the first time.
func (g *guest) prepare(ctx context.Context) error {
	if g.bundle.has[exportInit] {
		if _, err := g.enter(ctx, exportInit, g.mod.ExportedFunction(exportInit)); err != nil {
			return err
		}
	}
	version, err := g.enter(ctx, exportABI, g.mod.ExportedFunction(exportABI))
	if err != nil {
		return err
	}
	if uint32(version) != abiVersion {
		return fault.New(fault.Guest, "expected version %d of the guest ABI, got %d", abiVersion, uint32(version)).At(exportABI)
	}
	if g.bundle.has[exportNoop] {
		index, err := g.enter(ctx, exportNoop, g.mod.ExportedFunction(exportNoop))
		if err != nil {
			return err
		}
		g.noop = uint32(index)
	}
	return nil
}

// description returns the text behind wasmill_describe: the guest's memory, good until it is entered.
func (g *guest) description(ctx context.Context) ([]byte, error) {
	where, err := g.enter(ctx, exportDescribe, g.mod.ExportedFunction(exportDescribe))
	if err != nil {
		return nil, err
	}
	ptr, length := uint32(where>>32), uint32(where)
	if length > maxDescription {
		return nil, fault.New(fault.Guest, "the description has %d bytes, at most %d are allowed", length, maxDescription).At(exportDescribe)
	}
	text, ok := g.view(ptr, length)
	if !ok {
		return nil, fault.New(fault.Guest, "the description of %d bytes at %#x lies outside of the memory of %d bytes",
			length, ptr, len(g.memory.Bytes())).At(exportDescribe)
	}
	return text, nil
}

// Arena implements [udf.Guest].
func (g *guest) Arena() udf.Arena { return g.arena }

// Broken implements [udf.Guest].
func (g *guest) Broken() bool { return g.broken != nil }

// Stats implements [udf.Guest].
func (g *guest) Stats() udf.Stats {
	s := g.stats
	s.MemoryBytes = uint64(len(g.memory.Bytes()))
	return s
}

// flush logs the lines that the guest has not ended.
func (g *guest) flush() {
	g.stdout.flush()
	g.stderr.flush()
}

// Close implements [udf.Guest]. A guest that works and in which a function was opened is asked to close in order first, in the time of one call, even if ctx has
// ended. What it says against that is logged and returned, as a fault of code Guest or Limit; the guest is gone all the same.
func (g *guest) Close(ctx context.Context) error {
	err := g.finish(context.WithoutCancel(ctx))
	if err != nil && g.options.Log != nil {
		g.options.Log(levelError, plain(err.Error(), false))
	}
	if g.recycle() {
		return err
	}
	if e := g.discard(ctx); err == nil {
		err = e
	}
	return err
}

// finish calls wasmill_close.
func (g *guest) finish(ctx context.Context) error {
	if g.broken != nil || !g.opened || !g.bundle.has[exportClose] {
		return nil
	}
	defer g.account(ctx, nil)()
	g.clock.limit, g.clock.left = g.options.CallTimeout, g.options.CallTimeout
	return g.status(ctx, exportClose, g.mod.ExportedFunction(exportClose))
}

// status enters an export that returns OK or ERROR, and makes a fault of the latter.
func (g *guest) status(ctx context.Context, name string, f api.Function, params ...uint64) error {
	status, err := g.enter(ctx, name, f, params...)
	if err != nil {
		return err
	}
	switch uint32(status) {
	case statusOK:
		return nil
	case statusError:
		return g.failure(ctx)
	}
	return g.breaks("expected status OK or ERROR, got %d", int32(status)).At("%s", name)
}

// discard ends the guest without entering it.
func (g *guest) discard(ctx context.Context) error {
	var err error
	if g.mod != nil {
		err = g.mod.Close(ctx)
	}
	g.leave()
	g.memory.Free()
	return err
}

// leave ends the guest but for its instance.
func (g *guest) leave() {
	g.flush()
	g.log.renew()
	g.closeFiles()
	if g.arena != nil {
		g.arena.Close()
	}
	if g.broken == nil {
		g.broken = fault.New(fault.Internal, "the guest is closed")
	}
}
