package arrowabi

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
)

// Importer reads records of one schema out of a guest. It belongs to one function of one guest and is used by one
// goroutine at a time.
type Importer struct {
	space   Space
	schema  *arrow.Schema
	root    *node
	limits  Limits
	where   string
	copied  uint64
	origins []int32
	objects *objects // of the last record
}

// NewImporter returns an importer of arrays that must be of the schema given. Where is the position in faults, such as
// "function clean".
//
// It returns an [fault.Unsupported] fault for a type that does not cross.
func NewImporter(space Space, schema *arrow.Schema, limits Limits, where string) (*Importer, error) {
	root, err := compile(schema)
	if err != nil {
		return nil, fault.From(err).In("%s", where)
	}
	return &Importer{space: space, schema: schema, root: root, limits: limits, where: where}, nil
}

// Import checks the ArrowArray at ptr, a struct of the schema's columns, and returns it as a record. The buffers of the
// record are the guest's memory: it is good until the guest is entered or freed. The caller releases it, which does
// not enter the guest; the next Import may then use its Go objects again, so neither it nor a slice of it may be read any more.
//
// It returns a [fault.BadArray] fault for an array that is not sound or not of the schema, and a [fault.Limit] fault
// for one beyond the limits.
func (im *Importer) Import(ptr uint32) (arrow.Record, error) {
	o := im.objects
	if o == nil || !o.recycle() {
		o = newObjects(im.root)
	}
	im.objects = nil // what an import that fails leaves behind is not used again
	r := reader{mem: im.space.Bytes(), limits: im.limits, objects: o}
	data, f := r.record(im.root, ptr)
	im.copied += r.copied
	if f != nil {
		return nil, f.In("%s", im.where)
	}
	im.objects = o
	rec := &imported{schema: im.schema, rows: data.Len(), columns: make([]arrow.Array, len(data.Children()))}
	rec.Retain()
	for i, c := range data.Children() {
		rec.columns[i] = array.MakeFromData(c)
	}
	data.Release()
	return rec, nil
}

// Origins checks and copies the int32 numbers at ptr, one for each of rows: they lie in [0, inputs) and never fall. The
// slice is valid until the next call of Origins. It returns a [fault.BadArray] fault if that does not hold.
func (im *Importer) Origins(ptr uint32, rows, inputs int) ([]int32, error) {
	b, f := span(im.space.Bytes(), ptr, int64(rows)*4)
	if f != nil {
		return nil, f.At("origins").In("%s", im.where)
	}
	im.origins = im.origins[:0]
	before := int32(0)
	for i := range rows {
		o := int32(binary.LittleEndian.Uint32(b[i*4:]))
		if o < before || int(o) >= inputs {
			return nil, fault.New(fault.BadArray, "expected a row from %d to %d of the input, got %d at %d", before, inputs-1, o, i).
				At("origins").In("%s", im.where)
		}
		im.origins, before = append(im.origins, o), o
	}
	return im.origins, nil
}

// CopiedBytes returns how many bytes all calls of Import have copied: buffers of numbers that are not aligned to their
// width, which Go cannot read in place.
func (im *Importer) CopiedBytes() uint64 { return im.copied }
