package wasmill

//lint:file-ignore U1000 what this host's build has no use for, exports_wasip1.go has

import "unsafe"

// column is a view of an input column: row 0 is the batch's first row, whatever the offsets are.
type column struct {
	name, format string
	width        int            // bytes of a value or of an offset
	validity     unsafe.Pointer // bitmap, of which bit offset+row counts; nil when there are no nulls
	values       unsafe.Pointer // row 0's value or offset; of bool the bitmap
	data         unsafe.Pointer // the bytes of text
	offset       int
	length       int
	array        *arrowArray
	children     []column
}

func (c *column) null(row int) bool {
	return c.validity != nil && !bit(c.validity, c.offset+row)
}

func bit(bitmap unsafe.Pointer, i int) bool {
	return *(*byte)(unsafe.Add(bitmap, i>>3))>>(i&7)&1 != 0
}

func fixed[T any](c *column, row int) T {
	return *(*T)(unsafe.Add(c.values, uintptr(row)*unsafe.Sizeof(*new(T))))
}

// span returns where the value of a row begins in data, or in the items of a list, for offsets of the column's width.
func (c *column) span(row int) int {
	if c.width == 8 {
		return int(fixed[int64](c, row))
	}
	return int(fixed[int32](c, row))
}

// learn copies what a schema says; the schema is the host's.
func (c *column) learn(s *arrowSchema) {
	*c = column{name: cString(s.name), format: cString(s.format)}
	c.width = formatWidth(c.format)
	children := unsafe.Slice((*pointer)(s.children.at()), int(s.nChildren))
	c.children = make([]column, len(children))
	for i, p := range children {
		c.children[i].learn((*arrowSchema)(p.at()))
	}
}

// view points the column at a batch.
func (c *column) view(a *arrowArray) {
	c.array, c.length, c.offset = a, int(a.length), int(a.offset)
	c.validity, c.values, c.data = nil, nil, nil
	buffers := unsafe.Slice((*pointer)(a.buffers.at()), int(a.nBuffers))
	if len(buffers) > 0 && a.nullCount != 0 {
		c.validity = buffers[0].at()
	}
	if len(buffers) > 1 {
		c.values = unsafe.Add(buffers[1].at(), c.offset*c.width)
	}
	if len(buffers) > 2 {
		c.data = buffers[2].at()
	}
	for i, p := range unsafe.Slice((*pointer)(a.children.at()), min(len(c.children), int(a.nChildren))) {
		c.children[i].view((*arrowArray)(p.at()))
	}
}

// formatWidth returns the bytes of a value, or of an offset, of a type in the notation of the C data interface.
func formatWidth(format string) int {
	if format == "" {
		return 0
	}
	switch format[0] {
	case 'c', 'C':
		return 1
	case 's', 'S':
		return 2
	case 'i', 'I', 'f', 'u', 'z':
		return 4
	case 'l', 'L', 'g', 'U', 'Z':
		return 8
	case 'd':
		return 16
	case 't':
		switch format {
		case "tdD", "tts", "ttm":
			return 4
		}
		return 8
	case '+':
		if format == "+l" || format == "+m" {
			return 4
		}
	case 'w':
		n := 0
		for _, digit := range []byte(format[2:]) {
			n = n*10 + int(digit-'0')
		}
		return n
	}
	return 0
}
