package admit

// An op is an opcode in one number: the byte itself, opFC plus the number after 0xfc, or opFD plus the one after 0xfd.
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectT      = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2

	opFC         = 0x100
	opMemoryInit = opFC + 8
	opDataDrop   = opFC + 9
	opMemoryCopy = opFC + 10
	opMemoryFill = opFC + 11
	opTableInit  = opFC + 12
	opElemDrop   = opFC + 13
	opTableCopy  = opFC + 14
	opTableGrow  = opFC + 15
	opTableSize  = opFC + 16
	opTableFill  = opFC + 17

	opFD        = 0x200
	opV128Const = opFD + 12
	opShuffle   = opFD + 13
)

// immediate says what follows an opcode.
type immediate uint8

const (
	immUnknown  immediate = iota // no such opcode, or one that is refused
	immNone                      //
	immBlock                     // block type
	immLabel                     // label
	immTargets                   // vector of labels, default label
	immIndex                     // one index
	immIndices                   // two indices
	immTypes                     // vector of value types, of one
	immRefType                   // reference type
	immZero                      // a zero byte
	immZeroZero                  // two zero bytes
	immIdxZero                   // an index and a zero byte
	immI32                       //
	immI64                       //
	imm4                         // four bytes
	imm8                         // eight bytes
	imm16                        // sixteen bytes
	immMem                       // alignment and offset
	immMemLane                   // alignment, offset and lane
	immLane                      // lane
)

// opInfo describes an opcode. What has a signature that depends on nothing else is validated from in and out alone.
type opInfo struct {
	imm   immediate
	plain bool      // in and out say it all
	align uint8     // natural alignment of an access to memory, as a power of two
	lanes uint8     // lanes of a vector, for lane immediates
	cost  uint8     // weight under the fuel rule
	ins   uint8     // number of operands
	in    [3]uint8  // operands, the deepest first
	out   ValueType // result, 0 for none
}

// ops describes every opcode admitted; it is never written to.
var ops = buildOps()

type opTable [0x300]opInfo

func (t *opTable) control(imm immediate, cost uint8, list ...int) {
	for _, op := range list {
		t[op] = opInfo{imm: imm, cost: cost}
	}
}

// op sets the opcodes from to to, both included, to one signature.
func (t *opTable) op(from, to int, out ValueType, in ...ValueType) {
	for op := from; op <= to; op++ {
		i := opInfo{imm: immNone, plain: true, cost: 1, ins: uint8(len(in)), out: out}
		copy(i.in[:], in)
		t[op] = i
	}
}

func (t *opTable) mem(op int, align uint8, out ValueType, in ...ValueType) {
	t.op(op, op, out, in...)
	t[op].imm, t[op].align = immMem, align
}

