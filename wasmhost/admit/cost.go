package admit

import "slices"

// RuleVersion is the version of the fuel rule: the same module and input cost the same fuel under one version. Any
// change to a weight, to where charges stand or to what is free needs another.
const RuleVersion = 1

// The weights. Instructions not named cost 1; nop, block, loop, else and end cost nothing.
const (
	costCall         = 2
	costCallIndirect = 4
	costDiv          = 8  // div, rem and sqrt, vectors too
	costBulk         = 8  // plus a charge by length
	costBuiltin      = 32 // what leaves compiled code for wazero's Go code: memory.grow (plus its pages), ref.func

	// freeBound is the cost up to which a function can be free of charge, its callers paying the bound.
	freeBound = 1000

	// bulkShift turns bytes into fuel: a unit for 32 bytes.
	bulkShift = 5
	// bulkChunk is the most bytes that one bulk operation moves without a look at the clock.
	bulkChunk = 1 << 20
	// bulkFixed is the most bytes of a constant length that counts as a weight: a body full of such operations still
	// takes only some milliseconds from one look at the clock to the next.
	bulkFixed = 4 << 10
	// splitOver is the weight of a path over which calls of free functions are paid one by one, so that no single
	// charge stands for much more than a slice.
	splitOver = 250_000
	// refBytes is what one element of a table takes.
	refBytes = 8
	pageSize = 64 << 10
)

// costs is what the rule says about one function.
type costs struct {
	entry int64   // longest acyclic path from the entry to anywhere
	loops []int64 // per loop in order of appearance: longest acyclic path from its header to one of its back edges
	// locals is the number of locals, parameters included, and runs that of their declarations, which end at code.
	locals, runs uint32
	code         int
	split        bool // calls of free functions pay before the call, not as part of the path
	scratch      bool // what is added needs an i32: for the length of a bulk operation, or the element of a call
}

// pather computes costs by one pass over a function's code. Since a loop is entered by its header alone, the longest
// path from a header to a point is the difference of the longest paths from the entry to both, so that a single
// distance per point serves the entry and all loops however deep they nest.
type pather struct {
	m    *module
	r    reader
	in   instr
	ctrl []pathFrame
	free []int64 // per function, imports first: its bound when it is free of charge, else -1
	out  costs
}

type pathFrame struct {
	op     int
	label  int64 // longest path to a branch to the block's end, or to a back edge; dead if there is none
	header int64 // of a loop: longest path to it; of an if: to where the condition is taken
	loop   int   // of a loop: its index in out.loops
}

// dead is the distance of what cannot be reached.
const dead = -1

// measure returns the costs of own function i; loops is valid until the next call.
func (p *pather) measure(i int) *costs {
	if c := p.paths(i, false); c.entry <= splitOver && !slices.ContainsFunc(c.loops, func(l int64) bool { return l > splitOver }) {
		return c
	}
	return p.paths(i, true)
}

func (p *pather) paths(i int, split bool) *costs {
	s := p.m.bodies[i]
	p.r = reader{b: p.m.wasm, p: s.from, end: s.to}
	p.out = costs{loops: p.out.loops[:0], runs: p.r.u32(), split: split}
	p.out.locals = uint32(len(p.m.functionType(uint32(p.m.importedFuncs + i)).Params))
	for range p.out.runs {
		p.out.locals += p.r.u32()
		p.r.byte()
	}
	p.out.code = p.r.p
	p.ctrl, p.in.op = append(p.ctrl[:0], pathFrame{op: opBlock, label: dead}), opNop
	at := int64(0)
	for len(p.ctrl) > 0 && p.r.bad == nil {
		p.r.next(&p.in, p.m.policy.BrTable)
		at = p.step(at)
	}
	p.out.entry = 1 + max(p.out.entry, at)
	return &p.out
}

// weight returns the cost of the instruction just decoded.
func (p *pather) weight() int64 {
	if p.in.op == opCall {
		if bound := p.free[p.in.x]; bound >= 0 && !p.out.split {
			return 1 + bound
		}
	}
	fuel, _ := p.in.fixedBulk()
	return int64(ops[p.in.op].cost) + fuel
}

// fixedBulk returns what a bulk operation costs by its length, where that is a constant of at most bulkFixed: then it is
// a weight like any other, and the instruction stays as it is.
func (in *instr) fixedBulk() (fuel int64, ok bool) {
	switch in.op {
	case opMemoryInit, opMemoryCopy, opMemoryFill:
		if in.known && in.length <= bulkFixed {
			return int64(in.length) >> bulkShift, true
		}
	case opTableInit, opTableCopy, opTableFill:
		if in.known && in.length <= bulkFixed/refBytes {
			return int64(in.length) >> refShift, true
		}
	}
	return 0, false
}

