package window

import "math"

// Result says what becomes of a window.
type Result uint8

// The results; FireAndPurge is both.
const (
	Continue     Result = 0
	Fire         Result = 1
	Purge        Result = 2
	FireAndPurge Result = 3
)

// Trigger says when a window fires. What it remembers is in the pane's memo.
type Trigger interface {
	// Element is called for each row, after it was added; ts is its event time.
	Element(h Host, p *Pane, ts int64) (Result, error)
	// Timer is called for each timer of the window, also one that the trigger did not set.
	Timer(h Host, p *Pane, d Domain, time int64) (Result, error)
	// Join joins the memo of a pane that is merged into another.
	Join(into *Memo, from Memo)
	// Merged is called when all are joined.
	Merged(h Host, p *Pane) error
	// Clear deletes the timers of a window that ends; its memo goes with the pane.
	Clear(h Host, p *Pane) error
}

// AtEnd fires when time passes the end of the window: the watermark, and then for each late row, or processing time.
type AtEnd struct{ Domain Domain }

// Element implements Trigger.
func (t AtEnd) Element(h Host, p *Pane, _ int64) (Result, error) {
	if t.Domain == EventTime && p.Last() <= h.Watermark() {
		return Fire, nil
	}
	return Continue, h.Set(t.Domain, p.Last(), p.Window)
}

// Timer implements Trigger.
func (t AtEnd) Timer(_ Host, p *Pane, d Domain, time int64) (Result, error) {
	// In processing time Flink does not ask which timer it is: there is no other.
	if d == t.Domain && time == p.Last() {
		return Fire, nil
	}
	return Continue, nil
}

// Join implements Trigger.
func (AtEnd) Join(*Memo, Memo) {}

// Merged implements Trigger.
func (t AtEnd) Merged(h Host, p *Pane) error {
	now := h.Now()
	if t.Domain == EventTime {
		now = h.Watermark()
	}
	if p.Last() <= now {
		return nil
	}
	return h.Set(t.Domain, p.Last(), p.Window)
}

// Clear implements Trigger.
func (t AtEnd) Clear(h Host, p *Pane) error { return h.Delete(t.Domain, p.Last(), p.Window) }

// Every fires again and again, at multiples of an interval, and in event time at the end of the window.
type Every struct {
	Domain   Domain
	Interval int64 // ms
}

// maxCatchUp is how many firings that are overdue are made up for.
const maxCatchUp = 10_000

// Element implements Trigger.
func (t Every) Element(h Host, p *Pane, ts int64) (Result, error) {
	if t.Domain == EventTime {
		if p.Last() <= h.Watermark() {
			return Fire, nil
		}
		if err := h.Set(EventTime, p.Last(), p.Window); err != nil {
			return Continue, err
		}
	} else {
		ts = h.Now()
	}
	if p.Memo.Pending {
		return Continue, nil
	}
	return Continue, t.next(h, p, ts-ts%t.Interval)
}

// next sets the timer of the first firing behind a time, which is not behind the end of the window.
func (t Every) next(h Host, p *Pane, time int64) error {
	p.Memo.Next, p.Memo.Pending = min(end(time, t.Interval), p.Last()), true
	h.Changed(p)
	return h.Set(t.Domain, p.Memo.Next, p.Window)
}

// Timer implements Trigger.
func (t Every) Timer(h Host, p *Pane, d Domain, time int64) (Result, error) {
	if d != t.Domain {
		return Continue, nil
	}
	if d == EventTime && time == p.Last() {
		return Fire, nil
	}
	if !p.Memo.Pending || p.Memo.Next != time {
		return Continue, nil
	}
	if time == p.Last() {
		return Fire, nil // the window ends
	}
	if p.Window == Global && h.Watermark() == math.MaxInt64 {
		time = math.MaxInt64 // the input has ended: what is left is the end of time
	} else if until := min(h.Watermark(), p.Last()); d == EventTime && until > time && uint64(until-time)/uint64(t.Interval) > maxCatchUp {
		time = until - (until-time)%t.Interval // rather than fire for each of very many times
	}
	return Fire, t.next(h, p, time)
}

// Join implements Trigger.
func (Every) Join(into *Memo, from Memo) {
	if from.Pending && (!into.Pending || from.Next < into.Next) {
		into.Next, into.Pending = from.Next, true
	}
}

// Merged implements Trigger.
func (t Every) Merged(h Host, p *Pane) error {
	if !p.Memo.Pending {
		return nil
	}
	return h.Set(t.Domain, p.Memo.Next, p.Window)
}

// Clear implements Trigger.
func (t Every) Clear(h Host, p *Pane) error {
	if !p.Memo.Pending {
		return nil
	}
	return h.Delete(t.Domain, p.Memo.Next, p.Window)
}

// Count fires for every Rows rows.
type Count struct{ Rows int64 }

// Element implements Trigger.
func (t Count) Element(h Host, p *Pane, _ int64) (Result, error) {
	h.Changed(p)
	if p.Memo.Count++; p.Memo.Count >= t.Rows {
		p.Memo.Count = 0
		return Fire, nil
	}
	return Continue, nil
}

// Timer implements Trigger.
func (Count) Timer(Host, *Pane, Domain, int64) (Result, error) { return Continue, nil }

// Join implements Trigger.
func (Count) Join(into *Memo, from Memo) { into.Count += from.Count }

// Merged implements Trigger.
func (Count) Merged(Host, *Pane) error { return nil }

// Clear implements Trigger.
func (Count) Clear(Host, *Pane) error { return nil }

// Never does not fire.
type Never struct{}

// Element implements Trigger.
func (Never) Element(Host, *Pane, int64) (Result, error) { return Continue, nil }

// Timer implements Trigger.
func (Never) Timer(Host, *Pane, Domain, int64) (Result, error) { return Continue, nil }

// Join implements Trigger.
func (Never) Join(*Memo, Memo) {}

// Merged implements Trigger.
func (Never) Merged(Host, *Pane) error { return nil }

// Clear implements Trigger.
func (Never) Clear(Host, *Pane) error { return nil }

// Purging empties a window whenever another trigger fires it.
type Purging struct{ Trigger }

// Element implements Trigger.
func (t Purging) Element(h Host, p *Pane, ts int64) (Result, error) {
	r, err := t.Trigger.Element(h, p, ts)
	return purged(r), err
}

// Timer implements Trigger.
func (t Purging) Timer(h Host, p *Pane, d Domain, time int64) (Result, error) {
	r, err := t.Trigger.Timer(h, p, d, time)
	return purged(r), err
}

func purged(r Result) Result {
	if r&Fire != 0 {
		return FireAndPurge
	}
	return r
}
