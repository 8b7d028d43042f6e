package column

import (
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// buffer is memory of the allocator that a column writes to. Its zero value has none yet.
type buffer struct {
	mem *memory.Buffer
	b   []byte // all of mem
}

// reserve makes b at least n bytes long, rounded up as [round64] does. What is new in it has any content.
func (f *buffer) reserve(alloc memory.Allocator, n int) {
	if n <= len(f.b) {
		return
	}
	if f.mem == nil {
		f.mem = memory.NewResizableBuffer(alloc)
	}
	f.mem.Reserve(n)
	f.b = f.mem.Buf()
}

// take returns the buffer at a length of n bytes and forgets it.
func (f *buffer) take(n int) *memory.Buffer {
	mem := f.mem
	if mem != nil {
		mem.ResizeNoShrink(n)
	}
	f.mem, f.b = nil, nil
	return mem
}

func (f *buffer) free() {
	if f.mem != nil {
		f.mem.Release()
	}
	f.mem, f.b = nil, nil
}

// round64 rounds a size up as Arrow's buffers do.
func round64(n int) int { return (n + 63) &^ 63 }
