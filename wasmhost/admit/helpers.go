package admit

// helpers are the functions that the rewriter appends after a module's own. They are reached by the calls it writes
// and by nothing else: no table, export or index of the module's names them.
type helpers struct {
	m      *module
	fuel   uint64 // index of the fuel global
	host   uint64 // index of the imported out_of_fuel
	refill uint64 // index of the helper that calls it
	// typeHost is the index of the host function's type
	typeHost  uint64
	next      uint64 // index of the next helper
	byKey     map[helperKey]uint64
	code      [][]byte // bodies in the order of their indices
	funcTypes []uint64
	newTypes  [][]byte
	typeIndex map[string]uint64
}

// helperKey names a helper: the operation and its immediates, which are part of the code.
type helperKey struct {
	op   int
	x, y uint32
}

func newHelpers(m *module) *helpers {
	h := &helpers{m: m, byKey: map[helperKey]uint64{}, typeIndex: map[string]uint64{}}
	h.fuel = uint64(len(m.globals))
	h.host = uint64(m.importedFuncs)
	h.next = uint64(len(m.funcs)) + 1
	h.typeHost = h.funcType(FuncType{[]ValueType{I64}, []ValueType{I64}})
	var b asm
	b.global(opGlobalGet, h.fuel).call(h.host).global(opGlobalSet, h.fuel)
	h.refill = h.add(helperKey{op: opNone}, FuncType{}, &b)
	return h
}

// funcType returns the index of a type that is appended once.
func (h *helpers) funcType(t FuncType) uint64 {
	if i, ok := h.typeIndex[t.String()]; ok {
		return i
	}
	i := uint64(len(h.m.types) + len(h.newTypes))
	b := []byte{0x60}
	b = append(appendU(b, uint64(len(t.Params))), t.Params...)
	b = append(appendU(b, uint64(len(t.Results))), t.Results...)
	h.newTypes = append(h.newTypes, b)
	h.typeIndex[t.String()] = i
	return i
}

func (h *helpers) add(k helperKey, t FuncType, b *asm) uint64 {
	i := h.next
	h.next++
	h.byKey[k] = i
	body := []byte{0}
	if b.locals > 0 {
		body = append(appendU([]byte{1}, uint64(b.locals)), b.localType)
	}
	h.code = append(h.code, append(append(body, b.code...), opEnd))
	h.funcTypes = append(h.funcTypes, h.funcType(t))
	return i
}

// settle stores the fuel on the stack and leaves whether any is left.
func (h *helpers) settle(out *[]byte) {
	b := appendU(append(*out, opGlobalSet), h.fuel)
	b = appendU(append(b, opGlobalGet), h.fuel)
	*out = append(b, opI64Const, 0, opcodeGeS64)
}
