package enginetest_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/enginetest"
)

// spec is a window as a script has it.
type spec struct {
	kind             string // tumbling, sliding, session, count, global
	size, slide      int64
	offset, lateness int64
	every, each      int64 // triggers; 0: none
	purge            bool
}

func (s spec) yaml() string {
	var b strings.Builder
	switch s.kind {
	case "tumbling":
		fmt.Fprintf(&b, "      tumbling: %dms\n      offset: %dms\n", s.size, s.offset)
	case "sliding":
		fmt.Fprintf(&b, "      sliding: {size: %dms, slide: %dms}\n      offset: %dms\n", s.size, s.slide, s.offset)
	case "session":
		fmt.Fprintf(&b, "      session: %dms\n", s.size)
	case "count":
		fmt.Fprintf(&b, "      count: {size: %d, slide: %d}\n", s.size, s.slide)
	case "global":
		fmt.Fprintf(&b, "      global: true\n")
	}
	if s.lateness > 0 {
		fmt.Fprintf(&b, "      allowed_lateness: %dms\n", s.lateness)
	}
	switch {
	case s.every > 0:
		fmt.Fprintf(&b, "      trigger: {every: %dms, purge: %v}\n", s.every, s.purge)
	case s.each > 0:
		fmt.Fprintf(&b, "      trigger: {count: %d, purge: %v}\n", s.each, s.purge)
	case s.purge:
		fmt.Fprintf(&b, "      trigger: {purge: true}\n")
	}
	return b.String()
}

// row is an event of the model.
type row struct {
	key   string
	at, v int64
}

// box is a window of one key in the model: all of its rows, kept for good.
type box struct {
	key        string
	start, end int64 // of sessions they grow
	rows       []row
	count      int64 // since the last firing by count
	next       int64 // the next firing by time
	has        bool
	set        bool // a timer is set for next
}

// model is windows done the slow way: it looks at every window at every step.
type model struct {
	spec      spec
	watermark int64
	boxes     []*box
	out       []string
	late      []string
}

func (b *box) last() int64 {
	if b.end == math.MaxInt64 {
		return b.end
	}
	return b.end - 1
}

// gone is the time at which a window is forgotten.
func (m *model) gone(b *box) int64 {
	if b.last() > math.MaxInt64-m.spec.lateness {
		return math.MaxInt64
	}
	return b.last() + m.spec.lateness
}

func (m *model) fire(b *box) {
	rows := b.rows
	if m.spec.kind == "count" && int64(len(rows)) > m.spec.size {
		rows = rows[int64(len(rows))-m.spec.size:]
	}
	if len(rows) > 0 {
		var sum int64
		all := []string{}
		for _, r := range rows {
			sum += r.v
			all = append(all, fmt.Sprint(r.v))
		}
		start, end := fmt.Sprint(b.start), fmt.Sprint(b.end)
		if b.end == math.MaxInt64 {
			start, end = "null", "null"
		}
		m.out = append(m.out, fmt.Sprintf(`{"k":%q,"s":%s,"e":%s,"n":%d,"sum":%d,"all":[%s]}`, b.key, start, end, len(rows), sum, strings.Join(all, ",")))
	}
	if m.spec.purge {
		b.rows = nil
	}
}

// spans returns the windows of a time.
func (m *model) spans(at int64) (spans [][2]int64) {
	s := m.spec
	switch s.kind {
	case "count", "global":
		return [][2]int64{{math.MinInt64, math.MaxInt64}}
	case "session":
		return [][2]int64{{at, at + s.size}}
	}
	slide := s.slide
	if s.kind == "tumbling" {
		slide = s.size
	}
	for start := int64(-200); start <= at; start++ {
		if (start-s.offset)%slide == 0 && at < start+s.size {
			spans = append(spans, [2]int64{start, start + s.size})
		}
	}
	slices.Reverse(spans)
	return spans
}

