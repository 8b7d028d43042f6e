package plan

import (
	"fmt"
	"time"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/fault"
)

// Window aggregates the rows of each key in windows. One of Tumbling, Sliding, Session, Count and Global says which.
type Window struct {
	// All puts the rows of all keys into the same windows: there is one task, and no key_by before it.
	All      bool         `json:"all,omitempty"`
	Tumbling Duration     `json:"tumbling,omitempty"`
	Sliding  *Sliding     `json:"sliding,omitempty"`
	Session  *Session     `json:"session,omitempty"`
	Count    *CountWindow `json:"count,omitempty"`
	Global   bool         `json:"global,omitempty"`
	// Time is "event" or "processing"; empty means event.
	Time string `json:"time,omitempty"`
	// Offset shifts tumbling and sliding windows: 15m makes windows of an hour begin at a quarter past.
	Offset Duration `json:"offset,omitempty"`
	// AllowedLateness is how long windows are kept behind their end for rows that come late, each of which fires its window again.
	AllowedLateness Duration `json:"allowed_lateness,omitempty"`
	// Trigger says when a window fires; nil: at its end, by count for windows of rows.
	Trigger    *Trigger         `json:"trigger,omitempty"`
	Aggregates []aggregate.Spec `json:"aggregates"`
	// OnError is what happens to rows without an event time or a gap; empty means fail.
	OnError Policy `json:"on_error,omitempty"`
}

// Sliding are windows of a size, whose starts lie a slide apart.
type Sliding struct {
	Size  Duration `json:"size"`
	Slide Duration `json:"slide"`
}

// Session are windows that end when no row comes for a gap: a fixed one, or the one that each row has in a column, an int64 in
// milliseconds or a duration.
type Session struct {
	Gap       Duration `json:"gap,omitempty"`
	GapColumn string   `json:"gap_column,omitempty"`
}

// CountWindow are windows of a number of rows. With a slide, every Slide rows the last Size ones.
type CountWindow struct {
	Size  int `json:"size"`
	Slide int `json:"slide,omitempty"`
}

// Trigger says when a window fires: at multiples of Every, at each Count rows, Never, or else at its end.
type Trigger struct {
	Every Duration `json:"every,omitempty"`
	Count int      `json:"count,omitempty"`
	Never bool     `json:"never,omitempty"`
	// Time is "event" or "processing"; empty means that of the window.
	Time string `json:"time,omitempty"`
	// Purge empties the window whenever it fires.
	Purge bool `json:"purge,omitempty"`
}

// Aggregate emits for each row the aggregates of all rows of its key so far.
type Aggregate struct {
	Aggregates []aggregate.Spec `json:"aggregates"`
}

// SideOutput is the stream that its input puts aside under a tag.
type SideOutput struct {
	// Tag is "late" for the rows that came too late for a window, and that of a side output which a process function declares.
	Tag string `json:"tag"`
}

// LateTag is the tag of rows that come too late for a window.
const LateTag = "late"

// keyed reports whether a node keeps state by the key of its rows.
func (n *Node) keyed() bool {
	switch n.Kind {
	case KindKeyedMap, KindProcess, KindAggregate:
		return true
	case KindWindow:
		return n.Window != nil && !n.Window.All
	}
	return false
}

// Stateful reports whether a node keeps state from one row to the next.
func (n *Node) Stateful() bool { return n.keyed() || n.Kind == KindWindow }

// EventTime reports whether windows are spans of event time.
func (w *Window) EventTime() bool {
	return w.Time != "processing" && w.Count == nil && !w.Global
}

// NeedsEventTime reports whether rows must have an event time: for their windows, or for a trigger.
func (w *Window) NeedsEventTime() bool {
	t := w.Trigger
	return w.EventTime() || t != nil && t.Every > 0 && orEvent(t.Time) == "event" && (t.Time != "" || w.Time != "processing")
}

// aggregates returns what a node aggregates.
func (n *Node) aggregates() []aggregate.Spec {
	switch {
	case n.Window != nil:
		return n.Window.Aggregates
	case n.Aggregate != nil:
		return n.Aggregate.Aggregates
	}
	return nil
}

