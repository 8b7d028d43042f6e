package window_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/window"
)

// world is a host of one key, whose rows are numbers in the order in which they come.
type world struct {
	logic     window.Logic
	watermark int64
	now       int64
	panes     map[window.Window]*window.Pane
	timers    map[timer]bool
	row       int
	rows      int
	out       []string
	forget    bool // timers that were set are forgotten by panes, as after a restart
}

type timer struct {
	domain window.Domain
	time   int64
	window window.Window
}

func newWorld(l window.Logic) *world {
	return &world{logic: l, watermark: math.MinInt64, panes: map[window.Window]*window.Pane{}, timers: map[timer]bool{}}
}

func (w *world) Watermark() int64 { return w.watermark }
func (w *world) Now() int64       { return w.now }
func (w *world) Set(d window.Domain, t int64, win window.Window) error {
	w.timers[timer{d, t, win}] = true
	return nil
}
func (w *world) Delete(d window.Domain, t int64, win window.Window) error {
	delete(w.timers, timer{d, t, win})
	return nil
}
func (w *world) Pane(win window.Window, create bool) (*window.Pane, error) {
	p := w.panes[win]
	if p == nil && create {
		p = &window.Pane{Window: win, Host: []int(nil)}
		w.panes[win] = p
	}
	if p != nil && w.forget {
		p.Armed = false
	}
	return p, nil
}
func (w *world) Recent(other *window.Pane) *window.Pane {
	for _, p := range w.panes {
		if p == other {
			continue
		}
		if w.forget {
			p.Armed = false
		}
		return p // any will do
	}
	return nil
}
func (w *world) Panes() (all []window.Window, err error) {
	for win := range w.panes {
		all = append(all, win)
	}
	slices.SortFunc(all, func(a, b window.Window) int { return cmp.Compare(a.Start, b.Start) })
	return all, nil
}
func (w *world) Add(p *window.Pane) error {
	p.Host = append(p.Host.([]int), w.row)
	return nil
}
func (w *world) Merge(into, from *window.Pane) error {
	into.Host = append(into.Host.([]int), from.Host.([]int)...)
	return nil
}
func (w *world) Clear(p *window.Pane) error {
	p.Host = []int(nil)
	return nil
}
func (w *world) Changed(*window.Pane) {}
func (w *world) Drop(p *window.Pane) error {
	delete(w.panes, p.Window)
	return nil
}
func (w *world) Fire(win window.Window, panes ...*window.Pane) error {
	var rows []int
	for _, p := range panes {
		rows = append(rows, p.Host.([]int)...)
	}
	if len(rows) > 0 {
		slices.Sort(rows)
		w.out = append(w.out, fmt.Sprint(win, rows))
	}
	return nil
}

func (w *world) element(ts int64) {
	w.rows++
	w.row = w.rows
	late, err := w.logic.Element(w, ts)
	if err != nil {
		panic(err)
	}
	if late {
		w.out = append(w.out, fmt.Sprint("late ", w.row))
	}
}

func (w *world) fire(d window.Domain, now int64) {
	for {
		var due []timer
		for t := range w.timers {
			if t.domain == d && t.time <= now {
				due = append(due, t)
			}
		}
		if len(due) == 0 {
			return
		}
		first := slices.MinFunc(due, func(a, b timer) int {
			return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.window.Start, b.window.Start))
		})
		delete(w.timers, first)
		if err := w.logic.Timer(w, d, first.time, first.window); err != nil {
			panic(err)
		}
	}
}

func (w *world) advance(to int64) {
	if to > w.watermark {
		w.watermark = to
		w.fire(window.EventTime, to)
	}
}

func (w *world) clock(now int64) {
	w.now = max(w.now, now)
	w.fire(window.ProcessingTime, w.now-1) // a millisecond has to be over
}

