package column

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Column is a column being built, or a child of one. Fields are to be read only.
type Column struct {
	Name string
	// Path is the name with those of the columns around it: "user.tags[]".
	Path     string
	Type     arrow.DataType
	ID       arrow.Type
	Nullable bool
	// Children are a struct's fields, a list's items, a map's entries (a struct of key and value), a dictionary's values.
	Children []*Column

	builder *Builder
	elem    bool // below a list or a dictionary: see [Builder.Need]
	width   int  // bytes of a value, or of a dictionary's index
	offset  int  // bytes of an offset, 0 for types without

	n     int // values
	room  int // values that there is memory for
	nulls int
	valid buffer // none until the first null
	fixed buffer // values, indices, offsets (room+1 of them), or a boolean's bits
	bytes buffer // what offsets of utf8 and binary point to
	used  int    // bytes

	index    map[string]int // of a dictionary: where a value is
	indexMax int

	form form

	perByte, bytesPerByte float64 // values and bytes for a byte of input, in the batch before
}

func maxIndex(t arrow.DataType) int {
	switch t.ID() {
	case arrow.INT8:
		return math.MaxInt8
	case arrow.UINT8:
		return math.MaxUint8
	case arrow.INT16:
		return math.MaxInt16
	case arrow.UINT16:
		return math.MaxUint16
	}
	return math.MaxInt32
}

// Len returns the number of values.
func (c *Column) Len() int { return c.n }

// grow makes room for one value more.
func (c *Column) grow() { c.setRoom(c.next(c.room)) }

func (c *Column) setRoom(room int) {
	alloc := c.builder.alloc
	switch {
	case c.offset > 0:
		first := len(c.fixed.b) == 0
		c.fixed.reserve(alloc, (room+1)*c.offset)
		if first {
			clear(c.fixed.b[:c.offset])
		}
	case c.ID == arrow.BOOL:
		c.fixed.reserve(alloc, (room+7)/8)
	default:
		c.fixed.reserve(alloc, room*c.width)
	}
	if c.valid.b != nil {
		c.valid.reserve(alloc, (room+7)/8)
	}
	c.room = room
}

// slot makes room for a value, marks it valid and returns its index. The value's own bytes are written by the caller.
func (c *Column) slot() int {
	if c.n == c.room {
		c.grow()
	}
	i := c.n
	if c.valid.b != nil {
		setBit(c.valid.b, i)
	}
	c.n = i + 1
	return i
}

// nullSlot is slot for a null.
func (c *Column) nullSlot() int {
	if c.n == c.room {
		c.grow()
	}
	i := c.n
	if c.ID == arrow.NULL {
		c.n = i + 1
		return i
	}
	if c.valid.b == nil {
		c.valid.reserve(c.builder.alloc, max((c.room+7)/8, 1))
		setBits(c.valid.b, i)
	}
	clearBit(c.valid.b, i)
	c.nulls++
	c.n = i + 1
	return i
}

// AppendNull appends a null. It is for the caller to know that the column is Nullable.
func (c *Column) AppendNull() {
	c.empty(c.nullSlot())
	if c.ID == arrow.STRUCT {
		for _, k := range c.Children {
			k.AppendNone()
		}
	}
}

// AppendNone appends what stands for nothing: a null, or where the column holds none a zero, as below a null struct.
func (c *Column) AppendNone() {
	if c.Nullable || c.ID == arrow.NULL {
		c.AppendNull()
		return
	}
	switch c.ID {
	case arrow.STRUCT:
		for _, k := range c.Children {
			k.AppendNone()
		}
	case arrow.DICTIONARY:
		if values := c.Children[0]; values.n == 0 {
			values.AppendNone()
			if !values.Nullable {
				c.index[string(values.last())] = 0
			}
		}
	}
	c.empty(c.slot())
}

// empty writes zero bytes as the value at i, the last.
func (c *Column) empty(i int) {
	switch {
	case c.offset == 4:
		copy(c.fixed.b[(i+1)*4:(i+2)*4], c.fixed.b[i*4:])
	case c.offset == 8:
		copy(c.fixed.b[(i+1)*8:(i+2)*8], c.fixed.b[i*8:])
	case c.ID == arrow.BOOL:
		clearBit(c.fixed.b, i)
	case c.width > 0:
		clear(c.fixed.b[i*c.width : (i+1)*c.width])
	}
}

