package column

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
)

// How buffers grow, on which Need rests. A column's first memory is for as many values as its share in the batch
// before says, and a little more; from there on it doubles. Nothing that an allocator gave and got back is counted as
// free again, because an arena only moves forward.

// Bound says how much can come out of some bytes of input, at the most.
type Bound struct {
	// Rows is the number of rows.
	Rows int
	// Items is the number of values in all lists, maps and dictionaries together, or of those in formats that write
	// values as wide as a column has them, from which Bits of input come.
	Items int
	Bits  int
	// Bytes is the number of bytes in all utf8 and binary values together.
	Bytes int
}

// firstItems is the memory of a column that nothing is known about, in values.
const firstItems = 64

// next returns the room that follows after room, in values.
func (c *Column) next(room int) int {
	if room == 0 {
		room = roundValues(int(c.perByte*float64(c.builder.hint)*1.125) + firstItems)
	} else {
		room *= 2
	}
	if !c.elem {
		room = min(room, c.builder.most)
	}
	return room
}

func roundValues(n int) int { return (n + 63) &^ 63 }

// nextBytes returns the size that follows after size for the bytes of utf8 or binary values, at least need.
func (c *Column) nextBytes(size, need int) int {
	if size == 0 {
		size = c.firstBytes()
	} else {
		size *= 2
	}
	return max(size, need)
}

func (c *Column) firstBytes() int { return int(c.bytesPerByte*float64(c.builder.hint)*1.125) + 64 }

// learn keeps the shares of the batch that ends.
func (b *Builder) learn() {
	if b.in == 0 {
		return
	}
	for _, c := range b.all {
		c.perByte = float64(c.n) / float64(b.in)
		c.bytesPerByte = float64(c.used) / float64(b.in)
	}
}

// Need returns how many bytes of the allocator the batch may still come to take, at the most, when what bound says is
// appended from n bytes of input more. It takes n as what is expected and sizes the first buffers by it.
//
// Sums are over all that is ever asked of the allocator: what a buffer leaves behind when it moves counts.
func (b *Builder) Need(n int, bound Bound) int {
	b.hint = max(b.in+n, 1)
	total := 0
	overflow := false // the bytes of some column may outgrow its memory
	for _, c := range b.all {
		count := c.n + bound.Items + bound.Bits/c.bits() + 1 // the one stands for nothing, see AppendNone
		if !c.elem {
			count = min(c.n+bound.Rows, b.most)
		}
		total = add(total, c.needValues(count))
		if c.offset > 0 && len(c.Children) == 0 {
			size := len(c.bytes.b)
			if size == 0 {
				size = round64(c.firstBytes())
				total = add(total, size)
			}
			if c.used+bound.Bytes > size {
				// The sizes that follow, ending with less than twice what is used, sum up to less than four times that. The
				// used bytes of this column are counted here, those to come once for all columns below.
				total = add(total, 4*(c.used+64))
				overflow = true
			}
		}
	}
	if overflow {
		total = add(total, 4*bound.Bytes)
	}
	return total
}

// bits returns how many bits a value takes in the column's own memory, not counting whether it is null; at least 1.
func (c *Column) bits() int {
	switch {
	case c.offset > 0:
		return c.offset * 8
	case c.width > 0:
		return c.width * 8
	}
	return 1
}

// needValues returns what comes until there is room for count values, not counting bytes of utf8 and binary.
func (c *Column) needValues(count int) int {
	total := 0
	if c.ID != arrow.NULL && c.valid.b == nil && c.room > 0 {
		total += max(round64((c.room+7)/8), 64)
	}
	if c.room == 0 && c.offset > 0 {
		total += 64 // the one offset of a column without values
	}
	for room := c.room; room < count; {
		room = c.next(room)
		if c.ID != arrow.NULL {
			total = add(total, max(round64((room+7)/8), 64))
		}
		switch {
		case c.offset > 0:
			total = add(total, round64((room+1)*c.offset))
		case c.ID == arrow.BOOL:
			total = add(total, round64((room+7)/8))
		default:
			total = add(total, round64(mul(room, c.width)))
		}
	}
	return total
}

// add and mul are exact up to the largest int and stay there.
func add(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

func mul(a, b int) int {
	if b != 0 && a > math.MaxInt/b/2 {
		return math.MaxInt - 64
	}
	return a * b
}
