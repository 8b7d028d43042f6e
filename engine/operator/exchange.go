package operator

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/stream"
)

// Edge is a queue to another task.
type Edge interface {
	// Send waits for room. It takes over the element's batch.
	Send(ctx context.Context, e stream.Element) error
}

// Exchange is the end of a chain whose rows go to other tasks: by key, or in turn. Batches are copied out of guests.
type Exchange struct {
	// Encoder finds the keys that rows are sent by; nil sends whole batches in turn.
	Encoder    *stream.KeyEncoder
	Partitions int
	Edges      []Edge

	ctx  context.Context
	rows [][]int32
	key  []byte
	turn int
}

// Open notes the task's context.
func (x *Exchange) Open(ctx context.Context) error {
	x.ctx = ctx
	x.rows = make([][]int32, len(x.Edges))
	return nil
}

// Close does nothing: edges belong to the job.
func (x *Exchange) Close() error { return nil }

// Batch sends each row to the task that owns its key.
func (x *Exchange) Batch(b *stream.Batch) error {
	if x.Encoder == nil || len(x.Edges) == 1 {
		x.turn = (x.turn + 1) % len(x.Edges)
		return x.Edges[x.turn].Send(x.ctx, stream.Element{Kind: stream.KindBatch, Batch: b.Keep()})
	}
	x.Encoder.Bind(b.Record)
	for i := range x.rows {
		x.rows[i] = x.rows[i][:0]
	}
	for row := range b.Rows() {
		x.key = x.Encoder.AppendKey(x.key[:0], row)
		owner := stream.Owner(stream.Partition(x.key, x.Partitions), x.Partitions, len(x.Edges))
		x.rows[owner] = append(x.rows[owner], int32(row))
	}
	// Take everything out before the first Send, which may wait.
	parts := make([]*stream.Batch, len(x.Edges))
	for i, rows := range x.rows {
		if len(rows) > 0 {
			parts[i] = b.Take(memory.DefaultAllocator, rows)
		}
	}
	for i, part := range parts {
		if part == nil {
			continue
		}
		if err := x.Edges[i].Send(x.ctx, stream.Element{Kind: stream.KindBatch, Batch: part}); err != nil {
			for _, p := range parts[i+1:] {
				if p != nil {
					p.Release()
				}
			}
			return err
		}
	}
	return nil
}

// Watermark goes to every task.
func (x *Exchange) Watermark(w stream.Watermark) error {
	return x.all(stream.Element{Kind: stream.KindWatermark, Watermark: w})
}

// Status goes to every task.
func (x *Exchange) Status(active bool) error {
	if active {
		return x.all(stream.Element{Kind: stream.KindActive})
	}
	return x.all(stream.Element{Kind: stream.KindIdle})
}

// Barrier goes to every task.
func (x *Exchange) Barrier(epoch uint64, drain bool) error {
	return x.all(stream.Element{Kind: stream.KindBarrier, Epoch: epoch, Drain: drain})
}

// End goes to every task.
func (x *Exchange) End() error { return x.all(stream.Element{Kind: stream.KindEnd}) }

func (x *Exchange) all(e stream.Element) error {
	for _, edge := range x.Edges {
		if err := edge.Send(x.ctx, e); err != nil {
			return err
		}
	}
	return nil
}
