package operator

import (
	"context"
	"encoding/json"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// markInterval is how often watermarks are made, as in Flink.
const markInterval = 200

// EventTime takes the times of rows from one of their columns, and makes watermarks of its own: those that come to it count
// no more, but for the end of the input. The time of a row that has none there is [stream.NoTime].
type EventTime struct {
	stream.Forward
	Stats  *Stats
	Column int
	// OutOfOrderness is how many milliseconds rows may come behind the newest.
	OutOfOrderness int64
	// Idle is after how long without rows the operator holds back no watermark; 0: never.
	Idle time.Duration
	// Silent makes no watermarks: time goes on only at the end of the input.
	Silent bool
	// From are what the operator's tasks had handed to Take when the job last committed.
	From []json.RawMessage
	// Take is handed where an epoch ends with which event time.
	Take func(json.RawMessage)

	newest  int64 // the largest event time, or stream.NoTime
	mark    stream.Watermark
	sent    stream.Watermark
	checked int64 // processing time, as are those below
	heard   int64
	rows    bool
	idle    bool
}

// Open goes on from the least of the times and watermarks of the tasks, however many there were: behind them it counts alone.
func (e *EventTime) Open(context.Context) error {
	e.newest, e.mark, e.sent = stream.NoTime, stream.MinWatermark, stream.MinWatermark
	for i, text := range e.From {
		var times [2]int64
		if err := json.Unmarshal(text, &times); err != nil {
			return fault.New(fault.State, "the event time of a task is not as it was written: %v", err).At("task %d", i)
		}
		newest, mark := times[0], stream.Watermark(times[1])
		if i == 0 {
			e.newest, e.mark = newest, mark
		}
		e.newest, e.mark = min(e.newest, newest), min(e.mark, mark)
	}
	return nil
}

// Batch gives the rows their times.
func (e *EventTime) Batch(b *stream.Batch) error {
	start := e.Stats.enter(b.Rows())
	defer e.Stats.leave(start)
	if err := e.send(); err != nil { // what an earlier run had sent
		return err
	}
	times, err := stream.EventTimes(b.Record.Column(e.Column))
	if err != nil {
		return err
	}
	for _, t := range times {
		e.newest = max(e.newest, t)
	}
	e.rows = true
	return e.Stats.Pass(e.Next, &stream.Batch{Record: b.Record, Times: times, Keys: b.Keys, Volatile: b.Volatile})
}

// Watermark passes on the end of the input and no other.
func (e *EventTime) Watermark(w stream.Watermark) error {
	if w != stream.MaxWatermark {
		return nil
	}
	e.mark = w
	return e.send()
}

// Status is the operator's own affair.
func (e *EventTime) Status(bool) error { return nil }

// Tick implements [Timed]: it makes watermarks.
func (e *EventTime) Tick(now int64) (fired int, err error) {
	if e.checked != 0 && now >= e.checked && now < e.checked+markInterval {
		return 0, nil
	}
	if e.rows || e.checked == 0 {
		e.heard, e.rows = now, false
	}
	e.checked = now
	if idle := e.Idle > 0 && now-e.heard >= e.Idle.Milliseconds(); idle != e.idle {
		e.idle = idle
		if err := e.Next.Status(!idle); err != nil {
			return 0, err
		}
	}
	if e.newest != stream.NoTime && !e.Silent {
		e.mark = max(e.mark, stream.Behind(e.newest, e.OutOfOrderness))
	}
	return 0, e.send()
}

// Barrier hands over how far time had come with the epoch: rows that were late are late when the job goes on from there.
func (e *EventTime) Barrier(epoch uint64, drain bool) error {
	text, err := json.Marshal([2]int64{e.newest, int64(e.sent)})
	if err != nil {
		return err
	}
	e.Take(text)
	return e.Next.Barrier(epoch, drain)
}

func (e *EventTime) send() error {
	if e.mark <= e.sent {
		return nil
	}
	e.sent = e.mark
	e.Stats.Watermark.Store(int64(e.mark))
	return e.Next.Watermark(e.mark)
}
