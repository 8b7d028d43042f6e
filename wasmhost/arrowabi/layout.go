package arrowabi

import (
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
)

// kind is how a type lies in memory.
type kind uint8

const (
	kindUnsupported kind = iota
	kindNull             // no buffers
	kindBits             // validity, bits
	kindFixed            // validity, values of a width
	kindBytes            // validity, offsets of a width, bytes
	kindList             // validity, offsets of 4 bytes; one child
	kindStruct           // validity; any children
)

// buffers is how many buffers an array of the kind has.
func (k kind) buffers() int {
	switch k {
	case kindNull:
		return 0
	case kindStruct:
		return 1
	case kindBytes:
		return 3
	}
	return 2
}

// layout returns how arrays of a type lie in memory: the kind, the width in bytes of a value (for [kindBytes] and
// [kindList] of an offset), and what its values must be aligned to.
func layout(t arrow.DataType) (k kind, width, align int) {
	switch t.ID() {
	case arrow.NULL:
		return kindNull, 0, 1
	case arrow.BOOL:
		return kindBits, 0, 1
	case arrow.INT8, arrow.UINT8:
		return kindFixed, 1, 1
	case arrow.INT16, arrow.UINT16:
		return kindFixed, 2, 2
	case arrow.INT32, arrow.UINT32, arrow.FLOAT32, arrow.DATE32, arrow.TIME32:
		return kindFixed, 4, 4
	case arrow.INT64, arrow.UINT64, arrow.FLOAT64, arrow.TIME64, arrow.TIMESTAMP, arrow.DURATION:
		return kindFixed, 8, 8
	case arrow.DECIMAL128:
		return kindFixed, 16, 8
	case arrow.FIXED_SIZE_BINARY:
		return kindFixed, t.(*arrow.FixedSizeBinaryType).ByteWidth, 1
	case arrow.STRING, arrow.BINARY:
		return kindBytes, 4, 4
	case arrow.LARGE_STRING, arrow.LARGE_BINARY:
		return kindBytes, 8, 8
	case arrow.LIST, arrow.MAP:
		return kindList, 4, 4
	case arrow.STRUCT:
		return kindStruct, 0, 1
	case arrow.DICTIONARY:
		return layout(t.(*arrow.DictionaryType).IndexType)
	}
	return kindUnsupported, 0, 1
}

// node is one field of a schema, compiled for walking. The root is the struct of the schema's columns.
type node struct {
	name     string // as faults write it: "column tags", "item"
	typ      arrow.DataType
	nullable bool
	kind     kind
	width    int
	align    int
	children []*node
	dict     *node // the values of a dictionary
	// flat says that Go reads the children without regard to this struct's own offset: the root's columns become a
	// record, and arrow/array.Map takes keys and items from its entries as they are.
	flat bool
}

// compile returns the root of a schema, checked for types that do not cross.
func compile(schema *arrow.Schema) (*node, error) {
	root := &node{kind: kindStruct, align: 1, flat: true}
	for _, f := range schema.Fields() {
		c, err := compileField(f, 1)
		if err != nil {
			return nil, err
		}
		root.children = append(root.children, c)
	}
	return root, nil
}

// compileField returns the node of a field. Faults have the way to the field as their position.
func compileField(f arrow.Field, depth int) (*node, *fault.Fault) {
	n := &node{name: quote(f.Name), typ: f.Type, nullable: f.Nullable}
	if depth == 1 {
		n.name = "column " + n.name
	}
	if flt := n.compile(depth); flt != nil {
		return nil, flt.In("%s", n.name)
	}
	return n, nil
}

func (n *node) compile(depth int) *fault.Fault {
	n.kind, n.width, n.align = layout(n.typ)
	switch {
	case depth > MaxDepth:
		return fault.New(fault.Unsupported, "types may nest %d deep, this one is deeper", MaxDepth)
	case n.kind == kindUnsupported:
		return fault.New(fault.Unsupported, "columns of type %s do not cross into guests", n.typ)
	case n.width < 0:
		return fault.New(fault.Unsupported, "expected a width of 0 bytes or more, got %d", n.width)
	}
	var fields []arrow.Field
	switch t := n.typ.(type) {
	case *arrow.DictionaryType:
		if !arrow.IsInteger(t.IndexType.ID()) || t.ValueType.ID() == arrow.DICTIONARY {
			return fault.New(fault.Unsupported, "columns of type %s do not cross into guests", n.typ)
		}
		var flt *fault.Fault
		n.dict, flt = compileField(arrow.Field{Name: "dictionary", Type: t.ValueType, Nullable: true}, depth+1)
		return flt
	case *arrow.MapType:
		fields = []arrow.Field{{Name: "entries", Type: t.Elem()}}
	case *arrow.ListType:
		fields = []arrow.Field{t.ElemField()}
	case *arrow.StructType:
		fields = t.Fields()
	}
	for _, f := range fields {
		c, flt := compileField(f, depth+1)
		if flt != nil {
			return flt
		}
		c.flat = n.typ.ID() == arrow.MAP
		n.children = append(n.children, c)
	}
	return nil
}

// count returns how many nodes, buffers and pointers to children there are from n down.
func (n *node) count() (nodes, buffers, children int) {
	nodes, buffers, children = 1, max(n.kind.buffers(), 1), len(n.children)
	below := n.children
	if n.dict != nil {
		below = []*node{n.dict}
	}
	for _, c := range below {
		a, b, d := c.count()
		nodes, buffers, children = nodes+a, buffers+b, children+d
	}
	return nodes, buffers, children
}

// quote writes a field's name so that it reads well in a list.
func quote(name string) string {
	if name == "" || strings.ContainsAny(name, ", \n\t\"") {
		return strconv.Quote(name)
	}
	return name
}
