// Package infer finds types for columns from values that were seen: the narrowest that holds them all.
//
//	null < bool
//	null < int64 < float64 < utf8
//	null < timestamp[us, UTC] < utf8      a time of RFC 3339 with an offset
//	null < date32 < utf8                  2013-01-31
//
// Anything that does not fit together is utf8 if all of it is scalar. Columns that were only ever null are utf8. All
// columns take nulls, since a sample cannot tell.
package infer

import (
	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
)

// Kind is what a value looks like.
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	Bool
	Int
	Float
	Timestamp
	Date
	Text
	List
	Struct
)

// Shape is what was seen of a column: of a list, Items; of a struct, Fields in the order in which they first appeared.
type Shape struct {
	Kind   Kind
	Items  *Shape
	Fields Fields
}

// Fields are the fields of a record or struct.
type Fields struct {
	Names  []string
	Shapes map[string]*Shape
}

// Get returns the shape of a field, a new one when it was not seen yet.
func (f *Fields) Get(name string) *Shape {
	if s, ok := f.Shapes[name]; ok {
		return s
	}
	if f.Shapes == nil {
		f.Shapes = map[string]*Shape{}
	}
	s := &Shape{}
	f.Names = append(f.Names, name)
	f.Shapes[name] = s
	return s
}

// See widens the shape to a value of kind k.
func (s *Shape) See(k Kind) { s.Kind = join(s.Kind, k) }

func join(a, b Kind) Kind {
	if a > b {
		a, b = b, a
	}
	switch {
	case a == b || a == Null:
		return b
	case a == Int && b == Float:
		return Float
	case b >= List:
		return b // of two kinds that do not go together; records of the other one will be bad
	}
	return Text
}

// OfText returns what a text looks like by itself, where numbers and bools count only if bare says so.
func OfText(b []byte, bare bool) Kind {
	if bare {
		switch string(b) {
		case "true", "false", "True", "False", "TRUE", "FALSE":
			return Bool
		}
		if _, p := text.Int(b); p == text.OK {
			return Int
		}
		if _, p := text.Float64(b); p == text.OK {
			return Float
		}
	}
	if _, p := text.Date(b); p == text.OK {
		return Date
	}
	if _, p := text.Timestamp(b, arrow.Microsecond, false); p == text.OK {
		return Timestamp
	}
	return Text
}

// Type returns the type of the shape.
func (s *Shape) Type() arrow.DataType {
	switch s.Kind {
	case Bool:
		return arrow.FixedWidthTypes.Boolean
	case Int:
		return arrow.PrimitiveTypes.Int64
	case Float:
		return arrow.PrimitiveTypes.Float64
	case Timestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case Date:
		return arrow.FixedWidthTypes.Date32
	case List:
		return arrow.ListOf(s.Items.Type())
	case Struct:
		return arrow.StructOf(s.Fields.fields()...)
	}
	return arrow.BinaryTypes.String
}

func (f *Fields) fields() []arrow.Field {
	out := make([]arrow.Field, len(f.Names))
	for i, name := range f.Names {
		out[i] = arrow.Field{Name: name, Type: f.Shapes[name].Type(), Nullable: true}
	}
	return out
}

// Schema returns the schema of records with these fields. Without any it is a fault.
func (f *Fields) Schema() (*arrow.Schema, error) {
	if len(f.Names) == 0 {
		return nil, fault.New(fault.Schema, "no columns can be inferred: the sample has no record with a field").
			WithHint("declare a schema")
	}
	return arrow.NewSchema(f.fields(), nil), nil
}
