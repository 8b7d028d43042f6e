package wasmhost

import (
	"context"
	"errors"
	"time"

	"github.com/tetratelabs/wazero/api"

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

// clock measures the wall time and the fuel that a guest spends in one call.
type clock struct {
	limit  time.Duration // what the call has in all
	left   time.Duration // what the call has left, without the entry that is under way
	fuel   int64         // as left
	counts bool          // a call is under way, or the opening of a function; outside, each entry has all for itself
	start  bool          // the guest is starting or opening a function

	softened *fault.Fault // why the guest was interrupted, and has a time of grace; nil if it was not
	spent    int64        // fuel, when its time was over
	extended int          // how often the time of grace was made longer
	entered  time.Time
}

// starting is the clock of an entry that is not a call: a guest may take longer to start than a call may take, and its
// fuel is counted but has no budget.
func (g *guest) starting(counts bool) clock {
	limit := max(g.options.CallTimeout, defaultTimeout)
	return clock{limit: limit, left: limit, fuel: unlimited, counts: counts, start: true}
}

// remaining returns the wall time that the entry under way has left; negative when it is over.
func (g *guest) remaining() time.Duration { return g.remainingAt(time.Now()) }

func (g *guest) remainingAt(now time.Time) time.Duration {
	return g.clock.left - now.Sub(g.clock.entered)
}

// checkTime traps when the call's time is over or its context has ended. The host's functions ask it.
func (g *guest) checkTime() { g.checkTimeAt(time.Now()) }

func (g *guest) checkTimeAt(now time.Time) {
	if g.remainingAt(now) < 0 && !g.soften() {
		panic(g.overran())
	}
	if err := g.entry.Context.Err(); err != nil {
		panic(cancelled(err))
	}
}

// sleep is the guest's way to wait. It wakes at the end of the call's time, and then traps.
func (g *guest) sleep(d time.Duration) {
	timer := time.NewTimer(min(d, g.remaining()+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.entry.Context.Done():
	}
	g.checkTime()
	g.refilled = time.Now() // the slice was not at work
}

func (g *guest) overran() *fault.Fault {
	if g.clock.start {
		return fault.New(fault.Limit, "the guest was stopped after %v: its time to start is over", g.clock.limit).
			WithHint("do less before the first call")
	}
	return fault.New(fault.Limit, "the guest was stopped after %v: its time for one call is over", g.clock.limit).
		WithHint("raise `timeout`, or give the function less to do")
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
	if err := g.end(name, f.CallWithStack(&g.entry, stack)); err != nil {
		return 0, err
	}
	return stack[0], nil
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
		g.clock = g.starting(false)
		g.log.renew()
	}
	g.fuel.Set(g.meter.Start(g.clock.fuel))
	g.clock.entered = time.Now()
	g.refilled = g.clock.entered
	return nil
}

// gone is the answer to using a guest that is broken or closed.
func (g *guest) gone() *fault.Fault {
	return fault.New(fault.Internal, "the guest was used after it broke: %v", g.broken)
}

func (g *guest) end(name string, err error) error {
	g.clock.left = g.remaining()
	spent := g.meter.Stop(g.fuel.Get())
	g.clock.fuel -= spent
	g.stats.Fuel += uint64(spent)
	if err == nil && !g.clock.counts {
		g.log.settle(false)
	}
	switch {
	case err != nil:
		g.flush()
		f := g.trap(err).At("%s", name)
		g.log.settle(true)
		g.broken = f
		return f
	case g.clock.left < 0:
		f := g.overran().At("%s", name)
		g.broken = f
		return f
	case g.clock.fuel < 0:
		f := g.spent().At("%s", name)
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
	switch {
	case errors.As(err, &own):
		return own.WithDetail(stack)
	case what == "stack overflow":
		return fault.New(fault.Limit, "the guest trapped: recursion too deep").
			WithHint("functions of it call each other without an end, or their calls take more than the %d MB that there are", stackLimit/1_000_000).
			WithDetail(stack)
	case g.grown.refused:
		return fault.New(fault.Limit, "the guest trapped after it had asked for more memory than its %s: %s", size(g.options.MaxMemory), what).
			WithHint("raise the memory limit or use smaller batches").WithDetail(stack)
	}
	return fault.New(fault.Guest, "the guest trapped: %s", what).WithDetail(stack)
}

// stackLimit is how large wazero lets the stack of calls grow before it traps, in bytes. It lies outside of the guest's memory.
const stackLimit = 50_000_000
