package admit

func (m *module) importSection(r *reader) {
	n := r.count(4, m.policy.Imports, "imports")
	for i := 0; i < n && r.bad == nil; i++ {
		at := r.p
		mod := r.name(m.policy.NameBytes, "bytes in an import name")
		name := r.name(m.policy.NameBytes, "bytes in an import name")
		kind := Kind(r.byte())
		if r.bad == nil && kind > Global {
			if kind == 4 {
				r.failAt(at, "exceptions are refused")
			}
			r.failAt(at, "import %s.%s is of unknown %v", quote(mod), quote(name), kind)
		}
		if r.bad != nil {
			return
		}
		a := m.policy.allowed(kind, mod, name)
		if a == nil {
			r.failAt(at, "import of %v %s.%s is not allowed", kind, quote(mod), quote(name))
			return
		}
		switch kind {
		case Func:
			t := m.typeIndex(r)
			if r.bad == nil && a.Type != nil && !a.Type.equal(m.types[t]) {
				r.failAt(at, "import %s.%s has type %v, the host's is %v", quote(mod), quote(name), m.types[t], a.Type)
			}
			m.funcs = append(m.funcs, t)
			m.importedFuncs++
		case Table:
			m.oneTable(r)
			m.importedTables++
		case Memory:
			m.oneMemory(r)
		case Global:
			m.globals = append(m.globals, m.globalType(r))
			m.importedGlobals++
		}
	}
	r.cap(m.sections[secImport].from, uint64(len(m.globals)), m.policy.Globals, "globals")
}

func (m *module) typeIndex(r *reader) uint32 {
	at := r.p
	t := r.u32()
	if r.bad == nil && int64(t) >= int64(len(m.types)) {
		r.failAt(at, "type %d, there are %d", t, len(m.types))
	}
	return t
}

func (m *module) functionSection(r *reader) {
	n := r.count(1, m.policy.Functions, "functions")
	for i := 0; i < n && r.bad == nil; i++ {
		m.funcs = append(m.funcs, m.typeIndex(r))
	}
}

// limitsOf reads minimum and maximum; a maximum below the minimum is refused.
func (m *module) limitsOf(r *reader) limits {
	at := r.p
	flags := r.byte()
	switch {
	case r.bad != nil:
		return limits{}
	case flags == 2 || flags == 3:
		r.failAt(at, "shared memories are refused: threads")
	case flags >= 4 && flags <= 7:
		r.failAt(at, "64-bit memories and tables are refused")
	case flags > 1:
		r.failAt(at, "limits with flags %#x", flags)
	}
	l := limits{min: r.u32(), bounded: flags == 1}
	if l.bounded {
		if l.max = r.u32(); r.bad == nil && l.max < l.min {
			r.failAt(at, "maximum %d is less than minimum %d", l.max, l.min)
		}
	}
	return l
}

func (m *module) oneTable(r *reader) {
	t := table{elem: r.refType()}
	at := r.p
	t.limits = m.limitsOf(r)
	if r.bad != nil {
		return
	}
	r.cap(at, uint64(max(t.min, t.max)), m.policy.TableElements, "elements in a table")
	m.tables = append(m.tables, t)
	r.cap(at, uint64(len(m.tables)), m.policy.Tables, "tables")
}

func (m *module) tableSection(r *reader) {
	n := r.count(3, m.policy.Tables, "tables")
	for i := 0; i < n && r.bad == nil; i++ {
		m.oneTable(r)
	}
}

func (m *module) oneMemory(r *reader) {
	at := r.p
	l := m.limitsOf(r)
	if r.bad != nil {
		return
	}
	if len(m.memories) > 0 {
		r.failAt(at, "a second memory is refused")
	}
	if l.max > 65536 || l.min > 65536 {
		r.failAt(at, "memory of %d pages, there are at most 65536", max(l.min, l.max))
	}
	r.cap(at, uint64(l.min), m.policy.MemoryPages, "pages of memory")
	m.memories = append(m.memories, l)
}

func (m *module) memorySection(r *reader) {
	n := r.count(2, 1<<20, "memories")
	for i := 0; i < n && r.bad == nil; i++ {
		m.oneMemory(r)
	}
}

func (m *module) globalType(r *reader) global {
	g := global{t: r.valueType()}
	at := r.p
	c := r.byte()
	if r.bad == nil && c > 1 {
		r.failAt(at, "mutability of a global is %d, expected 0 or 1", c)
	}
	g.mutable = c == 1
	return g
}

