package json

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// whole appends the text of the value at p to the one column.
func (d *decoder) whole() bool {
	from := d.p
	if !d.skip(0) {
		return false
	}
	c := d.columns.Columns()[0]
	if value := d.s[from:d.p]; !c.AppendBytes(value) {
		return d.refused(c, value, false, text.TooMuch)
	}
	return true
}

// checkDocuments refuses document columns in a schema that has others.
func checkDocuments(s *arrow.Schema) error {
	var faults fault.List
	for _, f := range s.Fields() {
		if schema.IsJSON(f) {
			faults.Add(fault.Unsupported, "column "+f.Name, "a column of type json is the whole record, so it is the only one").Hint =
				"declare what is in it, as struct<...> for instance, or leave out the other columns"
		}
	}
	return faults.Err()
}

// writeJSON writes the document at i after a look at whether it is one: it comes out of a guest.
func writeJSON(c *cell, dst []byte, i int) ([]byte, error) {
	d := &c.scan
	d.s, d.p, d.problem = c.Bytes(i), 0, nil
	d.space()
	from := d.p
	to := from
	if d.skip(0) {
		to = d.p
		if d.space(); d.p < len(d.s) {
			d.syntax("the end behind one value")
		}
	}
	if f := d.problem; f != nil {
		return dst, fault.New(fault.Encode, "this is not one JSON value: %s", f.What).At("column %s, %s", c.path, f.Where)
	}
	value := d.s[from:to]
	at := len(dst)
	dst = append(dst, value...)
	// A line end within a string would not have been JSON: what there is of them is white space.
	for _, end := range []byte("\n\r") {
		for rest := dst[at:]; ; {
			k := bytes.IndexByte(rest, end)
			if k < 0 {
				break
			}
			rest[k] = ' '
			rest = rest[k+1:]
		}
	}
	return dst, nil
}
