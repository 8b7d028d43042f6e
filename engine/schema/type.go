// Package schema reads and writes Arrow types and schemas as text: in pipelines, in a guest's description, in faults.
//
// The grammar of a type:
//
//	bool | int8 … int64 | uint8 … uint64 | float32 | float64 | null
//	utf8 | large_utf8 | binary | large_binary | fixed_size_binary[N]
//	date32 | time32[s|ms] | time64[us|ns] | duration[s|ms|us|ns]
//	timestamp[s|ms|us|ns] | timestamp[UNIT, ZONE]
//	decimal128(PRECISION, SCALE)
//	list<TYPE> | struct<NAME: TYPE, …> | map<KEY, VALUE> | dictionary<INDEX, VALUE>
//
// A column, but nothing inside of another type, may also be of type "json"; see [JSON].
//
// A type followed by "!" holds no nulls. "string" is another word for utf8, "int" for int64, "float" for float64, "bytes" for binary.
package schema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
)

var plain = map[string]arrow.DataType{
	"null": arrow.Null, "bool": arrow.FixedWidthTypes.Boolean,
	"int8": arrow.PrimitiveTypes.Int8, "int16": arrow.PrimitiveTypes.Int16,
	"int32": arrow.PrimitiveTypes.Int32, "int64": arrow.PrimitiveTypes.Int64,
	"uint8": arrow.PrimitiveTypes.Uint8, "uint16": arrow.PrimitiveTypes.Uint16,
	"uint32": arrow.PrimitiveTypes.Uint32, "uint64": arrow.PrimitiveTypes.Uint64,
	"float32": arrow.PrimitiveTypes.Float32, "float64": arrow.PrimitiveTypes.Float64,
	"utf8": arrow.BinaryTypes.String, "large_utf8": arrow.BinaryTypes.LargeString,
	"binary": arrow.BinaryTypes.Binary, "large_binary": arrow.BinaryTypes.LargeBinary,
	"date32": arrow.FixedWidthTypes.Date32,
	"string": arrow.BinaryTypes.String, "int": arrow.PrimitiveTypes.Int64,
	"float": arrow.PrimitiveTypes.Float64, "bytes": arrow.BinaryTypes.Binary,
}

var words = []string{
	"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "null",
	"utf8", "large_utf8", "binary", "large_binary", "fixed_size_binary", "date32", "time32", "time64", "duration",
	"timestamp", "decimal128", "list", "struct", "map", "dictionary", "string", "int", "float", "bytes",
}

var units = map[string]arrow.TimeUnit{"s": arrow.Second, "ms": arrow.Millisecond, "us": arrow.Microsecond, "ns": arrow.Nanosecond}

// maxDepth bounds how far types nest; the guest boundary has the same bound.
const maxDepth = 32

// ParseType reads a type and whether it may hold nulls. Faults have code Schema.
func ParseType(text string) (t arrow.DataType, nullable bool, err error) {
	p := &parser{text: text}
	t, nullable, err = p.typ(0)
	if err != nil {
		return nil, false, err
	}
	p.space()
	if p.at < len(p.text) {
		return nil, false, p.fault("expected the end of the type, got %q", p.text[p.at:])
	}
	return t, nullable, nil
}

// ParseField reads a named column's type, which may be "json".
func ParseField(name, typ string) (arrow.Field, error) {
	if bare, full := strings.CutSuffix(strings.TrimSpace(typ), "!"); strings.TrimRight(bare, " ") == jsonType {
		return JSON(name, !full), nil
	}
	t, nullable, err := ParseType(typ)
	if err != nil {
		return arrow.Field{}, err
	}
	return arrow.Field{Name: name, Type: t, Nullable: nullable}, nil
}

