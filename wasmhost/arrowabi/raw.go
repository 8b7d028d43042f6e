package arrowabi

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
)

// maxCount bounds every length, offset and count in an array, so that sums and products of them fit into an int64.
const maxCount = 1<<31 - 1

// raw is an ArrowArray as it lies in the guest, its numbers checked for their sign and size but for nothing else.
type raw struct {
	length, nulls, offset         int
	buffers, children, dictionary uint32
	release                       uint32
}

// span returns size bytes at ptr. A null pointer is a fault unless nothing is there.
func span(mem []byte, ptr uint32, size int64) ([]byte, *fault.Fault) {
	if size == 0 {
		return mem[:0:0], nil
	}
	if ptr == 0 {
		return nil, fault.New(fault.BadArray, "expected %d bytes, got a null pointer", size)
	}
	end := int64(ptr) + size
	if size < 0 || end > int64(len(mem)) {
		return nil, fault.New(fault.BadArray, "%d bytes at %#x end outside of the memory of %d bytes", size, ptr, len(mem))
	}
	return mem[ptr:end:end], nil
}

// readArray reads the ArrowArray at ptr, which must have the number of buffers and children, and a dictionary or none,
// as its type wants.
func readArray(mem []byte, ptr uint32, n *node) (raw, *fault.Fault) {
	b, f := span(mem, ptr, arraySize)
	if f != nil {
		return raw{}, f
	}
	numbers := [5]int64{}
	for i := range numbers {
		v := int64(binary.LittleEndian.Uint64(b[8*i:]))
		if v < 0 && !(v == -1 && i == 1) || v > maxCount {
			return raw{}, badNumber(i, v)
		}
		numbers[i] = v
	}
	if want := n.kind.buffers(); numbers[3] != int64(want) {
		return raw{}, fault.New(fault.BadArray, "expected %d, got %d", want, numbers[3]).At("n_buffers")
	}
	if want := len(n.children); numbers[4] != int64(want) {
		return raw{}, fault.New(fault.BadArray, "expected %d, got %d", want, numbers[4]).At("n_children")
	}
	r := raw{
		length:     int(numbers[0]),
		nulls:      int(numbers[1]),
		offset:     int(numbers[2]),
		buffers:    binary.LittleEndian.Uint32(b[40:]),
		children:   binary.LittleEndian.Uint32(b[44:]),
		dictionary: binary.LittleEndian.Uint32(b[48:]),
		release:    binary.LittleEndian.Uint32(b[52:]),
	}
	if r.nulls > r.length {
		return raw{}, fault.New(fault.BadArray, "expected at most the length, %d, got %d", r.length, r.nulls).At("null_count")
	}
	if n.dict == nil && r.dictionary != 0 {
		return raw{}, fault.New(fault.BadArray, "expected no dictionary, got one at %#x", r.dictionary)
	}
	return r, nil
}

func badNumber(i int, v int64) *fault.Fault {
	name := [...]string{"length", "null_count", "offset", "n_buffers", "n_children"}[i]
	least := 0
	if i == 1 {
		least = array.UnknownNullCount
	}
	return fault.New(fault.BadArray, "expected a number from %d to %d, got %d", least, maxCount, v).At("%s", name)
}

// pointers returns the table of count pointers at ptr.
func pointers(mem []byte, ptr uint32, count int, what string) ([]byte, *fault.Fault) {
	b, f := span(mem, ptr, int64(count)*4)
	if f != nil {
		return nil, f.At("%s", what)
	}
	return b, nil
}