func (v *validator) window(n *Node, w *Window) {
	var which []string
	for _, k := range []struct {
		name string
		set  bool
	}{{"tumbling", w.Tumbling != 0}, {"sliding", w.Sliding != nil}, {"session", w.Session != nil}, {"count", w.Count != nil}, {"global", w.Global}} {
		if k.set {
			which = append(which, k.name)
		}
	}
	if len(which) != 1 {
		f := v.add(n, "window", "expected one kind of window, got %d", len(which))
		f.Hint = "there is tumbling, sliding, session, count, global"
		return
	}
	v.time(n, "window.time", w.Time)
	v.milliseconds(n, "window.tumbling", w.Tumbling)
	v.milliseconds(n, "window.offset", w.Offset)
	v.milliseconds(n, "window.allowed_lateness", w.AllowedLateness)
	if s := w.Sliding; s != nil {
		if s.Size <= 0 || s.Slide <= 0 {
			v.add(n, "window.sliding", "sliding windows need a size and a slide above 0").Hint = "write `sliding: {size: 10m, slide: 1m}`"
		} else if s.Size/s.Slide > maxOverlap {
			v.add(n, "window.sliding", "each row would be in %d windows, at most %d are allowed", s.Size/s.Slide, maxOverlap)
		}
		v.milliseconds(n, "window.sliding.size", s.Size)
		v.milliseconds(n, "window.sliding.slide", s.Slide)
	}
	if s := w.Session; s != nil {
		v.milliseconds(n, "window.session.gap", s.Gap)
		if (s.Gap > 0) == (s.GapColumn != "") {
			v.add(n, "window.session", "a session has a gap, or a column that holds it").Hint = "write `session: 30m` or `session: {gap_column: COLUMN}`"
		}
	}
	if c := w.Count; c != nil && (c.Size < 1 || c.Size > maxRowWindow || c.Slide < 0 || c.Slide > maxRowWindow) {
		v.add(n, "window.count", "expected a number of rows from 1 to %d", maxRowWindow)
	}
	if w.Offset != 0 && w.Tumbling == 0 && w.Sliding == nil {
		v.add(n, "window.offset", "%s windows have no offset", which[0])
	}
	if w.AllowedLateness != 0 && !w.EventTime() {
		v.add(n, "window.allowed_lateness", "only windows of event time have an allowed lateness")
	}
	v.trigger(n, w, which[0])
	v.aggregates(n, "window.aggregates", w.Aggregates)
	v.policy(n, "window.on_error", w.OnError)
}

// maxOverlap is the most windows that a row may be in, maxRowWindow the most rows of a window of rows.
const (
	maxOverlap   = 10_000
	maxRowWindow = 1_000_000
)

func (v *validator) trigger(n *Node, w *Window, kind string) {
	t := w.Trigger
	if t == nil {
		if w.Global {
			v.add(n, "window", "a global window never ends, and so never fires by itself").Hint = "add a `trigger`, such as `trigger: {count: 100}`"
		}
		return
	}
	if w.Count != nil {
		v.add(n, "window.trigger", "windows of rows fire by their number, and have no other trigger").Hint = "use `global: true` with a trigger"
		return
	}
	v.time(n, "window.trigger.time", t.Time)
	v.milliseconds(n, "window.trigger.every", t.Every)
	said := 0
	for _, set := range []bool{t.Every != 0, t.Count != 0, t.Never} {
		if set {
			said++
		}
	}
	if said > 1 {
		v.add(n, "window.trigger", "a trigger has one of `every`, `count` and `never`")
	}
	if t.Count < 0 {
		v.add(n, "window.trigger.count", "expected a number of rows from 1, got %d", t.Count)
	}
	if t.Time != "" && (t.Count != 0 || t.Never) {
		v.add(n, "window.trigger.time", "a trigger that does not go by time has no `time`")
	}
	if said == 0 && t.Time != "" && t.Time != orEvent(w.Time) && !w.Global {
		v.add(n, "window.trigger.time", "a %s window ends in %s time", kind, orEvent(w.Time)).Hint = "use `every` to fire in another time"
	}
}

func orEvent(time string) string {
	if time == "" {
		return "event"
	}
	return time
}

func (v *validator) time(n *Node, path, time string) {
	switch time {
	case "", "event", "processing":
	default:
		v.add(n, path, "unknown time `%s`", time).Hint = fault.DidYouMean(time, []string{"event", "processing"})
	}
}

// milliseconds checks a length of time: times are in milliseconds.
func (v *validator) milliseconds(n *Node, path string, d Duration) {
	if d < 0 || time.Duration(d)%time.Millisecond != 0 {
		v.add(n, path, "expected whole milliseconds, got %v", time.Duration(d))
	}
}

