package json

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/infer"
	"github.com/wasmill/wasmill/engine/fault"
)

// maxInferDepth bounds how deep inferred types nest, as types in text do.
const maxInferDepth = 32

// inferSchema looks at the records in sample, of which the last may be cut off.
func inferSchema(sample []byte) (*arrow.Schema, error) {
	var fields infer.Fields
	d := &scanner{s: bytes.TrimPrefix(sample, []byte("\xef\xbb\xbf"))}
	for records := 0; ; records++ {
		d.space()
		if d.p == len(d.s) {
			break
		}
		start := d.p
		if d.s[d.p] != '{' {
			d.wrong("an object", nil)
		} else if d.see(&fields, 0) {
			continue
		}
		if d.p >= len(d.s) && records > 0 {
			break // cut off
		}
		return nil, d.problem.In("record %d, at byte %d", records+1, start).
			WithHint("a schema can only be inferred from records that decode")
	}
	return fields.Schema()
}

// see takes the object at p into account.
func (d *scanner) see(fields *infer.Fields, depth int) bool {
	d.p++
	for first := true; ; first = false {
		more, ok := d.more('}', first)
		if !ok || !more {
			return ok
		}
		name, ok := d.name()
		if !ok {
			return false
		}
		if !d.seeValue(fields.Get(string(name)), depth+1) {
			return false
		}
	}
}

func (d *scanner) seeValue(s *infer.Shape, depth int) bool {
	d.space()
	if d.p >= len(d.s) {
		return d.syntax("a value")
	}
	from := d.p
	if depth > maxInferDepth {
		d.problem = fault.New(fault.Schema, "values nest more than %d deep", maxInferDepth)
		return false
	}
	switch c := d.s[d.p]; {
	case c == '{':
		s.See(infer.Struct)
		return d.see(&s.Fields, depth)
	case c == '[':
		s.See(infer.List)
		if s.Items == nil {
			s.Items = &infer.Shape{}
		}
		d.p++
		for first := true; ; first = false {
			more, ok := d.more(']', first)
			if !ok || !more {
				return ok
			}
			if !d.seeValue(s.Items, depth+1) {
				return false
			}
		}
	case c == '"':
		b, ok := d.str()
		if ok {
			s.See(infer.OfText(b, false))
		}
		return ok
	}
	if !d.skip(0) {
		return false
	}
	switch word := d.s[from:d.p]; word[0] {
	case 'n':
	case 't', 'f':
		s.See(infer.Bool)
	default:
		s.See(infer.OfText(word, true))
	}
	return true
}
