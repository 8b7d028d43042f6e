package admit

// reference checks what deals with references, tables and segments.
func (b *body) reference() {
	in, m := &b.in, b.m
	if m.policy.Images && changesTables(in.op) {
		b.r.failAt(in.start, "an instruction that changes a table is refused: the guest shall be imaged")
		return
	}
	switch in.op {
	case opRefNull:
		b.put(ValueType(in.x))
	case opRefIsNull:
		if t := b.take(anyType); t != anyType && !isRef(t) {
			b.r.failAt(in.start, "expected a reference on the operand stack, got %s", typeName(t))
		}
		b.put(I32)
	case opRefFunc:
		if !b.index(in.x, len(m.funcs), "function") {
			return
		}
		if !m.declared[in.x] {
			b.r.failAt(in.start, "reference to function %d, which no element segment, export or global declares", in.x)
			return
		}
		m.taken[in.x] = true
		b.put(FuncRef)
	case opTableInit, opElemDrop:
		if !b.index(in.x, len(m.elements), "element segment") {
			return
		}
		if in.op == opElemDrop || !b.index(in.y, len(m.tables), "table") {
			return
		}
		b.sameType(m.tables[in.y].elem, m.elements[in.x].elem)
		b.takeI32s(3)
	case opTableCopy:
		if b.index(in.x, len(m.tables), "table") && b.index(in.y, len(m.tables), "table") {
			b.sameType(m.tables[in.x].elem, m.tables[in.y].elem)
			b.takeI32s(3)
		}
	case opDataDrop:
		b.segment()
	default:
		b.table()
	}
}

// changesTables tells whether an instruction changes a table or an element segment.
func changesTables(op int) bool {
	switch op {
	case opTableSet, opTableFill, opTableCopy, opTableInit, opElemDrop:
		return true
	}
	return false
}

// table checks the instructions that name one table.
func (b *body) table() {
	in := &b.in
	if !b.index(in.x, len(b.m.tables), "table") {
		return
	}
	elem := b.m.tables[in.x].elem
	switch in.op {
	case opTableGet:
		b.m.tableSeen = true
		b.take(I32)
		b.put(elem)
	case opTableSet:
		b.take(elem)
		b.take(I32)
	case opTableSize:
		b.put(I32)
	case opTableFill:
		b.take(I32)
		b.take(elem)
		b.take(I32)
	default:
		b.r.failAt(in.start, "unknown instruction %#x", in.op)
	}
}

func (b *body) sameType(into, from ValueType) {
	if into != from {
		b.r.failAt(b.in.start, "elements of %s into a table of %s", typeName(from), typeName(into))
	}
}

// segment checks the data segment that an instruction names; there must be a data count section before the code.
func (b *body) segment() bool {
	if b.m.dataCount < 0 {
		b.r.failAt(b.in.start, "data segment %d is named, but there is no data count section", b.in.x)
		return false
	}
	return b.index(b.in.x, b.m.dataCount, "data segment")
}
