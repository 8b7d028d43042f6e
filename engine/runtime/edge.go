package runtime

import (
	"context"
	"sync/atomic"

	"github.com/wasmill/wasmill/engine/stream"
)

// edgeLength is how many elements wait on an edge before its sender does. Batches are large, so few are enough to keep
// both ends busy, and few hold little memory.
const edgeLength = 8

// edge is a bounded queue from one task to one input of another.
type edge struct {
	elements chan stream.Element
	// ready wakes the receiver, which has one such channel for all of its inputs.
	ready  chan struct{}
	moving *atomic.Int64 // nil: not counted
}

// Send waits for room, and takes over the element's batch even when it fails.
func (e *edge) Send(ctx context.Context, element stream.Element) error {
	e.count(1)
	select {
	case e.elements <- element:
	default:
		select {
		case e.elements <- element:
		case <-ctx.Done():
			e.count(-1)
			if element.Batch != nil {
				element.Batch.Release()
			}
			return context.Cause(ctx)
		}
	}
	poke(e.ready)
	return nil
}

func (e *edge) count(n int64) {
	if e.moving != nil {
		e.moving.Add(n)
	}
}

// drop releases what nobody received. Both ends are gone by then.
func (e *edge) drop() {
	for {
		select {
		case element := <-e.elements:
			if element.Batch != nil {
				element.Batch.Release()
			}
		default:
			return
		}
	}
}

// poke makes a channel of capacity one ready.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
