package runtime

import (
	"context"

	"github.com/wasmill/wasmill/engine/stream"
)

// merge is the head of a task that reads edges: it hands the elements of all inputs to the chain, takes the minimum of their
// watermarks, and aligns barriers: an input whose barrier has come waits until the others' have.
type merge struct {
	chain  stream.Output
	inputs []*input
	ready  chan struct{}
	// rest is called when no rows are under way in the chain.
	rest func()
	// done is called after the chain has seen a barrier.
	done  func(epoch uint64)
	timed timed

	watermark stream.Watermark
	idle      bool
	ended     bool
}

type input struct {
	edge      *edge
	watermark stream.Watermark
	idle      bool
	ended     bool
	blocked   bool // its barrier has come
}

func newMerge(edges []*edge, ready chan struct{}) *merge {
	m := &merge{ready: ready, watermark: stream.MinWatermark}
	for _, e := range edges {
		m.inputs = append(m.inputs, &input{edge: e, watermark: stream.MinWatermark})
	}
	return m
}

// run returns after the barrier that drains the job.
func (m *merge) run(ctx context.Context) error {
	stop := m.timed.start(m.ready)
	defer stop()
	for {
		if err := m.timed.tick(); err != nil {
			return err
		}
		any := false
		for _, in := range m.inputs {
			if in.blocked {
				continue
			}
			select {
			case e := <-in.edge.elements:
				any = true
				drained, err := m.element(in, e)
				in.edge.count(-1)
				if drained || err != nil {
					return err
				}
			default:
			}
		}
		if any {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			continue
		}
		select {
		case <-m.ready:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (m *merge) element(in *input, e stream.Element) (drained bool, err error) {
	switch e.Kind {
	case stream.KindBatch:
		err := m.chain.Batch(e.Batch)
		e.Batch.Release()
		m.rest()
		return false, err
	case stream.KindWatermark:
		in.watermark = max(in.watermark, e.Watermark)
		return false, m.advance()
	case stream.KindIdle, stream.KindActive:
		in.idle = e.Kind == stream.KindIdle
		return false, m.advance()
	case stream.KindEnd:
		in.ended = true
		if err := m.advance(); err != nil || m.ended || !m.all(func(i *input) bool { return i.ended }) {
			return false, err
		}
		m.ended = true
		return false, m.chain.End()
	case stream.KindBarrier:
		in.blocked = true
		if !m.all(func(i *input) bool { return i.blocked }) {
			return false, nil
		}
		for _, i := range m.inputs {
			i.blocked = false
		}
		if err := m.chain.Barrier(e.Epoch, e.Drain); err != nil {
			return false, err
		}
		m.done(e.Epoch)
		return e.Drain, nil
	}
	return false, nil
}

// advance passes on a watermark or a status that changed. Idle inputs do not hold the watermark back while others are
// active; when all that have not ended are idle there is nothing that could say how far time has come.
func (m *merge) advance() error {
	idle, least := true, stream.MaxWatermark
	for _, i := range m.inputs {
		if !i.idle && !i.ended {
			idle, least = false, min(least, i.watermark)
		}
	}
	if m.all(func(i *input) bool { return i.ended }) {
		idle = false
	}
	if idle != m.idle {
		m.idle = idle
		if err := m.chain.Status(!idle); err != nil {
			return err
		}
	}
	if idle || least <= m.watermark {
		return nil
	}
	m.watermark = least
	return m.chain.Watermark(least)
}

func (m *merge) all(is func(*input) bool) bool {
	for _, i := range m.inputs {
		if !is(i) {
			return false
		}
	}
	return true
}
