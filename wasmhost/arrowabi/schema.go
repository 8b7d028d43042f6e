package arrowabi

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
)

// Flags of an ArrowSchema.
const (
	flagOrdered  = 1
	flagNullable = 2
	flagSorted   = 4
)

// Bounds of a schema from a guest: a few structures that point at each other may otherwise be read without end.
const (
	maxFields     = 8192
	maxSchemaText = 1 << 20
)

// ExportSchema writes a schema as an ArrowSchema of format "+s" and returns its address. The caller gives it back with
// FreeScratch; all that belongs to it is one piece. It enters the guest. Release is as for [NewExporter].
//
// It returns an [fault.Unsupported] fault for a type that does not cross, and the faults of Scratch.
func ExportSchema(space Space, schema *arrow.Schema, release uint32) (ptr uint32, err error) {
	root, err := compile(schema)
	if err != nil {
		return 0, err
	}
	w := &schemaWriter{release: release}
	w.take(schemaSize)
	if f := w.node(0, root, arrow.Field{Type: arrow.StructOf(schema.Fields()...)}); f != nil {
		return 0, f
	}
	base, err := space.Scratch(len(w.out), 8)
	if err != nil {
		return 0, err
	}
	// Pointers were written as offsets from the start, of which none is 0 but those that stay null.
	for _, at := range w.pointers {
		binary.LittleEndian.PutUint32(w.out[at:], base+binary.LittleEndian.Uint32(w.out[at:]))
	}
	copy(space.Bytes()[base:], w.out)
	return base, nil
}

type schemaWriter struct {
	out      []byte
	pointers []int
	release  uint32
}

// take returns the place of n more zeroed bytes, aligned to 8.
func (w *schemaWriter) take(n int) int {
	at := len(w.out)
	w.out = append(w.out, make([]byte, (n+7)&^7)...)
	return at
}

func (w *schemaWriter) point(at, to int) {
	binary.LittleEndian.PutUint32(w.out[at:], uint32(to))
	w.pointers = append(w.pointers, at)
}

func (w *schemaWriter) text(at int, s string) *fault.Fault {
	if strings.IndexByte(s, 0) >= 0 {
		return fault.New(fault.Unsupported, "the name %q holds a zero byte, which ends names in guests", s)
	}
	to := w.take(len(s) + 1)
	copy(w.out[to:], s)
	w.point(at, to)
	return nil
}

// metadata writes what a field says of itself: a count, then each key and value behind its length, as 32-bit numbers.
func (w *schemaWriter) metadata(at int, m arrow.Metadata) {
	if m.Len() == 0 {
		return
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(m.Len()))
	for i, key := range m.Keys() {
		for _, s := range []string{key, m.Values()[i]} {
			b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
		}
	}
	to := w.take(len(b))
	copy(w.out[to:], b)
	w.point(at, to)
}

func (w *schemaWriter) node(at int, n *node, f arrow.Field) *fault.Fault {
	flags := uint64(0)
	if f.Nullable {
		flags |= flagNullable
	}
	var fields []arrow.Field
	switch t := f.Type.(type) {
	case *arrow.DictionaryType:
		if t.Ordered {
			flags |= flagOrdered
		}
		to := w.take(schemaSize)
		w.point(at+36, to)
		if flt := w.node(to, n.dict, arrow.Field{Type: t.ValueType, Nullable: true}); flt != nil {
			return flt
		}
	case *arrow.MapType:
		if t.KeysSorted {
			flags |= flagSorted
		}
		fields = []arrow.Field{t.ElemField()}
	case *arrow.ListType:
		fields = []arrow.Field{t.ElemField()}
	case *arrow.StructType:
		fields = t.Fields()
	}
	if flt := w.text(at, format(f.Type)); flt != nil {
		return flt
	}
	if flt := w.text(at+4, f.Name); flt != nil {
		return flt
	}
	w.metadata(at+8, f.Metadata)
	binary.LittleEndian.PutUint64(w.out[at+16:], flags)
	binary.LittleEndian.PutUint64(w.out[at+24:], uint64(len(fields)))
	binary.LittleEndian.PutUint32(w.out[at+40:], w.release)
	if len(fields) == 0 {
		return nil
	}
	table := w.take(4 * len(fields))
	w.point(at+32, table)
	for i, c := range fields {
		to := w.take(schemaSize)
		w.point(table+4*i, to)
		if flt := w.node(to, n.children[i], c); flt != nil {
			return flt
		}
	}
	return nil
}