// step takes the distance before the instruction just decoded to the distance after it.
func (p *pather) step(at int64) int64 {
	in := &p.in
	if at != dead {
		at += p.weight()
	}
	switch in.op {
	case opBlock, opIf:
		p.ctrl = append(p.ctrl, pathFrame{op: in.op, label: dead, header: at})
	case opLoop:
		p.ctrl = append(p.ctrl, pathFrame{op: opLoop, label: dead, header: at, loop: len(p.out.loops)})
		p.out.loops = append(p.out.loops, 0)
	case opMemoryInit, opMemoryCopy, opMemoryFill, opTableInit, opTableCopy, opTableFill:
		if _, fixed := in.fixedBulk(); !fixed {
			p.out.scratch = true
		}
	case opCallIndirect:
		p.out.scratch = p.out.scratch || p.m.lazy != nil
	case opElse:
		f := &p.ctrl[len(p.ctrl)-1]
		f.op = opElse
		f.label = max(f.label, at)
		return f.header
	case opEnd:
		return p.end(at)
	case opBr:
		p.branch(in.x, at)
		return p.stop(at)
	case opBrIf:
		p.branch(in.x, at)
	case opBrTable:
		for _, l := range in.labels {
			p.branch(l, at)
		}
		return p.stop(at)
	case opReturn, opUnreachable:
		return p.stop(at)
	}
	return at
}

// stop ends a path: what it cost up to here must be paid at the entry too.
func (p *pather) stop(at int64) int64 {
	p.out.entry = max(p.out.entry, at)
	return dead
}

func (p *pather) branch(l uint32, at int64) {
	f := &p.ctrl[len(p.ctrl)-1-int(l)]
	f.label = max(f.label, at)
}

func (p *pather) end(at int64) int64 {
	f := p.ctrl[len(p.ctrl)-1]
	p.ctrl = p.ctrl[:len(p.ctrl)-1]
	switch f.op {
	case opLoop:
		if f.label != dead {
			p.out.loops[f.loop] = 1 + f.label - f.header
		}
		return at
	case opIf: // without else
		return max(at, f.label, f.header)
	}
	return max(at, f.label)
}

// freeFunctions returns per function, imports first, the bound of those that are free of charge, and -1 for the rest.
// Free is what can only be called by name, calls nothing but free functions, and costs at most freeBound; its callers
// pay for it. Functions that the host, a table or a reference can reach pay themselves, since their callers cannot
// know them. Recursion is never free, as none of its functions can come before the others.
func (p *pather) freeFunctions() []int64 {
	m := p.m
	p.free = make([]int64, len(m.funcs))
	for i := range p.free {
		p.free[i] = -1
	}
	callers, missing := p.calls()
	var ready []int
	for i := range m.bodies {
		if missing[i] == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		bound := p.measure(i).entry - 1
		if bound > freeBound {
			continue
		}
		p.free[m.importedFuncs+i] = bound
		for _, c := range callers[i] {
			if missing[c]--; missing[c] == 0 {
				ready = append(ready, int(c))
			}
		}
	}
	return p.free
}

// calls returns per own function who calls it, once per call, and how many of its calls are not known to be free yet;
// functions that can never be free miss one that never comes.
func (p *pather) calls() (callers [][]int32, missing []int) {
	m := p.m
	n := len(m.bodies)
	callers, missing = make([][]int32, n), make([]int, n)
	for i, s := range m.bodies {
		f := m.importedFuncs + i
		never := m.taken[f] || m.exported[f] || m.start == f
		p.r = reader{b: m.wasm, p: s.from, end: s.to}
		for k := p.r.u32(); k > 0; k-- {
			p.r.u32()
			p.r.byte()
		}
		for !never && p.r.more() {
			p.r.next(&p.in, m.policy.BrTable)
			switch {
			case p.in.op == opCallIndirect:
				never = true
			case p.in.op == opCall && int(p.in.x) < m.importedFuncs:
				never = true
			case p.in.op == opCall:
				callee := int(p.in.x) - m.importedFuncs
				callers[callee] = append(callers[callee], int32(i))
				missing[i]++
			}
		}
		if never {
			missing[i] = 1 << 40
		}
	}
	return callers, missing
}
