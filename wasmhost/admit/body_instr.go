package admit

// instruction checks the instruction just decoded and applies it to the stacks.
func (b *body) instruction() {
	in := &b.in
	info := &ops[in.op]
	if info.cost == costBulk && in.op >= opMemoryInit && in.op <= opTableFill {
		b.branchy(blocksBulk)
	}
	if info.plain {
		if (info.imm == immMem || info.imm == immMemLane || in.op == opMemorySize || in.op == opMemoryGrow ||
			in.op == opMemoryCopy || in.op == opMemoryFill || in.op == opMemoryInit) && len(b.m.memories) == 0 {
			b.r.failAt(in.start, "memory 0, there are 0")
			return
		}
		if in.op == opMemoryInit && !b.segment() {
			return
		}
		for i := int(info.ins) - 1; i >= 0; i-- {
			b.take(info.in[i])
		}
		if info.out != 0 {
			b.put(info.out)
		}
		return
	}
	switch in.op {
	case opNop:
	case opUnreachable:
		b.kill()
	case opBlock, opLoop, opIf:
		b.branchy(1)
		if in.op == opIf {
			b.take(I32)
		}
		if t := b.blockType(); b.r.bad == nil {
			b.takeAll(t.Params)
			b.push(in.op, t)
		}
	case opElse:
		b.elseOf()
	case opEnd:
		b.end()
	case opBr, opBrIf, opBrTable, opReturn:
		b.branch()
	case opCall, opCallIndirect:
		b.call()
	case opDrop:
		b.take(anyType)
	case opSelect:
		b.selectAny()
	case opSelectT:
		b.take(I32)
		b.take(ValueType(in.x))
		b.take(ValueType(in.x))
		b.put(ValueType(in.x))
	case opLocalGet, opLocalSet, opLocalTee, opGlobalGet, opGlobalSet:
		b.variable()
	default:
		b.reference()
	}
}

func (b *body) elseOf() {
	f := b.top()
	if f.op != opIf {
		b.r.failAt(b.in.start, "else without if")
		return
	}
	b.branchy(1)
	b.closeBlock()
	if b.r.bad == nil {
		t := FuncType{Params: f.params, Results: f.outs}
		b.ctrl = b.ctrl[:len(b.ctrl)-1]
		b.push(opElse, t)
	}
}

// closeBlock checks that exactly the block's results are left.
func (b *body) closeBlock() {
	f := b.top()
	b.takeAll(f.outs)
	if b.r.bad == nil && len(b.stack) != f.height {
		b.r.failAt(b.in.start, "%d values too many at the end of a block", len(b.stack)-f.height)
	}
}

func (b *body) end() {
	b.branchy(0)
	b.closeBlock()
	f := *b.top()
	if f.op == opIf && string(f.params) != string(f.outs) {
		b.r.failAt(b.in.start, "if without else has type %v, which needs one", FuncType{f.params, f.outs})
	}
	if b.r.bad != nil {
		return
	}
	b.ctrl = b.ctrl[:len(b.ctrl)-1]
	if len(b.ctrl) > 0 {
		b.put(f.outs...)
	}
}

// A branch back to a loop becomes several blocks when it is made to pay, and so do bulk operations, some of which are
// loops to wazero in any case.
const (
	blocksBranch   = 1
	blocksBackEdge = 3
	blocksBulk     = 4
)

func (b *body) branch() {
	b.branchy(b.branchBlocks())
	switch in := &b.in; in.op {
	case opReturn:
		b.takeAll(b.ctrl[0].outs)
		b.kill()
	case opBr:
		if f := b.frameAt(in.x); f != nil {
			b.takeAll(f.label())
			b.kill()
		}
	case opBrIf:
		b.take(I32)
		if f := b.frameAt(in.x); f != nil {
			b.takeAll(f.label())
			if b.r.bad == nil {
				b.put(f.label()...)
			}
		}
	case opBrTable:
		b.brTable()
	}
}

