package aggregate

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
)

// Bind prepares for the rows of rec, whose schema is the set's.
func (s *Set) Bind(rec arrow.Record) {
	for i := range s.aggregates {
		a := &s.aggregates[i]
		a.add = a.adder(rec)
	}
}

// adder returns a function that adds a row of rec to the aggregate's cells.
func (a *aggregate) adder(rec arrow.Record) func(Row, int, int64) {
	first := a.first
	if a.at < 0 {
		return func(r Row, _ int, _ int64) { r[first].n++ }
	}
	column := rec.Column(a.at)
	if a.Func == "min_by" || a.Func == "max_by" {
		return a.extremeAdder(rec.Column(a.by), column)
	}
	add := a.valueAdder(column)
	if a.Func == "collect_all" {
		return a.allAdder(column, add)
	}
	if column.Data().Buffers()[0] == nil {
		return add
	}
	return func(r Row, row int, seq int64) {
		if column.IsValid(row) {
			add(r, row, seq)
		}
	}
}

// allAdder adds values and nulls of a collect_all: a byte before each says whether there is one.
func (a *aggregate) allAdder(column arrow.Array, add func(Row, int, int64)) func(Row, int, int64) {
	first := a.first
	return func(r Row, row int, seq int64) {
		c := &r[first]
		if column.IsValid(row) {
			c.data = append(c.data, 1)
			add(r, row, seq)
			return
		}
		c.n++
		c.data = binary.AppendVarint(append(c.data, 0), seq)
	}
}

// valueAdder is adder for columns without nulls.
func (a *aggregate) valueAdder(column arrow.Array) func(Row, int, int64) {
	first, class := a.first, a.class
	if a.Func == "count" {
		return func(r Row, _ int, _ int64) { r[first].n++ }
	}
	read := func(int) []byte { return nil }
	number := func(int) uint64 { return 0 }
	if class == texts {
		read = textsOf(column)
	} else {
		number = numbers(column)
	}
	switch a.Func {
	case "sum", "avg":
		return func(r Row, row int, _ int64) { r[first].addNumber(class, number(row), 1) }
	case "min", "max":
		sign := a.sign()
		return func(r Row, row int, seq int64) {
			c, v, t := &r[first], number(row), read(row)
			if c.n++; c.n == 1 || sign*compare(class, v, c.lo, t, c.data) < 0 {
				c.set(v, t, seq)
			}
		}
	case "collect", "collect_all":
		return func(r Row, row int, seq int64) {
			c := &r[first]
			c.n++
			c.data = appendScalar(binary.AppendVarint(c.data, seq), class, number(row), read(row))
		}
	}
	later := a.takesLater
	return func(r Row, row int, seq int64) {
		c := &r[first]
		if c.n++; c.n == 1 || later == (seq > c.seq) {
			c.set(number(row), read(row), seq)
		}
	}
}

// extremeAdder adds rows of min_by and max_by: the first cell is the extreme, the second what is taken of its row.
func (a *aggregate) extremeAdder(by, take arrow.Array) func(Row, int, int64) {
	reader := func(k class, c arrow.Array) (func(int) uint64, func(int) []byte) {
		if k == texts {
			return func(int) uint64 { return 0 }, textsOf(c)
		}
		return numbers(c), func(int) []byte { return nil }
	}
	number, text := reader(a.byClass, by)
	takeNumber, takeText := reader(a.class, take)
	sign := a.sign()
	return func(r Row, row int, seq int64) {
		if by.IsNull(row) {
			return
		}
		c, v, t := &r[a.first], number(row), text(row)
		c.n++
		if order := sign * compare(a.byClass, v, c.lo, t, c.data); c.n > 1 && (order > 0 || order == 0 && seq > c.seq) {
			return
		}
		c.set(v, t, seq)
		taken := &r[a.first+1]
		if taken.n = 0; take.IsValid(row) {
			taken.n = 1
			taken.set(takeNumber(row), takeText(row), seq)
		}
	}
}

// sign is 1 where the least counts, -1 where the largest does.
func (a *aggregate) sign() int {
	if a.Func == "max" || a.Func == "max_by" {
		return -1
	}
	return 1
}

func (c *Cell) set(number uint64, text []byte, seq int64) {
	c.lo, c.seq = number, seq
	c.data = append(c.data[:0], text...)
}

// addNumber adds to a sum: integers in 128 bits, so that only the result need fit, floats in lo.
func (c *Cell) addNumber(k class, v uint64, n int64) {
	c.n += n
	if k == floats {
		c.lo = math.Float64bits(math.Float64frombits(c.lo) + math.Float64frombits(v))
		return
	}
	var high uint64
	if k == ints && int64(v) < 0 {
		high = math.MaxUint64
	}
	c.add128(high, v)
}

func (c *Cell) add128(hi, lo uint64) {
	var carry uint64
	c.lo, carry = bits.Add64(c.lo, lo, 0)
	c.hi += hi + carry
}