// play runs a script: "5" is a row of that time, "w9" a watermark, "p9" processing time.
func (w *world) play(script string) string {
	for _, word := range strings.Fields(script) {
		var n int64
		switch {
		case word[0] == 'w':
			fmt.Sscan(word[1:], &n)
			w.advance(n)
		case word[0] == 'p':
			fmt.Sscan(word[1:], &n)
			w.clock(n)
		default:
			fmt.Sscan(word, &n)
			w.element(n)
		}
	}
	return strings.Join(w.out, " ")
}

func general(a window.Assigner, t window.Trigger, lateness int64) window.Logic {
	return &window.Windows{Assigner: a, Trigger: t, Lateness: lateness}
}

// TestSemantics has cases whose results were worked out by hand from Flink's rules.
func TestSemantics(t *testing.T) {
	event, processing := window.EventTime, window.ProcessingTime
	atEnd := window.AtEnd{Domain: event}
	tumbling := window.Assigner{Size: 10, Slide: 10}
	for _, c := range []struct {
		name  string
		logic window.Logic
		play  string
		want  string
	}{
		{"the last millisecond ends a window", window.NewShared(event, 10, 10, 0, 0), "0 9 10 w8 w9 w19", "{0 10} [1 2] {10 20} [3]"},
		{"a row of negative time", window.NewShared(event, 10, 10, 0, 0), "-1 w100", "{-10 0} [1]"},
		{"offset", window.NewShared(event, 10, 10, 3, 0), "2 3 w100", "{-7 3} [1] {3 13} [2]"},
		{"late without lateness", window.NewShared(event, 10, 10, 0, 0), "5 w9 5 w100", "{0 10} [1] late 2"},
		{"each late row fires again", window.NewShared(event, 10, 10, 0, 5), "5 w9 5 6 w13 7 w14 8", "{0 10} [1] {0 10} [1 2] {0 10} [1 2 3] {0 10} [1 2 3 4] late 5"},
		{"a late row is the window's first", window.NewShared(event, 10, 10, 0, 5), "w12 5 w14 5", "{0 10} [1] late 2"},
		{"sliding", window.NewShared(event, 10, 5, 0, 0), "1 7 w4 w9 w14", "{-5 5} [1] {0 10} [1 2] {5 15} [2]"},
		{"sliding, late for some", window.NewShared(event, 10, 5, 0, 0), "w4 1 w20", "{0 10} [1]"},
		{"sliding by what is no divisor", window.NewShared(event, 10, 4, 0, 0), "5 9 w100", "{-4 6} [1] {0 10} [1 2] {4 14} [1 2] {8 18} [2]"},
		{"gaps between windows", window.NewShared(event, 2, 5, 0, 0), "0 1 2 4 5 w100 3", "{0 2} [1 2] {5 7} [5] late 6"},
		{"processing time", window.NewShared(processing, 10, 10, 0, 0), "p5 1 p8 1 p9 1 p10 1 p30", "{0 10} [1 2 3] {10 20} [4]"},
		{"sessions merge", general(window.Assigner{Gap: 5}, atEnd, 0), "0 4 20 w8 w30", "{0 9} [1 2] {20 25} [3]"},
		{"sessions that touch merge", general(window.Assigner{Gap: 5}, atEnd, 0), "0 5 w30", "{0 10} [1 2]"},
		{"a row joins two sessions", general(window.Assigner{Gap: 5}, atEnd, 0), "0 8 4 w12 w30", "{0 13} [1 2 3]"},
		{"a late row joins a session that goes on", general(window.Assigner{Gap: 5}, atEnd, 0), "0 4 w6 1 w30", "{0 9} [1 2 3]"},
		{"a late row that is alone", general(window.Assigner{Gap: 5}, atEnd, 0), "20 w19 1 w30", "late 2 {20 25} [1]"},
		{"a session that fired grows", general(window.Assigner{Gap: 5}, atEnd, 10), "0 w5 3 w7 w30", "{0 5} [1] {0 8} [1 2]"},
		{"count", general(window.Assigner{Global: true}, window.Purging{Trigger: window.Count{Rows: 2}}, 0), "1 1 1 1 1 w100",
			"{-9223372036854775808 9223372036854775807} [1 2] {-9223372036854775808 9223372036854775807} [3 4]"},
		{"count in windows", general(tumbling, window.Count{Rows: 2}, 0), "1 11 2 3 4 w100", "{0 10} [1 3] {0 10} [1 3 4 5]"},
		{"never", general(tumbling, window.Never{}, 0), "1 w100 1", "late 2"},
		{"purging", general(tumbling, window.Purging{Trigger: atEnd}, 5), "1 w9 2 3 w100", "{0 10} [1] {0 10} [2] {0 10} [3]"},
		{"every", general(tumbling, window.Every{Domain: event, Interval: 4}, 0), "1 w4 2 w6 w7 w8 w9 w100", "{0 10} [1] {0 10} [1 2] {0 10} [1 2]"},
		{"every in processing time", general(tumbling, window.Every{Domain: processing, Interval: 4}, 0), "p1 1 p4 p5 2 p9 p12 w100 p100",
			"{0 10} [1] {0 10} [1 2] {0 10} [1 2]"},
		{"every, merged", general(window.Assigner{Gap: 5}, window.Every{Domain: event, Interval: 3}, 0), "1 4 w3 w6 w8 w100",
			"{1 9} [1 2] {1 9} [1 2] {1 9} [1 2]"},
		{"processing sessions", general(window.Assigner{Domain: processing, Gap: 5}, window.AtEnd{Domain: processing}, 0), "p0 1 p4 1 p8 p9 1 p100",
			"{0 9} [1 2] {9 14} [3]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, forget := range []bool{false, true} {
				w := newWorld(c.logic)
				w.forget = forget
				if got := w.play(c.play); got != c.want {
					t.Fatalf("%s\ngot  %s\nwant %s", c.play, got, c.want)
				}
			}
		})
	}
}