func (b *body) branchBlocks() int {
	n := blocksBranch
	for k, l := 0, b.in.x; ; k++ {
		if b.in.op == opBrTable {
			l = b.in.labels[k]
		}
		if b.in.op != opReturn && int64(l) < int64(len(b.ctrl)) && b.ctrl[len(b.ctrl)-1-int(l)].op == opLoop {
			return n + blocksBackEdge
		}
		if b.in.op != opBrTable || k == len(b.in.labels)-1 {
			return n
		}
	}
}

// brTable checks every distinct label once: a table of thousands of targets names few blocks.
func (b *body) brTable() {
	b.take(I32)
	labels := b.in.labels
	b.work += workPerTarget * len(labels)
	last := b.frameAt(labels[len(labels)-1])
	if last == nil {
		return
	}
	arity := len(last.label())
	var seen [64]uint64
	for _, l := range labels {
		f := b.frameAt(l)
		if f == nil {
			return
		}
		if l < 64*64 {
			if seen[l/64]&(1<<(l%64)) != 0 {
				continue
			}
			seen[l/64] |= 1 << (l % 64)
		}
		ts := f.label()
		if len(ts) != arity {
			b.r.failAt(b.in.start, "br_table to blocks of %d and %d values", arity, len(ts))
			return
		}
		b.peekAll(ts)
		if b.r.bad != nil {
			return
		}
	}
	b.takeAll(last.label())
	b.kill()
}

// peekAll checks that values of the types given are on the stack, leaving them there. In dead code the values stay
// of any type, as each target may read them as another.
func (b *body) peekAll(ts []ValueType) {
	b.steps += len(ts)
	b.r.cap(b.in.start, uint64(b.steps), b.m.policy.Steps, "values checked by calls and branches of the module")
	f := b.top()
	for i := range ts {
		want, at := ts[len(ts)-1-i], len(b.stack)-1-i
		if at < f.height {
			if !f.dead {
				b.r.failAt(b.in.start, "expected %s on the operand stack, which is empty in this block", typeName(want))
			}
			return
		}
		if got := b.stack[at]; got != want && got != anyType {
			b.r.failAt(b.in.start, "expected %s on the operand stack, got %s", typeName(want), typeName(got))
			return
		}
	}
}

func (b *body) call() {
	in, m := &b.in, b.m
	var t FuncType
	if in.op == opCall {
		if !b.index(in.x, len(m.funcs), "function") {
			return
		}
		t = m.functionType(in.x)
	} else {
		if !b.index(in.x, len(m.types), "type") || !b.index(in.y, len(m.tables), "table") {
			return
		}
		if e := m.tables[in.y].elem; e != FuncRef {
			b.r.failAt(in.start, "call_indirect through a table of %s", typeName(e))
			return
		}
		t = m.types[in.x]
		b.take(I32)
	}
	b.takeAll(t.Params)
	if b.r.bad == nil {
		b.steps += len(t.Results)
		b.put(t.Results...)
	}
}

// selectAny is select without a type: numbers and vectors only.
func (b *body) selectAny() {
	b.take(I32)
	x := b.take(anyType)
	y := b.take(anyType)
	if isRef(x) || isRef(y) {
		b.r.failAt(b.in.start, "select of references needs a type")
	}
	if x != y && x != anyType && y != anyType {
		b.r.failAt(b.in.start, "select of %s and %s", typeName(y), typeName(x))
	}
	if x == anyType {
		x = y
	}
	b.put(x)
}

func (b *body) variable() {
	in := &b.in
	switch in.op {
	case opLocalGet, opLocalSet, opLocalTee:
		if !b.index(in.x, len(b.locals), "local") {
			return
		}
		t := b.locals[in.x]
		if in.op != opLocalGet {
			b.take(t)
			b.writes(in.x)
		} else {
			b.reads(in.x)
		}
		if in.op != opLocalSet {
			b.put(t)
		}
	case opGlobalGet:
		if b.index(in.x, len(b.m.globals), "global") {
			b.put(b.m.globals[in.x].t)
		}
	case opGlobalSet:
		if !b.index(in.x, len(b.m.globals), "global") {
			return
		}
		g := b.m.globals[in.x]
		if !g.mutable {
			b.r.failAt(in.start, "global %d is immutable", in.x)
		}
		b.take(g.t)
	}
}
