package admit

import (
	"reflect"

	"github.com/wasmill/wasmill/engine/fault"
)

// Policy holds the caps that a module must keep, and what it may import. Every cap is inclusive.
//
// [Default] fits ordinary modules of C, Rust and Go. A cap is there because something after admission grows with the
// number: wazero's compiler (bodies, locals, blocks, operands), the instance (tables, memory, globals), or the
// validator itself (types, steps).
type Policy struct {
	ModuleBytes   int // bytes in the module
	Types         int // function types
	Imports       int // imports of any kind
	Functions     int // functions the module defines
	Exports       int // exports
	Tables        int // tables, imported ones included
	TableElements int // elements of one table: its minimum, and its maximum where it states one
	MemoryPages   int // pages of 64 KiB of the memory's minimum; the maximum is for the host to clamp
	Globals       int // globals, imported ones included
	Elements      int // element segments
	ElementItems  int // references in all element segments
	DataSegments  int // data segments
	NameBytes     int // bytes of one import, export or custom section name
	Params        int // parameters of a function type
	Results       int // results of a function type
	BodyBytes     int // bytes of a function's body
	Locals        int // locals of a function, its parameters included
	ModuleLocals  int // locals of all functions together
	Nesting       int // blocks, loops and ifs within each other, the function's body included
	Blocks        int // blocks, loops, ifs, elses and branches of a function; a branch back to a loop and a bulk operation count four
	Carried       int // of a function: blocks, as above, times locals that one of them reads and has not written
	Work          int // of the module: the sum of Carried, of the squares of Blocks by 200, and five per target of a br_table
	BrTable       int // targets of one br_table
	Operands      int // values on a function's operand stack
	Steps         int // values that calls, blocks and branches of the whole module check, beyond one per instruction

	// StartFunction lets the module have a start function, which runs before its guest has limits.
	StartFunction bool

	// Images refuses what changes tables, so that a guest is its memory and its globals.
	Images bool

	// LazyTables has a module's only table filled as it is called through, and not at the start of each instance. It needs Images, and is for modules that are trusted:
	// the caps do not count what it adds.
	LazyTables bool

	// Allowed lists what may be imported; all else is refused.
	Allowed []Import
}

// Import is one entry of [Policy.Allowed].
type Import struct {
	Kind   Kind
	Module string
	Name   string // "*" stands for every name in Module
	// Type is what a function must have; nil accepts any type. Other kinds do not use it.
	Type *FuncType
}

// Default returns the policy for modules that users bring. It allows no imports: set [Policy.Allowed].
func Default() Policy {
	return Policy{
		ModuleBytes:   16 << 20,
		Types:         10_000,
		Imports:       1_000,
		Functions:     50_000,
		Exports:       10_000,
		Tables:        16,
		TableElements: 100_000,
		MemoryPages:   16_384, // 1 GiB
		Globals:       10_000,
		Elements:      1_000,
		ElementItems:  200_000,
		DataSegments:  200_000, // Go's linker starts a segment at each run of zeros: 41,000 for a guest with fmt, json and regexp
		NameBytes:     4_096,
		Params:        256,
		Results:       64,
		BodyBytes:     128 << 10,
		Locals:        5_000,
		ModuleLocals:  2_000_000,
		// Go nests a block for every point at which a function can resume: 549 deep in its own runtime. 2,000 compile in
		// 20 ms.
		Nesting: 2_000,
		// wazero's time grows with the square of a function's blocks: 6,000 take 0.3 s. Go's own runtime has 2,200.
		Blocks: 6_000,
		// A unit takes wazero up to 2 us and 230 bytes. Guests in Go have up to 33,000 in a function, in C up to 36,000. What
		// Rust did not optimise comes near the cap of locals first.
		Carried: 1_500_000,
		// Go with net/http and html/template, 16 MiB, has 6 million.
		Work:     16_000_000,
		BrTable:  10_000,
		Operands: 10_000,
		Steps:    64 << 20,
	}
}

// Trusted returns the policy for modules that are our own. What bounds a guest while it runs is the same as for others.
func Trusted() Policy {
	p := Default()
	p.ModuleBytes, p.BodyBytes = 64<<20, 1<<20
	p.Nesting, p.Blocks, p.Carried, p.Work, p.BrTable = 10_000, 30_000, 4_000_000, 160_000_000, 50_000
	return p
}

// Validate returns a fault for every cap that is negative, and for allowed imports that cannot be.
func (p *Policy) Validate() error {
	var l fault.List
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Int && f.Int() < 0 {
			l.Add(fault.Usage, "admission policy", "cap %s is %d, less than 0", v.Type().Field(i).Name, f.Int())
		}
	}
	for _, a := range p.Allowed {
		if a.Module == ImportModule {
			l.Add(fault.Usage, "admission policy", "import module %q belongs to the fuel rewriter", a.Module)
		}
		if a.Kind > Global {
			l.Add(fault.Usage, "admission policy", "import %q.%q is of unknown %v", a.Module, a.Name, a.Kind)
		}
	}
	return l.Err()
}

// allowed returns the entry for an import of the kind given, or nil.
func (p *Policy) allowed(k Kind, module, name string) *Import {
	if module == ImportModule {
		return nil
	}
	for i := range p.Allowed {
		if a := &p.Allowed[i]; a.Kind == k && a.Module == module && (a.Name == name || a.Name == "*") {
			return a
		}
	}
	return nil
}
