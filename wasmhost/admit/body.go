package admit

import "slices"

// frame is a block that is open: its operands start at height; dead after an unconditional branch in it.
type frame struct {
	op           int
	dead         bool
	height       int
	params, outs []ValueType
}

// label returns the types a branch to f carries.
func (f *frame) label() []ValueType {
	if f.op == opLoop {
		return f.params
	}
	return f.outs
}

// body validates the code of functions by the algorithm of the specification's appendix: one pass, an operand stack
// of types and a stack of frames. Its buffers are reused, so that memory does not grow with the number of functions.
type body struct {
	m     *module
	r     reader
	in    instr
	stack []ValueType
	ctrl  []frame
	// locals of the current function, parameters first
	locals []ValueType
	blocks int // basic blocks of the current function once it is rewritten
	steps  int // of the whole module
	total  int // locals of the whole module

	// A local is carried when a block reads it that has not written it before: the compiler then looks for its value in
	// the blocks before, one by one. run counts the straight runs of code, written says in which a local was written last.
	run     uint32
	written []uint32
	carried int
	work    int // of the whole module, as Policy.Work counts it
}

// validateBodies checks every function's code.
func (m *module) validateBodies() *Refusal {
	m.markers()
	b := &body{m: m}
	for i, s := range m.bodies {
		b.r = reader{b: m.wasm, p: s.from, end: s.to}
		b.function(m.functionType(uint32(m.importedFuncs + i)))
		if bad := b.r.bad; bad != nil {
			bad.Function = m.importedFuncs + i
			return bad
		}
	}
	return nil
}

func (b *body) function(t FuncType) {
	b.readLocals(t)
	b.stack, b.ctrl, b.blocks = b.stack[:0], b.ctrl[:0], 0
	b.run, b.carried = 1, 0
	b.written = slices.Grow(b.written[:0], len(b.locals))[:len(b.locals)]
	clear(b.written)
	b.in.op = opNop
	b.push(opBlock, FuncType{Results: t.Results})
	for len(b.ctrl) > 0 && b.r.bad == nil {
		if !b.r.more() {
			b.r.fail("the body ends within a block")
			return
		}
		b.r.next(&b.in, b.m.policy.BrTable)
		if b.r.bad == nil {
			b.instruction()
		}
	}
	b.work += b.blocks*b.carried + b.blocks*b.blocks/blocksPerCarried
	b.r.cap(b.r.p, uint64(b.work), b.m.policy.Work, "units of work to compile the module")
	if b.r.bad == nil && b.r.more() {
		b.r.fail("%d bytes after the end of the function", b.r.end-b.r.p)
	}
}

// readLocals expands the runs of local declarations; the cap is checked before memory is used.
func (b *body) readLocals(t FuncType) {
	r, p := &b.r, b.m.policy
	b.locals = append(b.locals[:0], t.Params...)
	at := r.p
	r.cap(at, uint64(len(b.locals)), p.Locals, "locals in a function")
	runs := r.count(2, 1<<30, "local declarations")
	for i := 0; i < runs && r.bad == nil; i++ {
		at = r.p
		n := r.u32()
		vt := r.valueType()
		// Past 32 bits a module is malformed rather than over a cap, but a cap is always far below that.
		if r.bad != nil || !r.cap(at, uint64(len(b.locals))+uint64(n), p.Locals, "locals in a function") {
			return
		}
		for range n {
			b.locals = append(b.locals, vt)
		}
	}
	b.total += len(b.locals)
	r.cap(at, uint64(b.total), p.ModuleLocals, "locals in the module")
}

// push opens a frame whose parameters have been popped.
func (b *body) push(op int, t FuncType) {
	b.r.cap(b.in.start, uint64(len(b.ctrl)+1), b.m.policy.Nesting, "blocks within each other")
	b.ctrl = append(b.ctrl, frame{op: op, height: len(b.stack), params: t.Params, outs: t.Results})
	b.put(t.Params...)
}

