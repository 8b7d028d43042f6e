package admit

// bulkOp is a bulk operation that a helper does in chunks. Its operands are destination, source or value, and length,
// in bytes of memory or elements of a table.
type bulkOp struct {
	key   helperKey
	value ValueType // type of the second operand
	chunk uint32
	shift int64 // length to fuel
	// destination and source push the size of what they bound, as i64; source is nil for a fill
	destination, source func(a *asm)
}

// The operands as locals of a helper.
const (
	argDestination = 0
	argSource      = 1
	argLength      = 2
)

// refChunk is the elements that bulkChunk bytes hold, and refShift turns elements into fuel.
const (
	refChunk = bulkChunk / refBytes
	refShift = bulkShift - 3
)

// before returns the helper to call before a bulk operation that is small by what it works on: the helper takes the
// length, charges for it and gives it back.
func (h *helpers) before(in *instr) (uint64, bool) {
	switch in.op {
	case opMemoryInit:
		if h.m.data[in.x] <= bulkChunk {
			return h.charger(bulkChunk, bulkShift), true
		}
	case opTableFill:
		if h.smallTable(in.x) {
			return h.charger(refChunk, refShift), true
		}
	case opTableCopy:
		if h.smallTable(in.x) || h.smallTable(in.y) {
			return h.charger(refChunk, refShift), true
		}
	case opTableInit:
		if h.m.elements[in.x].items <= refChunk || h.smallTable(in.y) {
			return h.charger(refChunk, refShift), true
		}
	}
	return 0, false
}

// smallTable tells whether no operation on the table can be longer than a chunk without trapping: its size is its
// minimum for ever, since it is the module's own and nothing grows.
func (h *helpers) smallTable(t uint32) bool {
	return int(t) >= h.m.importedTables && h.m.tables[t].min <= refChunk
}

// charger returns the helper (length) -> (length) that charges for a length of at most chunk: what is longer traps.
func (h *helpers) charger(chunk uint32, shift int64) uint64 {
	k := helperKey{op: opNone, x: chunk}
	if f, ok := h.byKey[k]; ok {
		return f
	}
	a := &asm{}
	h.pay(a, func() {
		a.get(0).i32(chunk).get(0).i32(chunk).raw(opcodeLeU)
		a.raw(opSelect, opcodeExtendU).i64(shift).raw(opcodeShrU64)
	})
	a.get(0)
	return h.add(k, FuncType{[]ValueType{I32}, []ValueType{I32}}, a)
}

// charge returns the helper that charges its operand: a call makes no blocks of the code around it, of which functions
// with thousands of charges would have too many for the compiler.
func (h *helpers) charge() uint64 {
	k := helperKey{op: opNone, y: 1}
	if f, ok := h.byKey[k]; ok {
		return f
	}
	a := &asm{}
	h.pay(a, func() { a.get(0) })
	return h.add(k, FuncType{Params: []ValueType{I64}}, a)
}

// chargeLength writes a charge for the bytes that an i32 local holds.
func (h *helpers) chargeLength(out *[]byte, local uint64) {
	a := &asm{code: *out}
	h.pay(a, func() { a.wide(uint32(local)).i64(bulkShift).raw(opcodeShrU64) })
	*out = a.code
}

// instead returns the helper to call in place of an instruction.
func (h *helpers) instead(in *instr) uint64 {
	var op bulkOp
	switch in.op {
	case opMemoryGrow:
		return h.grow()
	case opMemoryFill, opMemoryCopy, opMemoryInit:
		op = h.memoryOp(in)
	default:
		op = h.tableOp(in)
	}
	if f, ok := h.byKey[op.key]; ok {
		return f
	}
	return h.add(op.key, FuncType{Params: []ValueType{I32, op.value, I32}}, h.chunked(op))
}

func (h *helpers) memoryOp(in *instr) bulkOp {
	size := func(a *asm) { a.raw(opMemorySize, 0, opcodeExtendU).i64(16).raw(opcodeShl64) }
	op := bulkOp{key: helperKey{op: in.op}, value: I32, chunk: bulkChunk, shift: bulkShift, destination: size}
	switch in.op {
	case opMemoryCopy:
		op.source = size
	case opMemoryInit:
		op.key.x = in.x
		op.source = func(a *asm) { a.i64(int64(h.m.data[in.x])) }
	}
	return op
}

