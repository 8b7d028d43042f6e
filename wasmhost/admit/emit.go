package admit

// emitter rewrites the code of functions. It copies ranges of the original and writes only what the rule adds, and
// calls and references of functions, whose indices move by one.
type emitter struct {
	m       *module
	h       *helpers
	cost    pather
	r       reader
	in      instr
	out     []byte
	copied  int // offset up to which the original has been copied
	ctrl    []emitFrame
	loops   int    // loops seen in the current function
	fuel    uint64 // the local that holds the fuel between a charge and its check: wazero loads a global anew each time
	scratch uint64 // the local that holds the length of a bulk operation, or the element that is called
}

// emitFrame is an open block; back is the cost of a branch to it, 0 when it is not a loop.
type emitFrame struct {
	back   int64
	params bool // the loop has parameters
}

// function appends the rewritten body of own function i, without its size.
func (e *emitter) function(i int) {
	c := e.cost.measure(i)
	s := e.m.bodies[i]
	e.r = reader{b: e.m.wasm, p: c.code, end: s.to}
	charged := e.cost.free[e.m.importedFuncs+i] < 0
	e.loops = 0
	e.declare(s, c, charged || len(c.loops) > 0)
	if charged {
		e.charge(c.entry)
	}
	e.ctrl = append(e.ctrl[:0], emitFrame{})
	for len(e.ctrl) > 0 && e.r.bad == nil {
		e.r.next(&e.in, e.m.policy.BrTable)
		e.instruction(c)
	}
	e.flush(s.to)
}

// declare copies the declarations of locals, and adds those that charges need.
func (e *emitter) declare(s span, c *costs, fuel bool) {
	runs := uint64(c.runs)
	if fuel {
		runs++
	}
	if c.scratch {
		runs++
	}
	first := reader{b: e.m.wasm, p: s.from, end: s.to}
	first.u32()
	e.out = appendU(e.out, runs)
	e.copied = first.p
	e.flush(c.code)
	e.fuel, e.scratch = uint64(c.locals), uint64(c.locals)
	if fuel {
		e.put(1, I64)
		e.scratch++
	}
	if c.scratch {
		e.put(1, I32)
	}
}

// flush copies the original up to an offset.
func (e *emitter) flush(to int)        { e.out = append(e.out, e.m.wasm[e.copied:to]...); e.copied = to }
func (e *emitter) put(b ...byte)       { e.out = append(e.out, b...) }
func (e *emitter) u(op byte, v uint64) { e.out = appendU(append(e.out, op), v) }

func (e *emitter) instruction(c *costs) {
	in := &e.in
	switch in.op {
	case opBlock, opIf:
		e.ctrl = append(e.ctrl, emitFrame{})
	case opLoop:
		params := in.block >= 0 && len(e.m.types[in.block].Params) > 0
		// At least 1, also for back edges that the path analysis holds to be unreachable: no loop is ever without a charge.
		e.ctrl = append(e.ctrl, emitFrame{back: max(1, c.loops[e.loops]), params: params})
		e.loops++
	case opEnd:
		e.ctrl = e.ctrl[:len(e.ctrl)-1]
	case opBr, opBrIf, opBrTable:
		e.branch()
	case opCall, opRefFunc:
		e.flush(in.start)
		if bound := e.cost.free[in.x]; c.split && in.op == opCall && bound >= 0 {
			e.put(opI64Const)
			e.out = appendS(e.out, 1+bound)
			e.u(opCall, e.h.charge())
		}
		e.u(byte(in.op), e.m.shifted(in.x))
		e.copied = e.r.p
	case opCallIndirect:
		if e.m.lazy != nil {
			e.callIndirect()
		}
	case opMemoryFill, opMemoryCopy, opMemoryInit, opMemoryGrow, opTableFill, opTableCopy, opTableInit:
		e.bulk()
	}
}

// bulk charges for a bulk operation whose length is not known: what fits a chunk where it stands, so that a short copy
// costs no call, and the rest in a helper.
func (e *emitter) bulk() {
	in := &e.in
	if _, fixed := in.fixedBulk(); fixed {
		return
	}
	f, before := e.h.before(in)
	if !before {
		f = e.h.instead(in)
	}
	e.flush(in.start)
	if before || in.op != opMemoryFill && in.op != opMemoryCopy {
		e.u(opCall, f)
		if !before {
			e.copied = e.r.p
		}
		return
	}
	e.u(opLocalTee, e.scratch)
	e.u(opLocalGet, e.scratch)
	e.out = appendS(append(e.out, opI32Const), bulkChunk)
	e.put(opcodeGtU)
	e.put(opIf) // the type of a block is a signed number
	e.out = appendS(e.out, int64(e.h.funcType(FuncType{Params: []ValueType{I32, I32, I32}})))
	e.u(opCall, f)
	e.put(opElse)
	e.h.chargeLength(&e.out, e.scratch)
	e.flush(e.r.p)
	e.put(opEnd)
}

// branch charges back edges.
func (e *emitter) branch() {
	in := &e.in
	if in.op == opBrTable {
		c := int64(0)
		for _, l := range in.labels {
			c = max(c, e.frame(l).back)
		}
		if c > 0 {
			e.flush(in.start)
			e.charge(c)
		}
		return
	}
	f := e.frame(in.x)
	if f.back == 0 {
		return
	}
	e.flush(in.start)
	if f.params { // the values on the stack are the loop's: the charge goes before, taken or not
		e.charge(f.back)
		return
	}
	label := uint64(in.x)
	if in.op == opBrIf {
		e.put(opIf, 0x40)
		label++
	}
	// The edge with fuel left comes first, so that wazero lays it out as the loop's own back edge.
	e.pay(f.back)
	e.u(opBrIf, label)
	e.u(opCall, e.h.refill)
	e.u(opBr, label)
	if in.op == opBrIf {
		e.put(opEnd)
	}
	e.copied = e.r.p
}

func (e *emitter) frame(l uint32) *emitFrame { return &e.ctrl[len(e.ctrl)-1-int(l)] }

// pay takes c from the fuel and leaves on the stack whether some is left.
func (e *emitter) pay(c int64) {
	e.u(opGlobalGet, e.h.fuel)
	e.out = appendS(append(e.out, opI64Const), c)
	e.put(opcodeSub64)
	e.u(opLocalTee, e.fuel)
	e.u(opGlobalSet, e.h.fuel)
	e.u(opLocalGet, e.fuel)
	e.put(opI64Const, 0, opcodeGeS64)
}

// charge takes c from the fuel and calls the host when there is none left.
func (e *emitter) charge(c int64) {
	e.put(opBlock, 0x40)
	e.pay(c)
	e.u(opBrIf, 0)
	e.u(opCall, e.h.refill)
	e.put(opEnd)
}
