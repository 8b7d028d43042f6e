package ipc

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// encoder writes streams. The schema message comes from Arrow's writer, batches from here: Arrow's writer keeps
// dictionaries to compare them with later ones, where our records may lie in a guest's memory, and fails on some slices
// of nested arrays. A record is written with one copy and a few allocations; dictionaries are written with each batch.
type encoder struct {
	schema *arrow.Schema
	begin  []byte   // the schema message
	fields []*field // as begin has them, for the numbers of dictionaries
	begun  bool     // the file has its schema
	body   body
}

var _ codec.BatchEncoder = (*encoder)(nil)

// endOfStream is the message that ends a stream.
var endOfStream = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

func newEncoder(s *arrow.Schema) (*encoder, error) {
	var b bytes.Buffer
	if err := ipc.NewWriter(&b, ipc.WithSchema(s)).Close(); err != nil {
		return nil, fault.New(fault.Unsupported, "the schema cannot be written: %v", err)
	}
	m, f := read(b.Bytes())
	if f != nil {
		return nil, f
	}
	fields, f := readSchema(m)
	if f != nil {
		return nil, f
	}
	var faults fault.List
	for _, f := range fields {
		if f.typ == nil {
			faults.Add(fault.Unsupported, "column "+f.name, "type %s cannot be written as Arrow", f.typeName)
		}
	}
	return &encoder{schema: s, begin: bytes.Clone(b.Bytes()[:m.size]), fields: fields}, faults.Err()
}

// Name implements codec.Encoder.
func (e *encoder) Name() string { return "arrow" }

// AppendMessage implements codec.BatchEncoder: a whole stream.
func (e *encoder) AppendMessage(dst []byte, rec arrow.Record, from, to int) ([]byte, error) {
	if err := e.check(rec); err != nil {
		return dst, err
	}
	dst = e.batch(append(dst, e.begin...), rec, from, to)
	return append(dst, endOfStream...), nil
}

// AppendFile implements codec.BatchEncoder: the file is a stream.
func (e *encoder) AppendFile(dst []byte, rec arrow.Record) ([]byte, error) {
	if rec != nil {
		if err := e.check(rec); err != nil {
			return dst, err
		}
	}
	if !e.begun {
		dst = append(dst, e.begin...)
		e.begun = true
	}
	if rec == nil {
		return append(dst, endOfStream...), nil
	}
	return e.batch(dst, rec, 0, int(rec.NumRows())), nil
}

// Reset implements codec.BatchEncoder.
func (e *encoder) Reset() { e.begun = false }

func (e *encoder) check(rec arrow.Record) error {
	fields := e.schema.Fields()
	if int(rec.NumCols()) != len(fields) {
		return fault.New(fault.Schema, "expected %d columns, got %d", len(fields), rec.NumCols())
	}
	for i, f := range fields {
		if t := rec.Column(i).DataType(); !arrow.TypeEqual(f.Type, t) {
			return fault.New(fault.Schema, "expected %s, got %s", schema.Format(f.Type), schema.Format(t)).At("column %s", f.Name)
		}
	}
	return nil
}

// batch appends the dictionaries that the rows refer to, and the rows.
func (e *encoder) batch(dst []byte, rec arrow.Record, from, to int) []byte {
	for i, f := range e.fields {
		dst = e.dictionaries(dst, f, rec.Column(i))
	}
	b := &e.body
	b.reset()
	for i, f := range e.fields {
		b.add(f, rec.Column(i), from, to)
	}
	return b.appendMessage(dst, to-from, -1)
}

// dictionaries appends those of an array and of what nests in it.
func (e *encoder) dictionaries(dst []byte, f *field, a arrow.Array) []byte {
	switch x := a.(type) {
	case *array.Dictionary:
		values := x.Dictionary()
		b := &e.body
		b.reset()
		b.add(f.values, values, 0, values.Len())
		return b.appendMessage(dst, values.Len(), f.id)
	case *array.Struct:
		for i, k := range f.children {
			dst = e.dictionaries(dst, k, x.Field(i))
		}
	case array.ListLike:
		return e.dictionaries(dst, f.children[0], x.ListValues())
	}
	return dst
}
