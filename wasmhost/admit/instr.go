package admit

// instr is one decoded instruction.
type instr struct {
	op    int
	start int // offset of its first byte
	x, y  uint32
	block int32 // block type: an index of a type, or a negative byte: blockEmpty, or a value type at offset at
	at    int   // offset of the immediate
	// known tells that the instruction before is the i32.const of length: what a bulk operation takes as its length
	known  bool
	length uint32
	// labels of a br_table, the default last; valid until the next instruction is read
	labels []uint32
}

// blockEmpty is the block type without parameters and results.
const blockEmpty = 0x40 - 0x80

// next decodes one instruction; r.bad tells whether there was one. The labels are kept in in's own storage, whose size
// is bounded by maxTargets.
func (r *reader) next(in *instr, maxTargets int) {
	in.known, in.length = in.op == opI32Const, in.x
	in.start = r.p
	b := r.byte()
	in.op = int(b)
	var sub uint32
	if b == 0xfc || b == 0xfd {
		sub = r.u32()
		switch {
		case sub > 0xff:
			in.op = opNone
		case b == 0xfc:
			in.op = opFC + int(sub)
		default:
			in.op = opFD + int(sub)
		}
	}
	in.at = r.p
	info := &ops[in.op]
	switch info.imm {
	case immNone:
	case immIndex, immLabel:
		in.x = r.u32()
	case immI32:
		in.x = uint32(r.signed(32))
	case immI64:
		r.signed(64)
	case immMem:
		r.memArg(in, info)
	case immBlock:
		r.blockType(in)
	case immIndices:
		in.x, in.y = r.u32(), r.u32()
	case immTargets:
		r.targets(in, maxTargets)
	case immTypes:
		if n := r.u32(); n != 1 {
			r.failAt(in.at, "select with %d types, expected 1", n)
		}
		in.x = uint32(r.valueType())
	case immRefType:
		in.x = uint32(r.refType())
	case immIdxZero:
		in.x = r.u32()
		r.zero()
	case immZeroZero:
		r.zero()
		r.zero()
	case immZero:
		r.zero()
	case imm4:
		r.bytes(4)
	case imm8:
		r.bytes(8)
	case imm16:
		r.lanes16(in)
	case immMemLane:
		r.memArg(in, info)
		r.lane(info.lanes)
	case immLane:
		r.lane(info.lanes)
	case immUnknown:
		r.unknown(in, b, sub)
	}
}

// opNone has no entry in ops.
const opNone = opFC + 0xff

func (r *reader) unknown(in *instr, b byte, sub uint32) {
	if r.bad != nil {
		return
	}
	if s := refusedOp(b, sub); s != "" {
		r.failAt(in.start, "%s", s)
		return
	}
	if b == 0xfc || b == 0xfd {
		r.failAt(in.start, "unknown instruction %#x %#x", b, sub)
		return
	}
	r.failAt(in.start, "unknown instruction %#x", b)
}

func (r *reader) zero() {
	at := r.p
	if c := r.byte(); c != 0 {
		r.failAt(at, "expected a zero byte, got %#x: a module has one memory", c)
	}
}

func (r *reader) memArg(in *instr, info *opInfo) {
	align := r.u32()
	if align > uint32(info.align) {
		r.failAt(in.at, "alignment 2**%d is greater than the natural 2**%d", align, info.align)
	}
	in.x = r.u32()
}

func (r *reader) lane(lanes uint8) {
	at := r.p
	if c := r.byte(); c >= lanes {
		r.failAt(at, "lane %d of %d", c, lanes)
	}
}

func (r *reader) lanes16(in *instr) {
	for _, c := range r.bytes(16) {
		if in.op == opShuffle && c >= 32 {
			r.failAt(in.at, "lane %d of 32", c)
		}
	}
}

func (r *reader) blockType(in *instr) {
	if r.p < r.end {
		if c := r.b[r.p]; c == 0x40 || isValueType(c) {
			r.p++
			in.block = int32(c) - 0x80
			return
		}
	}
	v := r.signed(33)
	if v < 0 || v > 1<<31-1 {
		r.failAt(in.at, "block type %d is not a type", v)
		return
	}
	in.block = int32(v)
}

func (r *reader) targets(in *instr, most int) {
	n := r.count(1, most, "targets of a br_table")
	in.labels = in.labels[:0]
	for range n + 1 {
		in.labels = append(in.labels, r.u32())
	}
}

func (r *reader) valueType() ValueType {
	at := r.p
	c := r.byte()
	if r.bad == nil && !isValueType(c) {
		r.failAt(at, "%s is not a value type", typeName(c))
	}
	return c
}

func (r *reader) refType() ValueType {
	at := r.p
	c := r.byte()
	if r.bad == nil && !isRef(c) {
		r.failAt(at, "%s is not a reference type", typeName(c))
	}
	return c
}
