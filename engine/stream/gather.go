package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Gather returns a record of the rows given, in that order, with all buffers from alloc. Rows may repeat; each must be
// in [0, rec.NumRows()). The values are copied, so the result does not depend on rec's memory. The caller releases it.
//
// Arrow's compute kernels could do this too; they do not cover maps, and their need of memory cannot be told before,
// which an allocator inside a guest asks for (see GatherSize).
func Gather(alloc memory.Allocator, rec arrow.Record, rows []int32) arrow.Record {
	columns := make([]arrow.Array, rec.NumCols())
	for i, c := range rec.Columns() {
		data := gather(alloc, c.Data(), rows)
		columns[i] = array.MakeFromData(data)
		data.Release()
	}
	out := array.NewRecord(rec.Schema(), columns, int64(len(rows)))
	for _, c := range columns {
		c.Release()
	}
	return out
}

// GatherSize returns how many bytes Gather may take from its allocator at the most for n rows of rec, where no row is
// taken more than once. Each buffer is counted rounded up to 64 bytes.
func GatherSize(rec arrow.Record, n int) int {
	size := 0
	for _, c := range rec.Columns() {
		size += gatherSize(c.Data(), n)
	}
	return size
}

// Keep returns a batch with the same rows that stays valid for as long as its receiver likes: the same memory where
// that is Go's, a copy where it is volatile. The caller releases it.
func (b *Batch) Keep() *Batch {
	kept := &Batch{Times: b.Times}
	if b.Volatile {
		kept.Record = Gather(memory.DefaultAllocator, b.Record, Range(0, b.Rows()))
	} else {
		b.Record.Retain()
		kept.Record = b.Record
	}
	return kept
}

// Take returns a batch of the rows given, in memory from alloc. Volatile is left to the caller, who knows the allocator.
func (b *Batch) Take(alloc memory.Allocator, rows []int32) *Batch {
	return &Batch{Record: Gather(alloc, b.Record, rows), Times: TakeTimes(b.Times, rows)}
}

// Slice returns the rows from (inclusive) to to (exclusive) without copying. Keys are not carried over: slots belong to
// a whole batch. The caller releases it.
func (b *Batch) Slice(from, to int) *Batch {
	s := &Batch{Record: b.Record.NewSlice(int64(from), int64(to)), Volatile: b.Volatile}
	if b.Times != nil {
		s.Times = b.Times[from:to]
	}
	return s
}

// TakeTimes returns the event times of the rows given, nil for nil.
func TakeTimes(times []int64, rows []int32) []int64 {
	if times == nil {
		return nil
	}
	taken := make([]int64, len(rows))
	for i, r := range rows {
		taken[i] = times[r]
	}
	return taken
}

// Range returns the numbers from (inclusive) to to (exclusive).
func Range(from, to int) []int32 {
	rows := make([]int32, to-from)
	for i := range rows {
		rows[i] = int32(from + i)
	}
	return rows
}

func pad(n int) int { return (n + 63) &^ 63 }

func gatherSize(d arrow.ArrayData, n int) int {
	size := 0
	if hasNulls(d) {
		size += pad(int(bitutil.BytesForBits(int64(n))))
	}
	switch t := d.DataType().(type) {
	case *arrow.NullType:
		return 0
	case *arrow.BooleanType:
		return size + pad(int(bitutil.BytesForBits(int64(n))))
	case *arrow.DictionaryType:
		return size + pad(n*fixedWidth(t.IndexType)) + gatherSize(d.Dictionary(), d.Dictionary().Len())
	case *arrow.StructType:
		for _, c := range d.Children() {
			size += gatherSize(c, n)
		}
		return size
	case *arrow.ListType, *arrow.MapType:
		child := d.Children()[0]
		return size + pad((n+1)*4) + gatherSize(child, child.Len())
	case arrow.BinaryDataType:
		width := offsetWidth(t)
		return size + pad((n+1)*width) + pad(spanBytes(d, width))
	}
	return size + pad(n*fixedWidth(d.DataType()))
}

