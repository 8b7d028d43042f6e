package wasmhost

import (
	"bytes"
	"context"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
)

// Execute runs the job that a driver script hands over as a plan, which is its own to keep, and returns when it has ended, or begins it. Picture makes
// an image of the script's memory as it waits, while it waits: guests that start from it have all that the script has. Who makes one closes it. What
// Execute returns the script gets: a result, or the error's text.
type Execute func(ctx context.Context, plan []byte, picture func() (*Image, error)) (result []byte, err error)

// driver is what a guest has that may hand jobs to the host.
type driver struct {
	execute Execute // nil for all others
	result  []byte  // of the last call
}

// maxPlan is the most bytes of a plan.
const maxPlan = 16 << 20

func (g *guest) importExecute(stack []uint64) {
	plan := g.argument("the plan of py_execute", stack[0], stack[1])
	if g.driver.execute == nil {
		panic(fault.New(fault.Unsupported, "a job was started where there is none to start: execute() belongs into a driver script").
			WithHint("call execute() in the script itself, not in a function that a stream calls"))
	}
	if len(plan) > maxPlan {
		panic(fault.New(fault.Limit, "the plan has %d bytes, at most %d are allowed", len(plan), maxPlan))
	}
	var unpictured error
	// What the job takes is not the script's time.
	began := time.Now()
	result, err := g.driver.execute(g.entry.Context, bytes.Clone(plan), func() (image *Image, _ error) {
		image, unpictured = g.picture()
		return image, unpictured
	})
	if unpictured != nil {
		panic(fault.From(unpictured)) // which no script catches
	}
	waited := time.Since(began)
	g.clock.entered, g.refilled = g.clock.entered.Add(waited), g.refilled.Add(waited)
	g.log.renew()
	g.driver.result = result
	stack[0] = uint64(len(result))
	if err != nil {
		g.driver.result = []byte(fault.From(err).Error())
		stack[0] = api.EncodeI64(-1)
	}
	g.checkTime()
}

func (g *guest) importResult(stack []uint64) {
	n := uint64(len(g.driver.result))
	if n <= uint64(uint32(stack[1])) {
		g.charge(int64(n) / fuelBytes)
		copy(g.argument("the buffer of py_result", stack[0], n), g.driver.result)
	}
	stack[0] = n
}
