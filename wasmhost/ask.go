package wasmhost

import "github.com/wasmill/wasmill/engine/fault"

func (g *guest) importAsk(stack []uint64) {
	request := g.argument("the request of py_ask", stack[0], stack[1])
	if g.options.Ask == nil {
		panic(fault.New(fault.Guest, "the guest asked for state where there is none to ask for"))
	}
	answer, err := g.options.Ask(request)
	if err != nil {
		panic(fault.From(err))
	}
	g.charge(int64(len(request)+len(answer)) / fuelBytes)
	g.answer = answer
	stack[0] = uint64(len(answer))
}

func (g *guest) importAnswer(stack []uint64) {
	n := uint64(len(g.answer))
	if n <= uint64(uint32(stack[1])) && n > 0 {
		copy(g.argument("the buffer of py_answer", stack[0], n), g.answer)
	}
	stack[0] = n
}
