package operator

import (
	"encoding/json"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// Reached keeps how far event time has come at an operator, so that a job that goes on from a commit does not go back in time: the inputs of the operator tell
// their watermarks one after another then, perhaps behind the first rows, and one that was idle holds time back until it is found idle again.
type Reached struct {
	// From is the watermark at the last commit.
	From stream.Watermark
	// Take is handed the watermark where an epoch ends; nil: nobody wants it, and there is none to go on from.
	Take func(json.RawMessage)
}

// ReadReached returns the greatest of the watermarks that the tasks of an operator had handed to Take.
func ReadReached(taken []json.RawMessage) (stream.Watermark, error) {
	from := stream.MinWatermark
	for i, text := range taken {
		var w int64
		if err := json.Unmarshal(text, &w); err != nil {
			return from, fault.New(fault.State, "the watermark of a task is not as it was written: %v", err).At("task %d", i)
		}
		from = max(from, stream.Watermark(w))
	}
	return from, nil
}

// open returns the watermark to begin with.
func (r *Reached) open() int64 {
	if r.Take == nil {
		r.From = stream.MinWatermark
	}
	return int64(r.From)
}

// pass returns the watermark that holds when one comes. The end of the input is passed on, but it is no time: a job that is run again over
// inputs that have grown goes on behind their rows.
func (r *Reached) pass(to stream.Watermark) stream.Watermark {
	if to == stream.MaxWatermark {
		return to
	}
	r.From = max(r.From, to)
	return r.From
}

func (r *Reached) barrier() {
	if r.Take == nil || r.From == stream.MinWatermark {
		return
	}
	text, err := json.Marshal(int64(r.From))
	if err != nil {
		panic(err) // a number always encodes
	}
	r.Take(text)
}
