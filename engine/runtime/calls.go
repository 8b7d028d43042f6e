package runtime

import (
	"time"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

// guestKey tells guests apart: the functions of a bundle share one where their limits are the same.
type guestKey struct {
	bundle    string
	maxMemory uint64
	timeout   plan.Duration
	fuel      uint64
}

func keyOf(call *plan.Call) guestKey {
	return guestKey{call.Bundle, call.MaxMemory, call.Timeout, call.Fuel}
}

// addGuest makes the place for the guest of a call.
func (c *chain) addGuest(node string, call *plan.Call) error {
	key := keyOf(call)
	if c.guests[key] != nil {
		return nil
	}
	b, err := c.job.options.Bundle(call.Bundle)
	if err != nil {
		return err
	}
	options := udf.Options{MaxMemory: call.MaxMemory, CallTimeout: time.Duration(call.Timeout), Fuel: call.Fuel, Metric: c.job.counters.add}
	if log := c.job.options.GuestLog; log != nil {
		options.Log = func(level int, line string) { log(node, level, line) }
	}
	c.guests[key] = operator.NewGuest(b, options)
	return nil
}

func (c *chain) call(n *plan.ResolvedNode) (*operator.Call, error) {
	spec := n.Node.Call
	call := &operator.Call{
		Policy: c.policy(n, spec.OnError), Kind: n.Node.Kind, Function: spec.Function, Where: c.where(n), Config: spec.Config,
		Guest: c.guests[keyOf(spec)], Columns: n.Columns, In: n.Args, Out: n.Out, At: n.At,
	}
	if next := c.nextCall(n); next != nil {
		call.Arena = keyOf(next) == keyOf(spec)
	}
	call.Copy = c.reenters(n)
	if n.Node.Kind == plan.KindKeyedMap {
		if err := c.declare(n); err != nil {
			return nil, err
		}
		full := func() { poke(c.epochs.full) }
		call.State = operator.NewKeyedState(c.store, n.Node.ID, n.Signature.State, c.job.options.StateCache, c.last.Epoch, full)
		call.TakeChanges = func(epoch uint64, s *operator.KeyedState) { c.epochs.takeChanges(epoch, s) }
	}
	return call, nil
}

// declare notes the types of a function's state.
func (c *chain) declare(n *plan.ResolvedNode) error {
	types := make(map[string]string)
	for _, d := range n.Signature.State {
		types[d.Name] = d.Stored().StoredType()
	}
	if err := c.store.Declare(n.Node.ID, types); err != nil {
		return c.placed(n, err)
	}
	return nil
}

// process builds the operator of a process function.
func (c *chain) process(n *plan.ResolvedNode) (*operator.Process, error) {
	if err := c.declare(n); err != nil {
		return nil, err
	}
	spec := n.Node.Call
	from, to := c.owned()
	p := &operator.Process{
		Policy: c.policy(n, spec.OnError), Function: spec.Function, Where: c.where(n), Config: spec.Config,
		Guest: c.guests[keyOf(spec)], Columns: n.Columns, In: n.Args, Clock: c.now, TakeChanges: c.epochs.takeChanges,
		State: operator.NewProcessState(operator.ProcessStateOptions{
			Store: c.store, Operator: n.Node.ID, States: n.Signature.State, From: from, To: to, Limit: c.job.options.StateCache,
			Epoch: c.last.Epoch, Full: func() { poke(c.epochs.full) },
		}),
	}
	var err error
	if p.Reached, err = c.reached(n); err != nil {
		return nil, err
	}
	p.Sides = make([]stream.Output, len(n.Signature.Sides))
	for _, side := range c.stage.Nodes {
		if side.Node.Kind != plan.KindSideOutput || side.Node.Inputs[0] != n.Node.ID {
			continue
		}
		out, err := c.node(side)
		if err != nil {
			return nil, err
		}
		p.Sides[n.Signature.Side(side.Node.SideOutput.Tag)-1] = out
	}
	c.timed = append(c.timed, p)
	return p, nil
}

// reenters reports whether the rows that reach a call may lie in a guest other than its own that calls behind it run in: they
// could change the rows before this call, which passes its results on in steps, is through with them.
func (c *chain) reenters(n *plan.ResolvedNode) bool {
	for up := c.before(n); up != nil; up = c.before(up) {
		if up.AggregateSpecs() != nil {
			return false // nothing of the rows before it goes on
		}
		if up.Node.Call == nil {
			continue
		}
		if key := keyOf(up.Node.Call); key != keyOf(n.Node.Call) && c.runsBehind(n, key) {
			return true
		}
		switch up.Node.Kind {
		case plan.KindMap, plan.KindFlatMap, plan.KindKeyedMap, plan.KindProcess:
			return false // nothing of the rows before it goes on
		}
	}
	return false
}

// before returns the node of this task that n reads, nil where it reads edges.
func (c *chain) before(n *plan.ResolvedNode) *plan.ResolvedNode {
	for _, up := range c.stage.Nodes {
		if len(n.Node.Inputs) == 1 && n.Node.Inputs[0] == up.Node.ID {
			return up
		}
	}
	return nil
}

// runsBehind reports whether a call of the guest with a key follows n in this task.
func (c *chain) runsBehind(n *plan.ResolvedNode, key guestKey) bool {
	for _, next := range c.stage.Nodes {
		if c.before(next) != n {
			continue
		}
		if next.Node.Call != nil && keyOf(next.Node.Call) == key || c.runsBehind(next, key) {
			return true
		}
	}
	return false
}

// nextCall returns the next call that the rows of n meet in this task, when nothing but projections and keys lies between.
func (c *chain) nextCall(n *plan.ResolvedNode) *plan.Call {
	var next *plan.ResolvedNode
	for _, candidate := range c.stage.Nodes {
		for _, in := range candidate.Node.Inputs {
			if in == n.Node.ID {
				if next != nil {
					return nil
				}
				next = candidate
			}
		}
	}
	switch {
	case next == nil || next.AggregateSpecs() != nil:
		return nil
	case next.Node.Call != nil:
		return next.Node.Call
	}
	return c.nextCall(next)
}