func (h *helpers) tableOp(in *instr) bulkOp {
	x, y := in.x, in.y
	size := func(t uint32) func(a *asm) {
		return func(a *asm) { a.raw(0xfc).u(opTableSize-opFC, uint64(t)).raw(opcodeExtendU) }
	}
	op := bulkOp{key: helperKey{in.op, x, y}, value: I32, chunk: refChunk, shift: refShift, destination: size(x)}
	switch in.op {
	case opTableFill:
		op.key.y = 0
		op.value = h.m.tables[x].elem
	case opTableCopy:
		op.source = size(y)
	case opTableInit:
		op.destination = size(y)
		op.source = func(a *asm) { a.i64(int64(h.m.elements[x].items)) }
	}
	return op
}

// chunked writes a helper for op. What fits a chunk is charged and done at once. What is longer is checked first, as a
// whole: if it would trap, the operation itself is left to do so before it writes anything. Then each chunk is charged,
// the host gets to look at the clock, and the chunk is done. A copy to a higher address goes from the end, so that no
// chunk overwrites what a later one reads.
func (h *helpers) chunked(op bulkOp) *asm {
	a := &asm{}
	whole := func() { a.get(argDestination).get(argSource).get(argLength).bulk(op.key) }
	rest := func() {
		h.pay(a, func() { a.wide(argLength).i64(op.shift).raw(opcodeShrU64) })
		whole()
	}

	a.raw(opBlock, 0x40)
	a.get(argLength).i32(op.chunk).raw(opcodeGtU).u(opBrIf, 0)
	rest()
	a.raw(opReturn, opEnd)

	outside := func(arg uint32, size func(*asm)) {
		a.wide(arg).wide(argLength).raw(opcodeAdd64)
		size(a)
		a.raw(opcodeGtU64, opIf, 0x40)
		whole()
		a.raw(opUnreachable, opEnd)
	}
	outside(argDestination, op.destination)
	if op.source != nil {
		outside(argSource, op.source)
	}

	if op.key.op == opMemoryCopy || op.key.op == opTableCopy {
		a.get(argDestination).get(argSource).raw(opcodeGtU, opIf, 0x40)
		h.chunks(a, op, true)
		a.raw(opElse)
		h.chunks(a, op, false)
		a.raw(opEnd)
	} else {
		h.chunks(a, op, false)
	}
	rest()
	return a
}

// chunks writes the loop over whole chunks, which leaves at most a chunk in the operands.
func (h *helpers) chunks(a *asm, op bulkOp, fromEnd bool) {
	a.raw(opLoop, 0x40)
	a.global(opGlobalGet, h.fuel).i64(int64(op.chunk)>>op.shift).raw(opcodeSub64).global(opGlobalSet, h.fuel)
	a.call(h.refill)
	step := func(arg uint32, how byte) { a.get(arg).i32(op.chunk).raw(how).set(arg) }
	if fromEnd {
		step(argLength, opcodeSub)
		a.get(argDestination).get(argLength).raw(opcodeAdd)
		a.get(argSource).get(argLength).raw(opcodeAdd)
		a.i32(op.chunk).bulk(op.key)
	} else {
		a.get(argDestination).get(argSource).i32(op.chunk).bulk(op.key)
		step(argLength, opcodeSub)
		step(argDestination, opcodeAdd)
		if op.source != nil {
			step(argSource, opcodeAdd)
		}
	}
	a.get(argLength).i32(op.chunk).raw(opcodeGtU).u(opBrIf, 0)
	a.raw(opEnd)
}

// grow returns the helper for memory.grow, which charges for the pages it got: they will be zeroed and touched.
func (h *helpers) grow() uint64 {
	k := helperKey{op: opMemoryGrow}
	if f, ok := h.byKey[k]; ok {
		return f
	}
	const delta, result = 0, 1
	a := &asm{locals: 1, localType: I32}
	a.get(delta).raw(opMemoryGrow, 0).set(result)
	a.get(result).i32(0xffffffff).raw(opcodeI32Eq, opIf, 0x40)
	a.get(result).raw(opReturn, opEnd)
	h.pay(a, func() { a.wide(delta).i64(pageSize >> bulkShift).raw(opcodeMul64) })
	a.get(result)
	return h.add(k, FuncType{[]ValueType{I32}, []ValueType{I32}}, a)
}

// pay writes a charge of the i64 that amount pushes, and the call of the host when there is no fuel left.
func (h *helpers) pay(a *asm, amount func()) {
	a.raw(opBlock, 0x40).global(opGlobalGet, h.fuel)
	amount()
	a.raw(opcodeSub64)
	h.settle(&a.code)
	a.u(opBrIf, 0).call(h.refill).raw(opEnd)
}
