package runtime

import (
	"math"
	"time"

	"github.com/wasmill/wasmill/engine/stream"
)

// clock makes the watermarks of a source task: bounded out-of-orderness per split, and the least of the splits that are
// not idle.
type clock struct {
	outOfOrderness int64         // ms
	idleAfter      time.Duration // 0: never
	splits         []splitClock
	active         bool
}

type splitClock struct {
	newest int64 // the largest event time seen, or stream.NoTime
	seen   time.Time
	rows   bool // rows since the last tick
}

func newClock(splits int, outOfOrderness, idleAfter time.Duration, now time.Time) *clock {
	c := &clock{outOfOrderness: outOfOrderness.Milliseconds(), idleAfter: idleAfter, splits: make([]splitClock, splits), active: true}
	for i := range c.splits {
		c.splits[i] = splitClock{newest: stream.NoTime, seen: now}
	}
	return c
}

// see notes the event times of rows. Tags say which split they came from.
func (c *clock) see(times []int64, tags []tag) {
	row := 0
	for _, t := range tags {
		split := &c.splits[t.message.Split]
		for ; row < t.end && row < len(times); row++ {
			split.newest = max(split.newest, times[row])
		}
		split.rows = true
	}
}

// before returns the last millisecond before t that is late by more than d. Times come with the data and may be any.
func before(t, d int64) int64 {
	if t < math.MinInt64+d+1 {
		return math.MinInt64
	}
	return t - d - 1
}

// tick returns the watermark, whether any split is active, and whether that changed.
func (c *clock) tick(now time.Time) (w stream.Watermark, active, changed bool) {
	w = stream.MaxWatermark
	for i := range c.splits {
		s := &c.splits[i]
		if s.rows {
			s.rows, s.seen = false, now
		}
		if c.idleAfter > 0 && now.Sub(s.seen) >= c.idleAfter {
			continue
		}
		active = true
		mark := stream.MinWatermark
		if s.newest != stream.NoTime {
			mark = stream.Watermark(before(s.newest, c.outOfOrderness))
		}
		w = min(w, mark)
	}
	changed = active != c.active
	c.active = active
	if !active {
		w = stream.MinWatermark // says nothing new
	}
	return w, active, changed
}
