package admit

// simd sets the vector opcodes, by the numbers of the specification's index of instructions.
func (t *opTable) simd() {
	const v = V128
	at := func(from, to int, out ValueType, in ...ValueType) { t.op(opFD+from, opFD+to, out, in...) }

	t.mem(opFD+0, 4, v, I32) // v128.load
	for op := 1; op <= 6; op++ {
		t.mem(opFD+op, 3, v, I32) // loads that extend
	}
	for i := range 4 {
		t.mem(opFD+7+i, uint8(i), v, I32) // loads that splat
	}
	t.mem(opFD+11, 4, 0, I32, v) // v128.store
	t.mem(opFD+92, 2, v, I32)    // v128.load32_zero
	t.mem(opFD+93, 3, v, I32)    // v128.load64_zero
	for i := range 4 {
		load, store := opFD+84+i, opFD+88+i
		t.mem(load, uint8(i), v, I32, v)
		t.mem(store, uint8(i), 0, I32, v)
		for _, op := range [...]int{load, store} {
			t[op].imm, t[op].lanes = immMemLane, 16>>i
		}
	}

	at(12, 12, v) // v128.const
	t[opV128Const].imm = imm16
	at(13, 14, v, v, v) // shuffle, swizzle
	t[opShuffle].imm = imm16
	for i, e := range [...]ValueType{I32, I32, I32, I64, F32, F64} {
		at(15+i, 15+i, v, e) // splats
	}
	for _, l := range [...]struct {
		op, extracts int
		lanes        uint8
		t            ValueType
	}{{21, 2, 16, I32}, {24, 2, 8, I32}, {27, 1, 4, I32}, {29, 1, 2, I64}, {31, 1, 4, F32}, {33, 1, 2, F64}} {
		at(l.op, l.op+l.extracts-1, l.t, v)             // extract_lane
		at(l.op+l.extracts, l.op+l.extracts, v, v, l.t) // replace_lane
		for op := l.op; op <= l.op+l.extracts; op++ {
			t[opFD+op].imm, t[opFD+op].lanes = immLane, l.lanes
		}
	}

	at(35, 76, v, v, v) // comparisons of i8x16 to f64x2
	at(77, 77, v, v)    // v128.not
	at(78, 81, v, v, v) // and, andnot, or, xor
	at(82, 82, v, v, v, v)
	at(83, 83, I32, v)
	at(94, 95, v, v) // demote, promote

	at(96, 98, v, v) // i8x16: abs, neg, popcnt
	at(99, 100, I32, v)
	at(101, 102, v, v, v)
	at(103, 106, v, v) // f32x4: ceil, floor, trunc, nearest
	at(107, 109, v, v, I32)
	at(110, 115, v, v, v)
	at(116, 117, v, v) // f64x2: ceil, floor
	at(118, 121, v, v, v)
	at(122, 122, v, v) // f64x2.trunc
	at(123, 123, v, v, v)
	at(124, 127, v, v) // extadd_pairwise

	at(128, 129, v, v) // i16x8
	at(130, 130, v, v, v)
	at(131, 132, I32, v)
	at(133, 134, v, v, v)
	at(135, 138, v, v)
	at(139, 141, v, v, I32)
	at(142, 147, v, v, v)
	at(148, 148, v, v) // f64x2.nearest
	at(149, 153, v, v, v)
	at(155, 159, v, v, v)

	at(160, 161, v, v) // i32x4
	at(163, 164, I32, v)
	at(167, 170, v, v)
	at(171, 173, v, v, I32)
	at(174, 174, v, v, v)
	at(177, 177, v, v, v)
	at(181, 186, v, v, v)
	at(188, 191, v, v, v)

	at(192, 193, v, v) // i64x2
	at(195, 196, I32, v)
	at(199, 202, v, v)
	at(203, 205, v, v, I32)
	at(206, 206, v, v, v)
	at(209, 209, v, v, v)
	at(213, 223, v, v, v)

	for _, f := range [...]int{224, 236} { // f32x4, f64x2
		at(f, f+1, v, v)
		at(f+3, f+3, v, v)
		at(f+4, f+11, v, v, v)
		t[opFD+f+3].cost, t[opFD+f+7].cost = costDiv, costDiv // sqrt, div
	}
	at(248, 255, v, v) // conversions
}

// refusedOp names what an opcode that is not admitted belongs to.
func refusedOp(op byte, sub uint32) string {
	switch {
	case op == 0xfc && sub == opTableGrow-opFC:
		return "table.grow is refused: tables have a fixed size"
	case op == 0xfe:
		return "threads and atomics are refused"
	case op == 0x12 || op == 0x13 || op == 0x15:
		return "tail calls are refused"
	case op >= 0x06 && op <= 0x0a || op == 0x18 || op == 0x19 || op == 0x1f:
		return "exceptions are refused"
	case op == 0xfb || op == 0x14 || op >= 0xd3 && op <= 0xd6:
		return "garbage collection and typed references are refused"
	case op == 0xfd && sub > 0xff:
		return "relaxed SIMD is refused"
	}
	return ""
}
