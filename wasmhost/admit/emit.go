package admit

// emitter rewrites the code of functions. It copies ranges of the original and writes only what the rule adds, and
// calls and references of functions, whose indices move by one.
type emitter struct {
	m      *module
	h      *helpers
	cost   pather
	r      reader
	in     instr
	out    []byte
	copied int // offset up to which the original has been copied
	ctrl   []emitFrame
	loops  int // loops seen in the current function
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
	e.r = reader{b: e.m.wasm, p: s.from, end: s.to}
	e.copied, e.loops = s.from, 0
	for n := e.r.u32(); n > 0; n-- {
		e.r.u32()
		e.r.byte()
	}
	e.flush(e.r.p)
	if e.cost.free[e.m.importedFuncs+i] < 0 {
		e.charge(c.entry)
	}
	e.ctrl = append(e.ctrl[:0], emitFrame{})
	for len(e.ctrl) > 0 && e.r.bad == nil {
		e.r.next(&e.in, e.m.policy.BrTable)
		e.instruction(c)
	}
	e.flush(s.to)
}

// flush copies the original up to an offset; skip leaves out what lies between.
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
		e.u(byte(in.op), e.m.shifted(in.x))
		e.copied = e.r.p
	default:
		if f, ok := e.h.before(in); ok {
			e.flush(in.start)
			e.u(opCall, f)
		} else if f, ok := e.h.instead(in); ok {
			e.flush(in.start)
			e.u(opCall, f)
			e.copied = e.r.p
		}
	}
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
	e.put(opI64Const)
	e.out = appendS(e.out, c)
	e.put(0x7d) // i64.sub
	e.h.settle(&e.out)
}

// charge takes c from the fuel and calls the host when there is none left.
func (e *emitter) charge(c int64) {
	e.put(opBlock, 0x40)
	e.pay(c)
	e.u(opBrIf, 0)
	e.u(opCall, e.h.refill)
	e.put(opEnd)
}
