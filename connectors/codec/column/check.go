package column

import (
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// CheckView checks the values from (inclusive) to to (exclusive) of a view whose buffers are known to be long enough for
// its length: offsets do not fall and stay within what they point to, indices within the dictionary, text is UTF-8,
// and there are no nulls where the column holds none. Faults have code Decode.
func (c *Column) CheckView(v *View, from, to int) error {
	if f := c.check(v, from, to, nil); f != nil {
		return f
	}
	return nil
}

// CheckDictionary is CheckView for all values of a dictionary, where nulls may be as long as no index is one of a null.
func (c *Column) CheckDictionary(v *View) error {
	if f := c.check(v, 0, v.Len, func(int) bool { return true }); f != nil {
		return f
	}
	return nil
}

// check is CheckView; below a struct that is null nothing is asked of nulls.
func (c *Column) check(v *View, from, to int, hidden func(i int) bool) *fault.Fault {
	if !c.Nullable && v.Valid != nil && c.ID != arrow.NULL {
		for i := from; i < to; i++ {
			if v.null(i) && (hidden == nil || !hidden(i)) {
				return fault.New(fault.Decode, "expected %s, got null", schema.Format(c.Type)).At("column %s, row %d", c.Path, i)
			}
		}
	}
	switch {
	case from == to:
		return nil
	case c.offset > 0:
		return c.checkOffsets(v, from, to)
	case c.ID == arrow.STRUCT:
		below := hidden
		if v.Valid != nil {
			below = func(i int) bool { return v.null(i) || hidden != nil && hidden(i) }
		}
		for i, k := range c.Children {
			if f := k.check(v.Children[i], from, to, below); f != nil {
				return f
			}
		}
	case c.ID == arrow.DICTIONARY:
		for i := from; i < to; i++ {
			if at := v.index(i, c.width); !v.null(i) && uint64(at) >= uint64(v.Values.Len) {
				return fault.New(fault.Decode, "expected an index below %d, got %d", v.Values.Len, at).At("column %s, row %d", c.Path, i)
			} else if !v.null(i) && v.Values.null(int(at)) {
				return fault.New(fault.Decode, "expected a dictionary without nulls, got an index of one").At("column %s, row %d", c.Path, i)
			}
		}
	}
	return nil
}

func (c *Column) checkOffsets(v *View, from, to int) *fault.Fault {
	limit := int64(len(v.Bytes))
	if len(c.Children) > 0 {
		limit = int64(v.Children[0].Len)
	}
	begin := v.offset(from, c.offset)
	last := begin
	if begin < 0 {
		return fault.New(fault.Decode, "expected an offset of 0 at least, got %d", begin).At("column %s, row %d", c.Path, from)
	}
	for i := from + 1; i <= to; i++ {
		at := v.offset(i, c.offset)
		if at < last || at > limit {
			return fault.New(fault.Decode, "expected an offset from %d to %d, got %d", last, limit, at).At("column %s, row %d", c.Path, i-1)
		}
		last = at
	}
	if len(c.Children) > 0 {
		k := c.Children[0]
		return k.check(v.Children[0], int(begin), int(last), nil)
	}
	if !c.Text() {
		return nil
	}
	b := v.Bytes[begin:last]
	if !utf8.Valid(b) {
		i := text.InvalidAt(b)
		return fault.New(fault.Decode, "expected valid UTF-8, got byte 0x%02x", b[i]).At("column %s", c.Path)
	}
	for i := from; i <= to; i++ {
		if at := v.offset(i, c.offset); at < int64(len(v.Bytes)) && at < last && !utf8.RuneStart(v.Bytes[at]) {
			return fault.New(fault.Decode, "expected valid UTF-8, got a character across two values").At("column %s, row %d", c.Path, i)
		}
	}
	return nil
}
