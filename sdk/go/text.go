package wasmill

import "unsafe"

// textHeader is how a string lies in memory, and how a slice begins.
type textHeader struct {
	data unsafe.Pointer
	len  int
}

// textCodec is for strings and byte slices, T, with offsets of type O. Reading copies the bytes of all rows at once: what the
// function gets is its own, whereas the column's memory is the host's. The loops step addresses instead of
// indexing slices: in a guest, bounds checks cost as much as the rest of the loop.
func textCodec[T string | []byte, O int32 | int64](text string) *codec {
	width := unsafe.Sizeof(*new(O))
	k := &codec{text: text, width: -int(width), size: unsafe.Sizeof(*new(T)), bytes: textBytes, plain: true}
	k.read = func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
		if n == 0 {
			return
		}
		offsets := unsafe.Add(c.values, uintptr(from)*width)
		first := *(*O)(offsets)
		size := int(*(*O)(unsafe.Add(offsets, uintptr(n)*width)) - first)
		all := make([]byte, size+1) // an empty text at the end must not point behind the memory
		if size > 0 {
			copy(all, unsafe.Slice((*byte)(unsafe.Add(c.data, first)), size))
		}
		data := unsafe.Pointer(unsafe.SliceData(all))
		var at, offset uintptr
		start := first
		for range n {
			offset += width
			end := *(*O)(unsafe.Add(offsets, offset))
			*(*textHeader)(unsafe.Add(base, at)) = textHeader{unsafe.Add(data, start-first), int(end - start)}
			start, at = end, at+stride
		}
		if k.size == unsafe.Sizeof(sliceHeader{}) {
			for i := range n {
				header := (*sliceHeader)(unsafe.Add(base, uintptr(i)*stride))
				header.cap = header.len
			}
		}
		for i := 0; c.validity != nil && i < n; i++ {
			if c.null(from + i) {
				*(*T)(unsafe.Add(base, uintptr(i)*stride)) = *new(T)
			}
		}
	}
	k.write = func(o *output, n int, base unsafe.Pointer, stride uintptr) {
		offsets := o.extend(n)
		first := len(o.data)
		size := first
		var at, offset uintptr
		for range n {
			offset += width
			size += (*textHeader)(unsafe.Add(base, at)).len
			*(*O)(unsafe.Add(offsets, offset)) = O(size)
			at += stride
		}
		o.extendText(size)
		data := unsafe.Pointer(unsafe.SliceData(o.data))
		at, size = 0, first
		for range n {
			value := (*textHeader)(unsafe.Add(base, at))
			copyText(unsafe.Add(data, size), value.data, value.len)
			size, at = size+value.len, at+stride
		}
	}
	return k
}

// copyText is copy, for texts that are short as most are: in a guest, copy costs as much as moving a hundred bytes in words.
func copyText(to, from unsafe.Pointer, n int) {
	if n > 64 {
		copy(unsafe.Slice((*byte)(to), n), unsafe.Slice((*byte)(from), n))
		return
	}
	i := 0
	for ; i+8 <= n; i += 8 {
		*(*[8]byte)(unsafe.Add(to, i)) = *(*[8]byte)(unsafe.Add(from, i))
	}
	for ; i < n; i++ {
		*(*byte)(unsafe.Add(to, i)) = *(*byte)(unsafe.Add(from, i))
	}
}

// textBytes returns the length of a string or slice: it is at the same place in both.
func textBytes(value unsafe.Pointer) int { return (*textHeader)(value).len }
