package json

import (
	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// encoder writes rows as JSON objects. It allocates with each Bind, not with rows; what bounds it is the formatting of
// floats and the copying of text.
type encoder struct {
	schema   *arrow.Schema
	document bool     // the one column is the whole record
	keys     []string // what stands in front of each value: `{"a":`, `,"b":`
	cells    []*cell
}

var _ codec.RowEncoder = (*encoder)(nil)

func newEncoder(s *arrow.Schema) (*encoder, error) {
	e := &encoder{schema: s, document: schema.IsDocument(s)}
	var faults fault.List
	names := map[string]bool{}
	for i, f := range s.Fields() {
		if names[f.Name] {
			faults.Add(fault.Schema, "column "+f.Name, "the name occurs twice")
		}
		names[f.Name] = true
		check(&faults, f.Name, f.Type)
		e.keys = append(e.keys, key(i, f.Name))
	}
	return e, faults.Err()
}

func key(i int, name string) string {
	open := byte(',')
	if i == 0 {
		open = '{'
	}
	return string(appendString([]byte{open}, name)) + ":"
}

// check refuses types that JSON does not write.
func check(faults *fault.List, path string, t arrow.DataType) {
	switch t := t.(type) {
	case *arrow.StructType:
		for _, f := range t.Fields() {
			check(faults, path+"."+f.Name, f.Type)
		}
		return
	case *arrow.MapType:
		if id := t.KeyType().ID(); arrow.IsNested(id) || id == arrow.NULL || id == arrow.DICTIONARY {
			faults.Add(fault.Unsupported, "column "+path, "a map in JSON cannot have keys of type %s", schema.Format(t.KeyType()))
			return
		}
		check(faults, path, t.KeyType())
		check(faults, path, t.ItemType())
		return
	case *arrow.ListType:
		check(faults, path+"[]", t.Elem())
		return
	case *arrow.DictionaryType:
		check(faults, path, t.ValueType)
		return
	case *arrow.Decimal128Type:
		if t.Scale >= 0 && t.Scale <= 38 {
			return
		}
	}
	if writerOf(t.ID()) == nil {
		faults.Add(fault.Unsupported, "column "+path, "type %s cannot be written as JSON", schema.Format(t))
	}
}

// Name implements codec.Encoder.
func (e *encoder) Name() string { return "json" }

// Bind implements codec.RowEncoder.
func (e *encoder) Bind(rec arrow.Record) error {
	if int(rec.NumCols()) != len(e.keys) {
		return fault.New(fault.Schema, "expected %d columns, got %d", len(e.keys), rec.NumCols())
	}
	e.cells = e.cells[:0]
	for i, f := range e.schema.Fields() {
		a := rec.Column(i)
		if !arrow.TypeEqual(f.Type, a.DataType()) {
			return fault.New(fault.Schema, "expected %s, got %s", schema.Format(f.Type), schema.Format(a.DataType())).At("column %s", f.Name)
		}
		c := newCell(a, f.Name)
		if schema.IsJSON(f) {
			c.write = writeJSON
		}
		e.cells = append(e.cells, c)
	}
	return nil
}

// Append implements codec.RowEncoder.
func (e *encoder) Append(dst []byte, i int) ([]byte, error) {
	if len(e.cells) == 0 {
		return append(dst, '{', '}'), nil
	}
	start := len(dst)
	if e.document {
		dst, err := e.cells[0].append(dst, i)
		if err != nil {
			return dst[:start], err
		}
		return dst, nil
	}
	for k, c := range e.cells {
		dst = append(dst, e.keys[k]...)
		var err error
		if dst, err = c.append(dst, i); err != nil {
			return dst[:start], err
		}
	}
	return append(dst, '}'), nil
}

// Header implements codec.RowEncoder.
func (e *encoder) Header() []byte { return nil }

// Lines implements codec.RowEncoder.
func (e *encoder) Lines() bool { return true }
