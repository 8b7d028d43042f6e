package admit

// asm writes the code of a helper.
type asm struct {
	code      []byte
	locals    int // locals beyond the parameters, all of localType
	localType ValueType
}

func (a *asm) raw(b ...byte) *asm { a.code = append(a.code, b...); return a }

func (a *asm) u(op byte, v uint64) *asm { a.code = appendU(append(a.code, op), v); return a }

func (a *asm) get(l uint32) *asm { return a.u(opLocalGet, uint64(l)) }
func (a *asm) set(l uint32) *asm { return a.u(opLocalSet, uint64(l)) }

func (a *asm) global(op byte, g uint64) *asm { return a.u(op, g) }
func (a *asm) call(f uint64) *asm            { return a.u(opCall, f) }

func (a *asm) i32(v uint32) *asm {
	a.code = appendS(append(a.code, opI32Const), int64(int32(v)))
	return a
}

func (a *asm) i64(v int64) *asm {
	a.code = appendS(append(a.code, opI64Const), v)
	return a
}

// wide pushes local l as an unsigned 64-bit number.
func (a *asm) wide(l uint32) *asm { return a.get(l).raw(opcodeExtendU) }

// bulk writes the bulk operation k.
func (a *asm) bulk(k helperKey) *asm {
	a.raw(0xfc).raw(byte(k.op - opFC))
	switch k.op {
	case opMemoryFill:
		return a.raw(0)
	case opMemoryCopy:
		return a.raw(0, 0)
	case opMemoryInit:
		a.code = append(appendU(a.code, uint64(k.x)), 0)
	case opTableFill:
		a.code = appendU(a.code, uint64(k.x))
	default: // table.init, table.copy
		a.code = appendU(appendU(a.code, uint64(k.x)), uint64(k.y))
	}
	return a
}

// Opcodes that only helpers use by name.
const (
	opcodeI32Eq   = 0x46
	opcodeLtU     = 0x49 // i32.lt_u
	opcodeGtU     = 0x4b // i32.gt_u
	opcodeLeU     = 0x4d // i32.le_u
	opcodeGtU64   = 0x56 // i64.gt_u
	opcodeGeS64   = 0x59 // i64.ge_s
	opcodeAdd     = 0x6a // i32.add
	opcodeSub     = 0x6b // i32.sub
	opcodeAdd64   = 0x7c
	opcodeSub64   = 0x7d
	opcodeMul64   = 0x7e
	opcodeShl64   = 0x86
	opcodeShrU64  = 0x88
	opcodeExtendU = 0xad // i64.extend_i32_u
)
