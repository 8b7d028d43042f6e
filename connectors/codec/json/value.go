package json

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/schema"
)

// node is a column with what the scanner must know to fill it.
type node struct {
	*column.Column
	children []*node
	// Of a record or struct: where a field is among the children by its name, and each one's name as it mostly stands in
	// the text, quotes and colon included.
	byName map[string]int
	keys   []string
	day    int64 // units in a day, of a time
}

// record returns the node of the whole record.
func record(columns []*column.Column) *node {
	n := &node{}
	n.fields(columns)
	return n
}

func newNode(c *column.Column) *node {
	n := &node{Column: c}
	switch t := c.Type.(type) {
	case *arrow.Time32Type:
		n.day = 86400 * text.PerSecond(t.Unit)
	case *arrow.Time64Type:
		n.day = 86400 * text.PerSecond(t.Unit)
	case *arrow.StructType:
		n.fields(c.Children)
		return n
	}
	for _, k := range c.Children {
		n.children = append(n.children, newNode(k))
	}
	return n
}

func (n *node) fields(columns []*column.Column) {
	n.byName = map[string]int{}
	for i, c := range columns {
		n.children = append(n.children, newNode(c))
		n.byName[c.Name] = i
		n.keys = append(n.keys, string(appendString(nil, c.Name))+":")
	}
}

// object reads the object at p into the children of n, which have rows values and get one more each.
func (d *scanner) object(n *node, rows int) bool {
	d.p++
	seen, next := 0, 0
	for first := true; ; first = false {
		more, ok := d.more('}', first)
		if !ok {
			return false
		}
		if !more {
			break
		}
		// Fields mostly come in the order of the columns.
		at := -1
		if next < len(n.keys) {
			if k := n.keys[next]; len(d.s)-d.p >= len(k) && string(d.s[d.p:d.p+len(k)]) == k {
				d.p += len(k)
				at = next
			}
		}
		if at < 0 {
			name, ok := d.name()
			if !ok {
				return false
			}
			if at, ok = n.byName[string(name)]; !ok {
				if !d.skip(0) {
					return false
				}
				continue
			}
		}
		next = at + 1
		k := n.children[at]
		if k.Len() > rows {
			return d.column(k.Column, "expected the field once, got it twice")
		}
		d.space()
		if !d.value(k) {
			return false
		}
		seen++
	}
	if seen < len(n.children) {
		for _, k := range n.children {
			if k.Len() > rows {
				continue
			}
			if !k.Nullable {
				return d.column(k.Column, "expected %s, got no such field", schema.Format(k.Type))
			}
			k.AppendNull()
		}
	}
	return true
}

// value reads the value at p into n.
func (d *scanner) value(n *node) bool {
	if d.p >= len(d.s) {
		return d.syntax("a value")
	}
	first := d.s[d.p]
	if first == 'n' {
		if !d.literal("null") {
			return false
		}
		if !n.Nullable && n.ID != arrow.NULL {
			return d.column(n.Column, "expected %s, got null", schema.Format(n.Type))
		}
		n.AppendNull()
		return true
	}
	switch n.ID {
	case arrow.STRING, arrow.LARGE_STRING:
		if first != '"' {
			break
		}
		b, ok := d.str()
		return ok && (n.AppendBytes(b) || d.full(n))
	case arrow.INT64, arrow.INT32, arrow.INT16, arrow.INT8, arrow.DURATION:
		if isNumber(first) {
			return d.integer(n, math.MinInt64, math.MaxInt64)
		}
	case arrow.UINT64, arrow.UINT32, arrow.UINT16, arrow.UINT8:
		if isNumber(first) {
			return d.unsigned(n)
		}
	case arrow.FLOAT64, arrow.FLOAT32:
		if isNumber(first) {
			return d.float(n)
		}
	case arrow.BOOL:
		switch first {
		case 't':
			if !d.literal("true") {
				return false
			}
			n.AppendBool(true)
			return true
		case 'f':
			if !d.literal("false") {
				return false
			}
			n.AppendBool(false)
			return true
		}
	case arrow.TIMESTAMP, arrow.DATE32, arrow.TIME32, arrow.TIME64:
		switch {
		case first == '"':
			return d.text(n.Column)
		case !isNumber(first):
		case n.day > 0:
			return d.integer(n, 0, n.day-1)
		default:
			return d.integer(n, math.MinInt64, math.MaxInt64)
		}
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		if first == '"' {
			return d.text(n.Column)
		}
	case arrow.DECIMAL128:
		if first == '"' {
			return d.text(n.Column)
		}
		if isNumber(first) {
			var v num
			if !d.number(&v) {
				return false
			}
			p := n.AppendText(v.text)
			return p == text.OK || d.refused(n.Column, v.text, false, p)
		}
	case arrow.STRUCT:
		if first == '{' {
			if !d.object(n, n.Len()) {
				return false
			}
			n.EndStruct()
			return true
		}
		return d.wrong("an object", n.Column)
	case arrow.LIST:
		if first == '[' {
			return d.list(n)
		}
		return d.wrong("an array", n.Column)
	case arrow.MAP:
		if first == '{' {
			return d.entries(n)
		}
		return d.wrong("an object", n.Column)
	case arrow.DICTIONARY:
		if !d.value(n.children[0]) {
			return false
		}
		return n.EndValue() || d.column(n.Column, "expected at most %d different values in a batch", n.MostValues())
	}
	return d.wrong(schema.Format(n.Type), n.Column)
}

