package bundle

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wasmill/wasmill/engine/fault"
)

// Module is what a module says about itself before any of its code is compiled. It describes, and is no validation: a
// module that inspects well may still be refused.
type Module struct {
	Imports []Import
	Exports []Export
	// Memory is the module's first memory, imported or its own; nil when it has none.
	Memory *Memory
	// Functions counts the functions that the module defines itself, Code the bytes of their section.
	Functions, Code int
	// Customs lists the custom sections in order: "name", "producers", ".debug_info" and so on.
	Customs []Custom
	// Producers says what the module was built with, in the order of its section.
	Producers []Producer
}

// Import is something that a module needs.
type Import struct {
	Module, Name string
	// Kind is one of "func", "table", "memory", "global", "tag".
	Kind string
	// Type is a function's signature, "(i32, i64) -> i32", and "" for the other kinds.
	Type string
}

// Export is something that a module offers; Kind and Type are as in [Import].
type Export struct{ Name, Kind, Type string }

// Memory is a memory's size in pages of 64 KiB. HasMax is false when the module sets no limit of its own.
type Memory struct {
	Min, Max       uint64
	HasMax, Shared bool
	Memory64       bool
}

// Custom is a custom section and its size in bytes.
type Custom struct {
	Name string
	Size int
}

// Producer is one entry of the producers section: Field is "language", "processed-by" or "sdk".
type Producer struct{ Field, Name, Version string }

// Sections of a module, by the identifiers of the core specification, section 5.5.2.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
)

var kinds = []string{"func", "table", "memory", "global", "tag"}

