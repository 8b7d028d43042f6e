package ipc

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
)

// body is the body of a record batch being written, and what its metadata says about it.
type body struct {
	bytes   []byte
	nodes   []uint64 // length and number of nulls of each
	buffers []uint64 // offset and length of each
}

func (b *body) reset() { b.bytes, b.nodes, b.buffers = b.bytes[:0], b.nodes[:0], b.buffers[:0] }

// end ends the buffer that began at start. Buffers begin at multiples of 8 bytes.
func (b *body) end(start int) {
	b.buffers = append(b.buffers, uint64(start), uint64(len(b.bytes)-start))
	for len(b.bytes)%8 != 0 {
		b.bytes = append(b.bytes, 0)
	}
}

// bits appends n bits from bit from on as a buffer.
func (b *body) bits(src []byte, from, n int) {
	start := len(b.bytes)
	b.bytes = append(b.bytes, make([]byte, (n+7)/8)...)
	bitutil.CopyBitmap(src, from, n, b.bytes[start:], 0)
	b.end(start)
}

// add appends the values of a from (inclusive) to to (exclusive), and of what nests in it.
func (b *body) add(f *field, a arrow.Array, from, to int) {
	data := a.Data()
	at, n := data.Offset()+from, to-from
	buffer := func(i int) []byte {
		if x := data.Buffers(); i < len(x) && x[i] != nil {
			return x[i].Bytes()
		}
		return nil
	}
	nulls := 0
	switch valid := buffer(0); {
	case f.layout == layoutNone:
		nulls = n
	case a.NullN() > 0 && valid != nil:
		nulls = n - bitutil.CountSetBits(valid, at, n)
	}
	b.nodes = append(b.nodes, uint64(n), uint64(nulls))
	if f.layout == layoutNone {
		return
	}
	if nulls > 0 {
		b.bits(buffer(0), at, n)
	} else {
		b.end(len(b.bytes))
	}
	values := buffer(1)
	switch f.layout {
	case layoutFixed:
		start := len(b.bytes)
		switch {
		case n == 0 || f.width == 0:
			b.end(start)
		case f.width == 1:
			b.bits(values, at, n)
		default:
			w := f.width / 8
			b.bytes = append(b.bytes, values[at*w:(at+n)*w]...)
			b.end(start)
		}
	case layoutBytes:
		begin, end := b.offsets(values, at, n, f.width)
		start := len(b.bytes)
		b.bytes = append(b.bytes, buffer(2)[begin:end]...)
		b.end(start)
	case layoutList:
		begin, end := b.offsets(values, at, n, f.width)
		b.add(f.children[0], a.(array.ListLike).ListValues(), begin, end)
	case layoutStruct:
		for i, k := range f.children {
			b.add(k, a.(*array.Struct).Field(i), from, to)
		}
	}
}

// offsets appends n+1 offsets of width bytes from offset at on, less the first, and returns the first and last.
func (b *body) offsets(src []byte, at, n, width int) (begin, end int) {
	start := len(b.bytes)
	if n == 0 {
		b.bytes = append(b.bytes, make([]byte, width)...)
		b.end(start)
		return 0, 0
	}
	get := func(i int) int {
		if width == 8 {
			return int(binary.LittleEndian.Uint64(src[i*8:]))
		}
		return int(binary.LittleEndian.Uint32(src[i*4:]))
	}
	begin = get(at)
	for i := at; i <= at+n; i++ {
		end = get(i)
		if width == 8 {
			b.bytes = binary.LittleEndian.AppendUint64(b.bytes, uint64(end-begin))
		} else {
			b.bytes = binary.LittleEndian.AppendUint32(b.bytes, uint32(end-begin))
		}
	}
	b.end(start)
	return begin, end
}

// appendMessage appends the message: a record batch of rows rows, or a dictionary of that many if id is not negative.
//
// The metadata is FlatBuffers by hand, see flat.go: each table behind its vtable, what has 8 bytes at a multiple of 8.
func (b *body) appendMessage(dst []byte, rows int, id int64) []byte {
	const versionV5 = 4
	le := binary.LittleEndian
	m := make([]byte, 0, 160+8*len(b.nodes)+8*len(b.buffers))
	u16 := func(v ...uint16) {
		for _, x := range v {
			m = le.AppendUint16(m, x)
		}
	}
	u32 := func(v uint32) { m = le.AppendUint32(m, v) }
	u64 := func(v uint64) { m = le.AppendUint64(m, v) }
	patch := func(at int) { le.PutUint32(m[at:], uint32(len(m)-at)) }
	kind := byte(headerBatch)
	if id >= 0 {
		kind = headerDictionary
	}
	u32(16)                   // the root is the table at 16
	u16(12, 24, 16, 18, 4, 8) // Message: version, header_type, header, bodyLength
	u32(12)                   // its vtable is at 4
	u32(0)                    // header, patched at 20
	u64(uint64(len(b.bytes))) // bodyLength
	u16(versionV5)            // version
	m = append(m, kind)       // header_type
	m = append(m, 0, 0, 0, 0, 0)
	if id >= 0 {
		u16(8, 16, 8, 4) // DictionaryBatch: id, data
		patch(20)        // at 48
		u32(8)
		u32(0) // data, patched at 52
		u64(uint64(id))
		u16(10, 20, 4, 12, 16, 0) // RecordBatch: length, nodes, buffers; 64 to 76
		patch(52)
	} else {
		u16(10, 20, 4, 12, 16, 0) // 40 to 52
		patch(20)
	}
	u32(12)
	u64(uint64(rows))
	nodes := len(m)
	u32(0)
	u32(0)
	vector := func(at int, v []uint64) {
		if len(m)%8 == 0 { // its length stands in front of a multiple of 8
			u32(0)
		}
		patch(at)
		u32(uint32(len(v) / 2))
		for _, x := range v {
			u64(x)
		}
	}
	vector(nodes, b.nodes)
	vector(nodes+4, b.buffers)
	dst = le.AppendUint32(dst, continuation)
	dst = le.AppendUint32(dst, uint32(len(m)+7)&^7)
	dst = append(dst, m...)
	for n := len(m); n%8 != 0; n++ {
		dst = append(dst, 0)
	}
	return append(dst, b.bytes...)
}
