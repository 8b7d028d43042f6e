package ipc

import (
	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
)

// layout is how an array's buffers stand in a message.
type layout uint8

const (
	layoutNone   layout = iota // null: no buffers
	layoutFixed                // validity, values of width bits
	layoutBytes                // validity, offsets of width bytes, bytes
	layoutList                 // validity, offsets of width bytes; one child
	layoutStruct               // validity; children
)

// field is a column of the stream, or a child of one.
type field struct {
	name     string
	path     string // of the column that it goes to
	nullable bool
	// typ is nil for types that no column of ours can have; their values are passed over.
	typ      arrow.DataType
	typeName string
	layout   layout
	width    int
	children []*field
	// Of a dictionary-encoded field, the index is what stands in batches, and values, of which id is the number, are apart.
	values     *field
	id         int64
	dictionary *column.View // the values that came last
}

// What a schema may hold at most.
const (
	maxFields = 10_000
	maxDepth  = 32
)

type schemaReader struct {
	left  int // fields
	names int // bytes of names and zones
	err   *fault.Fault
}

// readSchema reads the fields of a schema message.
func readSchema(m message) ([]*field, *fault.Fault) {
	if m.header.short(0, 0) != 0 {
		return nil, fault.New(fault.Unsupported, "expected little-endian data, got big-endian")
	}
	r := &schemaReader{left: maxFields, names: len(m.meta.b)}
	fields := r.fields(m.header, 1, 0)
	if r.err == nil && m.meta.err != nil {
		r.err = damaged()
	}
	return fields, r.err
}

func (r *schemaReader) fail(f *fault.Fault) {
	if r.err == nil {
		r.err = f
	}
}

// fields reads the vector of fields in field i of a table.
func (r *schemaReader) fields(t table, i, depth int) []*field {
	pos, n := t.vector(i, 4)
	if n > 0 && depth >= maxDepth {
		r.fail(fault.New(fault.Decode, "expected types that nest at most %d deep", maxDepth))
	}
	if r.left -= n; r.left < 0 {
		r.fail(fault.New(fault.Decode, "expected at most %d fields", maxFields))
	}
	var fields []*field
	for k := 0; k < n && r.err == nil && t.f.err == nil; k++ {
		fields = append(fields, r.field(t.f.table(t.f.follow(pos+4*k)), depth))
	}
	return fields
}

// text reads a string; all together are not longer than the metadata, unless one is pointed to many times.
func (r *schemaReader) text(t table, i int) string {
	if _, n := t.vector(i, 1); n > r.names {
		r.fail(damaged())
		return ""
	} else {
		r.names -= n
	}
	return t.string(i)
}

func (r *schemaReader) field(t table, depth int) *field {
	f := &field{name: r.text(t, 0), nullable: t.byte(1) != 0}
	f.children = r.fields(t, 5, depth+1)
	if r.err != nil {
		return f
	}
	r.typ(f, t.byte(2), t.table(3))
	if !t.has(4) {
		return f
	}
	d := t.table(4)
	values := *f
	index := table{}
	if d.has(1) {
		index = d.table(1)
	}
	*f = field{name: f.name, nullable: f.nullable, values: &values, id: d.long(0)}
	if index.f == nil {
		f.typ, f.layout, f.width, f.typeName = arrow.PrimitiveTypes.Int32, layoutFixed, 32, "int32"
	} else {
		r.typ(f, typeInt, index)
	}
	f.typeName = "dictionary<" + f.typeName + ", " + values.typeName + ">"
	if f.typ != nil && values.typ != nil {
		f.typ = &arrow.DictionaryType{IndexType: f.typ, ValueType: values.typ, Ordered: d.byte(2) != 0}
	} else {
		f.typ = nil
	}
	return f
}