// spanBytes is how many bytes of values the rows of a variable-width array have in all.
func spanBytes(d arrow.ArrayData, width int) int {
	if d.Len() == 0 || d.Buffers()[1] == nil {
		return 0
	}
	offsets := d.Buffers()[1].Bytes()
	return int(offsetAt(offsets, width, d.Offset()+d.Len()) - offsetAt(offsets, width, d.Offset()))
}

func offsetWidth(t arrow.DataType) int {
	if id := t.ID(); id == arrow.LARGE_STRING || id == arrow.LARGE_BINARY {
		return 8
	}
	return 4
}

func fixedWidth(t arrow.DataType) int {
	f, ok := t.(arrow.FixedWidthDataType)
	if !ok {
		panic(fmt.Sprintf("stream: gather of type %s, which no source or guest may bring", t))
	}
	return f.Bytes()
}

func offsetAt(b []byte, width, i int) int64 {
	if width == 8 {
		return int64(binary.LittleEndian.Uint64(b[i*8:]))
	}
	return int64(int32(binary.LittleEndian.Uint32(b[i*4:])))
}

func putOffset(b []byte, width, i int, v int64) {
	if width == 8 {
		binary.LittleEndian.PutUint64(b[i*8:], uint64(v))
	} else {
		binary.LittleEndian.PutUint32(b[i*4:], uint32(v))
	}
}

// hasNulls does not ask NullN, which would count the bits of every slice.
func hasNulls(d arrow.ArrayData) bool {
	return d.DataType().ID() != arrow.NULL && len(d.Buffers()) > 0 && d.Buffers()[0] != nil && d.Buffers()[0].Len() > 0
}

func newBuffer(alloc memory.Allocator, n int) *memory.Buffer {
	b := memory.NewResizableBuffer(alloc)
	b.Resize(n)
	return b
}

func gather(alloc memory.Allocator, d arrow.ArrayData, rows []int32) arrow.ArrayData {
	n := len(rows)
	if d.DataType().ID() == arrow.NULL {
		return array.NewData(d.DataType(), n, []*memory.Buffer{nil}, nil, n, 0)
	}
	buffers := []*memory.Buffer{nil}
	var children []arrow.ArrayData
	var dictionary *array.Data
	nulls := 0
	if hasNulls(d) {
		if nulls = countNulls(d, rows); nulls > 0 {
			buffers[0] = gatherBits(alloc, d.Buffers()[0].Bytes(), d.Offset(), rows)
		}
	}
	switch t := d.DataType().(type) {
	case *arrow.BooleanType:
		buffers = append(buffers, gatherBits(alloc, d.Buffers()[1].Bytes(), d.Offset(), rows))
	case *arrow.DictionaryType:
		buffers = append(buffers, gatherFixed(alloc, d, fixedWidth(t.IndexType), rows))
		dictionary = gather(alloc, d.Dictionary(), Range(0, d.Dictionary().Len())).(*array.Data)
	case *arrow.StructType:
		shifted := rows
		if d.Offset() != 0 {
			shifted = make([]int32, n)
			for i, r := range rows {
				shifted[i] = r + int32(d.Offset())
			}
		}
		for _, c := range d.Children() {
			children = append(children, gather(alloc, c, shifted))
		}
	case *arrow.ListType, *arrow.MapType:
		offsets, items := gatherLists(alloc, d, rows)
		buffers = append(buffers, offsets)
		children = append(children, gather(alloc, d.Children()[0], items))
	case arrow.BinaryDataType:
		offsets, values := gatherBytes(alloc, d, offsetWidth(t), rows)
		buffers = append(buffers, offsets, values)
	default:
		buffers = append(buffers, gatherFixed(alloc, d, fixedWidth(t), rows))
	}
	out := array.NewDataWithDictionary(d.DataType(), n, buffers, nulls, 0, dictionary)
	if children != nil {
		out.Release()
		out = array.NewData(d.DataType(), n, buffers, children, nulls, 0)
		for _, c := range children {
			c.Release()
		}
	}
	if dictionary != nil {
		dictionary.Release()
	}
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	return out
}

