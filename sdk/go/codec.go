package wasmill

import "unsafe"

// codec moves values between a column and Go memory, many at a time: value i lies at base + i*stride.
type codec struct {
	text  string // the Arrow type
	nulls bool   // whether null has a form of its own
	size  uintptr
	width int // bytes of a value in the column; 0 for bits, -4 and -8 for offsets of that size, none for structs
	// read fills n values from the rows that begin at from.
	read func(c *column, from, n int, base unsafe.Pointer, stride uintptr)
	// write appends n values.
	write func(o *output, n int, base unsafe.Pointer, stride uintptr)
	// bytes returns how many bytes beyond its width a value takes; nil for none. Plain says that they are as many as the length of
	// the string or slice that the value begins with, so that nobody need call.
	bytes func(value unsafe.Pointer) int
	plain bool
	items []*codec // of lists and structs
	check func(value unsafe.Pointer) string
	pass  bool
}

// fixedCodec is for values that lie in the column as they do in Go.
func fixedCodec[T any](text string) *codec {
	size := unsafe.Sizeof(*new(T))
	return &codec{
		text: text, size: size, width: int(size),
		read: func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
			values := unsafe.Slice((*T)(unsafe.Add(c.values, uintptr(from)*size)), n)
			for i := range values {
				*(*T)(unsafe.Add(base, uintptr(i)*stride)) = values[i]
			}
			if c.validity == nil {
				return
			}
			var zero T
			for i := range n {
				if !bit(c.validity, c.offset+from+i) {
					*(*T)(unsafe.Add(base, uintptr(i)*stride)) = zero
				}
			}
		},
		write: func(o *output, n int, base unsafe.Pointer, stride uintptr) {
			values := unsafe.Slice((*T)(o.extend(n)), n)
			for i := range values {
				values[i] = *(*T)(unsafe.Add(base, uintptr(i)*stride))
			}
		},
	}
}

// convertedCodec is for values that lie in the column as a W.
func convertedCodec[T, W any](text string, from func(W) T, to func(T) W) *codec {
	size := unsafe.Sizeof(*new(W))
	return &codec{
		text: text, size: unsafe.Sizeof(*new(T)), width: int(size),
		read: func(c *column, first, n int, base unsafe.Pointer, stride uintptr) {
			for i := range n {
				var v T
				if !c.null(first + i) {
					v = from(fixed[W](c, first+i))
				}
				*(*T)(unsafe.Add(base, uintptr(i)*stride)) = v
			}
		},
		write: func(o *output, n int, base unsafe.Pointer, stride uintptr) {
			values := unsafe.Slice((*W)(o.extend(n)), n)
			for i := range values {
				values[i] = to(*(*T)(unsafe.Add(base, uintptr(i)*stride)))
			}
		},
	}
}

func boolCodec() *codec {
	return &codec{
		text: "bool", size: 1,
		read: func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
			for i := range n {
				*(*bool)(unsafe.Add(base, uintptr(i)*stride)) = !c.null(from+i) && bit(c.values, c.offset+from+i)
			}
		},
		write: func(o *output, n int, base unsafe.Pointer, stride uintptr) {
			row := o.rows
			o.extend(n)
			for i := range n {
				if *(*bool)(unsafe.Add(base, uintptr(i)*stride)) {
					o.values[(row+i)>>3] |= 1 << ((row + i) & 7)
				}
			}
		},
	}
}

// rawCodec is for fixed_size_binary: a [N]byte, or a []byte whose length is checked when it is written.
func rawCodec(text string, width int, slice bool) *codec {
	k := &codec{text: text, width: width, size: uintptr(width)}
	if slice {
		k.size = unsafe.Sizeof([]byte(nil))
		k.check = func(value unsafe.Pointer) string {
			if n := len(*(*[]byte)(value)); n != width {
				return "expected " + itoa(width) + " bytes, got " + itoa(n)
			}
			return ""
		}
	}
	k.read = func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
		all := append([]byte(nil), unsafe.Slice((*byte)(unsafe.Add(c.values, from*width)), n*width)...)
		for i := range n {
			at := unsafe.Add(base, uintptr(i)*stride)
			value := all[i*width : (i+1)*width : (i+1)*width]
			if c.null(from + i) {
				clear(value)
			}
			if !slice {
				copy(unsafe.Slice((*byte)(at), width), value)
			} else if c.null(from + i) {
				*(*[]byte)(at) = nil
			} else {
				*(*[]byte)(at) = value
			}
		}
	}
	k.write = func(o *output, n int, base unsafe.Pointer, stride uintptr) {
		to := unsafe.Slice((*byte)(o.extend(n)), n*width)
		for i := range n {
			at := unsafe.Add(base, uintptr(i)*stride)
			if slice {
				clear(to[i*width : (i+1)*width])
				copy(to[i*width:(i+1)*width], *(*[]byte)(at))
			} else {
				copy(to[i*width:(i+1)*width], unsafe.Slice((*byte)(at), width))
			}
		}
	}
	return k
}
