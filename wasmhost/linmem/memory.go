// Package linmem holds the memory of guests: address space reserved once so that it never moves, and arenas that hand
// out parts of it as Arrow buffers.
package linmem

import (
	"unsafe"

	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasmill/wasmill/engine/fault"
)

// PageSize is the unit in which WebAssembly memory grows, in bytes.
const PageSize = 65536

// MaxSize is the most that a guest with 32-bit pointers can address, in bytes.
const MaxSize = 1 << 32

// Memory is the linear memory of one guest. Its whole address space is reserved at the start and committed in place as
// the guest grows, so its base never moves and a slice over it stays valid until Free; only its length goes stale.
//
// A Memory serves one instance: pass it to [experimental.WithMemoryAllocator] for one instantiation. It is used by one
// goroutine at a time, as the guest is.
type Memory struct {
	space     []byte // the reservation; accessible up to committed
	committed uint64
	taken     bool
	image     *Image // what it started from; nil for zeros
}

var (
	_ experimental.MemoryAllocator = (*Memory)(nil)
	_ experimental.LinearMemory    = (*Memory)(nil)
)

// Reserve reserves limit bytes of address space and commits the first size bytes of it, zeroed; both are rounded up to
// pages. Size is the minimum that the module declares: wazero cannot be told that the first pages are missing, so they
// are taken here, where there is an error to return. Limit is clamped to [MaxSize].
//
// It returns a [fault.Limit] fault if size is above limit, or the system has no more memory.
func Reserve(size, limit uint64) (*Memory, error) {
	size, limit = roundPage(min(size, MaxSize+1)), roundPage(min(limit, MaxSize))
	if size > limit {
		return nil, fault.New(fault.Limit, "the module asks for %d bytes of memory at its start, the limit is %d", size, limit).
			WithHint("raise the memory limit")
	}
	space, err := reserve(limit)
	if err != nil {
		return nil, fault.New(fault.Limit, "cannot reserve %d bytes of address space for a guest: %v", limit, err)
	}
	m := &Memory{space: space}
	if m.Reallocate(size) == nil {
		m.Free()
		return nil, fault.New(fault.Limit, "the system has no %d bytes of memory for a guest", size)
	}
	return m, nil
}

// Allocate returns m. It is what wazero calls once per instance; a second instance gets a memory that cannot hold a
// page, for two guests must never share one.
func (m *Memory) Allocate(_, _ uint64) experimental.LinearMemory {
	if m.taken {
		return &Memory{}
	}
	m.taken = true
	return m
}

// Reallocate makes the memory size bytes long and returns it, or nil if that is beyond the limit or the system has no
// more. Memory never shrinks: a smaller size is answered with what there is.
func (m *Memory) Reallocate(size uint64) []byte {
	if m.space == nil || size > uint64(len(m.space)) {
		return nil
	}
	if size > m.committed {
		if err := commit(m.space[m.committed:size]); err != nil {
			return nil
		}
		m.committed = size
	}
	return m.space[:m.committed:m.committed]
}

// Free gives the address space back. Slices over the memory must not be touched afterwards.
func (m *Memory) Free() {
	if m.space != nil {
		release(m.space)
		if m.image != nil {
			m.image.leave()
		}
	}
	m.space, m.committed = nil, 0
}

// Bytes returns the memory at its current length, nil after Free. Any entry into the guest may make it longer and
// change what it holds.
func (m *Memory) Bytes() []byte { return m.space[:m.committed:m.committed] }

// Base returns the address at which the memory starts, 0 after Free.
func (m *Memory) Base() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(m.space))) }

// Contains reports whether all of b lies in the committed memory, and where. It looks at addresses only, and is false
// for an empty slice, whose address says nothing.
func (m *Memory) Contains(b []byte) (offset uint32, ok bool) {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b))) - m.Base() // wraps around below the base, and is then too large
	if len(b) == 0 || uint64(at) >= m.committed || uint64(len(b)) > m.committed-uint64(at) {
		return 0, false
	}
	return uint32(at), true
}

func roundPage(n uint64) uint64 { return (n + PageSize - 1) &^ (PageSize - 1) }