func (m *model) add(r row) {
	taken := false
	for _, span := range m.spans(r.at) {
		b := &box{key: r.key, start: span[0], end: span[1]}
		var rest []*box
		var met []*box
		for _, o := range m.boxes {
			same := o.key == r.key && (o.start == b.start && o.end == b.end)
			if m.spec.kind == "session" {
				same = o.key == r.key && o.start <= b.end && o.end >= b.start
			}
			if same {
				met = append(met, o)
			} else {
				rest = append(rest, o)
			}
		}
		if len(met) == 0 && m.gone(b) <= m.watermark {
			continue
		}
		taken = true
		for _, o := range met {
			if len(met) == 1 && o.start <= b.start && o.end >= b.end {
				b = o // nothing changes
				break
			}
			b.start, b.end = min(b.start, o.start), max(b.end, o.end)
			b.rows = append(b.rows, o.rows...)
			b.count += o.count
			if o.has && (!b.has || o.next < b.next) {
				b.next, b.has = o.next, true
			}
			b.set = b.has // also for a time that is over
		}
		m.boxes = append(rest, b)
		b.rows = append(b.rows, r)
		slices.SortStableFunc(b.rows, func(x, y row) int { return int(x.v>>20 - y.v>>20) }) // the order in which they came
		m.element(b, r)
	}
	if !taken && m.gone(&box{end: r.at + 1}) <= m.watermark {
		m.late = append(m.late, fmt.Sprint(r.v))
	}
}

// element does what the trigger does with a row.
func (m *model) element(b *box, r row) {
	s := m.spec
	switch {
	case s.kind == "count" || s.each > 0:
		each := s.each
		if s.kind == "count" {
			each = s.slide
		}
		if b.count++; b.count >= each {
			b.count = 0
			m.fire(b)
		}
	case b.last() <= m.watermark:
		m.fire(b)
	case s.every > 0 && !b.has:
		b.next, b.has, b.set = min(r.at-r.at%s.every+s.every, b.last()), true, true
	}
}

// advance goes through all times up to a watermark one by one.
func (m *model) advance(to int64) {
	if to > m.watermark {
		m.pass(to)
	}
}

func (m *model) pass(to int64) {
	passed := max(m.watermark, -300)
	from := max(passed, -300) + 1
	for _, b := range m.boxes {
		if b.set { // a firing that was set for a time that is over comes with the next watermark
			from = min(from, b.next)
		}
	}
	m.watermark = to
	step := func(t int64) {
		var kept []*box
		for _, b := range m.boxes {
			switch {
			case b.set && b.next == t && t == b.last() && t <= passed:
				b.set = false
				m.fire(b)
			case b.set && b.next == t && t < b.last():
				b.next = min(t+m.spec.every, b.last())
				if to == math.MaxInt64 && b.end == to { // which never ends
					b.next = to
				}
				m.fire(b)
			}
			if b.last() == t && t > passed && m.spec.each == 0 && m.spec.kind != "count" {
				b.set = b.set && b.next != t // it was the same timer
				m.fire(b)
			}
			if m.gone(b) != t {
				kept = append(kept, b)
			}
		}
		m.boxes = kept
	}
	for t := from; t <= min(to, 400); t++ {
		step(t)
	}
	if to == math.MaxInt64 {
		step(to)
	}
}

