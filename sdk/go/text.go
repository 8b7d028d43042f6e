package wasmill

import "unsafe"

// textHeader is how a string lies in memory, and how a slice begins.
type textHeader struct {
	data unsafe.Pointer
	len  int
}

// textCodec is for strings and byte slices, T, with offsets of type O. Reading copies the bytes of all rows at once: what the
// function gets is its own, whereas the column's memory is the host's. The loops step pointers, for in a guest an
// index costs a check and a multiplication more than the rest of the loop does.
func textCodec[T string | []byte, O int32 | int64](text string) *codec {
	width := unsafe.Sizeof(*new(O))
	k := &codec{text: text, width: -int(width), size: unsafe.Sizeof(*new(T)), bytes: textBytes, plain: true}
	k.read = func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
		if n == 0 {
			return
		}
		offset := unsafe.Add(c.values, uintptr(from)*width)
		start := *(*O)(offset)
		size := int(*(*O)(unsafe.Add(offset, uintptr(n)*width)) - start)
		all := make([]byte, size+1) // an empty text at the end must not point behind the memory
		copy(all, unsafe.Slice((*byte)(unsafe.Add(c.data, start)), size))
		data := unsafe.Pointer(unsafe.SliceData(all))
		at := base
		for range n {
			offset = unsafe.Add(offset, width)
			end := *(*O)(offset)
			*(*textHeader)(at) = textHeader{data, int(end - start)}
			data, start, at = unsafe.Add(data, end-start), end, unsafe.Add(at, stride)
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
		offset := o.extend(n)
		size := len(o.data)
		at := base
		for range n {
			offset = unsafe.Add(offset, width)
			size += (*textHeader)(at).len
			*(*O)(offset) = O(size)
			at = unsafe.Add(at, stride)
		}
		to := unsafe.Pointer(unsafe.SliceData(o.extendText(size)))
		at = base
		for range n {
			value := (*textHeader)(at)
			copyText(to, value.data, value.len)
			to, at = unsafe.Add(to, value.len), unsafe.Add(at, stride)
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
	for ; n >= 8; n -= 8 {
		*(*[8]byte)(to) = *(*[8]byte)(from)
		to, from = unsafe.Add(to, 8), unsafe.Add(from, 8)
	}
	for ; n > 0; n-- {
		*(*byte)(to) = *(*byte)(from)
		to, from = unsafe.Add(to, 1), unsafe.Add(from, 1)
	}
}

// textBytes returns the length of a string or slice: it is at the same place in both.
func textBytes(value unsafe.Pointer) int { return (*textHeader)(value).len }
