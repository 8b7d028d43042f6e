package admit

// A table that never changes need not be filled when an instance is made: wazero makes an object of 32 bytes and more for each of its elements, of which
// CPython has 4,500 and a guest uses a few hundred. Under [Policy.LazyTables] the table starts empty, and what calls through it fills in
// an element first if it is null.

// lazyTable returns the function of each element of the module's table, moved, -1 for null. It is nil where the table has to be filled at the start: when there
// is not exactly one, when somebody else can see it, or when its elements are not constant.
func (m *module) lazyTable() []int64 {
	if !m.policy.LazyTables || !m.policy.Images || len(m.tables) != 1 || m.importedTables > 0 || m.tables[0].elem != FuncRef || m.tableSeen {
		return nil
	}
	n, b := m.items(secExport)
	for r := m.readItems(secExport, b); n > 0; n-- {
		r.bytes(r.u32())
		if Kind(r.byte()) == Table {
			return nil
		}
		r.u32()
	}
	entries := make([]int64, m.tables[0].min)
	for i := range entries {
		entries[i] = -1
	}
	n, b = m.items(secElement)
	for r := m.readItems(secElement, b); n > 0; n-- {
		var at instr
		if r.u32() != 0 {
			return nil
		}
		r.next(&at, 0)
		r.byte() // end
		items := r.u32()
		if at.op != opI32Const || uint64(at.x)+uint64(items) > uint64(len(entries)) {
			return nil // in the latter case the start fails
		}
		for k := range items {
			entries[at.x+k] = int64(m.shifted(r.u32()))
		}
	}
	return entries
}

// lazyLeaves is how many elements one helper fills in, so that no helper is large.
const lazyLeaves = 64

// resolver returns the helper (element) that fills in an element of the table.
func (h *helpers) resolver(entries []int64) uint64 {
	k := helperKey{op: opCallIndirect}
	if f, ok := h.byKey[k]; ok {
		return f
	}
	t := FuncType{Params: []ValueType{I32}}
	var groups []uint64
	for from := 0; from < len(entries); from += lazyLeaves {
		part := entries[from:min(from+lazyLeaves, len(entries))]
		a := &asm{}
		a.search(from, from+len(part), 1, func(i int) {
			if f := entries[i]; f >= 0 {
				a.i32(uint32(i)).u(opRefFunc, uint64(f)).u(opTableSet, 0)
			}
		})
		groups = append(groups, h.add(helperKey{op: opCallIndirect, x: uint32(len(groups)), y: 1}, t, a))
	}
	a := &asm{}
	if len(groups) > 0 {
		a.search(0, len(groups), lazyLeaves, func(i int) { a.get(0).call(groups[i]) })
	}
	return h.add(k, t, a)
}

// search writes a binary search for the number in local 0, divided by unit, in from..to, and what to do at each.
func (a *asm) search(from, to, unit int, leaf func(int)) {
	if to-from == 1 {
		leaf(from)
		return
	}
	middle := (from + to) / 2
	a.get(0).i32(uint32(middle*unit)).raw(opcodeLtU, opIf, 0x40)
	a.search(from, middle, unit, leaf)
	a.raw(opElse)
	a.search(middle, to, unit, leaf)
	a.raw(opEnd)
}

// callIndirect fills in the element to be called. One outside of the table traps at table.get as it would at the call.
func (e *emitter) callIndirect() {
	e.flush(e.in.start)
	e.u(opLocalTee, e.scratch)
	e.u(opTableGet, 0)
	e.put(opRefIsNull, opIf, 0x40)
	e.u(opLocalGet, e.scratch)
	e.u(opCall, e.h.resolver(e.m.lazy))
	e.put(opEnd)
	e.u(opLocalGet, e.scratch)
}

// lazyElements declares what the helpers refer to, in a segment that takes nothing when an instance is made.
func (m *module) lazyElements() []byte {
	var functions []byte
	n := uint64(0)
	for _, f := range m.lazy {
		if f >= 0 {
			functions = appendU(functions, uint64(f))
			n++
		}
	}
	out := appendU([]byte{1, elemNotActive | elemExplicit, 0}, n)
	return append(out, functions...)
}