// ParseSchema reads "name: type, name: type", as [FormatSchema] writes it. The text may be empty.
func ParseSchema(text string) (*arrow.Schema, error) {
	p := &parser{text: text}
	var fields []arrow.Field
	for p.space(); p.at < len(p.text); {
		name := p.word()
		if name == "" {
			return nil, p.fault("expected a column's name")
		}
		if err := p.need(':'); err != nil {
			return nil, err
		}
		before := p.at
		if p.word() == jsonType {
			fields = append(fields, JSON(name, !p.take('!')))
		} else {
			p.at = before
			t, nullable, err := p.typ(0)
			if err != nil {
				return nil, err
			}
			fields = append(fields, arrow.Field{Name: name, Type: t, Nullable: nullable})
		}
		if p.space(); p.at == len(p.text) {
			break
		}
		if err := p.need(','); err != nil {
			return nil, err
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) fault(format string, args ...any) *fault.Fault {
	f := fault.New(fault.Schema, format, args...)
	f.What = fmt.Sprintf("type %q: %s", p.text, f.What)
	return f
}

func (p *parser) space() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

func (p *parser) word() string {
	p.space()
	start := p.at
	for p.at < len(p.text) && !strings.ContainsRune("<>()[],:! ", rune(p.text[p.at])) {
		p.at++
	}
	return p.text[start:p.at]
}

func (p *parser) take(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) need(c byte) error {
	if p.take(c) {
		return nil
	}
	if p.at == len(p.text) {
		return p.fault("expected %q at the end", c)
	}
	return p.fault("expected %q, got %q", c, p.text[p.at:])
}

func (p *parser) number(what string, most int) (int, error) {
	w := p.word()
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 || n > most {
		return 0, p.fault("expected %s from 0 to %d, got %q", what, most, w)
	}
	return n, nil
}

func (p *parser) unit(allowed ...string) (arrow.TimeUnit, error) {
	if err := p.need('['); err != nil {
		return 0, err
	}
	w := p.word()
	for _, a := range allowed {
		if w == a {
			return units[w], nil
		}
	}
	return 0, p.fault("expected a unit of %s, got %q", strings.Join(allowed, ", "), w)
}

func (p *parser) typ(depth int) (arrow.DataType, bool, error) {
	if depth > maxDepth {
		return nil, false, p.fault("types nest more than %d deep", maxDepth)
	}
	t, err := p.bare(depth)
	if err != nil {
		return nil, false, err
	}
	return t, !p.take('!'), nil
}

func (p *parser) bare(depth int) (arrow.DataType, error) {
	w := p.word()
	if t, ok := plain[w]; ok {
		return t, nil
	}
	switch w {
	case "fixed_size_binary":
		if err := p.need('['); err != nil {
			return nil, err
		}
		n, err := p.number("a width", 1<<20)
		if err != nil {
			return nil, err
		}
		return &arrow.FixedSizeBinaryType{ByteWidth: n}, p.need(']')
	case "time32":
		u, err := p.unit("s", "ms")
		if err != nil {
			return nil, err
		}
		return &arrow.Time32Type{Unit: u}, p.need(']')
	case "time64":
		u, err := p.unit("us", "ns")
		if err != nil {
			return nil, err
		}
		return &arrow.Time64Type{Unit: u}, p.need(']')
	case "duration":
		u, err := p.unit("s", "ms", "us", "ns")
		if err != nil {
			return nil, err
		}
		return &arrow.DurationType{Unit: u}, p.need(']')
	case "timestamp":
		u, err := p.unit("s", "ms", "us", "ns")
		if err != nil {
			return nil, err
		}
		t := &arrow.TimestampType{Unit: u}
		if p.take(',') {
			p.space()
			end := strings.IndexByte(p.text[p.at:], ']')
			if end < 0 {
				return nil, p.fault("expected %q at the end", ']')
			}
			t.TimeZone = strings.TrimSpace(p.text[p.at : p.at+end])
			p.at += end
		}
		return t, p.need(']')
	case "decimal128":
		if err := p.need('('); err != nil {
			return nil, err
		}
		precision, err := p.number("a precision", 38)
		if err != nil {
			return nil, err
		}
		if precision == 0 {
			return nil, p.fault("expected a precision from 1 to 38, got 0")
		}
		if err := p.need(','); err != nil {
			return nil, err
		}
		scale, err := p.number("a scale", precision)
		if err != nil {
			return nil, err
		}
		return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}, p.need(')')
	case "list":
		if err := p.need('<'); err != nil {
			return nil, err
		}
		t, nullable, err := p.typ(depth + 1)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "item", Type: t, Nullable: nullable}), p.need('>')
	case "struct":
		return p.structure(depth)
	case "map", "dictionary":
		return p.pair(w, depth)
	}
	if w == "" {
		return nil, p.fault("expected a type")
	}
	if w == jsonType {
		return nil, p.fault("unknown type `%s`", w).WithHint("a whole column can be json, nothing inside of another type")
	}
	return nil, p.fault("unknown type `%s`", w).WithHint("%s", fault.DidYouMean(w, words))
}

func (p *parser) structure(depth int) (arrow.DataType, error) {
	if err := p.need('<'); err != nil {
		return nil, err
	}
	var fields []arrow.Field
	if p.take('>') {
		return arrow.StructOf(), nil
	}
	for {
		name := p.word()
		if name == "" {
			return nil, p.fault("expected a field's name")
		}
		if err := p.need(':'); err != nil {
			return nil, err
		}
		t, nullable, err := p.typ(depth + 1)
		if err != nil {
			return nil, err
		}
		fields = append(fields, arrow.Field{Name: name, Type: t, Nullable: nullable})
		if !p.take(',') {
			return arrow.StructOf(fields...), p.need('>')
		}
	}
}

func (p *parser) pair(w string, depth int) (arrow.DataType, error) {
	if err := p.need('<'); err != nil {
		return nil, err
	}
	first, _, err := p.typ(depth + 1)
	if err != nil {
		return nil, err
	}
	if err := p.need(','); err != nil {
		return nil, err
	}
	second, nullable, err := p.typ(depth + 1)
	if err != nil {
		return nil, err
	}
	if err := p.need('>'); err != nil {
		return nil, err
	}
	if w == "dictionary" {
		if !arrow.IsInteger(first.ID()) {
			return nil, p.fault("expected an integer type for the index, got %s", Format(first))
		}
		return &arrow.DictionaryType{IndexType: first, ValueType: second}, nil
	}
	m := arrow.MapOf(first, second)
	m.SetItemNullable(nullable)
	return m, nil
}