func isNumber(c byte) bool { return c-'0' <= 9 || c == '-' }

func (d *scanner) integer(n *node, low, high int64) bool {
	var v num
	from := d.p
	if !d.number(&v) {
		return false
	}
	if !v.integer {
		d.p = from
		return d.wrong(schema.Format(n.Type), n.Column)
	}
	u, p := v.unsigned()
	if p == text.OK {
		var i int64
		if i, p = text.Signed(u, v.negative); p == text.OK {
			if i >= low && i <= high && n.AppendInt(i) {
				return true
			}
			p = text.Range
		}
	}
	return d.refused(n.Column, v.text, false, p)
}

func (d *scanner) unsigned(n *node) bool {
	var v num
	from := d.p
	if !d.number(&v) {
		return false
	}
	if !v.integer {
		d.p = from
		return d.wrong(schema.Format(n.Type), n.Column)
	}
	u, p := v.unsigned()
	if p == text.OK {
		if (!v.negative || u == 0) && n.AppendUint(u) {
			return true
		}
		p = text.Range
	}
	return d.refused(n.Column, v.text, false, p)
}

func (d *scanner) float(n *node) bool {
	var v num
	if !d.number(&v) {
		return false
	}
	if n.ID == arrow.FLOAT64 {
		f, p := v.float(64)
		if p != text.OK {
			return d.refused(n.Column, v.text, false, p)
		}
		n.AppendFloat64(f)
		return true
	}
	f, p := v.float(32)
	if p != text.OK {
		return d.refused(n.Column, v.text, false, p)
	}
	n.AppendFloat32(float32(f))
	return true
}

// text reads a string that stands for a value of another kind.
func (d *scanner) text(c *column.Column) bool {
	b, ok := d.str()
	if !ok {
		return false
	}
	p := c.AppendText(b)
	return p == text.OK || d.refused(c, b, true, p)
}

func (d *scanner) list(n *node) bool {
	d.p++
	for first := true; ; first = false {
		more, ok := d.more(']', first)
		if !ok {
			return false
		}
		if !more {
			return n.EndList() || d.full(n)
		}
		if !d.value(n.children[0]) {
			return false
		}
	}
}

// entries reads an object into a map. Names are converted to keys as text in quotes is; one may occur twice.
func (d *scanner) entries(n *node) bool {
	entry := n.children[0]
	key, item := entry.children[0], entry.children[1]
	d.p++
	for first := true; ; first = false {
		more, ok := d.more('}', first)
		if !ok {
			return false
		}
		if !more {
			return n.EndList() || d.full(n)
		}
		if d.p >= len(d.s) || d.s[d.p] != '"' {
			return d.syntax("a name in quotes")
		}
		if !d.text(key.Column) {
			return false
		}
		d.space()
		if d.p >= len(d.s) || d.s[d.p] != ':' {
			return d.syntax("':' behind a name")
		}
		d.p++
		d.space()
		if !d.value(item) {
			return false
		}
		entry.EndStruct()
	}
}

// full says that a column of a batch would pass what its offsets can number.
func (d *scanner) full(n *node) bool {
	return d.column(n.Column, "expected less than 2 GiB in a batch")
}