// Inspect reads a module's sections. Faults have code Admission and the byte's offset in their position.
func Inspect(wasm []byte) (*Module, error) {
	if !bytes.HasPrefix(wasm, magicWasm) {
		return nil, fault.New(fault.Admission, "this is not a WebAssembly module")
	}
	if len(wasm) < 8 || !bytes.Equal(wasm[4:8], []byte{1, 0, 0, 0}) {
		f := fault.New(fault.Admission, "expected version 1 of the WebAssembly binary format")
		if len(wasm) >= 8 && wasm[6] == 1 {
			return nil, f.WithHint("this is a component; wasmill runs core modules")
		}
		return nil, f
	}
	in := &inspector{m: &Module{}}
	r := &reader{b: wasm, at: 8}
	for r.at < len(r.b) && r.err == nil {
		id := r.byte()
		content := r.sub(int(r.u32()))
		if r.err == nil {
			in.section(id, content)
			r.err = content.err
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := in.resolve(); err != nil {
		return nil, err
	}
	return in.m, nil
}

type inspector struct {
	m         *Module
	types     []string // signatures
	functions []uint32 // type index of each function, imported ones first
	exports   []uint32 // index of each export
}

func (in *inspector) section(id byte, r *reader) {
	switch id {
	case sectionCustom:
		in.custom(r)
	case sectionType:
		r.each(func() { in.types = append(in.types, r.signature()) })
	case sectionImport:
		r.each(func() { in.imports(r) })
	case sectionFunction:
		r.each(func() { in.functions = append(in.functions, r.u32()); in.m.Functions++ })
	case sectionMemory:
		r.each(func() { in.memory(r.limits()) })
	case sectionExport:
		r.each(func() {
			e := Export{Name: r.name(), Kind: r.kind()}
			in.exports = append(in.exports, r.u32())
			in.m.Exports = append(in.m.Exports, e)
		})
	case sectionCode:
		in.m.Code += len(r.b) - r.at
	}
}

func (in *inspector) memory(m *Memory) {
	if in.m.Memory == nil {
		in.m.Memory = m
	}
}

func (in *inspector) imports(r *reader) {
	i := Import{Module: r.name(), Name: r.name(), Kind: r.kind()}
	switch i.Kind {
	case "func":
		in.functions = append(in.functions, r.u32())
	case "table":
		r.byte()
		r.limits()
	case "memory":
		in.memory(r.limits())
	case "global":
		r.byte()
		r.byte()
	case "tag":
		r.byte()
		r.u32()
	}
	in.m.Imports = append(in.m.Imports, i)
}

func (in *inspector) custom(r *reader) {
	size := len(r.b) - r.at
	name := r.name()
	if r.err != nil {
		return
	}
	in.m.Customs = append(in.m.Customs, Custom{name, size})
	if name != "producers" {
		return
	}
	// A custom section cannot make a module invalid: what does not parse is left out.
	p := &reader{b: r.b, at: r.at}
	p.each(func() {
		field := p.name()
		p.each(func() {
			producer := Producer{Field: field, Name: p.name(), Version: p.name()}
			if p.err == nil {
				in.m.Producers = append(in.m.Producers, producer)
			}
		})
	})
}

// resolve fills in the signatures of functions that are imported and exported.
func (in *inspector) resolve() error {
	signature := func(function uint32) (string, error) {
		if uint64(function) >= uint64(len(in.functions)) {
			return "", fault.New(fault.Admission, "the module names function %d of %d", function, len(in.functions))
		}
		t := in.functions[function]
		if uint64(t) >= uint64(len(in.types)) {
			return "", fault.New(fault.Admission, "the module names type %d of %d", t, len(in.types))
		}
		return in.types[t], nil
	}
	next := uint32(0)
	for i := range in.m.Imports {
		if in.m.Imports[i].Kind != "func" {
			continue
		}
		t, err := signature(next)
		if err != nil {
			return err
		}
		in.m.Imports[i].Type = t
		next++
	}
	for i := range in.m.Exports {
		if in.m.Exports[i].Kind != "func" {
			continue
		}
		t, err := signature(in.exports[i])
		if err != nil {
			return err
		}
		in.m.Exports[i].Type = t
	}
	return nil
}

// reader reads a module's bytes. After the first error everything it returns is zero.
type reader struct {
	b   []byte // the module up to the end of what may be read, so that at is an offset in the file
	at  int
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fault.New(fault.Admission, format, args...).At("byte %d", r.at)
	}
	r.at = len(r.b)
}

func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		r.fail("the module ends too early")
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

// uleb reads an unsigned LEB128 number of at most bits bits.
func (r *reader) uleb(bits uint) uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := r.byte()
		if shift >= bits || shift+7 > bits && b>>(bits-shift) != 0 {
			r.fail("a number is longer than %d bits", bits)
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

func (r *reader) u32() uint32 { return uint32(r.uleb(32)) }

// sub returns a reader of the next n bytes.
func (r *reader) sub(n int) *reader {
	if r.err != nil || n > len(r.b)-r.at {
		r.fail("a part of %d bytes is longer than what is left of the module", n)
		return &reader{err: r.err}
	}
	r.at += n
	return &reader{b: r.b[:r.at], at: r.at - n}
}

// each reads a vector. Every element takes at least a byte, so that a count needs no memory of its own.
func (r *reader) each(element func()) {
	n := r.u32()
	for i := uint32(0); i < n && r.err == nil; i++ {
		if r.at >= len(r.b) {
			r.fail("the module ends too early")
			return
		}
		element()
	}
}

func (r *reader) name() string {
	s := r.sub(int(r.u32()))
	text := string(s.b[s.at:])
	if !utf8.ValidString(text) {
		r.fail("a name is not UTF-8")
		return ""
	}
	return text
}

func (r *reader) kind() string {
	k := r.byte()
	if int(k) >= len(kinds) {
		r.fail("unknown kind %d of import or export", k)
		return ""
	}
	return kinds[k]
}

func (r *reader) limits() *Memory {
	flags := r.byte()
	if flags > 7 {
		r.fail("unknown limits 0x%02x", flags)
	}
	m := &Memory{HasMax: flags&1 != 0, Shared: flags&2 != 0, Memory64: flags&4 != 0}
	m.Min = r.uleb(64)
	if m.HasMax {
		m.Max = r.uleb(64)
	}
	return m
}

var valueTypes = map[byte]string{0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128", 0x70: "funcref", 0x6f: "externref"}

func (r *reader) signature() string {
	if form := r.byte(); r.err == nil && form != 0x60 {
		r.fail("expected a function type, got 0x%02x", form)
		return ""
	}
	vector := func() []string {
		var types []string
		r.each(func() {
			b := r.byte()
			t, ok := valueTypes[b]
			if !ok {
				t = fmt.Sprintf("0x%02x", b)
			}
			types = append(types, t)
		})
		return types
	}
	return Signature(vector(), vector())
}

// Signature writes a function's type the way faults and inspect show it: "(i32, i32) -> i64", "()".
func Signature(params, results []string) string {
	s := "(" + strings.Join(params, ", ") + ")"
	switch len(results) {
	case 0:
		return s
	case 1:
		return s + " -> " + results[0]
	}
	return s + " -> (" + strings.Join(results, ", ") + ")"
}