// TestSharedPanesChangeNothing compares windows that share panes with windows of their own.
func TestSharedPanesChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.Int64Range(1, 20).Draw(rt, "size")
		slide := rapid.Int64Range(1, 25).Draw(rt, "slide")
		offset := rapid.Int64Range(-5, 5).Draw(rt, "offset")
		lateness := rapid.Int64Range(0, 12).Draw(rt, "lateness")
		d := rapid.SampledFrom([]window.Domain{window.EventTime, window.ProcessingTime}).Draw(rt, "domain")
		shared := newWorld(window.NewShared(d, size, slide, offset, lateness))
		own := newWorld(general(window.Assigner{Domain: d, Size: size, Slide: slide, Offset: offset}, window.AtEnd{Domain: d}, lateness))
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			n := rapid.Int64Range(-10, 60).Draw(rt, "time")
			step := rapid.IntRange(0, 5).Draw(rt, "step")
			for _, w := range []*world{shared, own} {
				switch step {
				case 0:
					w.advance(n)
				case 1:
					w.clock(n)
				case 2:
					w.forget = !w.forget
				default:
					w.element(n)
				}
			}
		}
		for _, w := range []*world{shared, own} {
			w.advance(1000)
			w.clock(1000)
			if len(w.panes) > 0 {
				rt.Fatalf("panes are left: %v", w.panes)
			}
		}
		if got, want := strings.Join(shared.out, "\n"), strings.Join(own.out, "\n"); got != want {
			rt.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestStoredWindowsSortByTheirStart(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := window.Window{Start: rapid.Int64().Draw(rt, "a"), End: rapid.Int64().Draw(rt, "end")}
		b := window.Window{Start: rapid.Int64().Draw(rt, "b"), End: rapid.Int64().Draw(rt, "end")}
		read, err := window.Read(a.Append(nil))
		if err != nil || read != a {
			rt.Fatalf("%v %v", read, err)
		}
		if a.Start != b.Start && (a.Start < b.Start) != (string(a.Append(nil)) < string(b.Append(nil))) {
			rt.Fatal("order")
		}
	})
}
