package wasmhost

import (
	"context"
	"errors"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmill/wasmill/engine/fault"
)

// entryContext is the context of an entry into a guest: the caller's, and the way from the host's functions back to the
// guest. It is one value per guest, so that an entry allocates none.
type entryContext struct {
	context.Context
	guest *guest
}

type guestKey struct{}

func (c *entryContext) Value(key any) any {
	if _, ok := key.(guestKey); ok {
		return c.guest
	}
	return c.Context.Value(key)
}

// outer returns the context of the call that is under way, for entries that the arena makes; outside of calls there is none.
func (c *entryContext) outer() context.Context {
	if c.Context == nil {
		return context.Background()
	}
	return c.Context
}

func guestOf(ctx context.Context) *guest { return ctx.Value(guestKey{}).(*guest) }

// clock measures the wall time that a guest spends in one call.
type clock struct {
	left    time.Duration // what the call has left, without the entry that is under way
	counts  bool          // a call is under way; outside, each entry has the whole time for itself
	entered time.Time
}

// remaining returns the wall time that the entry under way has left; negative when it is over.
func (g *guest) remaining() time.Duration {
	return g.clock.left - time.Since(g.clock.entered)
}

// checkTime traps when the call's time is over or its context has ended. The host's functions ask it.
func (g *guest) checkTime() {
	if g.remaining() < 0 {
		panic(g.overran())
	}
	if err := g.entry.Context.Err(); err != nil {
		panic(cancelled(err))
	}
}

// sleep is the guest's way to wait. It wakes at the end of the call's time, and then traps.
func (g *guest) sleep(ns int64) {
	g.checkTime()
	timer := time.NewTimer(min(time.Duration(max(ns, 0)), g.remaining()+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.entry.Context.Done():
	}
	g.checkTime()
}

func (g *guest) overran() *fault.Fault {
	return fault.New(fault.Limit, "the call took longer than %v", g.options.CallTimeout).
		WithHint("raise the call timeout, or give the function less to do")
}

func cancelled(err error) *fault.Fault {
	return fault.New(fault.Internal, "the call was stopped: %v", err)
}

// enter calls an export and returns its result, 0 for none. Every error is a fault at the export's name, and breaks the
// guest: what it was doing is unknown.
func (g *guest) enter(ctx context.Context, name string, f api.Function, params ...uint64) (uint64, error) {
	stack := g.stack[:]
	copy(stack, params)
	if len(params) == 0 {
		stack[0] = 0
	}
	outer := g.entry.Context
	if err := g.begin(ctx); err != nil {
		return 0, err
	}
	defer func() { g.entry.Context = outer }()
	var err error
	if g.bundle.deadlines {
		err = g.guarded(func(ctx context.Context) error { return f.CallWithStack(ctx, stack) })
	} else {
		err = f.CallWithStack(&g.entry, stack)
	}
	if err := g.end(name, err); err != nil {
		return 0, err
	}
	return stack[0], nil
}

// run is enter for an entry that is not one call.
func (g *guest) run(ctx context.Context, name string, f func(context.Context) error) error {
	outer := g.entry.Context
	if err := g.begin(ctx); err != nil {
		return err
	}
	defer func() { g.entry.Context = outer }()
	return g.end(name, g.guarded(f))
}

// guarded calls f with a context that ends when the call's time is over. Machine code looks at it if it was compiled to:
// wazero watches it from another goroutine, even for a moment after the call, so that it is a value of its own.
func (g *guest) guarded(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(g.entry.Context, g.remaining())
	defer cancel()
	return f(&entryContext{Context: ctx, guest: g})
}

func (g *guest) begin(ctx context.Context) error {
	if g.broken != nil {
		return g.gone()
	}
	if err := ctx.Err(); err != nil {
		return cancelled(err)
	}
	g.entry.Context = ctx
	if !g.clock.counts {
		g.clock.left = g.options.CallTimeout
		g.log.renew()
	}
	g.clock.entered = time.Now()
	return nil
}

// gone is the answer to using a guest that is broken or closed.
func (g *guest) gone() *fault.Fault {
	return fault.New(fault.Internal, "the guest was used after it broke: %v", g.broken)
}

func (g *guest) end(name string, err error) error {
	g.clock.left = g.remaining()
	switch {
	case err != nil:
		g.flush()
		f := g.trap(err).At("%s", name)
		g.broken = f
		return f
	case g.clock.left < 0:
		f := g.overran().At("%s", name)
		g.broken = f
		return f
	}
	return nil
}

// trap makes a fault of what wazero returned.
func (g *guest) trap(err error) *fault.Fault {
	what, stack := splitTrap(err.Error())
	stack = g.log.said() + stack // what a language's runtime prints before it gives up says more than the trap
	var own *fault.Fault
	var exit *sys.ExitError
	switch {
	case errors.As(err, &own):
		return own.WithDetail(stack)
	case errors.As(err, &exit) && exit.ExitCode() == sys.ExitCodeContextCanceled:
		return cancelled(context.Canceled)
	case errors.As(err, &exit) && exit.ExitCode() == sys.ExitCodeDeadlineExceeded:
		if err := g.entry.Context.Err(); err != nil && g.remaining() > 0 {
			return cancelled(err) // the caller's deadline, not the call's
		}
		return g.overran()
	case g.grown.refused:
		return fault.New(fault.Limit, "the guest trapped after it had asked for more memory than its %s: %s", size(g.options.MaxMemory), what).
			WithHint("raise the memory limit or use smaller batches").WithDetail(stack)
	}
	return fault.New(fault.Guest, "the guest trapped: %s", what).WithDetail(stack)
}