// TestWindowsAsTheModelHasThem runs random windows over random rows, late and out of order, in random variants with crashes, and
// compares all that comes out in the end with the model, which knows nothing of crashes.
func TestWindowsAsTheModelHasThem(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := spec{kind: rapid.SampledFrom([]string{"tumbling", "sliding", "session", "count", "global"}).Draw(rt, "kind"),
			size: rapid.Int64Range(1, 30).Draw(rt, "size"), slide: rapid.Int64Range(1, 30).Draw(rt, "slide")}
		timed := s.kind == "tumbling" || s.kind == "sliding" || s.kind == "session"
		if timed && s.kind != "session" {
			s.offset = rapid.Int64Range(0, 9).Draw(rt, "offset")
		}
		if timed && rapid.Bool().Draw(rt, "lateness?") {
			s.lateness = rapid.Int64Range(1, 40).Draw(rt, "lateness")
		}
		if s.kind != "count" {
			switch rapid.IntRange(0, 3).Draw(rt, "trigger") {
			case 0:
				s.each = rapid.Int64Range(1, 3).Draw(rt, "each")
			case 1:
				s.every = rapid.Int64Range(1, 12).Draw(rt, "every")
			}
			if s.kind == "global" && s.every == 0 {
				s.each = max(s.each, 1)
			}
			s.purge = rapid.Bool().Draw(rt, "purge")
		}
		splits := rapid.IntRange(1, 3).Draw(rt, "splits")
		m := &model{spec: s, watermark: math.MinInt64}
		var script strings.Builder
		fmt.Fprintf(&script, "input:\n  script: {splits: %d}\n  schema: {k: utf8, v: int64, at: int64}\n  event_time: {column: at, watermarks: none}\n", splits)
		fmt.Fprintf(&script, "pipeline:\n  - key_by: k\n  - window:\n%s      aggregate: {n: count, sum: {sum: v}, all: {collect: v}}\n      late: late\n", s.yaml())
		if !timed {
			text := strings.Replace(script.String(), "      late: late\n", "", 1)
			script.Reset()
			script.WriteString(text)
		}
		script.WriteString("outputs:\n  - {script: {}, label: out}\n")
		if timed {
			script.WriteString("  - {script: {}, label: late_rows, from: late}\n")
		}
		script.WriteString("---\n")
		marks := make([]int64, splits)
		for i := range marks {
			marks[i] = math.MinInt64
		}
		var rows int64
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0:
				script.WriteString("checkpoint\n")
			case 1:
				if splits > 1 || s.every > 0 { // what several read again comes in another order
					script.WriteString("checkpoint\n")
				}
				m.pass(m.watermark) // it is sent again
				fmt.Fprintf(&script, "crash\nrestore %d\n", rapid.IntRange(1, 4).Draw(rt, "tasks"))
			case 2, 3:
				n, at := rapid.IntRange(0, splits-1).Draw(rt, "split"), rapid.Int64Range(-20, 120).Draw(rt, "watermark")
				fmt.Fprintf(&script, "watermark %d %d\n", at, n)
				marks[n] = max(marks[n], at)
				m.advance(slices.Min(marks))
			default:
				fmt.Fprintf(&script, "feed %d\n", rapid.IntRange(0, splits-1).Draw(rt, "split"))
				for range rapid.IntRange(1, 5).Draw(rt, "rows") {
					rows++
					r := row{rapid.SampledFrom([]string{"a", "b", "c", "dd"}).Draw(rt, "key"), rapid.Int64Range(-10, 110).Draw(rt, "at"), rows<<20 + rows}
					fmt.Fprintf(&script, "  {\"k\":%q,\"v\":%d,\"at\":%d}\n", r.key, r.v, r.at)
					m.add(r)
				}
			}
		}
		// A split that ends before another lets time go on to where that one is.
		if most := slices.Max(marks); most > math.MinInt64 {
			fmt.Fprintf(&script, "watermark %d\n", most)
			m.advance(most)
		}
		script.WriteString("end\n")
		m.advance(math.MaxInt64)
		v := enginetest.Variant{Parallelism: rapid.IntRange(1, 3).Draw(rt, "parallelism"), Batch: rapid.IntRange(0, 2).Draw(rt, "batch"),
			StateCache: rapid.SampledFrom([]int{0, 1}).Draw(rt, "cache")}
		got, err := enginetest.Outputs(t.Context(), script.String(), v)
		if err != nil {
			rt.Fatalf("%v\n%s", err, script.String())
		}
		check := func(what string, got, want []string) {
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("%s: -want +got\n%s\n%+v\n%s", what, diff, v, script.String())
			}
		}
		check("results", plain(rt, got["out"]), m.out)
		check("late rows", values(rt, got["late_rows"]), m.late)
	})
}
