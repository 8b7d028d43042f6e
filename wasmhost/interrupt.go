package wasmhost

import (
	"context"
	"encoding/binary"
	"time"
)

// leastGrace is how long an interrupted guest has at least to come to an end; else it is a tenth of the call's time.
const leastGrace = 100 * time.Millisecond

// findInterrupt asks the guest where it says how it is interrupted.
func (g *guest) findInterrupt(ctx context.Context) error {
	ptr, err := g.enter(ctx, exportIrq, g.mod.ExportedFunction(exportIrq))
	g.interrupt = uint32(ptr)
	return err
}

// soften interrupts a guest whose time is over, once in a call, and gives it a time of grace to come to an end by itself, so that it can be
// used on. It reports whether it did. The guest is inside of an import: its memory is the host's to write to, and the four numbers
// that it gave are looked at now, since they are no more to be trusted than any others of its.
func (g *guest) soften() bool {
	if g.interrupt == 0 || g.clock.softened {
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
	g.clock.softened = true
	g.clock.left += g.clock.grace()
	return true
}

func (c *clock) grace() time.Duration { return max(leastGrace, c.limit/10) }
