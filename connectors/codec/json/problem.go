package json

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
)

// syntax says that the record is not JSON at p. It returns false.
func (d *scanner) syntax(expected string) bool {
	got := "the end"
	if d.p < len(d.s) {
		r, n := utf8.DecodeRune(d.s[d.p:])
		if r == utf8.RuneError && n == 1 {
			got = fmt.Sprintf("byte 0x%02x", d.s[d.p])
		} else {
			got = strconv.QuoteRune(r)
		}
	}
	d.problem = fault.New(fault.Decode, "expected %s, got %s", expected, got).At("byte %d", d.p)
	return false
}

// wrong says that the value at p, which is passed over, is not what the column takes. It returns false.
func (d *scanner) wrong(expected string, c *column.Column) bool {
	from := d.p
	if !d.skip(0) {
		return false // and not even JSON
	}
	got := ""
	switch d.s[from] {
	case '{':
		got = "an object"
	case '[':
		got = "an array"
	default:
		got = text.Short(d.s[from:d.p])
	}
	d.problem = fault.New(fault.Decode, "expected %s, got %s", expected, got)
	if c != nil {
		d.problem = d.problem.At("column %s", c.Path)
	}
	return false
}

// refused says that the value just read, which is of the right kind, is not one that the column can hold.
func (d *scanner) refused(c *column.Column, value []byte, quoted bool, p text.Problem) bool {
	d.problem = c.Refused(value, quoted, p)
	return false
}

func (d *scanner) column(c *column.Column, format string, args ...any) bool {
	d.problem = fault.New(fault.Decode, format, args...).At("column %s", c.Path)
	return false
}
