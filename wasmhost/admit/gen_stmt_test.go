package admit

// statement writes code that leaves nothing on the stack.
func (g *generator) statement() {
	if g.left--; g.left < 0 {
		return
	}
	switch g.r.IntN(14) {
	case 0, 1:
		t := genTypes[g.r.IntN(len(genTypes))]
		g.value(t)
		g.put(opLocalSet, g.local(t))
	case 2:
		g.value(I64)
		g.put(opGlobalSet, 1)
	case 3:
		g.value(I32)
		g.put(opIf, 0x40)
		g.block()
		if g.r.IntN(2) == 0 {
			g.put(opElse)
			g.block()
		}
		g.put(opEnd)
	case 4, 5, 6:
		g.loop()
	case 7:
		g.put(opBlock, 0x40, opBlock, 0x40)
		g.statement()
		g.value(I32)
		g.put(opBrTable, 2, 0, 1, 0)
		g.put(opEnd)
		g.statement()
		g.put(opEnd)
	case 8, 9:
		g.call()
	case 10, 11:
		g.bulk()
	case 12:
		g.value(I32)
		g.i32(0xfffff)
		g.put(opcodeAnd)
		g.value(I64)
		g.put(0x37, 0, 8) // i64.store
	case 13:
		g.put(opBlock, 0x40)
		g.value(I32)
		g.put(opBrIf, 0)
		g.statement()
		g.put(opBr, 0)
		g.statement() // dead
		g.put(opEnd)
	}
}

func (g *generator) block() {
	for range 1 + g.r.IntN(2) {
		g.statement()
	}
}

// loop writes a loop of a few rounds in one of the ways a branch can go back.
func (g *generator) loop() {
	if g.loops == genCounters {
		return
	}
	c := g.counter(g.loops)
	g.loops++
	defer func() { g.loops-- }()
	g.i32(int32(1 + g.r.IntN(5)))
	g.put(opLocalSet, c)
	down := func() { g.put(opLocalGet, c, opI32Const, 1, opcodeSub, opLocalTee, c) }
	switch g.r.IntN(5) {
	case 0:
		g.put(opLoop, 0x40)
		g.statement()
		down()
		g.put(opBrIf, 0, opEnd)
	case 1: // an unconditional branch back, and a way out before it
		g.put(opBlock, 0x40, opLoop, 0x40)
		g.statement()
		down()
		g.put(opcodeEqz, opBrIf, 1)
		g.statement()
		g.put(opBr, 0, opEnd, opEnd)
	case 2: // by a table
		g.put(opBlock, 0x40, opLoop, 0x40)
		g.statement()
		down()
		g.put(opBrTable, 1, 1, 0, opEnd, opEnd)
	case 3: // with a parameter
		g.value(I32)
		g.put(opLoop, 4)
		g.value(I32)
		g.put(opcodeAdd)
		g.statement()
		down()
		g.put(opBrIf, 0, opEnd, opLocalSet, g.local(I32))
	case 4: // from within a block, over what is on the stack
		g.put(opLoop, 0x40, opBlock, 0x40)
		g.value(I64)
		down()
		g.put(opBrIf, 1, opDrop, opEnd)
		g.statement()
		g.put(opEnd)
	}
}

const opcodeEqz = 0x45

// call calls a function after this one, by name or through the table; the table's other functions and its empty
// places trap, by type or as null, unless they come after too.
func (g *generator) call() {
	if g.fn+1 >= len(g.types) {
		return
	}
	f := g.fn + 1 + g.r.IntN(len(g.types)-g.fn-1)
	for _, t := range g.types[f].Params {
		g.value(t)
	}
	if g.r.IntN(3) > 0 {
		g.put(opCall, byte(f))
	} else {
		g.i32(int32(f))
		for k, t := range genFuncTypes {
			if t.equal(g.types[f]) {
				g.put(opCallIndirect, byte(k), 0)
			}
		}
	}
	for i := len(g.types[f].Results) - 1; i >= 0; i-- {
		g.put(opLocalSet, g.local(g.types[f].Results[i]))
	}
}

// bulk writes a bulk operation: short, beyond a chunk, or mostly out of bounds.
func (g *generator) bulk() {
	size := int32(genPages << 16)
	length := [...]int32{0, 100, 3000, bulkChunk, bulkChunk + 1, size - 5, size, -1}[g.r.IntN(8)]
	place := func() { g.i32(g.r.Int32N(1 + max(0, min(size, size-max(length, 0)+100)))) }
	switch g.r.IntN(6) {
	case 0:
		place()
		g.value(I32)
		g.i32(length)
		g.put(0xfc, 11, 0)
	case 1:
		place()
		place()
		g.i32(length)
		g.put(0xfc, 10, 0, 0)
	case 2:
		place()
		g.i32(g.r.Int32N(20))
		g.i32(g.r.Int32N(genData))
		g.put(0xfc, 8, 0, 0)
	case 3: // the table of externref: the other one holds what may be called
		g.i32(g.r.Int32N(21))
		g.put(opRefNull, ExternRef)
		g.i32(g.r.Int32N(21))
		g.put(0xfc, 17, 1)
	case 4:
		g.i32(g.r.Int32N(21))
		g.i32(g.r.Int32N(21))
		g.i32(g.r.Int32N(10))
		g.put(0xfc, 14, 1, 1)
	case 5: // into empty places, behind the functions
		g.i32(10 + g.r.Int32N(5))
		g.i32(0)
		g.i32(g.r.Int32N(4))
		g.put(0xfc, 12, 1, 0)
	}
}
