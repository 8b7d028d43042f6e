// Package stream holds what flows between operators: batches of rows, watermarks and barriers, and the contract that
// an operator keeps. It is the lowest floor of the engine.
package stream

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
)

// MaxRows is the largest number of rows in a batch.
const MaxRows = 8192

// NoTime is the event time of a row that has none.
const NoTime int64 = math.MinInt64

// Batch is 1 to [MaxRows] rows: an Arrow record and the event time of each row.
//
// A batch is lent, not given: whoever passes one to an operator owns it, and it is valid until that call returns. An
// operator that needs rows for longer takes its own with [Batch.Keep]. The lease is the call itself, because a batch
// may lie in a guest's memory, where any later entry into the guest may change it.
type Batch struct {
	// Record holds the rows. Its buffers lie in Go memory, or in a guest's when Volatile is set.
	Record arrow.Record
	// Times is the event time of each row in milliseconds since 1970 UTC, or nil when the stream has no event time.
	Times []int64
	// Keys is set behind a key_by: the key of each row.
	Keys *Keys
	// Volatile says that buffers of Record lie in memory that is only good until the call that passed the batch returns.
	Volatile bool
}

// Rows returns the number of rows.
func (b *Batch) Rows() int { return int(b.Record.NumRows()) }

// Release gives up the reference on the batch's record.
func (b *Batch) Release() {
	if b.Record != nil {
		b.Record.Release()
		b.Record = nil
	}
}

// Watermark says that no row with an event time at or below it is expected any more, in milliseconds since 1970 UTC.
type Watermark int64

// The ends of the range of watermarks: before any row, and after the end of a bounded input.
const (
	MinWatermark Watermark = math.MinInt64
	MaxWatermark Watermark = math.MaxInt64
)
