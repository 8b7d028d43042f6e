package csv

import (
	"bytes"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/infer"
	"github.com/wasmill/wasmill/engine/fault"
)

// inferSchema looks at the records of the sample, of which the last may be cut off. Where nothing says otherwise the
// first line holds the names.
func inferSchema(sample []byte, c Config) (*arrow.Schema, error) {
	d := decoder{scanner: scanner{delimiter: c.Delimiter[0]}, config: c}
	sample = bytes.TrimPrefix(sample, byteOrderMark)
	if whole := cut(sample, c.Delimiter[0]); whole > 0 {
		sample = sample[:whole]
	}
	names := c.Columns
	header := names == nil && (c.Header == nil || *c.Header)
	var fields infer.Fields
	for line := 1; len(sample) > 0; {
		if n := blank(sample); n > 0 {
			sample, line = sample[n:], line+1
			continue
		}
		end, f := d.record(sample)
		if f != nil {
			return nil, f.In("line %d", line)
		}
		if names == nil {
			for i, x := range d.fields {
				name := fmt.Sprintf("f%d", i+1)
				if header {
					name = string(d.text(sample, x))
				}
				names = append(names, name)
			}
		}
		if len(d.fields) != len(names) {
			return nil, fault.New(fault.Decode, "expected %d fields, got %d", len(names), len(d.fields)).At("line %d", line)
		}
		for i, x := range d.fields {
			shape := fields.Get(names[i])
			if header {
				continue
			}
			if b := d.text(sample, x); !d.null(b) {
				shape.See(infer.OfText(b, true))
			}
		}
		header = false
		line += bytes.Count(sample[:end], []byte{'\n'})
		sample = sample[end:]
	}
	return fields.Schema()
}
