package linmem

import (
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/udf"
)

// Align is the alignment of what an arena hands out, in bytes, and the unit in which it counts.
const Align = 64

// Source is the guest's own allocator, as its host calls it. Both enter the guest. Errors are faults.
type Source struct {
	// Alloc returns the address of size bytes, aligned to align, a power of two; 0 when the guest has no more.
	Alloc func(size, align uint32) (uint32, error)
	// Free gives them back, with the numbers given to Alloc.
	Free func(ptr, size, align uint32) error
}

// Arena hands out parts of a guest's memory as Arrow buffers. It takes slabs from the guest's allocator and cuts them:
// allocation moves the slab's tip, a slab is used again from its start when all that was cut from it has been freed.
// What is handed out starts at a multiple of [Align] and is zeroed.
//
// Only Reserve, Scratch, FreeScratch and Trim enter the guest. When the reserved space is used up, Allocate takes Go
// memory and counts it: Arrow's allocator cannot return an error. An Arena is used by one goroutine at a time.
type Arena struct {
	mem     *Memory
	source  Source
	slabs   []*slab // all slabs; the one that is cut is at current
	current int     // index in slabs, -1 without any
	grown   int     // slabs taken so far; later ones are larger
	scratch []region
	stats   ArenaStats
}

var _ udf.Arena = (*Arena)(nil)

// ArenaStats counts what an arena did since it was made.
type ArenaStats struct {
	// Slabs and SlabBytes are what the arena holds of the guest's memory now.
	Slabs     int
	SlabBytes uint64
	// Live is how many allocations in slabs have not been freed.
	Live int
	// Fallbacks counts allocations that found no reserved space and took Go memory; such buffers cost a copy later.
	Fallbacks, FallbackBytes uint64
	// MovedBytes counts bytes that Reallocate copied because a buffer could not grow in place.
	MovedBytes uint64
	// GuestAllocs and GuestFrees count calls of the guest's allocator.
	GuestAllocs, GuestFrees uint64
}

// NewArena returns an arena over mem that takes its slabs from source when the first Reserve needs one.
func NewArena(mem *Memory, source Source) *Arena {
	return &Arena{mem: mem, source: source, current: -1}
}

// Stats returns the counters.
func (a *Arena) Stats() ArenaStats {
	s := a.stats
	s.Slabs = len(a.slabs)
	for _, b := range a.slabs {
		s.SlabBytes += uint64(b.size)
		s.Live += b.live
	}
	return s
}

// Bytes returns the guest's memory at its current length, see [Memory.Bytes].
func (a *Arena) Bytes() []byte { return a.mem.Bytes() }

// Contains reports whether b lies in the guest's memory, see [Memory.Contains].
func (a *Arena) Contains(b []byte) (offset uint32, ok bool) { return a.mem.Contains(b) }

// Allocate returns n zeroed bytes. It does not enter the guest.
func (a *Arena) Allocate(n int) []byte {
	if n <= 0 {
		return []byte{}
	}
	if s := a.room(n); s != nil {
		b := a.view(s, s.tip, n)
		clear(b)
		s.tip += round(n)
		s.live++
		return b
	}
	a.stats.Fallbacks++
	a.stats.FallbackBytes += uint64(n)
	return memory.DefaultAllocator.Allocate(n)
}

// Reallocate makes an allocation n bytes long, in place where it is the slab's last and the slab has room.
func (a *Arena) Reallocate(n int, b []byte) []byte {
	if len(b) == 0 {
		return a.Allocate(n)
	}
	if n <= 0 {
		a.Free(b)
		return []byte{}
	}
	if s, at := a.find(b); s != nil {
		old, size := round(len(b)), round(n)
		tip := at+old == s.tip
		if size <= old || tip && at+size <= s.size {
			if tip {
				s.tip = at + size
			}
			grown := a.view(s, at, n)
			if n > len(b) {
				clear(grown[len(b):])
			}
			return grown
		}
	} else if n <= len(b) {
		return b[:n:n]
	}
	moved := a.Allocate(n)
	a.stats.MovedBytes += uint64(copy(moved, b))
	a.Free(b)
	return moved
}

// Free takes back what Allocate or Reallocate returned. It does not enter the guest.
func (a *Arena) Free(b []byte) {
	if len(b) == 0 {
		return
	}
	s, at := a.find(b)
	if s == nil {
		return // Go memory, or the guest is gone
	}
	if s.live == 0 {
		misuse("linmem: freed twice")
		return
	}
	poison(b)
	s.live--
	if s.live == 0 {
		s.tip = 0
	} else if at+round(len(b)) == s.tip {
		s.tip = at
	}
}

// Close forgets all slabs without entering the guest, which is about to be discarded. Later calls of Free do nothing.
func (a *Arena) Close() {
	a.slabs, a.scratch, a.current = nil, nil, -1
}

// room returns a slab with n bytes to cut: the current one, else any other.
func (a *Arena) room(n int) *slab {
	size := round(n)
	if a.current >= 0 && a.slabs[a.current].free() >= size {
		return a.slabs[a.current]
	}
	for _, s := range a.slabs {
		if s.free() >= size {
			return s
		}
	}
	return nil
}

// find returns the slab that b was cut from, and where in it b starts.
func (a *Arena) find(b []byte) (*slab, int) {
	address := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	for _, s := range a.slabs {
		if at := address - s.base; at < uintptr(s.size) {
			return s, int(at)
		}
	}
	return nil, 0
}

// view returns n bytes of a slab. The slab was checked against the memory when it was taken, and memory never shrinks.
func (a *Arena) view(s *slab, at, n int) []byte {
	start := int(s.ptr) + at
	return a.mem.space[start : start+n : start+n]
}

func round(n int) int { return (n + Align - 1) &^ (Align - 1) }