func (v *validator) aggregates(n *Node, path string, specs []aggregate.Spec) {
	if len(specs) == 0 {
		v.add(n, path, "there is nothing to aggregate").Hint = "write `aggregate: {n: count}`"
	}
	seen := make(map[string]bool)
	for _, s := range specs {
		at := path + "." + s.Name
		if s.Name == "" || seen[s.Name] {
			v.add(n, at, "the column `%s` is aggregated twice, or has no name", s.Name)
		}
		seen[s.Name] = true
		if err := s.Check(); err != nil {
			f := fault.From(err)
			v.add(n, at, "%s", f.What).Hint = f.Hint
		}
	}
}

func (v *validator) sideOutput(n *Node, s *SideOutput) {
	if len(n.Inputs) != 1 {
		return // reported already
	}
	from := v.byID[n.Inputs[0]]
	if from == nil {
		return
	}
	if from.Kind != KindWindow && from.Kind != KindProcess {
		v.add(n, "inputs[0]", "`%s` is a %s, which puts nothing aside", from.ID, from.Kind)
		return
	}
	if from.Kind == KindWindow && s.Tag != LateTag {
		v.add(n, "side_output.tag", "unknown tag `%s`", s.Tag).Hint = "there is " + LateTag
	}
	if from.Window != nil && !from.Window.EventTime() {
		v.add(n, "", "no row is too late for `%s`", from.ID).Hint = "only windows of event time have late rows"
	}
	if n.Parallelism != 0 {
		v.add(n, "parallelism", "a side output runs in the tasks of `%s`", from.ID)
	}
	for i := range v.plan.Nodes {
		o := &v.plan.Nodes[i]
		if o.ID != n.ID && o.Kind == KindSideOutput && o.SideOutput != nil && o.SideOutput.Tag == s.Tag && len(o.Inputs) == 1 && o.Inputs[0] == from.ID && v.byID[o.ID] != nil {
			v.add(n, "", "`%s` and `%s` are the same side output of `%s`", o.ID, n.ID, from.ID)
		}
	}
}

var watermarkKinds = []string{"bounded", "monotonous", "none"}

func (v *validator) eventTimeStep(n *Node, e *EventTime) {
	if e.Column == "" {
		v.add(n, "event_time", "expected the column that event times are in").Hint = "write `event_time: {column: at, out_of_orderness: 5s}`"
	}
	if e.MaxDrift != 0 {
		v.add(n, "event_time.max_drift", "only an input can wait for others").Hint = "say it under `event_time` of the input"
	}
	v.eventTime(n, "event_time", e)
}

func (v *validator) eventTime(n *Node, path string, e *EventTime) {
	if e.OutOfOrderness < 0 || e.Idle < 0 || e.MaxDrift < 0 {
		v.add(n, path, "a duration is not negative")
	}
	switch e.Watermarks {
	case "", "bounded":
	case "monotonous", "none":
		if e.OutOfOrderness != 0 {
			v.add(n, path+".out_of_orderness", "%s watermarks have no `out_of_orderness`", e.Watermarks)
		}
	default:
		v.add(n, path+".watermarks", "unknown watermarks `%s`", e.Watermarks).Hint = fault.DidYouMean(e.Watermarks, watermarkKinds)
	}
}

// Describe says what windows there are, for people and for what is stored: "tumbling 5m0s, event time".
func (w *Window) Describe() string {
	text := ""
	switch {
	case w.Tumbling != 0:
		text = fmt.Sprintf("tumbling %v", time.Duration(w.Tumbling))
	case w.Sliding != nil:
		text = fmt.Sprintf("sliding %v by %v", time.Duration(w.Sliding.Size), time.Duration(w.Sliding.Slide))
	case w.Session != nil && w.Session.GapColumn != "":
		return "session, " + orEvent(w.Time) + " time"
	case w.Session != nil:
		return "session, " + orEvent(w.Time) + " time"
	case w.Count != nil && w.Count.Slide != 0:
		return fmt.Sprintf("%d rows by %d", w.Count.Size, w.Count.Slide)
	case w.Count != nil:
		return fmt.Sprintf("%d rows", w.Count.Size)
	default:
		return "global"
	}
	if w.Offset != 0 {
		text += fmt.Sprintf(" + %v", time.Duration(w.Offset))
	}
	return text + ", " + orEvent(w.Time) + " time"
}