// truncate takes back all values but the first n.
func (c *Column) truncate(n int) {
	if c.valid.b != nil {
		for i := n; i < c.n; i++ {
			if !bit(c.valid.b, i) {
				c.nulls--
			}
		}
	}
	c.n = min(c.n, n) // the children of a value that was not ended are longer
	switch {
	case c.offset > 0:
		end := 0
		if len(c.fixed.b) > 0 {
			end = c.end(n)
		}
		if len(c.Children) > 0 {
			c.Children[0].truncate(end)
		} else {
			c.used = end
		}
	case c.ID == arrow.STRUCT:
		for _, k := range c.Children {
			k.truncate(n)
		}
	}
}

// end returns where value i-1 ends and value i begins, in items or bytes.
func (c *Column) end(i int) int {
	if c.offset == 8 {
		return int(binary.LittleEndian.Uint64(c.fixed.b[i*8:]))
	}
	return int(binary.LittleEndian.Uint32(c.fixed.b[i*4:]))
}

func (c *Column) setEnd(i, end int) {
	if c.offset == 8 {
		binary.LittleEndian.PutUint64(c.fixed.b[i*8:], uint64(end))
		return
	}
	binary.LittleEndian.PutUint32(c.fixed.b[i*4:], uint32(end))
}

// last returns the bytes of the last value of a dictionary's values.
func (c *Column) last() []byte {
	switch i := c.n - 1; {
	case c.offset > 0:
		return c.bytes.b[c.end(i):c.used]
	case c.ID == arrow.BOOL:
		if bit(c.fixed.b, i) {
			return []byte{1}
		}
		return []byte{0}
	default:
		return c.fixed.b[i*c.width : (i+1)*c.width]
	}
}

// data hands the values over as Arrow's data, which the caller releases, and leaves the column without memory.
func (c *Column) data() *array.Data {
	var children []arrow.ArrayData
	if c.ID != arrow.DICTIONARY {
		for _, k := range c.Children {
			children = append(children, k.data())
		}
	}
	var buffers []*memory.Buffer
	if c.ID == arrow.NULL {
		buffers = []*memory.Buffer{nil}
	} else {
		if c.offset > 0 && len(c.fixed.b) == 0 {
			c.setRoom(0) // the one offset of no values
		}
		if c.nulls == 0 {
			c.valid.free()
		}
		buffers = append(buffers, c.valid.take((c.n+7)/8))
		switch {
		case c.offset > 0:
			buffers = append(buffers, c.fixed.take((c.n+1)*c.offset))
			if len(c.Children) == 0 {
				buffers = append(buffers, c.bytes.take(c.used))
			}
		case c.ID == arrow.BOOL:
			buffers = append(buffers, c.fixed.take((c.n+7)/8))
		case c.ID != arrow.STRUCT:
			buffers = append(buffers, c.fixed.take(c.n*c.width))
		}
	}
	if c.ID == arrow.NULL {
		c.nulls = c.n
	}
	d := array.NewData(c.Type, c.n, buffers, children, c.nulls, 0)
	if c.ID == arrow.DICTIONARY {
		values := c.Children[0].data()
		d.SetDictionary(values)
		values.Release()
	}
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	for _, k := range children {
		k.Release()
	}
	return d
}

func (c *Column) reset() {
	c.valid.free()
	c.fixed.free()
	c.bytes.free()
	c.n, c.room, c.nulls, c.used = 0, 0, 0, 0
	clear(c.index)
}

func bit(b []byte, i int) bool { return b[i>>3]>>(i&7)&1 == 1 }
func setBit(b []byte, i int)   { b[i>>3] |= 1 << (i & 7) }
func clearBit(b []byte, i int) { b[i>>3] &^= 1 << (i & 7) }

// setBits sets the first n bits and clears those behind them in the last byte.
func setBits(b []byte, n int) {
	for i := 0; i < n>>3; i++ {
		b[i] = 0xff
	}
	if n&7 != 0 {
		b[n>>3] = byte(1<<(n&7) - 1)
	}
}

// fits reports whether v is in the range of integers of bits bits.
func fits(v int64, size int) bool {
	if v < 0 {
		v = ^v
	}
	return bits.Len64(uint64(v)) < size
}
