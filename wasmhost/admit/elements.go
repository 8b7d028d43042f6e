package admit

// The bits of an element segment's flags.
const (
	elemNotActive = 1 // passive, or declarative with elemExplicit
	elemExplicit  = 2 // active: states its table
	elemExprs     = 4 // items are expressions, else function indices
)

func (m *module) elementSection(r *reader) {
	n := r.count(2, m.policy.Elements, "element segments")
	m.elements = make([]element, 0, n)
	total := 0
	m.markers()
	for i := 0; i < n && r.bad == nil; i++ {
		at := r.p
		flags := r.u32()
		if flags > 7 {
			r.failAt(at, "element segment with flags %d", flags)
			return
		}
		e := element{elem: FuncRef}
		var into *table
		if flags&elemNotActive == 0 {
			into = m.elementTable(r, flags)
		}
		if flags&(elemNotActive|elemExplicit) != 0 {
			e.elem = m.elementType(r, flags)
		}
		if into != nil && into.elem != e.elem && r.bad == nil {
			r.failAt(at, "element segment of %s for a table of %s", typeName(e.elem), typeName(into.elem))
		}
		at = r.p
		items := r.count(1, m.policy.ElementItems, "references in element segments")
		total += items
		r.cap(at, uint64(total), m.policy.ElementItems, "references in element segments")
		for k := 0; k < items && r.bad == nil; k++ {
			if flags&elemExprs != 0 {
				m.constant(r, e.elem)
			} else if f := m.functionIndex(r); r.bad == nil {
				m.declared[f], m.taken[f] = true, true
			}
		}
		e.items = uint32(items)
		m.elements = append(m.elements, e)
	}
}

// elementTable reads the table and offset of an active segment.
func (m *module) elementTable(r *reader, flags uint32) *table {
	at, t := r.p, uint32(0)
	if flags&elemExplicit != 0 {
		t = r.u32()
	}
	if r.bad == nil && int64(t) >= int64(len(m.tables)) {
		r.failAt(at, "element segment for table %d, there are %d", t, len(m.tables))
	}
	m.constant(r, I32)
	if r.bad != nil {
		return nil
	}
	return &m.tables[t]
}

func (m *module) elementType(r *reader, flags uint32) ValueType {
	if flags&elemExprs != 0 {
		return r.refType()
	}
	at := r.p
	if c := r.byte(); c != 0 && r.bad == nil {
		r.failAt(at, "element kind %#x, expected 0x00", c)
	}
	return FuncRef
}
