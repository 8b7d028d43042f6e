// Package window holds the logic of windows: which ones a row belongs to, when they fire, merge and end. It keeps nothing and
// knows no clock: both are a [Host]'s. Its rules are those of Flink's WindowOperator.
package window

import (
	"encoding/binary"
	"math"

	"github.com/wasmill/wasmill/engine/fault"
)

// Window is a span of time in milliseconds since 1970 UTC, from Start (inclusive) to End (exclusive).
type Window struct{ Start, End int64 }

// Global is the one window of the assigner of that name. It never ends.
var Global = Window{math.MinInt64, math.MaxInt64}

// Last is the last millisecond that belongs to the window. Results carry it as their event time.
func (w Window) Last() int64 {
	if w == Global {
		return math.MaxInt64
	}
	return w.End - 1
}

// meets reports whether two windows overlap or touch.
func (w Window) meets(o Window) bool { return w.Start <= o.End && w.End >= o.Start }

// Append appends the window as stored: both ends with their sign bits flipped, big endian, so that windows sort by their start.
func (w Window) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(w.Start)^(1<<63))
	return binary.BigEndian.AppendUint64(dst, uint64(w.End)^(1<<63))
}

// Bytes is how many bytes Append appends.
const Bytes = 16

// Read reads what Append wrote. Other lengths give a fault of code State.
func Read(b []byte) (Window, error) {
	if len(b) != Bytes {
		return Window{}, fault.New(fault.State, "a window has %d bytes, expected %d", len(b), Bytes)
	}
	return Window{int64(binary.BigEndian.Uint64(b) ^ (1 << 63)), int64(binary.BigEndian.Uint64(b[8:]) ^ (1 << 63))}, nil
}

// Domain is a kind of time.
type Domain uint8

// The domains.
const (
	EventTime Domain = iota
	ProcessingTime
)

// Pane is what is kept of a key in one window, or in a part of one that several windows share.
type Pane struct {
	Window
	// Memo is what the trigger remembers; it is stored with the contents.
	Memo Memo
	// Armed says that the timers of the windows that share the pane are set. It need not be stored.
	Armed bool
	// Gone says that the pane was dropped.
	Gone bool
	// Host is the host's own.
	Host any
}

// Memo is what a trigger remembers of a window.
type Memo struct {
	// Count is the number of rows since the last firing.
	Count int64
	// Next is when to fire next, if Pending.
	Next    int64
	Pending bool
}

// Host is the world of one key. Errors end the task.
type Host interface {
	// Watermark and Now are the current event time and processing time.
	Watermark() int64
	Now() int64
	// Set and Delete set and delete the key's timer for a time and window.
	Set(d Domain, time int64, w Window) error
	Delete(d Domain, time int64, w Window) error
	// Pane returns the pane of a window. If there is none it makes one, or returns nil where create is false.
	Pane(w Window, create bool) (*Pane, error)
	// Recent returns another pane of the key than the one given, which is at hand without asking the store, the last one that was
	// made if possible, or nil.
	Recent(other *Pane) *Pane
	// Panes returns the windows of all panes. Only windows that merge and those that overlap use it.
	Panes() ([]Window, error)
	// Add adds the row at hand to a pane's contents, Merge the contents of another pane, Clear empties them.
	Add(p *Pane) error
	Merge(into, from *Pane) error
	Clear(p *Pane) error
	// Changed says that a pane's memo changed, Drop removes a pane with all that is in it.
	Changed(p *Pane)
	Drop(p *Pane) error
	// Fire emits the result of the panes' contents together, if there is anything in them.
	Fire(w Window, panes ...*Pane) error
}

// Logic is a window function's way with rows and timers.
type Logic interface {
	// Element deals with a row of the key at hand, whose event time is ts. It reports whether the row is late: it came after the
	// end of all its windows and the allowed lateness.
	Element(h Host, ts int64) (late bool, err error)
	// Timer deals with a timer that fell due: its time is not after the watermark, or before processing time.
	Timer(h Host, d Domain, time int64, w Window) error
}

// floor returns the last multiple of size, plus offset, that is not after t.
func floor(t, offset, size int64) int64 {
	r := (t - offset) % size
	if r < 0 {
		r += size
	}
	if t < math.MinInt64+r {
		return math.MinInt64
	}
	return t - r
}

// end returns start + size, or the end of time.
func end(start, size int64) int64 {
	if start > math.MaxInt64-size {
		return math.MaxInt64
	}
	return start + size
}

// cleanup returns when a window is forgotten; MaxInt64: never.
func cleanup(w Window, d Domain, lateness int64) int64 {
	if d == EventTime {
		return end(w.Last(), lateness)
	}
	return w.Last()
}
