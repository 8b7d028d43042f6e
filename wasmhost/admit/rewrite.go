package admit

// ImportModule and ImportName are the function that a rewritten module imports, of type (i64) -> i64.
const (
	ImportModule = "wasmill_fuel"
	ImportName   = "out_of_fuel"
)

// FuelGlobal is the name under which a rewritten module exports its fuel, a mutable i64.
const FuelGlobal = "wasmill_fuel"

// Info says what the rewriter did.
type Info struct {
	Rule         int    // RuleVersion
	ImportModule string // the host function to provide
	ImportName   string
	FuelGlobal   string // the exported fuel
	Functions    int    // functions the module defined
	Free         int    // of these, functions without a charge of their own: their callers pay
	Helpers      int    // functions added
	BytesIn      int
	BytesOut     int
}

// Validate checks a module under the policy, and returns a *fault.Fault of code admission whose Cause is a [Refusal],
// or the policy's own faults. It reads the module once and allocates in proportion to what the caps allow.
func Validate(wasm []byte, p Policy) error {
	_, err := admit(wasm, &p)
	return err
}

// Instrument validates a module and rewrites it so that it pays for what it does (see the package's comment). The
// input is not changed, and the output shares no memory with it.
func Instrument(wasm []byte, p Policy) ([]byte, Info, error) {
	m, err := admit(wasm, &p)
	if err != nil {
		return nil, Info{}, err
	}
	return m.rewrite()
}

func admit(wasm []byte, p *Policy) (*module, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	m, bad := decode(wasm, p)
	if bad == nil {
		bad = m.validateBodies()
	}
	if bad != nil {
		bad.Name = functionName(wasm, bad.Function, p)
		return nil, bad.fault()
	}
	return m, nil
}

// shifted is what function index f becomes: the import is the last of the imported functions.
func (m *module) shifted(f uint32) uint64 {
	if int(f) >= m.importedFuncs {
		return uint64(f) + 1
	}
	return uint64(f)
}

// rewrite writes the module anew. Sections that no index is in are copied.
func (m *module) rewrite() ([]byte, Info, error) {
	h := newHelpers(m)
	m.lazy = m.lazyTable()
	e := &emitter{m: m, h: h, cost: pather{m: m}}
	free := e.cost.freeFunctions()
	code := m.codeOut(e)

	out := make([]byte, 0, len(m.wasm)+len(code)/4+1024)
	out = append(out, m.wasm[:8]...)
	section := func(id byte, b []byte) { out = append(appendU(append(out, id), uint64(len(b))), b...) }
	section(secType, m.typesOut(h))
	section(secImport, m.importsOut(h))
	section(secFunction, m.functionsOut(h))
	for _, id := range []byte{secTable, secMemory} {
		m.copySection(section, id)
	}
	section(secGlobal, m.globalsOut())
	section(secExport, m.exportsOut(h))
	if m.start >= 0 {
		section(secStart, appendU(nil, m.shifted(uint32(m.start))))
	}
	if m.lazy != nil {
		section(secElement, m.lazyElements())
	} else if m.sections[secElement] != (span{}) {
		section(secElement, m.elementsOut())
	}
	m.copySection(section, secDataCount)
	section(secCode, append(appendU(nil, uint64(len(m.bodies)+len(h.code))), append(code, m.helpersOut(h)...)...))
	m.copySection(section, secData)
	if names := m.namesOut(h); names != nil {
		section(secCustom, names)
	}
	info := Info{
		Rule: RuleVersion, ImportModule: ImportModule, ImportName: ImportName, FuelGlobal: FuelGlobal,
		Functions: len(m.bodies), Helpers: len(h.code), BytesIn: len(m.wasm), BytesOut: len(out),
	}
	for _, bound := range free {
		if bound >= 0 {
			info.Free++
		}
	}
	return out, info, nil
}

func (m *module) copySection(section func(byte, []byte), id byte) {
	if s := m.sections[id]; s != (span{}) {
		section(id, m.wasm[s.from:s.to])
	}
}

// items returns a section's bytes after its count, and the count; an absent section is empty.
func (m *module) items(id byte) (int, []byte) {
	s := m.sections[id]
	if s == (span{}) {
		return 0, nil
	}
	r := reader{b: m.wasm, p: s.from, end: s.to}
	n := r.u32()
	return int(n), m.wasm[r.p:s.to]
}

func (m *module) typesOut(h *helpers) []byte {
	n, b := m.items(secType)
	out := append(appendU(nil, uint64(n+len(h.newTypes))), b...)
	for _, t := range h.newTypes {
		out = append(out, t...)
	}
	return out
}

func (m *module) importsOut(h *helpers) []byte {
	n, b := m.items(secImport)
	out := append(appendU(nil, uint64(n+1)), b...)
	out = append(appendU(out, uint64(len(ImportModule))), ImportModule...)
	out = append(appendU(out, uint64(len(ImportName))), ImportName...)
	return appendU(append(out, byte(Func)), h.typeHost)
}

func (m *module) functionsOut(h *helpers) []byte {
	n, b := m.items(secFunction)
	out := append(appendU(nil, uint64(n+len(h.funcTypes))), b...)
	for _, t := range h.funcTypes {
		out = appendU(out, t)
	}
	return out
}

// codeOut rewrites the bodies. It must come before the sections that list types and functions, as it adds helpers.
func (m *module) codeOut(e *emitter) []byte {
	s := m.sections[secCode]
	out := make([]byte, 0, (s.to-s.from)*5/4+1024)
	for i := range m.bodies {
		e.out = e.out[:0]
		e.function(i)
		out = append(appendU(out, uint64(len(e.out))), e.out...)
	}
	return out
}
