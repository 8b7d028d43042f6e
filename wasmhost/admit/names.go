package admit

import "unicode/utf8"

// nameFunctions is the subsection of the name section that names functions.
const nameFunctions = 1

// nameMap returns the function names subsection's entries as a reader and their number; ok is false where the section
// is absent or not well formed. A broken name section never makes a module invalid.
func nameMap(wasm []byte, names span) (r *reader, n int, ok bool) {
	r = &reader{b: wasm, p: names.from, end: names.to}
	for r.more() {
		id := r.byte()
		size := r.u32()
		from := r.p
		r.bytes(size)
		if r.bad != nil {
			return nil, 0, false
		}
		if id == nameFunctions {
			sub := &reader{b: wasm, p: from, end: from + int(size)}
			n = sub.count(2, 1<<30, "names")
			return sub, n, sub.bad == nil
		}
	}
	return nil, 0, false
}

// namesOut returns a name section with the functions' names under their new indices, so that a trap's trace is as
// telling as before, or nil if the module has none or the names are broken.
func (m *module) namesOut(h *helpers) []byte {
	r, n, ok := nameMap(m.wasm, m.names)
	if !ok {
		return nil
	}
	entries := make([]byte, 0, r.end-r.p+256)
	last := int64(-1)
	count := 0
	put := func(index uint64, name []byte) {
		entries = append(appendU(appendU(entries, index), uint64(len(name))), name...)
		count++
	}
	host := false
	for range n {
		index := r.u32()
		name := r.bytes(r.u32())
		if r.bad != nil || int64(index) <= last || int(index) >= len(m.funcs) || !utf8.Valid(name) {
			return nil
		}
		last = int64(index)
		if !host && int(index) >= m.importedFuncs {
			put(h.host, []byte(ImportModule+"."+ImportName))
			host = true
		}
		put(m.shifted(index), name)
	}
	for i := range h.code {
		put(h.refill+uint64(i), []byte(ImportModule+".helper"))
	}
	body := append(appendU(nil, uint64(count)), entries...)
	out := append([]byte{4}, "name"...)
	return append(appendU(append(out, nameFunctions), uint64(len(body))), body...)
}

// functionName finds the name of function f, for a message, in a module that may be broken: by the name section,
// else by its first export.
func functionName(wasm []byte, f int, p *Policy) string {
	if f < 0 || len(wasm) < 8 {
		return ""
	}
	r := &reader{b: wasm, p: 8, end: len(wasm)}
	exported := ""
	for r.more() {
		id, size := r.byte(), r.u32()
		s := reader{b: wasm, p: r.p}
		r.bytes(size)
		if s.end = r.p; r.bad != nil {
			break
		}
		switch id {
		case secCustom:
			if s.name(p.NameBytes, "") == "name" && s.bad == nil {
				if name := nameOf(wasm, span{s.p, s.end}, f); name != "" {
					return name
				}
			}
		case secExport:
			exported = exportOf(&s, f, p)
		}
	}
	return exported
}

func nameOf(wasm []byte, names span, f int) string {
	r, n, ok := nameMap(wasm, names)
	if !ok {
		return ""
	}
	for range n {
		index := r.u32()
		name := r.bytes(r.u32())
		if r.bad != nil {
			return ""
		}
		if int(index) == f {
			return string(name)
		}
	}
	return ""
}

func exportOf(r *reader, f int, p *Policy) string {
	for n := r.count(3, p.Exports, ""); n > 0; n-- {
		name := r.name(p.NameBytes, "")
		if kind, index := Kind(r.byte()), r.u32(); r.bad == nil && kind == Func && int(index) == f {
			return name
		}
	}
	return ""
}
