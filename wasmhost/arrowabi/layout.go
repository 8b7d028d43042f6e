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

// node is one field of a schema, compiled for walking.
type node struct {
	name     string
	typ      arrow.DataType
	nullable bool
	kind     kind
	width    int
	align    int
	children []*node
	dict     *node // the values of a dictionary
	up       *node // the field that this one belongs to
}

// compile returns the struct of a schema's columns, checked for types that do not cross.
func compile(schema *arrow.Schema) (*node, error) {
	root := &node{kind: kindStruct, align: 1}
	for _, f := range schema.Fields() {
		c, err := compileField(root, f, 1)
		if err != nil {
			return nil, err
		}
		root.children = append(root.children, c)
	}
	root.typ = arrow.StructOf(schema.Fields()...)
	return root, nil
}

func compileField(up *node, f arrow.Field, depth int) (*node, error) {
	n := &node{name: f.Name, typ: f.Type, nullable: f.Nullable, up: up}
	n.kind, n.width, n.align = layout(f.Type)
	if depth > MaxDepth {
		return nil, unsupported(n, "types may nest %d deep, this one is deeper", MaxDepth)
	}
	if n.kind == kindUnsupported {
		return nil, unsupported(n, "columns of type %s do not cross into guests", f.Type)
	}
	if n.width < 0 {
		return nil, unsupported(n, "a width of %d bytes", n.width)
	}
	var fields []arrow.Field
	switch t := f.Type.(type) {
	case *arrow.DictionaryType:
		if n.kind != kindFixed || !arrow.IsInteger(t.IndexType.ID()) {
			return nil, unsupported(n, "expected integers as indices of a dictionary, got %s", t.IndexType)
		}
		if t.ValueType.ID() == arrow.DICTIONARY {
			return nil, unsupported(n, "dictionaries of dictionaries do not cross into guests")
		}
		d, err := compileField(n, arrow.Field{Name: "dictionary", Type: t.ValueType, Nullable: true}, depth+1)
		n.dict = d
		return n, err
	case *arrow.MapType:
		fields = []arrow.Field{{Name: "entries", Type: t.Elem()}}
	case *arrow.ListType:
		fields = []arrow.Field{t.ElemField()}
	case *arrow.StructType:
		fields = t.Fields()
	}
	for _, child := range fields {
		c, err := compileField(n, child, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, c)
	}
	return n, nil
}

// where writes the way to a field: "column tags, item".
func (n *node) where() string {
	if n.up == nil {
		return ""
	}
	name := n.name
	if name == "" || strings.ContainsAny(name, ", \n") {
		name = strconv.Quote(name)
	}
	if outer := n.up.where(); outer != "" {
		return outer + ", " + name
	}
	return "column " + name
}

func unsupported(n *node, format string, args ...any) error {
	return fault.New(fault.Unsupported, format, args...).At("%s", n.where())
}
