package stream

import "context"

// Output takes the elements of a stream in order. An operator is the output of the one before it.
//
// Errors end the task. All methods are called by the task's goroutine, one at a time.
type Output interface {
	// Batch takes rows, lent until it returns.
	Batch(b *Batch) error
	// Watermark says how far event time has come. Watermarks never fall.
	Watermark(w Watermark) error
	// Status says whether rows are to be expected.
	Status(active bool) error
	// Barrier ends an epoch: what the operator did since the last one is handed to the epoch's commit before the barrier
	// is passed on. Drain marks the last barrier before the task stops.
	Barrier(epoch uint64, drain bool) error
	// End says that a bounded input has no more rows. Barriers may still follow.
	End() error
}

// Operator is one step of a task's chain: opened once, fed elements, closed once.
type Operator interface {
	Output
	// Open prepares the operator. The context ends when the task must stop at once.
	Open(ctx context.Context) error
	// Close frees what Open took; it is called after a failed Open as well.
	Close() error
}

// Forward passes every element on. Operators embed it and override what they care about.
type Forward struct {
	Next Output
}

// Open does nothing.
func (f *Forward) Open(context.Context) error { return nil }

// Close does nothing.
func (f *Forward) Close() error { return nil }

// Batch passes the batch on.
func (f *Forward) Batch(b *Batch) error { return f.Next.Batch(b) }

// Watermark passes the watermark on.
func (f *Forward) Watermark(w Watermark) error { return f.Next.Watermark(w) }

// Status passes the status on.
func (f *Forward) Status(active bool) error { return f.Next.Status(active) }

// Barrier passes the barrier on.
func (f *Forward) Barrier(epoch uint64, drain bool) error { return f.Next.Barrier(epoch, drain) }

// End passes the end on.
func (f *Forward) End() error { return f.Next.End() }
