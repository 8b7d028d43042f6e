package wasmill

import (
	"reflect"
	"unsafe"
)

// sliceHeader is a slice as it lies in memory; data is a pointer, so that the collector sees what is stored in it.
type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

// listCodec is for slices of t. A nil slice is written as an empty list, and null is read as nil.
func listCodec(t reflect.Type, item *codec) *codec {
	slices := reflect.SliceOf(t)
	k := &codec{text: "list<" + item.declared() + ">", width: -4, size: unsafe.Sizeof(sliceHeader{}), items: []*codec{item}}
	k.read = func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
		if n == 0 {
			return
		}
		first, last := c.span(from), c.span(from+n)
		values := reflect.MakeSlice(slices, last-first, last-first).UnsafePointer()
		item.read(&c.children[0], first, last-first, values, item.size)
		for i := range n {
			start, end := c.span(from+i)-first, c.span(from+i+1)-first
			header := sliceHeader{}
			if !c.null(from+i) && end > start {
				header = sliceHeader{unsafe.Add(values, uintptr(start)*item.size), end - start, end - start}
			}
			*(*sliceHeader)(unsafe.Add(base, uintptr(i)*stride)) = header
		}
	}
	k.write = func(o *output, n int, base unsafe.Pointer, stride uintptr) {
		offsets, items := o.extend(n), o.items[0]
		for i := range n {
			list := (*sliceHeader)(unsafe.Add(base, uintptr(i)*stride))
			item.write(items, list.len, list.data, item.size)
			*(*int32)(unsafe.Add(offsets, (i+1)*4)) = int32(items.rows)
		}
	}
	k.bytes = func(value unsafe.Pointer) int {
		list := (*sliceHeader)(value)
		size := list.len * max(item.width, 8)
		for i := 0; item.bytes != nil && i < list.len; i++ {
			size += item.bytes(unsafe.Add(list.data, uintptr(i)*item.size))
		}
		return size
	}
	if item.check != nil {
		k.check = func(value unsafe.Pointer) string {
			list := (*sliceHeader)(value)
			for i := range list.len {
				if fault := item.check(unsafe.Add(list.data, uintptr(i)*item.size)); fault != "" {
					return fault
				}
			}
			return ""
		}
	}
	return k
}

// structCodec is for a struct within a column; a null one is read as its zero value.
func structCodec(r *row) *codec {
	k := &codec{text: "struct<", width: 1, size: r.size}
	for i, f := range r.fields {
		if i > 0 {
			k.text += ", "
		}
		k.text += f.name + ": " + f.codec.declared()
		k.items = append(k.items, f.codec)
	}
	k.text += ">"
	k.read = func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
		for i, f := range r.fields {
			f.codec.read(&c.children[i], c.offset+from, n, unsafe.Add(base, f.offset), stride)
		}
		for i := range n {
			if c.null(from + i) {
				reflect.NewAt(r.goType, unsafe.Add(base, uintptr(i)*stride)).Elem().SetZero()
			}
		}
	}
	k.write = func(o *output, n int, base unsafe.Pointer, stride uintptr) {
		o.extend(n)
		for i, f := range r.fields {
			f.codec.write(o.items[i], n, unsafe.Add(base, f.offset), stride)
		}
	}
	if r.sized != nil {
		k.bytes = r.bytes
	}
	if r.checked {
		k.check = r.check
	}
	return k
}

// pointerCodec is for *t.
func pointerCodec(t reflect.Type, value *codec) *codec {
	slices := reflect.SliceOf(t)
	k := &codec{text: value.text, nulls: true, width: value.width, size: unsafe.Sizeof(uintptr(0)), items: value.items}
	k.read = func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
		values := reflect.MakeSlice(slices, n, n).UnsafePointer()
		value.read(c, from, n, values, value.size)
		for i := range n {
			at := unsafe.Add(values, uintptr(i)*value.size)
			if c.null(from + i) {
				at = nil
			}
			*(*unsafe.Pointer)(unsafe.Add(base, uintptr(i)*stride)) = at
		}
	}
	zero := reflect.New(t).UnsafePointer()
	k.write = func(o *output, n int, base unsafe.Pointer, stride uintptr) {
		for i := range n {
			at := *(*unsafe.Pointer)(unsafe.Add(base, uintptr(i)*stride))
			if at == nil {
				value.write(o, 1, zero, 0)
				o.setNull(o.rows - 1)
			} else {
				value.write(o, 1, at, 0)
			}
		}
	}
	if value.bytes != nil {
		k.bytes = func(p unsafe.Pointer) int {
			if at := *(*unsafe.Pointer)(p); at != nil {
				return value.bytes(at)
			}
			return 0
		}
	}
	if value.check != nil {
		k.check = func(p unsafe.Pointer) string {
			if at := *(*unsafe.Pointer)(p); at != nil {
				return value.check(at)
			}
			return ""
		}
	}
	return k
}

// nullCodec is for Null[T]: the value is at its beginning.
func nullCodec(t reflect.Type, value *codec, valid uintptr) *codec {
	k := *value
	k.nulls, k.size = true, t.Size()
	k.read = func(c *column, from, n int, base unsafe.Pointer, stride uintptr) {
		value.read(c, from, n, base, stride)
		for i := range n {
			*(*bool)(unsafe.Add(base, uintptr(i)*stride+valid)) = !c.null(from + i)
		}
	}
	k.write = func(o *output, n int, base unsafe.Pointer, stride uintptr) {
		row := o.rows
		value.write(o, n, base, stride)
		for i := range n {
			if !*(*bool)(unsafe.Add(base, uintptr(i)*stride+valid)) {
				o.setNull(row + i)
			}
		}
	}
	if value.check != nil {
		k.check = func(p unsafe.Pointer) string {
			if *(*bool)(unsafe.Add(p, valid)) {
				return value.check(p)
			}
			return ""
		}
	}
	return &k
}

// declared returns the type as a description has it for what a function returns: "!" says that there are no nulls.
func (k *codec) declared() string {
	if k.nulls {
		return k.text
	}
	return k.text + "!"
}
