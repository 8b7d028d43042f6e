package arrowabi

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// Exporter writes records of one schema into a guest. It belongs to one function of one guest and is used by one
// goroutine at a time; the structures it writes are the same memory each time.
type Exporter struct {
	space   Space
	fields  []arrow.Field
	plan    *plan
	slots   *plan // the slot column, nil without
	block   uint32
	size    int
	release uint32
	where   string
	copied  uint64

	mem  []byte   // the guest's memory during an Export
	jobs []job    // what has to be copied
	held [][]byte // copies, until Release
}

// plan is a node with the places of its structures, as offsets from the start of the exporter's block.
type plan struct {
	*node
	at, buffers, below uint32
	children           []*plan
	dict               *plan
}

// NewExporter returns an exporter of records of the schema given. With slots, each record gets one more column behind
// the others: int32 without nulls. Release is the value of the structures' release field: the table index of a
// function that does nothing, or 0. Where is the position in faults, such as "function clean".
//
// It enters the guest. It returns an [fault.Unsupported] fault for a type that does not cross, and the faults of Scratch.
func NewExporter(space Space, schema *arrow.Schema, slots bool, release uint32, where string) (*Exporter, error) {
	e := &Exporter{space: space, fields: schema.Fields(), release: release, where: where}
	root, err := compile(schema)
	if err != nil {
		return nil, fault.From(err).In("%s", where)
	}
	if slots {
		root.children = append(root.children, &node{name: "slots", typ: arrow.PrimitiveTypes.Int32, kind: kindFixed, width: 4, align: 4})
	}
	// The block starts with 8 zero bytes: the offsets of arrays without elements.
	next := uint32(8)
	e.plan = newPlan(root, &next)
	e.size = int(next)
	if slots {
		last := len(e.plan.children) - 1
		e.slots, e.plan.children = e.plan.children[last], e.plan.children[:last]
	}
	if e.block, err = space.Scratch(e.size, 8); err != nil {
		return nil, err
	}
	return e, nil
}

func newPlan(n *node, next *uint32) *plan {
	place := func(size int) uint32 {
		at := *next
		*next += uint32(size+7) &^ 7
		return at
	}
	p := &plan{node: n}
	p.at = place(arraySize)
	p.buffers = place(4 * n.kind.buffers())
	p.below = place(4 * len(n.children))
	for _, c := range n.children {
		p.children = append(p.children, newPlan(c, next))
	}
	if n.dict != nil {
		p.dict = newPlan(n.dict, next)
	}
	return p
}

// Export writes a record and returns the address of its ArrowArray, which is valid until the next Export. Slots holds
// one number per row, or is nil for an exporter without slots. Buffers in the guest's memory are pointed at, others
// are copied in, which may enter the guest. So are those that are not aligned to 8 bytes, as the ABI promises.
//
// It returns a [fault.Schema] fault when the record is not of the exporter's schema, and the faults of Reserve.
func (e *Exporter) Export(rec arrow.Record, slots []int32) (ptr uint32, err error) {
	if f := e.check(rec, slots); f != nil {
		return 0, f.In("%s", e.where)
	}
	e.Release()
	e.mem = e.space.Bytes()
	clear(e.mem[e.block : e.block+8])
	rows := int(rec.NumRows())
	e.head(e.plan, rows, 0, 0)
	for i, c := range e.plan.children {
		e.array(c, rec.Column(i).Data(), 0, rows)
	}
	if e.slots != nil {
		e.head(e.slots, rows, 0, 0)
		e.pointer(e.slots, 0, 0)
		e.pointer(e.slots, 1, 0)
		e.later(job{to: e.slots.buffers + 4, from: arrow.Int32Traits.CastToBytes(slots), free: true})
	}
	err = e.copy()
	e.mem = nil
	if err != nil {
		e.Release()
		return 0, fault.From(err).In("%s", e.where)
	}
	return e.block + e.plan.at, nil
}

func (e *Exporter) check(rec arrow.Record, slots []int32) *fault.Fault {
	if int(rec.NumCols()) != len(e.fields) {
		return fault.New(fault.Schema, "expected %d columns, got %d", len(e.fields), rec.NumCols())
	}
	for i, f := range e.fields {
		if t := rec.Column(i).DataType(); t != f.Type && !arrow.TypeEqual(t, f.Type) {
			return fault.New(fault.Schema, "expected %s, got %s", schema.Format(f.Type), schema.Format(t)).At("column %s", quote(f.Name))
		}
	}
	want := 0
	if e.slots != nil {
		want = int(rec.NumRows())
	}
	if len(slots) != want {
		return fault.New(fault.Internal, "expected %d slots, got %d", want, len(slots))
	}
	return nil
}

// Release gives up the copies that the last Export made. Results that may point into them must have been consumed.
func (e *Exporter) Release() {
	for i, b := range e.held {
		e.space.Free(b)
		e.held[i] = nil
	}
	e.held = e.held[:0]
}

// CopiedBytes returns how many bytes of column data all calls of Export have copied. Slots do not count.
func (e *Exporter) CopiedBytes() uint64 { return e.copied }

// Close gives the structures back to the guest, which it enters.
func (e *Exporter) Close() error {
	e.Release()
	return e.space.FreeScratch(e.block)
}

// head writes all of an ArrowArray but for its buffers and what the children hold.
func (e *Exporter) head(p *plan, length, nulls, offset int) {
	b := e.mem[e.block+p.at:][:arraySize]
	binary.LittleEndian.PutUint64(b[0:], uint64(length))
	binary.LittleEndian.PutUint64(b[8:], uint64(nulls))
	binary.LittleEndian.PutUint64(b[16:], uint64(offset))
	binary.LittleEndian.PutUint64(b[24:], uint64(p.kind.buffers()))
	binary.LittleEndian.PutUint64(b[32:], uint64(len(p.node.children)))
	binary.LittleEndian.PutUint32(b[40:], e.block+p.buffers)
	binary.LittleEndian.PutUint32(b[44:], e.block+p.below)
	dictionary := uint32(0)
	if p.dict != nil {
		dictionary = e.block + p.dict.at
	}
	binary.LittleEndian.PutUint32(b[48:], dictionary)
	binary.LittleEndian.PutUint32(b[52:], e.release)
	binary.LittleEndian.PutUint64(b[56:], 0)
	if p.kind == kindStruct { // a struct's only buffer is its validity, which is mostly missing
		e.pointer(p, 0, 0)
	}
	for i, c := range p.children {
		binary.LittleEndian.PutUint32(e.mem[e.block+p.below+uint32(i)*4:], e.block+c.at)
	}
	if e.slots != nil && p == e.plan {
		binary.LittleEndian.PutUint32(e.mem[e.block+p.below+uint32(len(p.children))*4:], e.block+e.slots.at)
	}
}

// pointer writes the i-th pointer of an array's buffers.
func (e *Exporter) pointer(p *plan, i int, ptr uint32) {
	binary.LittleEndian.PutUint32(e.mem[e.block+p.buffers+uint32(i)*4:], ptr)
}
