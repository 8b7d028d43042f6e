package operator

import (
	"context"
	"slices"

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
	broken     []brokenGuest
	// seen is what of the guest of generation counted has been attributed to a function.
	seen    udf.Stats
	counted int
}

// brokenGuest is a guest that broke, and was replaced.
type brokenGuest struct {
	udf.Guest
	generation int
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
		g.broken = append(g.broken, brokenGuest{g.current, g.generation})
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

// sweepAfter closes those of a later generation than floor. A batch with many rows that break guests would otherwise keep the
// memory of as many.
func (g *Guest) sweepAfter(ctx context.Context, floor int) {
	g.broken = slices.DeleteFunc(g.broken, func(old brokenGuest) bool {
		if old.generation <= floor {
			return false
		}
		old.Close(ctx)
		return true
	})
}

// Close closes all guests.
func (g *Guest) Close(ctx context.Context) {
	g.Sweep(ctx)
	if g.current != nil {
		g.current.Close(ctx)
		g.current = nil
	}
}