func buildOps() *opTable {
	t := new(opTable)
	t.control(immNone, 0, opNop, opElse, opEnd)
	t.control(immBlock, 0, opBlock, opLoop)
	t.control(immBlock, 1, opIf)
	t.control(immNone, 1, opUnreachable, opReturn, opDrop, opSelect, opRefIsNull)
	t.control(immLabel, 1, opBr, opBrIf)
	t.control(immTargets, 1, opBrTable)
	t.control(immIndex, costCall, opCall)
	t.control(immIndices, costCallIndirect, opCallIndirect)
	t.control(immTypes, 1, opSelectT)
	t.control(immIndex, 1, opLocalGet, opLocalSet, opLocalTee, opGlobalGet, opGlobalSet, opTableGet, opTableSet)
	t.control(immRefType, 1, opRefNull)
	t.control(immIndex, costBuiltin, opRefFunc)

	for i, l := range [...]struct {
		t     ValueType
		align uint8
	}{
		{I32, 2}, {I64, 3}, {F32, 2}, {F64, 3}, {I32, 0}, {I32, 0}, {I32, 1}, {I32, 1},
		{I64, 0}, {I64, 0}, {I64, 1}, {I64, 1}, {I64, 2}, {I64, 2},
	} {
		t.mem(0x28+i, l.align, l.t, I32)
	}
	for i, s := range [...]struct {
		t     ValueType
		align uint8
	}{{I32, 2}, {I64, 3}, {F32, 2}, {F64, 3}, {I32, 0}, {I32, 1}, {I64, 0}, {I64, 1}, {I64, 2}} {
		t.mem(0x36+i, s.align, 0, I32, s.t)
	}
	t.op(opMemorySize, opMemorySize, I32)
	t[opMemorySize].imm = immZero
	t.op(opMemoryGrow, opMemoryGrow, I32, I32)
	t[opMemoryGrow].imm, t[opMemoryGrow].cost = immZero, costBuiltin

	t.op(opI32Const, opI32Const, I32)
	t.op(opI64Const, opI64Const, I64)
	t.op(opF32Const, opF32Const, F32)
	t.op(opF64Const, opF64Const, F64)
	t[opI32Const].imm, t[opI64Const].imm, t[opF32Const].imm, t[opF64Const].imm = immI32, immI64, imm4, imm8
	t.op(0x45, 0x45, I32, I32)      // i32.eqz
	t.op(0x46, 0x4f, I32, I32, I32) // i32 comparisons
	t.op(0x50, 0x50, I32, I64)      // i64.eqz
	t.op(0x51, 0x5a, I32, I64, I64)
	t.op(0x5b, 0x60, I32, F32, F32)
	t.op(0x61, 0x66, I32, F64, F64)
	t.op(0x67, 0x69, I32, I32) // i32.clz, ctz, popcnt
	t.op(0x6a, 0x78, I32, I32, I32)
	t.op(0x79, 0x7b, I64, I64)
	t.op(0x7c, 0x8a, I64, I64, I64)
	t.op(0x8b, 0x91, F32, F32)
	t.op(0x92, 0x98, F32, F32, F32)
	t.op(0x99, 0x9f, F64, F64)
	t.op(0xa0, 0xa6, F64, F64, F64)
	t.op(0xa7, 0xa7, I32, I64) // i32.wrap_i64
	t.op(0xa8, 0xa9, I32, F32)
	t.op(0xaa, 0xab, I32, F64)
	t.op(0xac, 0xad, I64, I32)
	t.op(0xae, 0xaf, I64, F32)
	t.op(0xb0, 0xb1, I64, F64)
	t.op(0xb2, 0xb3, F32, I32)
	t.op(0xb4, 0xb5, F32, I64)
	t.op(0xb6, 0xb6, F32, F64)
	t.op(0xb7, 0xb8, F64, I32)
	t.op(0xb9, 0xba, F64, I64)
	t.op(0xbb, 0xbb, F64, F32)
	t.op(0xbc, 0xbc, I32, F32) // reinterpretations
	t.op(0xbd, 0xbd, I64, F64)
	t.op(0xbe, 0xbe, F32, I32)
	t.op(0xbf, 0xbf, F64, I64)
	t.op(0xc0, 0xc1, I32, I32) // sign extensions
	t.op(0xc2, 0xc4, I64, I64)
	t.op(opFC+0, opFC+1, I32, F32) // saturating truncations
	t.op(opFC+2, opFC+3, I32, F64)
	t.op(opFC+4, opFC+5, I64, F32)
	t.op(opFC+6, opFC+7, I64, F64)

	t.op(opMemoryInit, opMemoryInit, 0, I32, I32, I32)
	t.op(opMemoryCopy, opMemoryFill, 0, I32, I32, I32)
	t[opMemoryInit].imm, t[opMemoryCopy].imm, t[opMemoryFill].imm = immIdxZero, immZeroZero, immZero
	t.control(immIndex, 1, opDataDrop, opElemDrop, opTableSize, opTableFill)
	t.control(immIndices, 1, opTableInit, opTableCopy)
	for _, op := range [...]int{opMemoryInit, opMemoryCopy, opMemoryFill, opTableInit, opTableCopy, opTableFill} {
		t[op].cost = costBulk
	}
	for _, op := range [...]int{0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82, 0x91, 0x95, 0x9f, 0xa3} {
		t[op].cost = costDiv
	}
	t.simd()
	return t
}