// ImportSchema checks and reads the ArrowSchema at ptr, of format "+s", out of a guest's memory; strings are copied.
// Metadata is not read.
//
// It returns a [fault.BadArray] fault for structures that are not sound, an [fault.Unsupported] fault for formats that
// do not cross.
func ImportSchema(mem []byte, ptr uint32, where string) (*arrow.Schema, error) {
	r := &schemaReader{mem: mem, fields: maxFields, text: maxSchemaText}
	root, f := r.field(ptr, 0)
	if f != nil {
		return nil, f.In("%s", where)
	}
	t, ok := root.Type.(*arrow.StructType)
	if !ok {
		return nil, fault.New(fault.BadArray, "expected the format \"+s\", got %q", format(root.Type)).At("schema").In("%s", where)
	}
	schema := arrow.NewSchema(t.Fields(), nil)
	if err := CheckSchema(schema); err != nil {
		return nil, fault.From(err).In("%s", where)
	}
	return schema, nil
}

type schemaReader struct {
	mem          []byte
	fields, text int // how many more may be read
}

func (r *schemaReader) field(ptr uint32, depth int) (arrow.Field, *fault.Fault) {
	f, flt := r.read(ptr, depth)
	if flt != nil {
		if depth == 0 {
			return f, flt.In("schema")
		}
		return f, flt.In("%s", quote(f.Name))
	}
	return f, nil
}

func (r *schemaReader) read(ptr uint32, depth int) (f arrow.Field, flt *fault.Fault) {
	b, flt := span(r.mem, ptr, schemaSize)
	if flt != nil {
		return f, flt
	}
	if r.fields--; r.fields < 0 || depth > MaxDepth {
		return f, fault.New(fault.BadArray, "the schema has more than %d fields or nests deeper than %d", maxFields, MaxDepth)
	}
	if f.Name, flt = r.string(binary.LittleEndian.Uint32(b[4:]), "name", true); flt != nil {
		return f, flt
	}
	text, flt := r.string(binary.LittleEndian.Uint32(b), "format", false)
	if flt != nil {
		return f, flt
	}
	flags := binary.LittleEndian.Uint64(b[16:])
	f.Nullable = flags&flagNullable != 0
	count := int64(binary.LittleEndian.Uint64(b[24:]))
	if count < 0 || count > maxFields {
		return f, fault.New(fault.BadArray, "expected a number from 0 to %d, got %d", maxFields, count).At("n_children")
	}
	table, flt := pointers(r.mem, binary.LittleEndian.Uint32(b[32:]), int(count), "children")
	if flt != nil {
		return f, flt
	}
	children := make([]arrow.Field, count)
	for i := range children {
		if children[i], flt = r.field(binary.LittleEndian.Uint32(table[4*i:]), depth+1); flt != nil {
			return f, flt
		}
	}
	if f.Type, flt = nested(text, children, flags); flt != nil {
		return f, flt
	}
	if dictionary := binary.LittleEndian.Uint32(b[36:]); dictionary != 0 {
		values, flt := r.field(dictionary, depth+1)
		if flt != nil {
			return f, flt
		}
		f.Type = &arrow.DictionaryType{IndexType: f.Type, ValueType: values.Type, Ordered: flags&flagOrdered != 0}
	}
	return f, nil
}

func nested(text string, children []arrow.Field, flags uint64) (arrow.DataType, *fault.Fault) {
	want := -1
	switch text {
	case "+s":
		return arrow.StructOf(children...), nil
	case "+l", "+m":
		want = 1
	default:
		want = 0
	}
	if len(children) != want {
		return nil, fault.New(fault.BadArray, "expected %d of format %q, got %d", want, text, len(children)).At("n_children")
	}
	switch text {
	case "+l":
		return arrow.ListOfField(children[0]), nil
	case "+m":
		entries, ok := children[0].Type.(*arrow.StructType)
		if !ok || entries.NumFields() != 2 {
			return nil, fault.New(fault.BadArray, "expected a struct of two fields as the entries of a map, got %s", children[0].Type)
		}
		m := arrow.MapOf(entries.Field(0).Type, entries.Field(1).Type)
		m.SetItemNullable(entries.Field(1).Nullable)
		m.KeysSorted = flags&flagSorted != 0
		return m, nil
	}
	return parseFormat(text)
}

// string reads text that ends with a zero byte; a null pointer is an empty name.
func (r *schemaReader) string(ptr uint32, what string, optional bool) (string, *fault.Fault) {
	if ptr == 0 && optional {
		return "", nil
	}
	if ptr == 0 || int64(ptr) >= int64(len(r.mem)) {
		return "", fault.New(fault.BadArray, "expected text, got the address %#x in a memory of %d bytes", ptr, len(r.mem)).At("%s", what)
	}
	b := r.mem[ptr:min(len(r.mem), int(ptr)+r.text+1)]
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return "", fault.New(fault.BadArray, "the text at %#x does not end", ptr).At("%s", what)
	}
	r.text -= end
	return string(b[:end]), nil
}