// branchy counts the basic blocks that an instruction makes of the code around it.
func (b *body) branchy(n int) {
	b.run++
	b.blocks += n
	p := b.m.policy
	if b.blocks > p.Blocks {
		b.r.cap(b.in.start, uint64(b.blocks), p.Blocks, "blocks in a function")
	}
	b.carry()
}

// blocksPerCarried is how much less the square of the blocks takes the compiler than blocks times carried locals.
const blocksPerCarried = 200

// workPerTarget is the work that one target of a br_table makes.
const workPerTarget = 5

// carry checks what the compiler's search for the values of locals may take.
func (b *body) carry() {
	if n := b.blocks * b.carried; n > b.m.policy.Carried {
		b.r.cap(b.in.start, uint64(n), b.m.policy.Carried, "blocks times locals carried between blocks in a function")
	}
}

// reads notes that the current run reads local l.
func (b *body) reads(l uint32) {
	if at := b.written[l]; at != b.run && at != isCarried {
		b.written[l] = isCarried
		b.carried++
		b.carry()
	}
}

// writes notes that the current run writes local l; once carried, a local stays so.
func (b *body) writes(l uint32) {
	if b.written[l] != isCarried {
		b.written[l] = b.run
	}
}

// isCarried is no run's number: there are fewer than bytes in a body.
const isCarried = 1<<32 - 1

func (b *body) put(ts ...ValueType) {
	b.stack = append(b.stack, ts...)
	if len(b.stack) > b.m.policy.Operands {
		b.r.cap(b.in.start, uint64(len(b.stack)), b.m.policy.Operands, "values on the operand stack")
	}
}

// top is the innermost frame.
func (b *body) top() *frame { return &b.ctrl[len(b.ctrl)-1] }

// take pops a value of type want, and returns its type, which is anyType in dead code.
func (b *body) take(want ValueType) ValueType {
	f := b.top()
	if len(b.stack) == f.height {
		if !f.dead {
			b.r.failAt(b.in.start, "expected %s on the operand stack, which is empty in this block", typeName(want))
		}
		return want
	}
	got := b.stack[len(b.stack)-1]
	b.stack = b.stack[:len(b.stack)-1]
	if got != want && got != anyType && want != anyType {
		b.r.failAt(b.in.start, "expected %s on the operand stack, got %s", typeName(want), typeName(got))
	}
	if got == anyType {
		return want
	}
	return got
}

// takeAll pops values of the types given, the last first.
func (b *body) takeAll(ts []ValueType) {
	if len(ts) > 0 {
		b.steps += len(ts)
		b.r.cap(b.in.start, uint64(b.steps), b.m.policy.Steps, "values checked by calls and branches of the module")
	}
	for i := len(ts) - 1; i >= 0 && b.r.bad == nil; i-- {
		b.take(ts[i])
	}
}

// takeI32s pops the operands of table and memory instructions: i32 each.
func (b *body) takeI32s(n int) {
	for range n {
		b.take(I32)
	}
}

// kill marks the rest of the block as dead.
func (b *body) kill() {
	f := b.top()
	b.stack = b.stack[:f.height]
	f.dead = true
}

// frameAt returns the frame that label l names, or nil after a refusal.
func (b *body) frameAt(l uint32) *frame {
	if int64(l) >= int64(len(b.ctrl)) {
		b.r.failAt(b.in.start, "branch to label %d, there are %d", l, len(b.ctrl))
		return nil
	}
	return &b.ctrl[len(b.ctrl)-1-int(l)]
}

// index checks an index against how many there are.
func (b *body) index(i uint32, have int, noun string) bool {
	if int64(i) < int64(have) {
		return true
	}
	b.r.failAt(b.in.start, "%s %d, there are %d", noun, i, have)
	return false
}

// blockType returns the type of the block that in opens.
func (b *body) blockType() FuncType {
	switch bt := b.in.block; {
	case bt == blockEmpty:
		return FuncType{}
	case bt < 0: // the immediate is the one byte that is the type
		return FuncType{Results: b.m.wasm[b.in.at : b.in.at+1 : b.in.at+1]}
	case b.index(uint32(bt), len(b.m.types), "type"):
		return b.m.types[bt]
	}
	return FuncType{}
}
