package column

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
)

// AppendInt appends to a column of signed integers, dates, times, timestamps or durations. False: it does not fit.
func (c *Column) AppendInt(v int64) bool {
	switch c.width {
	case 8:
		c.Append8(uint64(v))
	case 4:
		if !fits(v, 32) {
			return false
		}
		i := c.slot()
		binary.LittleEndian.PutUint32(c.fixed.b[i*4:], uint32(v))
	case 2:
		if !fits(v, 16) {
			return false
		}
		i := c.slot()
		binary.LittleEndian.PutUint16(c.fixed.b[i*2:], uint16(v))
	default:
		if !fits(v, 8) {
			return false
		}
		i := c.slot()
		c.fixed.b[i] = byte(v)
	}
	return true
}

// AppendUint appends to a column of unsigned integers. False: it does not fit.
func (c *Column) AppendUint(v uint64) bool {
	if c.width < 8 && v>>(8*c.width) != 0 {
		return false
	}
	switch c.width {
	case 8:
		c.Append8(v)
	case 4:
		i := c.slot()
		binary.LittleEndian.PutUint32(c.fixed.b[i*4:], uint32(v))
	case 2:
		i := c.slot()
		binary.LittleEndian.PutUint16(c.fixed.b[i*2:], uint16(v))
	default:
		i := c.slot()
		c.fixed.b[i] = byte(v)
	}
	return true
}

// Append8 appends the 8 bytes of a value of that width: int64, uint64, float64 by its bits, timestamps.
func (c *Column) Append8(v uint64) {
	i := c.slot()
	binary.LittleEndian.PutUint64(c.fixed.b[i*8:], v)
}

// AppendFloat32 appends to a float32 column.
func (c *Column) AppendFloat32(v float32) {
	i := c.slot()
	binary.LittleEndian.PutUint32(c.fixed.b[i*4:], math.Float32bits(v))
}

// AppendFloat64 appends to a float64 column.
func (c *Column) AppendFloat64(v float64) { c.Append8(math.Float64bits(v)) }

// AppendDecimal appends to a decimal128 column: the unscaled value, high and low half.
func (c *Column) AppendDecimal(hi int64, lo uint64) {
	i := c.slot()
	binary.LittleEndian.PutUint64(c.fixed.b[i*16:], lo)
	binary.LittleEndian.PutUint64(c.fixed.b[i*16+8:], uint64(hi))
}

// AppendBool appends to a bool column.
func (c *Column) AppendBool(v bool) {
	i := c.slot()
	if v {
		setBit(c.fixed.b, i)
	} else {
		clearBit(c.fixed.b, i)
	}
}

// AppendBytes appends a copy of v to a utf8, binary or fixed-size binary column. False: v is not of the column's size,
// or the column would hold more than 2 GiB. That utf8 is valid is for the caller to know.
func (c *Column) AppendBytes(v []byte) bool {
	if c.offset == 0 {
		if len(v) != c.width {
			return false
		}
		i := c.slot()
		copy(c.fixed.b[i*c.width:], v)
		return true
	}
	end := c.used + len(v)
	if end > len(c.bytes.b) && !c.growBytes(end) {
		return false
	}
	i := c.slot()
	copy(c.bytes.b[c.used:], v)
	c.used = end
	if c.offset == 4 {
		binary.LittleEndian.PutUint32(c.fixed.b[i*4+4:], uint32(end))
	} else {
		binary.LittleEndian.PutUint64(c.fixed.b[i*8+8:], uint64(end))
	}
	return true
}

func (c *Column) growBytes(end int) bool {
	if end > math.MaxInt32 {
		return false
	}
	c.bytes.reserve(c.builder.alloc, c.nextBytes(len(c.bytes.b), end))
	return true
}

// EndStruct appends a struct whose fields have got their values.
func (c *Column) EndStruct() { c.slot() }

// EndList appends a list or map of all the items that were appended to its child and do not belong to a list yet.
// False: it would hold more than 2^31-1 items.
func (c *Column) EndList() bool {
	end := c.Children[0].n
	if end > math.MaxInt32 {
		return false
	}
	i := c.slot()
	c.setEnd(i+1, end)
	return true
}

// EndValue appends, to a dictionary column, the value that was just appended to its child, which keeps each value once.
// False: there are more values than the index can number.
func (c *Column) EndValue() bool {
	values := c.Children[0]
	at, found := c.index[string(values.last())]
	if found {
		values.truncate(values.n - 1)
	} else {
		if at = values.n - 1; at > c.indexMax {
			values.truncate(at)
			return false
		}
		c.index[string(values.last())] = at
	}
	c.putIndex(c.slot(), at)
	return true
}

func (c *Column) putIndex(i, at int) {
	switch c.width {
	case 1:
		c.fixed.b[i] = byte(at)
	case 2:
		binary.LittleEndian.PutUint16(c.fixed.b[i*2:], uint16(at))
	case 4:
		binary.LittleEndian.PutUint32(c.fixed.b[i*4:], uint32(at))
	default:
		binary.LittleEndian.PutUint64(c.fixed.b[i*8:], uint64(at))
	}
}

// lastIndex returns what putIndex wrote last.
func (c *Column) lastIndex() int64 { return (&View{Fixed: c.fixed.b}).index(c.n-1, c.width) }

// MostValues returns how many different values a dictionary column may hold.
func (c *Column) MostValues() int { return c.indexMax + 1 }

// Text says that values are utf8.
func (c *Column) Text() bool { return c.ID == arrow.STRING || c.ID == arrow.LARGE_STRING }
