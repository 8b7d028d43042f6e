package arrowabi

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// objects holds the Go objects that a record consists of besides its arrays, made in four allocations instead of one
// each. The number of nodes is fixed by the schema, so they never run out.
type objects struct {
	data     []array.Data
	buffers  []memory.Buffer
	pointers []*memory.Buffer
	children []arrow.ArrayData
}

func newObjects(nodes, buffers, children int) objects {
	return objects{
		data:     make([]array.Data, nodes),
		buffers:  make([]memory.Buffer, buffers),
		pointers: make([]*memory.Buffer, buffers),
		children: make([]arrow.ArrayData, children),
	}
}

// next returns a Data with one reference. Its memory belongs to the guest, so releasing it frees nothing.
func (o *objects) next() *array.Data {
	d := &o.data[0]
	o.data = o.data[1:]
	d.Retain()
	return d
}

// table returns n pointers to buffers, all nil.
func (o *objects) table(n int) []*memory.Buffer {
	t := o.pointers[:n:n]
	o.pointers = o.pointers[n:]
	return t
}

// below returns n pointers to children.
func (o *objects) below(n int) []arrow.ArrayData {
	t := o.children[:n:n]
	o.children = o.children[n:]
	return t
}

// wrap returns a buffer over b that nobody frees.
func (o *objects) wrap(b []byte) *memory.Buffer {
	w := &o.buffers[0]
	o.buffers = o.buffers[1:]
	w.Reset(b)
	return w
}
