package ipc

import (
	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
)

// batch walks the nodes and buffers of a record batch in the order of its fields and makes views of them, which lie in
// the body. That each buffer is long enough for the values that its node claims is checked here, from what the counts
// say; what the values say is for column.CheckView.
type batch struct {
	rows    int
	body    []byte
	meta    *flat
	nodes   int // where they begin
	nodesN  int
	buffers int
	buffN   int
	node    int // the next
	buffer  int
	most    int // values that any node may claim
	err     *fault.Fault
}

// openBatch reads the header of a record batch. A body of n bytes cannot hold more than 8*n values that take a bit at
// least; for those that take none, a null or an empty struct, the same bound keeps a small message from claiming billions.
func openBatch(header table, body []byte, size int) (*batch, *fault.Fault) {
	b := &batch{body: body, meta: header.f, most: 8 * size}
	if header.f == nil {
		return nil, damaged()
	}
	rows := header.long(0)
	b.nodes, b.nodesN = header.vector(1, 16)
	b.buffers, b.buffN = header.vector(2, 16)
	compressed := header.has(3)
	switch {
	case header.f.err != nil:
		return nil, damaged()
	case compressed:
		return nil, fault.New(fault.Unsupported, "expected a body that is not compressed").
			WithHint("write without compression: `compression=None` in pyarrow, `uncompressed` in polars")
	case rows < 0 || rows > int64(b.most):
		return nil, fault.New(fault.Decode, "expected 0 to %d rows in %d bytes, got %d", b.most, size, rows)
	}
	b.rows = int(rows)
	return b, nil
}

func (b *batch) fail(f *field, format string, args ...any) *column.View {
	if b.err == nil {
		b.err = fault.New(fault.Decode, format, args...).At("column %s", f.path)
	}
	return &column.View{}
}

// skip passes over a field that nobody wants.
func (b *batch) skip(f *field) {
	b.node++
	switch f.layout {
	case layoutFixed, layoutList:
		b.buffer += 2
	case layoutBytes:
		b.buffer += 3
	case layoutStruct:
		b.buffer++
	}
	for _, k := range f.children {
		b.skip(k)
	}
}

// view returns the next field's values: want of them, or as many as its node says where want is negative.
func (b *batch) view(f *field, want int) *column.View {
	if b.err != nil {
		return &column.View{}
	}
	if b.node >= b.nodesN {
		return b.fail(f, "expected a node for each field, got %d", b.nodesN)
	}
	at := b.nodes + 16*b.node
	b.node++
	n, nulls := b.meta.i64(at), b.meta.i64(at+8)
	switch {
	case want >= 0 && n != int64(want):
		return b.fail(f, "expected %d values, got %d", want, n)
	case n < 0 || n > int64(b.most):
		return b.fail(f, "expected 0 to %d values in the message, got %d", b.most, n)
	case nulls < 0 || nulls > n:
		return b.fail(f, "expected 0 to %d nulls, got %d", n, nulls)
	}
	v := &column.View{Len: int(n)}
	if f.layout == layoutNone {
		return v
	}
	v.Valid = b.bytes(f, "validity")
	if len(v.Valid) == 0 {
		v.Valid = nil
	}
	if v.Valid == nil && nulls > 0 {
		return b.fail(f, "expected a bit for each value that may be null, got %d nulls without", nulls)
	}
	if v.Valid != nil && len(v.Valid) < (v.Len+7)/8 {
		return b.fail(f, "expected validity of %d bytes, got %d", (v.Len+7)/8, len(v.Valid))
	}
	if nulls == 0 {
		v.Valid = nil
	}
	switch f.layout {
	case layoutFixed:
		v.Fixed = b.bytes(f, "values")
		if need := (v.Len*f.width + 7) / 8; len(v.Fixed) < need {
			return b.fail(f, "expected values of %d bytes, got %d", need, len(v.Fixed))
		}
	case layoutBytes, layoutList:
		v.Fixed = b.bytes(f, "offsets")
		if need := (v.Len + 1) * f.width; v.Len > 0 && len(v.Fixed) < need {
			return b.fail(f, "expected offsets of %d bytes, got %d", need, len(v.Fixed))
		}
		if f.layout == layoutBytes {
			v.Bytes = b.bytes(f, "data")
		}
	}
	if f.values != nil {
		if v.Values = f.dictionary; v.Values == nil {
			return b.fail(f, "expected its dictionary before the rows, got none")
		}
	}
	below := -1
	if f.layout == layoutStruct {
		below = v.Len
	}
	for _, k := range f.children {
		v.Children = append(v.Children, b.view(k, below))
	}
	return v
}

// bytes returns the next buffer.
func (b *batch) bytes(f *field, what string) []byte {
	if b.buffer >= b.buffN {
		b.fail(f, "expected a buffer of %s, got %d buffers in all", what, b.buffN)
		return nil
	}
	at := b.buffers + 16*b.buffer
	b.buffer++
	from, n := b.meta.i64(at), b.meta.i64(at+8)
	if from < 0 || n < 0 || n > int64(len(b.body)) || from > int64(len(b.body))-n {
		b.fail(f, "expected a buffer of %s within %d bytes, got %d bytes at %d", what, len(b.body), n, from)
		return nil
	}
	return b.body[from : from+n]
}
