package column

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
)

// View is an array in bytes that came from outside, laid out as Arrow has it, from its first value. A View says nothing
// about whether the bytes make sense: see [Column.CheckView].
type View struct {
	Len   int
	Valid []byte // a bit for each value; nil: none is null
	Fixed []byte // values, indices, offsets (Len+1 of them), or a boolean's bits
	Bytes []byte // what offsets of utf8 and binary point to
	// Children are a struct's fields, a list's items, a map's entries.
	Children []*View
	// Values are a dictionary's.
	Values *View

	// Of a dictionary's values: where each is in the batch being built, if stamp is that batch's.
	placed []place
}

type place struct {
	stamp uint64
	at    int
}

func (v *View) null(i int) bool { return v.Valid != nil && !bit(v.Valid, i) }

// offset returns where value i begins, in bytes or items.
func (v *View) offset(i, width int) int64 {
	if width == 8 {
		return int64(binary.LittleEndian.Uint64(v.Fixed[i*8:]))
	}
	return int64(int32(binary.LittleEndian.Uint32(v.Fixed[i*4:])))
}

func (v *View) index(i, width int) int64 {
	switch width {
	case 1:
		return int64(v.Fixed[i]) // of a signed type: more than it can hold, and refused as such
	case 2:
		return int64(binary.LittleEndian.Uint16(v.Fixed[i*2:]))
	case 4:
		return int64(binary.LittleEndian.Uint32(v.Fixed[i*4:]))
	}
	return int64(binary.LittleEndian.Uint64(v.Fixed[i*8:]))
}

// AppendView appends the values from (inclusive) to to (exclusive) of a view that CheckView found good for them.
// False: a dictionary has more values than its index can number, or there is more than 2 GiB or 2^31 items in a batch; the
// rows are to be undone then.
func (c *Column) AppendView(v *View, from, to int) bool {
	if c.ID == arrow.DICTIONARY {
		return c.appendIndices(v, from, to)
	}
	n := to - from
	first := c.n
	c.ensure(first + n)
	switch {
	case c.offset > 0:
		if !c.appendOffsets(v, from, to) {
			return false
		}
	case c.ID == arrow.STRUCT:
		for i, k := range c.Children {
			if !k.AppendView(v.Children[i], from, to) {
				return false
			}
		}
	case c.ID == arrow.BOOL:
		copyBits(c.fixed.b, first, v.Fixed, from, n)
	default:
		copy(c.fixed.b[first*c.width:], v.Fixed[from*c.width:to*c.width])
	}
	c.n = first + n
	c.copyValid(v, first, from, n)
	return true
}

// ensure makes room for n values.
func (c *Column) ensure(n int) {
	room := c.room
	for room < n {
		room = c.next(room)
	}
	if room > c.room {
		c.setRoom(room)
	}
}

// copyValid marks the n values that were appended behind first as v has them from from on. Where the column holds no
// nulls there may still be some below a null struct; they count as whatever their bytes are.
func (c *Column) copyValid(v *View, first, from, n int) {
	if c.ID == arrow.NULL {
		return
	}
	if v.Valid == nil || !c.Nullable {
		if c.valid.b != nil {
			for i := first; i < first+n; i++ {
				setBit(c.valid.b, i)
			}
		}
		return
	}
	nulls := 0
	for i := from; i < from+n; i++ {
		if !bit(v.Valid, i) {
			nulls++
		}
	}
	if c.valid.b == nil {
		if nulls == 0 {
			return
		}
		c.valid.reserve(c.builder.alloc, max((c.room+7)/8, 1))
		setBits(c.valid.b, first)
	}
	c.nulls += nulls
	copyBits(c.valid.b, first, v.Valid, from, n)
}

// appendOffsets appends what offsets point to, and the offsets.
func (c *Column) appendOffsets(v *View, from, to int) bool {
	if from == to {
		return true
	}
	begin, end := v.offset(from, c.offset), v.offset(to, c.offset)
	start := c.used
	if len(c.Children) > 0 {
		start = c.Children[0].n
	}
	if int64(start)+end-begin > math.MaxInt32 {
		return false
	}
	if len(c.Children) > 0 {
		if !c.Children[0].AppendView(v.Children[0], int(begin), int(end)) {
			return false
		}
	} else {
		used := c.used + int(end-begin)
		if used > len(c.bytes.b) && !c.growBytes(used) {
			return false
		}
		copy(c.bytes.b[c.used:], v.Bytes[begin:end])
		c.used = used
	}
	for i := from; i < to; i++ {
		c.setEnd(c.n+i-from+1, start+int(v.offset(i+1, c.offset)-begin))
	}
	return true
}

// appendIndices appends values of a dictionary, whose values the batch holds once each.
func (c *Column) appendIndices(v *View, from, to int) bool {
	values := v.Values
	if len(values.placed) != values.Len {
		values.placed = make([]place, values.Len)
	}
	stamp := c.builder.stamp
	c.ensure(c.n + to - from)
	for i := from; i < to; i++ {
		if v.null(i) {
			c.AppendNone()
			continue
		}
		p := &values.placed[v.index(i, c.width)]
		if p.stamp == stamp {
			c.putIndex(c.slot(), p.at)
			continue
		}
		at := v.index(i, c.width)
		if !c.Children[0].AppendView(values, int(at), int(at)+1) || !c.EndValue() {
			return false
		}
		*p = place{stamp, int(c.lastIndex())}
	}
	return true
}

func copyBits(dst []byte, at int, src []byte, from, n int) {
	if at&7 == 0 && from&7 == 0 {
		whole := n >> 3
		copy(dst[at>>3:], src[from>>3:from>>3+whole])
		at, from, n = at+whole<<3, from+whole<<3, n&7
	}
	for i := range n {
		if bit(src, from+i) {
			setBit(dst, at+i)
		} else {
			clearBit(dst, at+i)
		}
	}
}
