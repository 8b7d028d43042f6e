package admit

import "slices"

// The sections by number.
const (
	secCustom = iota
	secType
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
	secDataCount
	numSections
)

// sectionRank gives the order in which sections must come; the data count stands between elements and code.
var sectionRank = [numSections]uint8{
	secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6, secExport: 7, secStart: 8,
	secElement: 9, secDataCount: 10, secCode: 11, secData: 12,
}

var sectionName = [numSections]string{"custom", "type", "import", "function", "table", "memory", "global", "export",
	"start", "element", "code", "data", "data count"}

// span is a range of bytes in the module; the zero span stands for what is absent.
type span struct{ from, to int }

type limits struct {
	min     uint32
	max     uint32
	bounded bool // max is stated
}

type table struct {
	elem ValueType
	limits
}

type global struct {
	t       ValueType
	mutable bool
}

type element struct {
	elem  ValueType
	items uint32
}

// module is what the decoder knows of a module. Slices are bounded by the policy's caps and by the module's length.
type module struct {
	wasm   []byte
	policy *Policy

	types    []FuncType
	funcs    []uint32 // type index per function, imports first
	tables   []table
	memories []limits
	globals  []global
	elements []element
	data     []uint32 // bytes per data segment, known once the data section is read

	importedFuncs, importedGlobals, importedTables int

	dataCount int     // -1 when there is no data count section
	start     int     // -1 when there is none
	declared  []bool  // functions that bodies may take references of
	taken     []bool  // functions that a table or a reference can reach
	exported  []bool  // functions that the host can call
	tableSeen bool    // code reads the table
	lazy      []int64 // see lazyTable; nil when the table is filled at the start
	sections  [numSections]span
	bodies    []span // per own function: local declarations, code and final end
	names     span   // the name section's payload after its name, of the last one
}

// decode reads and validates everything but the bodies of functions, whose spans it collects.
func decode(wasm []byte, p *Policy) (*module, *Refusal) {
	m := &module{wasm: wasm, policy: p, dataCount: -1, start: -1}
	r := &reader{b: wasm, end: len(wasm)}
	if !r.cap(0, uint64(len(wasm)), p.ModuleBytes, "bytes in the module") {
		return m, r.bad
	}
	if len(wasm) < 8 || string(wasm[:4]) != "\x00asm" {
		r.fail("not a WebAssembly module: it does not start with \\0asm")
		return m, r.bad
	}
	if string(wasm[4:8]) != "\x01\x00\x00\x00" {
		r.failAt(4, "WebAssembly version % x, expected 01 00 00 00 (a component is not a module)", wasm[4:8])
		return m, r.bad
	}
	r.p = 8
	rank := uint8(0)
	for r.more() {
		m.section(r, &rank)
	}
	if r.bad != nil {
		return m, r.bad
	}
	r.p = len(wasm)
	if n := len(m.funcs) - m.importedFuncs; n != len(m.bodies) {
		r.fail("%d functions declared, %d bodies", n, len(m.bodies))
	}
	if m.dataCount >= 0 && m.dataCount != len(m.data) {
		r.fail("data count is %d, there are %d data segments", m.dataCount, len(m.data))
	}
	return m, r.bad
}

// section reads one section and checks that it ends where it says.
func (m *module) section(r *reader, rank *uint8) {
	at := r.p
	id := r.byte()
	size := r.u32()
	if uint64(size) > uint64(r.end-r.p) {
		r.failAt(at, "section of %d bytes, %d left", size, r.end-r.p)
		return
	}
	s := reader{b: r.b, p: r.p, end: r.p + int(size)}
	if id == secCustom {
		m.custom(&s)
	} else if id >= numSections {
		if id == 13 {
			s.failAt(at, "exceptions are refused")
		}
		s.failAt(at, "unknown section %d", id)
	} else if sectionRank[id] <= *rank {
		s.failAt(at, "section %s is out of order or there twice", sectionName[id])
	} else {
		*rank = sectionRank[id]
		m.sections[id] = span{s.p, s.end}
		m.content(&s, id)
		if s.bad == nil && s.more() {
			s.fail("section %s has %d bytes too many", sectionName[id], s.end-s.p)
		}
	}
	r.p += int(size)
	if s.bad != nil {
		r.bad, r.p = s.bad, r.end
	}
}

