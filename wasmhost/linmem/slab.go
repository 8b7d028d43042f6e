package linmem

import (
	"github.com/wasmill/wasmill/engine/fault"
)

// Sizes of slabs. The first is small because many functions see few rows; a batch of usual size then fits in one slab.
const (
	firstSlab = 64 << 10
	smallSlab = 1 << 20
	largeSlab = 4 << 20
)

// region is a piece of guest memory that the guest's allocator gave.
type region struct {
	ptr, size, align uint32
}

// slab is a region that the arena cuts.
type slab struct {
	ptr  uint32
	base uintptr // its address in the host
	size int
	tip  int // where the next allocation starts
	live int // allocations that have not been freed
}

func (s *slab) free() int { return s.size - s.tip }

// Reserve makes sure that the next allocations of n bytes in all, in pieces rounded up to [Align], do not fail: the
// current slab has that much room in one piece afterwards. It may enter the guest.
//
// It returns a [fault.Limit] fault when the guest has no more memory, a [fault.Guest] fault when the guest's allocator
// answers nonsense, and the fault of the call when it traps.
func (a *Arena) Reserve(n int) error {
	if uint64(n) > MaxSize/2 { // a negative number is a large one here
		return fault.New(fault.Limit, "a batch of %d bytes does not fit into a guest", n).WithHint("use smaller batches")
	}
	n = round(n)
	if a.current >= 0 && a.slabs[a.current].free() >= n {
		return nil
	}
	for i, s := range a.slabs {
		if s.free() >= n {
			a.current = i
			return nil
		}
	}
	return a.grow(n)
}

// grow takes a slab of at least n bytes from the guest. Idle slabs, all of which are too small, go back before.
func (a *Arena) grow(n int) error {
	size := firstSlab
	switch {
	case a.grown > 2:
		size = largeSlab
	case a.grown > 0:
		size = smallSlab
	}
	if err := a.Trim(); err != nil {
		return err
	}
	r, err := a.take(max(size, n), Align)
	if err == nil && r.ptr == 0 && size > n {
		r, err = a.take(n, Align)
	}
	if err != nil {
		return err
	}
	if r.ptr == 0 {
		return fault.New(fault.Limit, "the guest has no memory for %d more bytes", n).
			WithHint("raise the memory limit or use smaller batches")
	}
	a.grown++
	a.slabs = append(a.slabs, &slab{ptr: r.ptr, base: a.mem.Base() + uintptr(r.ptr), size: int(r.size)})
	a.current = len(a.slabs) - 1
	return nil
}

// Trim gives slabs that hold nothing back to the guest. It enters the guest.
func (a *Arena) Trim() error {
	for i := 0; i < len(a.slabs); {
		s := a.slabs[i]
		if s.live > 0 {
			i++
			continue
		}
		a.slabs = append(a.slabs[:i], a.slabs[i+1:]...)
		a.current = len(a.slabs) - 1
		if err := a.give(region{s.ptr, uint32(s.size), Align}); err != nil {
			return err
		}
	}
	return nil
}

// Scratch returns the address of n zeroed bytes in the guest, aligned to align, a power of two up to [Align], that stay
// until FreeScratch. It enters the guest each time: scratch is for what lives as long as a function. Errors are those
// of Reserve.
func (a *Arena) Scratch(n, align int) (uint32, error) {
	if n <= 0 || uint64(n) > MaxSize/2 || align <= 0 || align > Align || align&(align-1) != 0 {
		return 0, fault.New(fault.Internal, "scratch of %d bytes aligned to %d", n, align)
	}
	r, err := a.take(n, align)
	if err != nil {
		return 0, err
	}
	if r.ptr == 0 {
		return 0, fault.New(fault.Limit, "the guest has no memory for %d more bytes", n).WithHint("raise the memory limit")
	}
	clear(a.mem.space[r.ptr : uint64(r.ptr)+uint64(n)])
	a.scratch = append(a.scratch, r)
	return r.ptr, nil
}

// FreeScratch gives back what Scratch returned. It enters the guest. An address that is none of it is ignored.
func (a *Arena) FreeScratch(ptr uint32) error {
	for i, r := range a.scratch {
		if r.ptr == ptr {
			a.scratch = append(a.scratch[:i], a.scratch[i+1:]...)
			return a.give(r)
		}
	}
	return nil
}

func (a *Arena) give(r region) error {
	a.stats.GuestFrees++
	return a.source.Free(r.ptr, r.size, r.align)
}

// take asks the guest for memory and checks the answer: a guest may say anything. Address 0 means that it has none.
func (a *Arena) take(n, align int) (region, error) {
	r := region{size: uint32(n), align: uint32(align)}
	a.stats.GuestAllocs++
	ptr, err := a.source.Alloc(r.size, r.align)
	if err != nil || ptr == 0 {
		return r, err
	}
	r.ptr = ptr
	if err := a.check(r); err != nil {
		return r, err.At("wasmill_alloc")
	}
	return r, nil
}

func (a *Arena) check(r region) *fault.Fault {
	if r.ptr%r.align != 0 {
		return fault.New(fault.Guest, "expected an address aligned to %d, got %#x", r.align, r.ptr)
	}
	if end, size := uint64(r.ptr)+uint64(r.size), a.mem.committed; end > size {
		return fault.New(fault.Guest, "%d bytes at %#x end outside of the memory of %d bytes", r.size, r.ptr, size)
	}
	for _, s := range a.slabs {
		if r.overlaps(region{ptr: s.ptr, size: uint32(s.size)}) {
			return overlapFault(r, s.ptr, uint32(s.size))
		}
	}
	for _, s := range a.scratch {
		if r.overlaps(s) {
			return overlapFault(r, s.ptr, s.size)
		}
	}
	return nil
}

func overlapFault(r region, ptr, size uint32) *fault.Fault {
	return fault.New(fault.Guest, "%d bytes at %#x overlap %d bytes at %#x that are still in use", r.size, r.ptr, size, ptr)
}

func (r region) overlaps(o region) bool {
	return uint64(r.ptr) < uint64(o.ptr)+uint64(o.size) && uint64(o.ptr) < uint64(r.ptr)+uint64(r.size)
}
