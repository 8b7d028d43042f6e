package arrowabi

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// objects holds the Go objects that a record consists of besides its arrays. Their numbers are fixed by the schema, so
// that they never run out, and they serve record after record: allocating them takes longer than all checks of a small
// batch.
type objects struct {
	data     []array.Data
	buffers  []memory.Buffer
	pointers []*memory.Buffer
	children []arrow.ArrayData
	// how many of them are taken
	datas, wraps, slots, links int
}

func newObjects(root *node) *objects {
	nodes, buffers, children := root.count()
	return &objects{
		data:     make([]array.Data, nodes),
		buffers:  make([]memory.Buffer, buffers),
		pointers: make([]*memory.Buffer, buffers),
		children: make([]arrow.ArrayData, children),
	}
}

// recycle makes all objects free again, if whoever had the record has released it and all that was retained of it.
func (o *objects) recycle() bool {
	for i := range o.data[:o.datas] {
		if o.data[i].Buffers() != nil { // a Data drops its buffers with its last reference
			return false
		}
	}
	clear(o.pointers[:o.slots])
	clear(o.children[:o.links])
	o.datas, o.wraps, o.slots, o.links = 0, 0, 0, 0
	return true
}

// next returns a Data with one reference. Its memory belongs to the guest, so releasing it frees nothing.
func (o *objects) next() *array.Data {
	d := &o.data[o.datas]
	o.datas++
	d.Retain()
	return d
}

// table returns n pointers to buffers, all nil.
func (o *objects) table(n int) []*memory.Buffer {
	o.slots += n
	return o.pointers[o.slots-n : o.slots : o.slots]
}

// below returns n pointers to children, all nil.
func (o *objects) below(n int) []arrow.ArrayData {
	o.links += n
	return o.children[o.links-n : o.links : o.links]
}

// wrap returns a buffer over b that nobody frees.
func (o *objects) wrap(b []byte) *memory.Buffer {
	w := &o.buffers[o.wraps]
	o.wraps++
	w.Reset(b)
	return w
}
