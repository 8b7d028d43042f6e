package arrowabi

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
)

// all asks for an array as long as it says it is.
const all = -1

// noOffsets is the offsets buffer of an array without elements, which a guest may leave out but Arrow reads.
var noOffsets [8]byte

// reader builds one record. The guest does not run meanwhile, so what has been checked stays.
type reader struct {
	mem     []byte
	limits  Limits
	bytes   int64 // of all buffers so far
	copied  uint64
	objects *objects
}

// record reads the struct of a schema's columns.
func (r *reader) record(root *node, ptr uint32) (*array.Data, *fault.Fault) {
	a, f := readArray(r.mem, ptr, root)
	if f != nil {
		return nil, f
	}
	if a.release == 0 {
		return nil, fault.New(fault.BadArray, "release is null, which says that the array was released already")
	}
	if a.length > r.limits.Rows {
		return nil, fault.New(fault.Limit, "a step of %d rows is above the limit of %d", a.length, r.limits.Rows)
	}
	return r.build(root, a, 0, all)
}

// array reads the array at ptr: want of its elements from skip, or all of them.
func (r *reader) array(n *node, ptr uint32, skip, want int) (*array.Data, *fault.Fault) {
	a, f := readArray(r.mem, ptr, n)
	if f == nil {
		var d *array.Data
		if d, f = r.build(n, a, skip, want); f == nil {
			return d, nil
		}
	}
	return nil, f.In("%s", n.name)
}

// shape is what has been read and checked of an array so far.
type shape struct {
	offset, length, nulls int
	validity              []byte
	table                 []byte // pointers to buffers
	buffers               []*memory.Buffer
	children              []arrow.ArrayData
	dict                  *array.Data
	dictSize              int64 // bytes of its buffers
}

func (s *shape) end() int { return s.offset + s.length }

func (r *reader) build(n *node, a raw, skip, want int) (*array.Data, *fault.Fault) {
	s := shape{offset: a.offset, length: a.length, nulls: a.nulls}
	if want != all {
		if skip+want > a.length {
			return nil, fault.New(fault.BadArray, "expected at least %d elements, got %d", skip+want, a.length).At("length")
		}
		if skip != 0 || want != a.length {
			s.offset, s.length, s.nulls = a.offset+skip, want, array.UnknownNullCount
		}
	}
	if s.length == 0 {
		s.offset = 0 // no buffer is read, so that none need be there
	}
	s.buffers = r.objects.table(max(1, n.kind.buffers()))
	d := r.objects.next() // before those of the children, in the order of the schema
	f := r.charge(n, &s)
	if f == nil {
		s.table, f = pointers(r.mem, a.buffers, n.kind.buffers(), "buffers")
	}
	if f == nil {
		f = r.validity(n, &s)
	}
	if f == nil {
		switch n.kind {
		case kindBits:
			f = r.values(&s, (int64(s.end())+7)/8, 1)
		case kindFixed:
			f = r.values(&s, int64(s.end())*int64(n.width), n.align)
		case kindBytes:
			f = r.strings(n, &s)
		case kindList:
			f = r.list(n, &s, a)
		case kindStruct:
			f = r.fields(n, &s, a)
		}
	}
	if f == nil && n.dict != nil {
		f = r.dictionary(n, &s, a)
	}
	if f != nil {
		return nil, f
	}
	d.Reset(n.typ, s.length, s.buffers, s.children, s.nulls, s.offset)
	for _, c := range s.children {
		c.Release() // d holds them now
	}
	if s.dict != nil {
		d.SetDictionary(s.dict)
		s.dict.Release()
		if f := r.weighDictionary(d, s.dictSize); f != nil {
			return nil, f
		}
	}
	return d, nil
}

// charge counts an array's buffers, but for the bytes of strings, against the limit. Elements without buffers cost one
// byte, so that they cannot be had without end.
func (r *reader) charge(n *node, s *shape) *fault.Fault {
	size := int64(s.length)
	switch n.kind {
	case kindFixed, kindBytes, kindList:
		size *= max(1, int64(n.width))
	case kindBits:
		size = (size + 7) / 8
	}
	return r.spend(size)
}

func (r *reader) spend(size int64) *fault.Fault {
	if size > r.limits.Bytes-r.bytes {
		return fault.New(fault.Limit, "a step of more than %d bytes", r.limits.Bytes).WithHint("return smaller steps")
	}
	r.bytes += size
	return nil
}

// pointer returns the i-th pointer of the buffers.
func (s *shape) pointer(i int) uint32 { return binary.LittleEndian.Uint32(s.table[i*4:]) }

// validity reads the bitmap and counts the nulls. A bitmap without nulls is left out, which is what most readers are
// fast on.
func (r *reader) validity(n *node, s *shape) *fault.Fault {
	if n.kind == kindNull {
		s.nulls = s.length
		return nil
	}
	declared := s.nulls
	s.nulls = 0
	if ptr := s.pointer(0); ptr != 0 {
		bits, f := span(r.mem, ptr, (int64(s.end())+7)/8)
		if f != nil {
			return f.At("validity")
		}
		if s.nulls = countNulls(bits, s.offset, s.length); s.nulls > 0 {
			s.validity = bits
			s.buffers[0] = r.objects.wrap(bits)
		}
	}
	if declared >= 0 && declared != s.nulls {
		return fault.New(fault.BadArray, "expected %d, the number of nulls in the validity bitmap, got %d", s.nulls, declared).At("null_count")
	}
	return nil
}

