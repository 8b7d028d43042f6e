package arrowabi

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// array writes the elements of d from skip, length of them.
//
// Where the buffers lie in the guest the array keeps its offset and they are pointed at. Where none of them does, only
// the elements asked for are copied, from the last multiple of 8 on, so that bitmaps can be copied as bytes. A mixture
// keeps its offset and copies what is missing as a whole.
func (e *Exporter) array(p *plan, d arrow.ArrayData, skip, length int) {
	if length == 0 {
		e.empty(p)
		return
	}
	if p.kind == kindNull {
		e.head(p, length, length, 0)
		return
	}
	nulls, buffers := d.NullN(), d.Buffers()
	if len(buffers) == 0 || size(buffers[0]) == 0 {
		nulls = 0 // no bitmap
	} else if nulls > 0 && (skip != 0 || length != d.Len()) {
		nulls = array.UnknownNullCount
	}
	start := d.Offset() + skip
	if p.kind == kindStruct && nulls == 0 {
		// Without a bitmap of its own a struct needs no offset; its children have theirs.
		e.head(p, length, 0, 0)
		for i, c := range p.children {
			e.array(c, d.Children()[i], start, length)
		}
		return
	}
	inside, outside := e.residence(p, buffers, nulls)
	compact := outside && !inside
	lead := 0
	if compact {
		lead = start % 8
		e.head(p, length, nulls, lead)
	} else {
		e.head(p, length, nulls, start)
	}
	if nulls == 0 {
		e.pointer(p, 0, 0)
	} else {
		e.place(p, 0, buffers[0], compact, (start-lead)/8, (start+length+7)/8)
	}
	switch p.kind {
	case kindBits:
		e.place(p, 1, buffers[1], compact, (start-lead)/8, (start+length+7)/8)
	case kindFixed:
		e.place(p, 1, buffers[1], compact, (start-lead)*p.width, (start+length)*p.width)
		if p.dict != nil {
			dictionary := d.Dictionary()
			e.array(p.dict, dictionary, 0, dictionary.Len())
		}
	case kindBytes:
		if !compact {
			e.place(p, 1, buffers[1], false, 0, (start+length+1)*p.width)
			e.place(p, 2, buffers[2], false, 0, size(buffers[2]))
			return
		}
		first, last := e.rebase(p, buffers[1], start-lead, start+length)
		e.place(p, 2, buffers[2], true, first, last)
	case kindList:
		child := d.Children()[0]
		if !compact {
			e.place(p, 1, buffers[1], false, 0, (start+length+1)*p.width)
			e.array(p.children[0], child, 0, child.Len())
			return
		}
		first, last := e.rebase(p, buffers[1], start-lead, start+length)
		e.array(p.children[0], child, first, last-first)
	case kindStruct:
		from, to := 0, start+length
		if compact {
			from = start - lead
		}
		for i, c := range p.children {
			e.array(c, d.Children()[i], from, to-from)
		}
	}
}

// empty writes an array without elements. Its offsets are those 8 zero bytes with which the block starts.
func (e *Exporter) empty(p *plan) {
	e.head(p, 0, 0, 0)
	for i := range p.kind.buffers() {
		e.pointer(p, i, 0)
	}
	if p.kind == kindBytes || p.kind == kindList {
		e.pointer(p, 1, e.block)
	}
	for _, c := range p.children {
		e.empty(c)
	}
	if p.dict != nil {
		e.empty(p.dict)
	}
}

// residence reports whether any of an array's own buffers lies in the guest, and whether any does not.
func (e *Exporter) residence(p *plan, buffers []*memory.Buffer, nulls int) (inside, outside bool) {
	for i, b := range buffers {
		if size(b) == 0 || i == 0 && nulls == 0 {
			continue
		}
		if _, ok := e.space.Contains(b.Bytes()); ok {
			inside = true
		} else {
			outside = true
		}
	}
	return inside, outside
}

// place points at a buffer that lies in the guest, and has the bytes from first to last of any other copied; those up
// to last when it is not compact.
func (e *Exporter) place(p *plan, i int, b *memory.Buffer, compact bool, first, last int) {
	if size(b) == 0 {
		e.pointer(p, i, 0)
		return
	}
	bytes := b.Bytes()
	if at, ok := e.space.Contains(bytes); ok && at%8 == 0 {
		e.pointer(p, i, at)
		return
	}
	if !compact {
		first = 0
	}
	e.later(job{to: p.buffers + uint32(i)*4, from: bytes[first:last]})
}

// rebase has the offsets of the elements from start to end copied so that they begin with 0, and returns the range of
// what they refer to. They lie in Go memory, so they can be trusted.
func (e *Exporter) rebase(p *plan, b *memory.Buffer, start, end int) (first, last int) {
	bytes := b.Bytes()[start*p.width : (end+1)*p.width]
	if p.width == 4 {
		o := cast[int32](bytes)
		first, last = int(o[0]), int(o[len(o)-1])
	} else {
		o := cast[int64](bytes)
		first, last = int(o[0]), int(o[len(o)-1])
	}
	e.later(job{to: p.buffers + 4, from: bytes, width: p.width, base: int64(first)})
	return first, last
}

func size(b *memory.Buffer) int {
	if b == nil {
		return 0
	}
	return b.Len()
}
