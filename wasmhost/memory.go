package wasmhost

import (
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// kept is a guest's memory as wazero sees it. wazero frees memory when it closes an instance, which it also does by itself when a
// call's time is over; but records of the host may still lie there, so that only [guest.Close] frees it.
type kept struct {
	*linmem.Memory
	refused bool // the guest asked for more memory than it may have
}

func (k *kept) Allocate(capacity, limit uint64) experimental.LinearMemory {
	k.Memory.Allocate(capacity, limit)
	return k
}

func (k *kept) Reallocate(size uint64) []byte {
	b := k.Memory.Reallocate(size)
	k.refused = k.refused || b == nil
	return b
}

// Free does nothing, see the type.
func (k *kept) Free() {}

// view returns length bytes of the guest's memory at ptr, and whether they lie in it. They are good until the guest is entered.
func (g *guest) view(ptr, length uint32) ([]byte, bool) {
	m := g.memory.Bytes()
	if uint64(ptr)+uint64(length) > uint64(len(m)) {
		return nil, false
	}
	end := uint64(ptr) + uint64(length)
	return m[ptr:end:end], true
}

// takeMemory and giveMemory are the arena's way to the guest's allocator.
func (g *guest) takeMemory(size, align uint32) (uint32, error) {
	ptr, err := g.enter(g.entry.outer(), exportAlloc, g.mod.ExportedFunction(exportAlloc), uint64(size), uint64(align))
	return uint32(ptr), err
}

func (g *guest) giveMemory(ptr, size, align uint32) error {
	_, err := g.enter(g.entry.outer(), exportFree, g.mod.ExportedFunction(exportFree), uint64(ptr), uint64(size), uint64(align))
	return err
}

// leaveRoom gives a guest up that failed for want of memory and still has no eighth of its limit free: what it keeps fills its memory, and
// rows without a fault would fail as well.
func (g *guest) leaveRoom(where string) {
	if !g.grown.refused || g.broken != nil {
		return
	}
	want := uint32(g.options.MaxMemory / 8)
	ptr, err := g.takeMemory(want, linmem.Align)
	switch {
	case err != nil:
	case ptr == 0:
		g.broken = fault.New(fault.Limit, "the guest keeps so much that its memory of %s is full", size(g.options.MaxMemory)).At("%s", where)
	default:
		g.grown.refused = g.giveMemory(ptr, want, linmem.Align) != nil
	}
}

// arena is the guest's arena. A guest whose allocator answers nonsense is broken.
type arena struct {
	*linmem.Arena
	guest *guest
}

func (a *arena) Reserve(n int) error { return a.judge(a.Arena.Reserve(n)) }

func (a *arena) Scratch(n, align int) (uint32, error) {
	ptr, err := a.Arena.Scratch(n, align)
	return ptr, a.judge(err)
}

func (a *arena) judge(err error) error {
	if f := fault.From(err); f != nil && f.Code == fault.Guest && a.guest.broken == nil {
		a.guest.broken = f
	}
	return err
}
