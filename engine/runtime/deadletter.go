package runtime

import (
	"context"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
)

// deadLetters writes what policies set aside, for all tasks of a job, and is flushed with every epoch.
type deadLetters struct {
	job    string
	writer connectors.Writer
	ctx    context.Context

	mu      sync.Mutex
	builder *array.RecordBuilder // guarded by mu
}

func newDeadLetters(ctx context.Context, job string, w connectors.Writer) *deadLetters {
	return &deadLetters{job: job, writer: w, ctx: ctx, builder: array.NewRecordBuilder(memory.DefaultAllocator, plan.DeadLetterSchema)}
}

// Reject implements [operator.Rejects].
func (d *deadLetters) Reject(node string, why *fault.Fault, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.builder
	b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(time.Now().UnixMilli()))
	for i, text := range []string{d.job, node, why.What, why.Where} {
		b.Field(i + 1).(*array.StringBuilder).Append(text)
	}
	if utf8.Valid(data) {
		b.Field(5).(*array.StringBuilder).Append(string(data))
		b.Field(6).AppendNull()
	} else {
		b.Field(5).AppendNull()
		b.Field(6).(*array.BinaryBuilder).Append(data)
	}
	if detail := operator.WithoutRow(why.Detail); detail != "" {
		b.Field(7).(*array.StringBuilder).Append(detail)
	} else {
		b.Field(7).AppendNull()
	}
	if b.Field(0).Len() >= 256 {
		return d.write()
	}
	return nil
}

// write hands the collected letters to the writer; mu is held.
func (d *deadLetters) write() error {
	rec := d.builder.NewRecord()
	defer rec.Release()
	if rec.NumRows() == 0 {
		return nil
	}
	if err := d.writer.Write(d.ctx, &stream.Batch{Record: rec}); err != nil {
		return fault.From(err).In("dead letters")
	}
	return nil
}

// flush makes durable what was set aside before.
func (d *deadLetters) flush(ctx context.Context) (operator.Flushed, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.write(); err != nil {
		return operator.Flushed{}, err
	}
	position, wait, err := d.writer.Flush(ctx)
	if err != nil {
		return operator.Flushed{}, fault.From(err).In("dead letters")
	}
	return operator.Flushed{Position: position, Wait: wait}, nil
}

func (d *deadLetters) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.builder.Release()
	d.writer.Close()
}