func countNulls(d arrow.ArrayData, rows []int32) int {
	bits, offset, n := d.Buffers()[0].Bytes(), d.Offset(), 0
	for _, r := range rows {
		if !bitutil.BitIsSet(bits, offset+int(r)) {
			n++
		}
	}
	return n
}

func gatherBits(alloc memory.Allocator, from []byte, offset int, rows []int32) *memory.Buffer {
	buffer := newBuffer(alloc, int(bitutil.BytesForBits(int64(len(rows)))))
	to := buffer.Bytes()
	clear(to)
	for i, r := range rows {
		if bitutil.BitIsSet(from, offset+int(r)) {
			to[i>>3] |= 1 << (i & 7)
		}
	}
	return buffer
}

func gatherFixed(alloc memory.Allocator, d arrow.ArrayData, width int, rows []int32) *memory.Buffer {
	buffer := newBuffer(alloc, len(rows)*width)
	if len(rows) == 0 || width == 0 {
		return buffer
	}
	from, to := d.Buffers()[1].Bytes()[d.Offset()*width:], buffer.Bytes()
	if contiguous(rows) {
		copy(to, from[int(rows[0])*width:(int(rows[0])+len(rows))*width])
		return buffer
	}
	switch width {
	case 8:
		for i, r := range rows {
			binary.LittleEndian.PutUint64(to[i*8:], binary.LittleEndian.Uint64(from[int(r)*8:]))
		}
	case 4:
		for i, r := range rows {
			binary.LittleEndian.PutUint32(to[i*4:], binary.LittleEndian.Uint32(from[int(r)*4:]))
		}
	default:
		for i, r := range rows {
			copy(to[i*width:(i+1)*width], from[int(r)*width:])
		}
	}
	return buffer
}

func contiguous(rows []int32) bool {
	if rows[len(rows)-1]-rows[0] != int32(len(rows)-1) {
		return false
	}
	for i, r := range rows {
		if r != rows[0]+int32(i) {
			return false
		}
	}
	return true
}

func gatherBytes(alloc memory.Allocator, d arrow.ArrayData, width int, rows []int32) (offsets, values *memory.Buffer) {
	offsets = newBuffer(alloc, (len(rows)+1)*width)
	to := offsets.Bytes()
	putOffset(to, width, 0, 0)
	if len(rows) == 0 {
		return offsets, newBuffer(alloc, 0)
	}
	from := d.Buffers()[1].Bytes()
	total := int64(0)
	for i, r := range rows {
		at := d.Offset() + int(r)
		total += offsetAt(from, width, at+1) - offsetAt(from, width, at)
		putOffset(to, width, i+1, total)
	}
	values = newBuffer(alloc, int(total))
	if total == 0 {
		return offsets, values
	}
	source, target := d.Buffers()[2].Bytes(), values.Bytes()
	if contiguous(rows) {
		start := offsetAt(from, width, d.Offset()+int(rows[0]))
		copy(target, source[start:start+total])
		return offsets, values
	}
	position := 0
	for _, r := range rows {
		at := d.Offset() + int(r)
		position += copy(target[position:], source[offsetAt(from, width, at):offsetAt(from, width, at+1)])
	}
	return offsets, values
}

func gatherLists(alloc memory.Allocator, d arrow.ArrayData, rows []int32) (offsets *memory.Buffer, items []int32) {
	offsets = newBuffer(alloc, (len(rows)+1)*4)
	to := offsets.Bytes()
	putOffset(to, 4, 0, 0)
	items = []int32{}
	if len(rows) == 0 {
		return offsets, items
	}
	from := d.Buffers()[1].Bytes()
	for i, r := range rows {
		at := d.Offset() + int(r)
		for j := offsetAt(from, 4, at); j < offsetAt(from, 4, at+1); j++ {
			items = append(items, int32(j))
		}
		putOffset(to, 4, i+1, int64(len(items)))
	}
	return offsets, items
}
