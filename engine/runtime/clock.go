package runtime

import (
	"encoding/json"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
)

// clock makes the watermarks of a source task: bounded out-of-orderness per split, and the least of the splits that are
// not idle.
type clock struct {
	outOfOrderness int64         // ms
	idleAfter      time.Duration // 0: never
	none           bool          // time goes on only at the end
	splits         []splitClock
	active         bool
}

type splitClock struct {
	id     string
	newest int64 // the largest event time seen, or stream.NoTime
	marked int64 // the one that the last watermark was made of
	said   int64 // the watermark that the reader gave
	seen   time.Time
	rows   bool // rows since the last tick
}

// newClock returns the clock of splits, which goes on from what an earlier run had committed.
func newClock(e *plan.EventTime, ids []string, positions map[string]json.RawMessage, now time.Time) (*clock, error) {
	c := &clock{outOfOrderness: time.Duration(e.OutOfOrderness).Milliseconds(), idleAfter: time.Duration(e.Idle), none: e.Watermarks == "none", active: true}
	for _, id := range ids {
		s := splitClock{id: id, newest: stream.NoTime, marked: stream.NoTime, said: int64(stream.MinWatermark), seen: now}
		if p := positions[id]; p != nil {
			var times [3]int64
			if err := json.Unmarshal(p, &times); err != nil {
				return nil, fault.New(fault.State, "the event time of a split is not as it was written: %v", err).At("split %s", id)
			}
			s.newest, s.marked, s.said = times[0], times[1], times[2]
		}
		c.splits = append(c.splits, s)
	}
	return c, nil
}

// positions returns, by split, the newest event time, the one that the last watermark was made of, and the reader's watermark: a
// run that goes on from here knows rows to be late that were.
func (c *clock) positions() map[string]json.RawMessage {
	positions := make(map[string]json.RawMessage, len(c.splits))
	for _, s := range c.splits {
		p, err := json.Marshal([3]int64{s.newest, s.marked, s.said})
		if err != nil {
			panic(err) // numbers always encode
		}
		positions[s.id] = p
	}
	return positions
}

// resume returns the watermark that an earlier run had sent.
func (c *clock) resume() stream.Watermark {
	w := stream.MaxWatermark
	for i := range c.splits {
		w = min(w, c.splits[i].watermark(c.mark(c.splits[i].marked)))
	}
	return w
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

// watermark returns the later of a watermark made of rows and the one that the reader gave.
func (s *splitClock) watermark(made stream.Watermark) stream.Watermark {
	return max(made, stream.Watermark(s.said))
}

// hear takes the watermarks of a reader, and reports whether they say something new.
func (c *clock) hear(m connectors.Marker) (news bool) {
	for i := range c.splits {
		if w := int64(m.Watermark(i)); w > c.splits[i].said {
			c.splits[i].said, c.splits[i].rows, news = w, true, true
		}
	}
	return news
}

// mark returns the watermark behind a time.
func (c *clock) mark(t int64) stream.Watermark {
	if t == stream.NoTime || c.none {
		return stream.MinWatermark
	}
	return stream.Behind(t, c.outOfOrderness)
}

// newest returns the watermark that the rows seen make: of the split that is farthest.
func (c *clock) newest() stream.Watermark {
	w := stream.MinWatermark
	for i := range c.splits {
		w = max(w, c.splits[i].watermark(c.mark(c.splits[i].newest)))
	}
	return w
}

// tick returns the watermark, whether any split is active, and whether that changed.
func (c *clock) tick(now time.Time) (w stream.Watermark, active, changed bool) {
	w = stream.MaxWatermark
	for i := range c.splits {
		s := &c.splits[i]
		s.marked = s.newest
		if s.rows {
			s.rows, s.seen = false, now
		}
		if c.idleAfter > 0 && now.Sub(s.seen) >= c.idleAfter {
			continue
		}
		active = true
		w = min(w, s.watermark(c.mark(s.newest)))
	}
	changed = active != c.active
	c.active = active
	if !active {
		w = stream.MinWatermark // says nothing new
	}
	return w, active, changed
}
