package operator

import (
	"context"

	"github.com/wasmill/wasmill/engine/udf"
)

// Guest is a task's place for one guest of a bundle, which the task's functions of that bundle share. A guest that broke
// is replaced by a fresh one at the next use; its memory is kept until the task is at rest, since rows may still lie in it.
type Guest struct {
	bundle  udf.Bundle
	options udf.Options
	current udf.Guest
	// generation counts the guests so far: a function bound to an earlier one must be bound again.
	generation int
	broken     []udf.Guest
	// seen is what of the guest of generation counted has been attributed to a function.
	seen    udf.Stats
	counted int
}

// NewGuest returns a place without a guest in it yet.
func NewGuest(bundle udf.Bundle, options udf.Options) *Guest {
	return &Guest{bundle: bundle, options: options}
}

// Get returns a guest that works, and its generation.
func (g *Guest) Get(ctx context.Context) (udf.Guest, int, error) {
	if g.current != nil && !g.current.Broken() {
		return g.current, g.generation, nil
	}
	fresh, err := g.bundle.Instantiate(ctx, g.options)
	if err != nil {
		return nil, 0, err
	}
	if g.current != nil {
		g.broken = append(g.broken, g.current)
	}
	g.current = fresh
	g.generation++
	return g.current, g.generation, nil
}

// Current reports whether the guest of a generation is still the one in place, and works.
func (g *Guest) Current(generation int) bool {
	return g.current != nil && g.generation == generation && !g.current.Broken()
}

// spent returns the bytes copied into the guest in place, and the fuel that it used, since the last time that anyone asked.
func (g *Guest) spent() (copied, fuel uint64) {
	if g.counted != g.generation {
		g.counted, g.seen = g.generation, udf.Stats{}
	}
	total := g.current.Stats()
	copied, fuel = total.CopiedBytes-g.seen.CopiedBytes, total.Fuel-g.seen.Fuel
	g.seen = total
	return copied, fuel
}

// Sweep closes guests that broke. The task calls it between batches, when no rows lie in them.
func (g *Guest) Sweep(ctx context.Context) {
	for _, old := range g.broken {
		old.Close(ctx)
	}
	g.broken = g.broken[:0]
}

// Close closes all guests.
func (g *Guest) Close(ctx context.Context) {
	g.Sweep(ctx)
	if g.current != nil {
		g.current.Close(ctx)
		g.current = nil
	}
}
