package wasmhost

import (
	"context"
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

// guest is one instance. It is used by one goroutine at a time.
type guest struct {
	bundle  *loaded
	options udf.Options // with defaults filled in
	memory  *linmem.Memory
	grown   *kept
	arena   *arena
	mod     api.Module
	log     guestLog
	stdout  printer
	stderr  printer
	noop    uint32

	alloc, free, open, call, next, release, text api.Function

	entry     entryContext
	clock     clock
	fuel      api.MutableGlobal // what the guest's code has left of its slice
	meter     admit.Meter       // of the entry under way
	refilled  time.Time         // when the slice was granted
	unclocked int64             // fuel charged since the clock was last looked at
	running   *function         // the function that is being called, for its state; nil outside
	broken    *fault.Fault
	stats     udf.Stats
	stack     [4]uint64 // parameters and results; only used from filling it to reading it
}

var _ udf.Guest = (*guest)(nil)

// start starts a guest up to its version check. Its description has not been read.
func (b *loaded) start(ctx context.Context, opts udf.Options) (*guest, error) {
	g := &guest{bundle: b, options: withDefaults(opts)}
	g.log.sink = opts.Log
	g.stdout, g.stderr = printer{log: &g.log, level: levelInfo}, printer{log: &g.log, level: levelWarn}
	g.entry.guest = g
	var err error
	if g.memory, err = linmem.Reserve(b.minMemory, g.options.MaxMemory); err != nil {
		return nil, err
	}
	g.grown = &kept{Memory: g.memory}
	if err = g.instantiate(ctx); err == nil {
		err = g.prepare(ctx)
	}
	if err != nil {
		g.Close(ctx)
		return nil, err
	}
	return g, nil
}

// instantiate makes the instance. None of its code runs: a start function is refused at admission, and _initialize is called
// under the guest's limits. The empty name lets many guests of a module live in one runtime.
func (g *guest) instantiate(ctx context.Context) error {
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
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
	g.meter.Slice = firstSlice
	return nil
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

func (g *guest) prepare(ctx context.Context) error {
	for name, f := range map[string]*api.Function{
		exportAlloc: &g.alloc, exportFree: &g.free, exportOpen: &g.open, exportCall: &g.call, exportNext: &g.next,
		exportRelease: &g.release, exportError: &g.text,
	} {
		*f = g.mod.ExportedFunction(name)
	}
	g.arena = &arena{linmem.NewArena(g.memory, linmem.Source{Alloc: g.takeMemory, Free: g.giveMemory}), g}
	if g.bundle.hasInit {
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
	if g.bundle.hasNoop {
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

// Close implements [udf.Guest].
func (g *guest) Close(ctx context.Context) error {
	var err error
	if g.mod != nil {
		err = g.mod.Close(ctx)
	}
	g.flush()
	g.log.renew()
	if g.arena != nil {
		g.arena.Close()
	}
	if g.broken == nil {
		g.broken = fault.New(fault.Internal, "the guest is closed")
	}
	g.memory.Free()
	return err
}
