package admit

// helpersOut returns the helpers' bodies with their sizes.
func (m *module) helpersOut(h *helpers) []byte {
	var out []byte
	for _, c := range h.code {
		out = append(appendU(out, uint64(len(c))), c...)
	}
	return out
}

// constantOut copies a constant expression, moving a function's index.
func (m *module) constantOut(r *reader, out []byte) []byte {
	var in instr
	from := r.p
	r.next(&in, 0)
	if in.op == opRefFunc {
		out = appendU(append(out, opRefFunc), m.shifted(in.x))
		from = r.p
	}
	r.byte() // end
	return append(out, m.wasm[from:r.p]...)
}

// globalsOut appends the fuel after the module's own globals. It starts at 0, so that the first charge asks the host.
func (m *module) globalsOut() []byte {
	n, b := m.items(secGlobal)
	out := appendU(nil, uint64(n+1))
	r := m.readItems(secGlobal, b)
	for range n {
		out = append(out, r.bytes(2)...)
		out = m.constantOut(r, out)
	}
	return append(out, I64, 1, opI64Const, 0, opEnd)
}

// readItems returns a reader over the bytes that items gave.
func (m *module) readItems(id byte, b []byte) *reader {
	end := m.sections[id].to
	return &reader{b: m.wasm, p: end - len(b), end: end}
}

func (m *module) exportsOut(h *helpers) []byte {
	n, b := m.items(secExport)
	out := appendU(nil, uint64(n+1))
	r := m.readItems(secExport, b)
	for range n {
		from := r.p
		r.bytes(r.u32())
		kind := Kind(r.byte())
		out = append(out, m.wasm[from:r.p]...)
		index := r.u32()
		if kind == Func {
			out = appendU(out, m.shifted(index))
		} else {
			out = appendU(out, uint64(index))
		}
	}
	out = append(appendU(out, uint64(len(FuelGlobal))), FuelGlobal...)
	return appendU(append(out, byte(Global)), h.fuel)
}

func (m *module) elementsOut() []byte {
	n, b := m.items(secElement)
	out := appendU(nil, uint64(n))
	r := m.readItems(secElement, b)
	for range n {
		flags := r.u32()
		out = appendU(out, uint64(flags))
		if flags&elemNotActive == 0 {
			if flags&elemExplicit != 0 {
				out = appendU(out, uint64(r.u32()))
			}
			out = m.constantOut(r, out)
		}
		if flags&(elemNotActive|elemExplicit) != 0 {
			out = append(out, r.byte())
		}
		items := r.u32()
		out = appendU(out, uint64(items))
		for range items {
			if flags&elemExprs != 0 {
				out = m.constantOut(r, out)
			} else {
				out = appendU(out, m.shifted(r.u32()))
			}
		}
	}
	return out
}
