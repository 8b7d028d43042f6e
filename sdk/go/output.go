package wasmill

//lint:file-ignore U1000 what this host's build has no use for, exports_wasip1.go has

import "unsafe"

// output is a column under construction. Its memory is reused from one result to the next.
type output struct {
	codec    *codec
	rows     int
	nulls    int
	cap      int    // rows that values and validity have room for
	validity []byte // a bit per row; nil until the first null
	values   []byte // values, bits or offsets
	data     []byte // the bytes of text
	items    []*output

	array    arrowArray
	buffers  [3]pointer
	children []pointer
}

func newOutput(k *codec) *output {
	o := &output{codec: k, items: make([]*output, len(k.items)), children: make([]pointer, len(k.items))}
	for i, item := range k.items {
		o.items[i] = newOutput(item)
	}
	return o
}

// reset empties the column and keeps its memory.
func (o *output) reset() {
	if o.nulls > 0 {
		fill(o.validity)
	}
	if o.codec.width == 0 {
		clear(o.values)
	}
	o.rows, o.nulls, o.data = 0, 0, o.data[:0]
	for _, item := range o.items {
		item.reset()
	}
}

func fill(bitmap []byte) {
	for i := range bitmap {
		bitmap[i] = 0xff
	}
}

// extend appends n rows to be filled in, and returns the place of the first one's value, or of the offset before it.
func (o *output) extend(n int) unsafe.Pointer {
	first := o.rows
	o.rows += n
	if o.rows > o.cap || o.values == nil {
		o.grow(max(o.rows, 2*o.cap, 64))
	}
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(o.values)), first*abs(o.codec.width))
}

// extendText makes the text size bytes long.
func (o *output) extendText(size int) {
	if size > cap(o.data) {
		data := aligned(max(size, 2*cap(o.data), 1024) + 1) // so that its end is not behind the memory
		copy(data, o.data)
		o.data = data
	}
	o.data = o.data[:size]
}

func abs(n int) int { return max(n, -n) }

func (o *output) grow(rows int) {
	rows = (rows + 63) &^ 63
	size := rows * o.codec.width
	switch {
	case o.codec.width == 0:
		size = rows / 8
	case o.codec.width < 0:
		size = (rows + 1) * -o.codec.width
	}
	values := aligned(size)
	copy(values, o.values)
	o.values, o.cap = values, rows
	if o.validity != nil {
		o.growValidity()
	}
}

func (o *output) growValidity() {
	validity := aligned(o.cap / 8)
	fill(validity[copy(validity, o.validity):])
	o.validity = validity
}

// setNull takes the value of an appended row away.
func (o *output) setNull(row int) {
	if o.validity == nil {
		o.growValidity()
	}
	if mask := byte(1) << (row & 7); o.validity[row>>3]&mask != 0 {
		o.validity[row>>3] &^= mask
		o.nulls++
	}
}

// isStruct: a list has offsets, and nothing else has items.
func (k *codec) isStruct() bool { return len(k.items) > 0 && k.width == 1 }

// finish fills the column's Arrow structure in. The output must stay reachable for as long as the host reads it.
func (o *output) finish() *arrowArray {
	o.buffers = [3]pointer{0, addressOf(unsafe.Pointer(unsafe.SliceData(o.values))), addressOf(unsafe.Pointer(unsafe.SliceData(o.data)))}
	if o.nulls > 0 {
		o.buffers[0] = addressOf(unsafe.Pointer(unsafe.SliceData(o.validity)))
	}
	o.array = arrowArray{
		length: int64(o.rows), nullCount: int64(o.nulls), nBuffers: 2,
		buffers: addressOf(unsafe.Pointer(&o.buffers)), release: 1,
	}
	switch {
	case o.codec.isStruct():
		o.array.nBuffers = 1
	case o.codec.width < 0 && len(o.items) == 0:
		o.array.nBuffers = 3
	}
	for i, item := range o.items {
		o.children[i] = addressOf(unsafe.Pointer(item.finish()))
	}
	o.array.nChildren = int64(len(o.items))
	o.array.children = addressOf(unsafe.Pointer(unsafe.SliceData(o.children)))
	return &o.array
}
