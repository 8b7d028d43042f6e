package wasmhost

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
)

// leastGrace is how long an interrupted guest has at least to come to an end; else it is a tenth of the call's time.
const leastGrace = 100 * time.Millisecond

// findInterrupt asks the guest where it says how it is interrupted.
func (g *guest) findInterrupt(ctx context.Context) error {
	ptr, err := g.enter(ctx, exportIrq, g.mod.ExportedFunction(exportIrq))
	g.interrupt = uint32(ptr)
	return err
}

// soften interrupts a guest whose time is over, and gives it a time of grace to come to an end by itself. It reports whether the guest may go on.
func (g *guest) soften() bool {
	if g.clock.softened != nil {
		return g.extend()
	}
	if !g.interrupted(g.overran()) {
		return false
	}
	g.clock.spent = g.meter.Spent()
	g.clock.left += g.clock.grace()
	return true
}

// interrupted interrupts a guest for a reason, once in a call, so that it can be used on, and reports whether it did. The guest is inside of
// an import: its memory is the host's to write to, and the numbers that it gave are looked at now, since they are no more to be trusted than any others of its.
func (g *guest) interrupted(why *fault.Fault) bool {
	if g.interrupt == 0 || g.clock.softened != nil {
		return false
	}
	words, ok := g.view(g.interrupt, 16)
	if !ok {
		return false
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(words[4*i:]) }
	value, bit := word(2), word(3)
	flags, ok := g.view(word(0), 4)
	pending, fits := g.view(word(1), 4)
	if !ok || !fits {
		return false
	}
	binary.LittleEndian.PutUint32(pending, value)
	binary.LittleEndian.PutUint32(flags, binary.LittleEndian.Uint32(flags)|bit)
	g.clock.softened = why
	return true
}

// stoppedAt returns the row that a guest was at when it was stopped or trapped, of so many, or -1 where it does not say.
func (g *guest) stoppedAt(rows int) int {
	if g.interrupt == 0 || g.broken == nil {
		return -1
	}
	words, ok := g.view(g.interrupt, 20)
	if !ok || binary.LittleEndian.Uint32(words[16:]) == 0 {
		return -1
	}
	word, ok := g.view(binary.LittleEndian.Uint32(words[16:]), 4)
	if !ok {
		return -1
	}
	row := int(int32(binary.LittleEndian.Uint32(word)))
	if row < -1 || row >= rows {
		return -1
	}
	return row
}

// maxExtended is how often the time of grace is made longer, by a quarter each.
const maxExtended = 8

// extend gives a guest more time of grace that had no share of the processor: one that has not even spent fuel for a quarter of it, a unit being
// about a nanosecond.
func (g *guest) extend() bool {
	quarter := g.clock.grace() / 4
	if g.clock.extended == maxExtended || g.meter.Spent()-g.clock.spent >= int64(quarter) {
		return false
	}
	g.clock.extended++
	g.clock.left += quarter
	return true
}

func (c *clock) grace() time.Duration { return max(leastGrace, c.limit/10) }