func (a *aggregate) merge(into, from Row) {
	c, o := &into[a.first], &from[a.first]
	if o.n == 0 {
		return
	}
	switch a.Func {
	case "count":
		c.n += o.n
		return
	case "sum", "avg":
		if a.class == floats {
			c.addNumber(floats, o.lo, o.n)
			return
		}
		c.n += o.n
		c.add128(o.hi, o.lo)
		return
	case "collect", "collect_all":
		c.n += o.n
		c.data = append(c.data, o.data...)
		return
	}
	var takes bool
	switch a.Func {
	case "min", "max":
		takes = a.sign()*compare(a.class, o.lo, c.lo, o.data, c.data) < 0
	case "min_by", "max_by":
		order := a.sign() * compare(a.byClass, o.lo, c.lo, o.data, c.data)
		takes = order < 0 || order == 0 && o.seq < c.seq
	default:
		takes = a.takesLater == (o.seq > c.seq)
	}
	if takes || c.n == 0 {
		c.set(o.lo, o.data, o.seq)
		if a.cells == 2 {
			taken, other := &into[a.first+1], &from[a.first+1]
			taken.n = other.n
			taken.set(other.lo, other.data, other.seq)
		}
	}
	c.n += o.n
}

// build appends the result.
func (a *aggregate) build(b array.Builder, r Row) error {
	c := &r[a.first]
	switch {
	case a.Func == "count":
		b.(*array.Int64Builder).Append(c.n)
		return nil
	case a.lists():
		return a.buildList(b.(*array.ListBuilder), c)
	case c.n == 0:
		b.AppendNull()
		return nil
	case a.Func == "avg":
		b.(*array.Float64Builder).Append(c.float(a.class) / float64(c.n))
		return nil
	case a.Func == "sum":
		if a.class == ints && c.hi != uint64(int64(c.lo)>>63) || a.class == uints && c.hi != 0 {
			return fault.New(fault.Limit, "the sum of %d values does not fit %s", c.n, a.out).WithHint("sum a column of type float64")
		}
	case a.cells == 2:
		if c = &r[a.first+1]; c.n == 0 {
			b.AppendNull()
			return nil
		}
	}
	appendTo(b, c.lo, c.data)
	return nil
}

// float returns a sum.
func (c *Cell) float(k class) float64 {
	if k == floats {
		return math.Float64frombits(c.lo)
	}
	if k == ints && int64(c.hi) < 0 {
		lo, borrow := bits.Sub64(0, c.lo, 0)
		hi, _ := bits.Sub64(0, c.hi, borrow)
		return -(float64(hi)*(1<<64) + float64(lo))
	}
	return float64(c.hi)*(1<<64) + float64(c.lo)
}

// buildList appends the values in the order in which they came.
func (a *aggregate) buildList(b *array.ListBuilder, c *Cell) error {
	type value struct {
		seq    int64
		number uint64
		text   []byte
		null   bool
	}
	values := make([]value, 0, min(c.n, int64(len(c.data))))
	for rest := c.data; len(rest) > 0; {
		var v value
		var w int
		ok := false
		if a.Func == "collect_all" {
			v.null, rest = rest[0] == 0, rest[1:]
		}
		if v.seq, w = binary.Varint(rest); w > 0 && v.null {
			rest, ok = rest[w:], true
		} else if w > 0 {
			v.number, v.text, rest, ok = cutScalar(rest[w:], a.class)
		}
		if !ok {
			return broken()
		}
		values = append(values, v)
	}
	slices.SortStableFunc(values, func(x, y value) int { return cmp.Compare(x.seq, y.seq) })
	b.Append(true)
	for _, v := range values {
		if v.null {
			b.ValueBuilder().AppendNull()
			continue
		}
		appendTo(b.ValueBuilder(), v.number, v.text)
	}
	return nil
}

func broken() error {
	return fault.New(fault.State, "an accumulator is not as it was written")
}

// Append appends an accumulator as stored: for each cell the count, and where that is not 0 both numbers, the time and the bytes.
func (s *Set) Append(dst []byte, r Row) []byte {
	for i := range r {
		c := &r[i]
		dst = binary.AppendUvarint(dst, uint64(c.n))
		if c.n == 0 {
			continue
		}
		dst = binary.AppendUvarint(dst, c.hi)
		dst = binary.AppendUvarint(dst, c.lo)
		dst = binary.AppendVarint(dst, c.seq)
		dst = append(binary.AppendUvarint(dst, uint64(len(c.data))), c.data...)
	}
	return dst
}

// Read returns the accumulator that b begins with, and what follows it. A fault has code State.
func (s *Set) Read(b []byte) (Row, []byte, error) {
	r := s.NewRow()
	ok := true
	next := func() uint64 {
		v, w := binary.Uvarint(b)
		if ok = ok && w > 0; ok {
			b = b[w:]
		}
		return v
	}
	for i := range r {
		c := &r[i]
		if c.n = int64(next()); c.n == 0 {
			continue
		}
		c.hi, c.lo = next(), next()
		seq, w := binary.Varint(b)
		if w <= 0 {
			return nil, nil, broken()
		}
		c.seq, b = seq, b[w:]
		n := next()
		if !ok || n > uint64(len(b)) || c.n < 0 {
			return nil, nil, broken()
		}
		c.data, b = append([]byte(nil), b[:n]...), b[n:]
	}
	if !ok {
		return nil, nil, broken()
	}
	return r, b, nil
}