func (m *module) globalSection(r *reader) {
	at := r.p
	n := r.count(4, m.policy.Globals, "globals")
	r.cap(at, uint64(n+len(m.globals)), m.policy.Globals, "globals")
	m.markers()
	for i := 0; i < n && r.bad == nil; i++ {
		g := m.globalType(r)
		m.constant(r, g.t)
		m.globals = append(m.globals, g)
	}
}

// markers makes the per-function marks, once the number of functions is known.
func (m *module) markers() {
	if m.declared == nil {
		n := len(m.funcs)
		m.declared, m.taken, m.exported = make([]bool, n), make([]bool, n), make([]bool, n)
	}
}

func (m *module) exportSection(r *reader) {
	n := r.count(3, m.policy.Exports, "exports")
	m.markers()
	seen := make(map[string]struct{}, n)
	for i := 0; i < n && r.bad == nil; i++ {
		at := r.p
		name := r.name(m.policy.NameBytes, "bytes in an export name")
		kind := Kind(r.byte())
		index := r.u32()
		if r.bad != nil {
			return
		}
		if _, twice := seen[name]; twice {
			r.failAt(at, "export %s is there twice", quote(name))
		}
		seen[name] = struct{}{}
		if name == FuelGlobal {
			r.failAt(at, "export name %s belongs to the fuel rewriter", quote(name))
		}
		have := 0
		switch kind {
		case Func:
			have = len(m.funcs)
		case Table:
			have = len(m.tables)
		case Memory:
			have = len(m.memories)
		case Global:
			have = len(m.globals)
		default:
			r.failAt(at, "export %s is of unknown %v", quote(name), kind)
		}
		if r.bad == nil && int64(index) >= int64(have) {
			r.failAt(at, "export %s is %v %d, there are %d", quote(name), kind, index, have)
		}
		if kind == Func && r.bad == nil {
			m.exported[index], m.declared[index] = true, true
		}
	}
}

func (m *module) startSection(r *reader) {
	at := r.p
	f := m.functionIndex(r)
	if r.bad != nil {
		return
	}
	if t := m.functionType(f); len(t.Params)+len(t.Results) > 0 {
		r.failAt(at, "start function has type %v, expected () -> ()", t)
	}
	if !m.policy.StartFunction {
		r.failAt(at, "start function %d is refused: it would run before the guest has limits; export it as _initialize", f)
	}
	m.start = int(f)
}

func (m *module) functionIndex(r *reader) uint32 {
	at := r.p
	f := r.u32()
	if r.bad == nil && int64(f) >= int64(len(m.funcs)) {
		r.failAt(at, "function %d, there are %d", f, len(m.funcs))
	}
	return f
}

// constant reads a constant expression that must yield a value of type want.
func (m *module) constant(r *reader, want ValueType) {
	m.markers()
	var in instr
	r.next(&in, 0)
	if r.bad != nil {
		return
	}
	var got ValueType
	switch in.op {
	case opI32Const:
		got = I32
	case opI64Const:
		got = I64
	case opF32Const:
		got = F32
	case opF64Const:
		got = F64
	case opV128Const:
		got = V128
	case opRefNull:
		got = ValueType(in.x)
	case opRefFunc:
		if int64(in.x) >= int64(len(m.funcs)) {
			r.failAt(in.start, "function %d, there are %d", in.x, len(m.funcs))
			return
		}
		m.declared[in.x], m.taken[in.x] = true, true
		got = FuncRef
	case opGlobalGet:
		if int64(in.x) >= int64(m.importedGlobals) {
			r.failAt(in.start, "constant expression reads global %d, there are %d imported", in.x, m.importedGlobals)
			return
		}
		if m.globals[in.x].mutable {
			r.failAt(in.start, "constant expression reads global %d, which is mutable", in.x)
			return
		}
		got = m.globals[in.x].t
	default:
		r.failAt(in.start, "constant expression required: one constant of type %s", typeName(want))
		return
	}
	if got != want {
		r.failAt(in.start, "constant expression of type %s, expected %s", typeName(got), typeName(want))
		return
	}
	at := r.p
	if c := r.byte(); c != opEnd && r.bad == nil {
		r.failAt(at, "constant expression required: one constant of type %s, then end", typeName(want))
	}
}
