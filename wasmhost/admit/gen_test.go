package admit

import (
	"encoding/binary"
	"math/rand/v2"
)

// generator writes random modules that are valid and end: loops count down a local that nothing else writes, and
// functions call only functions after them. Everything else is free to trap.
type generator struct {
	r     *rand.Rand
	code  []byte
	fn    int
	types []FuncType // the functions'
	depth int
	loops int // counters in use
	left  int // statements left to write
}

// The locals of every function after its parameters: two of each type, then counters.
var genTypes = []ValueType{I32, I64, F32, F64, V128}

const (
	genPages    = 40
	genCounters = 8
	genData     = 300
)

var genFuncTypes = []FuncType{
	{[]ValueType{I32, I64}, []ValueType{I64}},
	{[]ValueType{I32, I64}, []ValueType{I32}},
	{nil, []ValueType{I32, I64}},
	{[]ValueType{F64, I32}, nil},
	{[]ValueType{I32}, []ValueType{I32}}, // the type of loops with parameters
}

// generate returns a module that exports "f" (i32, i64) -> i64, "memory", and globals "g0" and "g1".
func generate(seed uint64) []byte {
	g := &generator{r: rand.New(rand.NewPCG(seed, 1))}
	n := 2 + g.r.IntN(5)
	g.types = []FuncType{genFuncTypes[0]}
	for len(g.types) < n {
		g.types = append(g.types, genFuncTypes[g.r.IntN(len(genFuncTypes))])
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, b []byte) { out = append(appendU(append(out, id), uint64(len(b))), b...) }
	types, funcs, elems := []byte{byte(len(genFuncTypes))}, []byte{byte(n)}, []byte{2, 0, opI32Const, 0, opEnd, byte(n)}
	for _, t := range genFuncTypes {
		types = append(append(types, 0x60, byte(len(t.Params))), t.Params...)
		types = append(append(types, byte(len(t.Results))), t.Results...)
	}
	code := []byte{byte(n)}
	for i, t := range g.types {
		for k, u := range genFuncTypes {
			if t.equal(u) {
				funcs = append(funcs, byte(k))
			}
		}
		elems = append(elems, byte(i))
		body := g.function(i)
		code = append(appendU(code, uint64(len(body))), body...)
	}
	section(secType, types)
	section(secFunction, funcs)
	section(secTable, []byte{2, FuncRef, 0, 16, ExternRef, 0, 20})
	section(secMemory, []byte{1, 1, genPages, genPages + 4})
	section(secGlobal, []byte{2, I32, 1, opI32Const, 7, opEnd, I64, 1, opI64Const, 9, opEnd})
	section(secExport, []byte("\x04\x01f\x00\x00\x06memory\x02\x00\x02g0\x03\x00\x02g1\x03\x01"))
	section(secElement, append(elems, 1, 0, 2, 0, 0)) // the second segment is passive
	section(secDataCount, []byte{1})
	section(secCode, code)
	data := append([]byte{1, 1}, appendU(nil, genData)...)
	for i := range genData {
		data = append(data, byte(i))
	}
	section(secData, data)
	return out
}

func (g *generator) function(i int) []byte {
	g.fn, g.code, g.loops, g.depth, g.left = i, nil, 0, 0, 25
	for range 2 + g.r.IntN(6) {
		g.statement()
	}
	for _, t := range g.types[i].Results {
		g.value(t)
	}
	body := []byte{byte(len(genTypes) + 1)}
	for _, t := range genTypes {
		body = append(body, 2, t)
	}
	body = append(body, genCounters, I32)
	return append(append(body, g.code...), opEnd)
}

func (g *generator) put(b ...byte) { g.code = append(g.code, b...) }
func (g *generator) i32(v int32)   { g.code = appendS(append(g.code, opI32Const), int64(v)) }

// local returns the index of a local of a type.
func (g *generator) local(t ValueType) byte {
	for i, u := range genTypes {
		if u == t {
			return byte(len(g.types[g.fn].Params) + 2*i + g.r.IntN(2))
		}
	}
	panic("no local of " + typeName(t))
}

func (g *generator) counter(i int) byte {
	return byte(len(g.types[g.fn].Params) + 2*len(genTypes) + i)
}

// value writes code for one value.
func (g *generator) value(t ValueType) {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 5 || g.r.IntN(4) == 0 {
		if g.r.IntN(3) > 0 {
			g.put(opLocalGet, g.local(t))
			return
		}
		g.constant(t)
		return
	}
	switch g.r.IntN(8) {
	case 0:
		g.value(t)
		g.value(t)
		g.value(I32)
		g.put(opSelect)
	case 1:
		if t != V128 && (t == I32 || t == I64) {
			g.value(I32)
			g.put(opIf, t)
			g.value(t)
			g.put(opElse)
			g.value(t)
			g.put(opEnd)
			return
		}
		fallthrough
	default:
		g.operator(t)
	}
}

func (g *generator) constant(t ValueType) {
	bits := g.r.Uint64() >> g.r.IntN(64)
	switch t {
	case I32:
		g.i32(int32(bits))
	case I64:
		g.code = appendS(append(g.code, opI64Const), int64(bits))
	case F32:
		g.code = binary.LittleEndian.AppendUint32(append(g.code, opF32Const), uint32(bits)&0x7f7fffff)
	case F64:
		g.code = binary.LittleEndian.AppendUint64(append(g.code, opF64Const), bits&0x7fefffffffffffff)
	case V128:
		g.code = binary.LittleEndian.AppendUint64(append(g.code, 0xfd, 12), bits)
		g.code = binary.LittleEndian.AppendUint64(g.code, ^bits)
	}
}

// operator writes a random instruction of opcodes' table that yields t.
func (g *generator) operator(t ValueType) {
	for {
		op := g.r.IntN(len(ops))
		info := &ops[op]
		if !info.plain || info.out != t || op == opMemoryGrow && g.r.IntN(8) > 0 {
			continue
		}
		// NaNs have no one pattern, so numbers do not come from floats bit by bit, nor from memory holding them
		for i := range int(info.ins) {
			g.value(info.in[i])
			if info.imm == immMem && i == 0 || info.imm == immMemLane && i == 0 {
				g.i32(0x1fffff)
				g.put(opcodeAnd)
			}
		}
		g.opcode(op)
		switch info.imm {
		case immNone:
		case immI32, immI64, imm4, imm8, imm16:
			g.code = g.code[:len(g.code)-len(opcodeBytes(op))]
			g.immediate(op, t)
		case immMem:
			g.put(0, byte(g.r.IntN(100)))
		case immMemLane:
			g.put(0, byte(g.r.IntN(100)), byte(g.r.IntN(int(info.lanes))))
		case immLane:
			g.put(byte(g.r.IntN(int(info.lanes))))
		case immZero:
			g.put(0)
		}
		return
	}
}

func (g *generator) immediate(op int, t ValueType) {
	if op == opShuffle {
		g.opcode(op)
		for range 16 {
			g.put(byte(g.r.IntN(32)))
		}
		return
	}
	g.constant(t)
}

func opcodeBytes(op int) []byte {
	switch {
	case op >= opFD:
		return appendU([]byte{0xfd}, uint64(op-opFD))
	case op >= opFC:
		return appendU([]byte{0xfc}, uint64(op-opFC))
	}
	return []byte{byte(op)}
}

func (g *generator) opcode(op int) { g.put(opcodeBytes(op)...) }

const opcodeAnd = 0x71 // i32.and