func (m *module) content(r *reader, id byte) {
	switch id {
	case secType:
		m.typeSection(r)
	case secImport:
		m.importSection(r)
	case secFunction:
		m.functionSection(r)
	case secTable:
		m.tableSection(r)
	case secMemory:
		m.memorySection(r)
	case secGlobal:
		m.globalSection(r)
	case secExport:
		m.exportSection(r)
	case secStart:
		m.startSection(r)
	case secElement:
		m.elementSection(r)
	case secDataCount:
		n := r.u32()
		r.cap(m.sections[secDataCount].from, uint64(n), m.policy.DataSegments, "data segments")
		m.dataCount = int(n)
	case secCode:
		m.codeSection(r)
	case secData:
		m.dataSection(r)
	}
}

// custom keeps where the names are; other custom sections mean nothing to wasmill and are not passed on.
func (m *module) custom(r *reader) {
	if name := r.name(m.policy.NameBytes, "bytes in a section name"); r.bad == nil && name == "name" {
		m.names = span{r.p, r.end}
	}
}

func (m *module) codeSection(r *reader) {
	n := r.count(2, m.policy.Functions, "functions")
	if r.bad == nil && n != len(m.funcs)-m.importedFuncs {
		r.fail("%d functions declared, %d bodies", len(m.funcs)-m.importedFuncs, n)
	}
	if r.bad != nil {
		return
	}
	m.bodies = make([]span, 0, n)
	for i := 0; i < n && r.bad == nil; i++ {
		at := r.p
		size := r.u32()
		if r.cap(at, uint64(size), m.policy.BodyBytes, "bytes in a function body") {
			from := r.p
			r.bytes(size)
			m.bodies = append(m.bodies, span{from, r.p})
		}
		if r.bad != nil {
			r.bad.Function = m.importedFuncs + i
		}
	}
}

func (m *module) dataSection(r *reader) {
	n := r.count(2, m.policy.DataSegments, "data segments")
	if m.dataCount >= 0 && n != m.dataCount && r.bad == nil {
		r.fail("data count is %d, there are %d data segments", m.dataCount, n)
	}
	m.data = make([]uint32, 0, n)
	for i := 0; i < n && r.bad == nil; i++ {
		at := r.p
		flags := r.u32()
		if flags > 2 {
			r.failAt(at, "data segment with flags %d", flags)
		}
		memory := uint32(0)
		if flags == 2 {
			memory = r.u32()
		}
		if flags != 1 && r.bad == nil {
			if int64(memory) >= int64(len(m.memories)) {
				r.failAt(at, "data segment for memory %d, there are %d", memory, len(m.memories))
			}
			m.constant(r, I32)
		}
		size := r.u32()
		r.bytes(size)
		m.data = append(m.data, size)
	}
}

func (m *module) functionType(f uint32) FuncType { return m.types[m.funcs[f]] }

func (m *module) typeSection(r *reader) {
	n := r.count(3, m.policy.Types, "types")
	m.types = make([]FuncType, 0, n)
	for i := 0; i < n && r.bad == nil; i++ {
		at := r.p
		if c := r.byte(); c != 0x60 {
			r.failAt(at, "type %d has form %#x, expected a function type (0x60)", i, c)
			return
		}
		var t FuncType
		t.Params = m.typeVector(r, m.policy.Params, "parameters of a function")
		t.Results = m.typeVector(r, m.policy.Results, "results of a function")
		m.types = append(m.types, t)
	}
}

func (m *module) typeVector(r *reader, limit int, noun string) []ValueType {
	n := r.count(1, limit, noun)
	from := r.p
	for i := 0; i < n && r.bad == nil; i++ {
		r.valueType()
	}
	if r.bad != nil {
		return nil
	}
	return slices.Clip(m.wasm[from:r.p])
}
