package stream

// Kind tells the elements of a stream apart.
type Kind uint8

// The kinds of element that travel along an edge.
const (
	KindBatch     Kind = iota // rows
	KindWatermark             // progress of event time
	KindBarrier               // the end of an epoch
	KindIdle                  // no rows to be expected for now: the input does not hold back the watermark
	KindActive                // rows again
	KindEnd                   // the end of a bounded input
)

// Element is one thing that travels along an edge, in order.
type Element struct {
	Kind      Kind
	Batch     *Batch    // of KindBatch: owned by the receiver, never Volatile
	Watermark Watermark // of KindWatermark
	Epoch     uint64    // of KindBarrier
	Drain     bool      // of KindBarrier: the last barrier before the job stops
}
