package linmem

import (
	"bytes"
	"sync"

	"github.com/wasmill/wasmill/engine/fault"
)

// ImagePage is the unit in which an image is sparse, in bytes.
const ImagePage = 4096

// Image is a copy of a guest's memory at rest. Memories that start from it share its pages until they write to them, where the
// system can do that (Linux); elsewhere each has a copy. Its pages are never writable again once it has been made: it may be
// used by several goroutines.
type Image struct {
	size uint64
	hold holder

	mu     sync.Mutex
	users  int  // guarded by mu; memories that started from it and have not been freed
	closed bool // guarded by mu
}

// Run is a stretch of pages that are not all zero.
type Run struct {
	Offset uint64 // a multiple of ImagePage
	Bytes  []byte // a multiple of ImagePage long
}

// NewImage copies a memory of size bytes, a multiple of [PageSize], of which only the runs given are not zero. A fault of code Limit
// means that the system has no memory for it.
func NewImage(size uint64, runs []Run) (*Image, error) {
	if size > MaxSize || size%PageSize != 0 {
		return nil, fault.New(fault.Internal, "an image of %d bytes is no memory", size)
	}
	for _, r := range runs {
		if n := uint64(len(r.Bytes)); r.Offset%ImagePage != 0 || n%ImagePage != 0 || r.Offset > size || n > size-r.Offset {
			return nil, fault.New(fault.Internal, "a run of %d bytes at %d is outside of an image of %d", n, r.Offset, size)
		}
	}
	hold, err := newHolder(size, runs)
	if err != nil {
		return nil, fault.New(fault.Limit, "cannot keep an image of %d bytes: %v", size, err)
	}
	return &Image{size: size, hold: hold}, nil
}

var zeros [ImagePage]byte

// Runs returns the stretches of a memory that are not zero, as parts of it.
func Runs(memory []byte) []Run {
	var runs []Run
	from := -1
	end := len(memory) - len(memory)%ImagePage
	for at := 0; at <= end; at += ImagePage {
		zero := at == end || bytes.Equal(memory[at:at+ImagePage], zeros[:])
		switch {
		case zero && from >= 0:
			runs = append(runs, Run{uint64(from), memory[from:at:at]})
			from = -1
		case !zero && from < 0:
			from = at
		}
	}
	return runs
}

// Size returns the length of the memory in bytes.
func (i *Image) Size() uint64 { return i.size }

// Close gives the image back when the last memory that started from it is gone. No memory can start from it any more.
func (i *Image) Close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed {
		i.closed = true
		i.settle()
	}
}

// settle gives back what nobody uses.
func (i *Image) settle() {
	if i.closed && i.users == 0 {
		i.hold.close()
	}
}

func (i *Image) leave() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.users--
	i.settle()
}

// Reserve reserves limit bytes of address space, as [Reserve] does, whose first bytes are the image's. It returns a [fault.Limit]
// fault if the image is larger than the limit, or the system has no more memory.
func (i *Image) Reserve(limit uint64) (*Memory, error) {
	limit = roundPage(min(limit, MaxSize))
	if i.size > limit {
		return nil, fault.New(fault.Limit, "the guest's image has %d bytes of memory, the limit is %d", i.size, limit).
			WithHint("raise the memory limit")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil, fault.New(fault.Internal, "an image was used after it was closed")
	}
	space, err := reserve(limit)
	if err != nil {
		return nil, fault.New(fault.Limit, "cannot reserve %d bytes of address space for a guest: %v", limit, err)
	}
	if err := i.hold.lay(space); err != nil {
		release(space)
		return nil, fault.New(fault.Limit, "the system has no %d bytes of memory for a guest: %v", i.size, err)
	}
	i.users++
	return &Memory{space: space, committed: i.size, image: i}, nil
}

// Reset makes the memory what it was at its start: the image's bytes, and zeros behind them. Its length stays, since the instance
// that uses it knows it. A memory that did not start from an image becomes zero.
//
// The error is a fault of code Limit; the memory must be freed then.
func (m *Memory) Reset() error {
	var err error
	if m.image != nil {
		err = m.image.hold.reset(m.space[:m.committed])
	} else {
		err = wipe(m.space[:m.committed])
	}
	if err != nil {
		return fault.New(fault.Limit, "a guest's memory cannot be reset: %v", err)
	}
	return nil
}