// values reads the second buffer, which Go must be able to read as numbers of the alignment given.
func (r *reader) values(s *shape, size int64, align int) *fault.Fault {
	b, f := r.aligned(s.pointer(1), size, align)
	if f != nil {
		return f.At("values")
	}
	s.buffers[1] = r.objects.wrap(b)
	return nil
}

// aligned returns size bytes at ptr, copied into Go memory if they are not aligned.
func (r *reader) aligned(ptr uint32, size int64, align int) ([]byte, *fault.Fault) {
	b, f := span(r.mem, ptr, size)
	if f != nil || len(b) == 0 || ptr%uint32(align) == 0 {
		return b, f
	}
	r.copied += uint64(len(b))
	c := memory.DefaultAllocator.Allocate(len(b))
	copy(c, b)
	return c, nil
}

// offsets reads and checks the second buffer as offsets up to limit, and returns the last one.
func (r *reader) offsets(n *node, s *shape, limit int64) (int64, *fault.Fault) {
	if s.length == 0 {
		s.buffers[1] = r.objects.wrap(noOffsets[:n.width])
		return 0, nil
	}
	b, f := r.aligned(s.pointer(1), int64(s.end()+1)*int64(n.width), n.align)
	if f != nil {
		return 0, f.At("offsets")
	}
	s.buffers[1] = r.objects.wrap(b)
	return checkOffsets(b[s.offset*n.width:], n.width, limit)
}

func (r *reader) strings(n *node, s *shape) *fault.Fault {
	last, f := r.offsets(n, s, int64(len(r.mem)))
	if f != nil {
		return f
	}
	b, f := span(r.mem, s.pointer(2), last)
	if f != nil {
		return f.At("values")
	}
	s.buffers[2] = r.objects.wrap(b)
	return r.spend(last)
}

func (r *reader) list(n *node, s *shape, a raw) *fault.Fault {
	children, f := pointers(r.mem, a.children, 1, "children")
	if f != nil {
		return f
	}
	items, f := r.array(n.children[0], binary.LittleEndian.Uint32(children), 0, all)
	if f != nil {
		return f
	}
	if f := requireNoNulls(n.children[0], items, nil); f != nil {
		return f
	}
	s.children = r.objects.below(1)
	s.children[0] = items
	_, f = r.offsets(n, s, int64(items.Len()))
	return f
}

func (r *reader) fields(n *node, s *shape, a raw) *fault.Fault {
	children, f := pointers(r.mem, a.children, len(n.children), "children")
	if f != nil {
		return f
	}
	if n.flat && s.nulls > 0 {
		return fault.New(fault.BadArray, "expected no nulls, got %d", s.nulls).At("validity")
	}
	skip, want := 0, all
	if n.flat {
		skip, want = s.offset, s.length
		s.offset = 0
	}
	s.children = r.objects.below(len(n.children))
	for i, c := range n.children {
		d, f := r.array(c, binary.LittleEndian.Uint32(children[i*4:]), skip, want)
		if f != nil {
			return f
		}
		if d.Len() < s.end() {
			return fault.New(fault.BadArray, "expected at least %d elements, got %d", s.end(), d.Len()).At("length").In("%s", c.name)
		}
		if f := requireNoNulls(c, d, s); f != nil {
			return f
		}
		s.children[i] = d
	}
	return nil
}

func (r *reader) dictionary(n *node, s *shape, a raw) *fault.Fault {
	if a.dictionary == 0 {
		return fault.New(fault.BadArray, "expected a dictionary, got a null pointer")
	}
	before := r.bytes
	d, f := r.array(n.dict, a.dictionary, 0, all)
	if f != nil {
		return f
	}
	s.dictSize = r.bytes - before
	if !n.nullable && d.NullN() > 0 {
		return fault.New(fault.BadArray, "expected no nulls, got %d", d.NullN()).At("validity").In("%s", n.dict.name)
	}
	s.dict = d
	return checkIndices(n.typ, s.buffers[1].Bytes(), s.validity, s.offset, s.length, d.Len())
}

// requireNoNulls checks a field that is declared without nulls. In a struct, only those elements count that a row of
// the struct has and where that is not null itself; below a null anything may lie.
func requireNoNulls(n *node, d *array.Data, parent *shape) *fault.Fault {
	if n.nullable || n.kind == kindNull || d.NullN() == 0 {
		return nil
	}
	f := fault.New(fault.BadArray, "expected no nulls, got %d", d.NullN()).At("validity")
	if parent != nil {
		f = checkMasked(d.Buffers()[0].Bytes(), d.Offset()+parent.offset, parent.validity, parent.offset, parent.length)
	}
	if f != nil {
		return f.In("%s", n.name)
	}
	return nil
}
