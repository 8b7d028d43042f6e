package runtime

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
)

// script is a chain that writes down what it gets.
type script struct{ lines []string }

func (s *script) say(format string, args ...any) error {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
	return nil
}
func (s *script) Batch(b *stream.Batch) error {
	return s.say("row %s", b.Record.Column(0).ValueStr(0))
}
func (s *script) Watermark(w stream.Watermark) error {
	if w == stream.MaxWatermark {
		return s.say("watermark end")
	}
	return s.say("watermark %d", w)
}
func (s *script) Status(active bool) error               { return s.say("active %v", active) }
func (s *script) Barrier(epoch uint64, drain bool) error { return s.say("barrier %d %v", epoch, drain) }
func (s *script) End() error                             { return s.say("end") }

func row(alloc memory.Allocator, n int64) stream.Element {
	b := array.NewRecordBuilder(alloc, arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil))
	defer b.Release()
	b.Field(0).(*array.Int64Builder).Append(n)
	return stream.Element{Kind: stream.KindBatch, Batch: &stream.Batch{Record: b.NewRecord()}}
}

func mark(w stream.Watermark) stream.Element {
	return stream.Element{Kind: stream.KindWatermark, Watermark: w}
}

var (
	idle   = stream.Element{Kind: stream.KindIdle}
	active = stream.Element{Kind: stream.KindActive}
	end    = stream.Element{Kind: stream.KindEnd}
)

func newEdges(n int) ([]*edge, chan struct{}) {
	ready := make(chan struct{}, 1)
	edges := make([]*edge, n)
	for i := range edges {
		edges[i] = &edge{elements: make(chan stream.Element, edgeLength), ready: ready}
	}
	return edges, ready
}

// TestMerge feeds one element after another to a task with two inputs, and looks at what comes out of it.
func TestMerge(t *testing.T) {
	type step struct {
		input   int
		element stream.Element
		want    string
	}
	barrier := stream.Element{Kind: stream.KindBarrier, Epoch: 7}
	for name, steps := range map[string][]step{
		"the least watermark": {
			{0, mark(10), ""}, {1, mark(5), "watermark 5"}, {1, mark(20), "watermark 10"}, {0, mark(8), ""}, {0, mark(30), "watermark 20"},
		},
		"an idle input": {
			{0, mark(10), ""}, {1, idle, "watermark 10"}, {0, mark(20), "watermark 20"}, {1, active, ""}, {1, mark(15), ""}, {1, mark(25), ""},
			{0, mark(30), "watermark 25"},
		},
		"all idle": {
			{0, mark(10), ""}, {0, idle, ""}, {1, idle, "active false"}, {1, mark(5), ""}, {1, active, "active true, watermark 5"},
		},
		"an ended input holds nothing back": {
			{0, mark(10), ""}, {1, end, "watermark 10"}, {0, mark(20), "watermark 20"}, {0, end, "watermark end, end"},
		},
		"an ended input is no reason to go to the end while the other is idle": {
			{0, mark(10), ""}, {1, idle, "watermark 10"}, {0, end, "active false"}, {1, active, "active true"}, {1, mark(20), "watermark 20"},
			{1, end, "watermark end, end"},
		},
		"an input that ends while it is idle": {
			{0, idle, ""}, {0, end, ""}, {1, mark(3), "watermark 3"}, {1, end, "watermark end, end"},
		},
		"barriers after the end": {
			{0, end, ""}, {0, barrier, ""}, {1, barrier, "barrier 7 false"}, {1, mark(1), "watermark 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			edges, ready := newEdges(2)
			m, s := newMerge(edges, ready), &script{}
			m.chain, m.rest, m.done = s, func() {}, func(uint64) {}
			for i, st := range steps {
				s.lines = nil
				if _, err := m.element(m.inputs[st.input], st.element); err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(s.lines, ", "); got != st.want {
					t.Errorf("step %d: got %q, want %q", i, got, st.want)
				}
			}
		})
	}
}

// TestMergeAligns sends rows and barriers from several tasks at once: between two barriers lie just the rows that each task
// sent between them, whatever the order in which they come.
func TestMergeAligns(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
		inputs := rapid.IntRange(1, 4).Draw(rt, "inputs")
		epochs := rapid.IntRange(1, 4).Draw(rt, "epochs")
		rows := make([][]int, inputs) // by input and epoch
		want := make([]int, epochs)
		for i := range rows {
			rows[i] = rapid.SliceOfN(rapid.IntRange(0, 20), epochs, epochs).Draw(rt, "rows")
			for e, n := range rows[i] {
				want[e] += n
			}
		}
		edges, ready := newEdges(inputs)
		for i, e := range edges {
			go func() {
				for epoch, n := range rows[i] {
					for range n {
						_ = e.Send(context.Background(), row(alloc, int64(epoch)))
					}
					_ = e.Send(context.Background(), stream.Element{Kind: stream.KindBarrier, Epoch: uint64(epoch), Drain: epoch == epochs-1})
				}
			}()
		}
		m, s := newMerge(edges, ready), &script{}
		m.chain, m.rest = s, func() {}
		var done []uint64
		m.done = func(epoch uint64) { done = append(done, epoch) }
		if err := m.run(t.Context()); err != nil {
			rt.Fatal(err)
		}
		var script []string
		for epoch, n := range want {
			for range n {
				script = append(script, fmt.Sprintf("row %d", epoch))
			}
			script = append(script, fmt.Sprintf("barrier %d %v", epoch, epoch == epochs-1))
		}
		if diff := cmp.Diff(script, s.lines); diff != "" {
			rt.Fatal(diff)
		}
		if len(done) != epochs {
			rt.Fatalf("%d barriers were said to be through, want %d", len(done), epochs)
		}
		alloc.AssertSize(rt, 0)
	})
}

// TestEdgeReleases stops a sender that waits for room, and drops what nobody receives.
func TestEdgeReleases(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	edges, _ := newEdges(1)
	ctx, cancel := context.WithCancelCause(t.Context())
	for i := range edgeLength {
		if err := edges[0].Send(ctx, row(alloc, int64(i))); err != nil {
			t.Fatal(err)
		}
	}
	cause := fmt.Errorf("enough")
	cancel(cause)
	if err := edges[0].Send(ctx, row(alloc, 1)); err != cause {
		t.Errorf("got %v, want %v", err, cause)
	}
	edges[0].drop()
}

func TestClock(t *testing.T) {
	start := time.Unix(1000, 0)
	after := func(d time.Duration) time.Time { return start.Add(d) }
	tags := func(split, rows int) []tag {
		tg := tag{end: rows}
		tg.message.Split = split
		return []tag{tg}
	}
	check := func(c *clock, now time.Time, w stream.Watermark, active, changed bool) {
		t.Helper()
		if gw, ga, gc := c.tick(now); gw != w || ga != active || gc != changed {
			t.Errorf("got %d %v %v, want %d %v %v", gw, ga, gc, w, active, changed)
		}
	}
	c := testClock(t, 2, 5*time.Millisecond, time.Minute, start)
	check(c, start, stream.MinWatermark, true, false)
	c.see([]int64{100, 90, stream.NoTime}, tags(0, 3))
	check(c, after(time.Second), stream.MinWatermark, true, false) // split 1 has not begun
	c.see([]int64{50}, tags(1, 1))
	check(c, after(2*time.Second), 44, true, false)
	c.see([]int64{200}, tags(0, 1))
	check(c, after(61*time.Second), 44, true, false)
	check(c, after(63*time.Second), 194, true, false) // split 1 is idle
	check(c, after(2*time.Minute+2*time.Second), stream.MinWatermark, false, true)
	check(c, after(3*time.Minute), stream.MinWatermark, false, false)
	c.see([]int64{300}, tags(1, 1))
	check(c, after(3*time.Minute), 294, true, true)

	// Rows of two splits in one batch.
	c = testClock(t, 2, 0, 0, start)
	both := append(tags(0, 2), tags(1, 3)...)
	c.see([]int64{10, 30, 20}, both)
	check(c, after(time.Hour), 19, true, false)

	// Times at the end of the range stay where they are.
	c = testClock(t, 1, time.Hour, 0, start)
	c.see([]int64{math.MinInt64 + 10}, tags(0, 1))
	check(c, start, stream.MinWatermark, true, false)
}

func testClock(t *testing.T, splits int, outOfOrderness, idle time.Duration, now time.Time) *clock {
	t.Helper()
	var ids []string
	for i := range splits {
		ids = append(ids, fmt.Sprint(i))
	}
	c, err := newClock(&plan.EventTime{OutOfOrderness: plan.Duration(outOfOrderness), Idle: plan.Duration(idle)}, ids, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTheClockGoesOn checks that what was late before a restart is late after it, and no more than that.
func TestTheClockGoesOn(t *testing.T) {
	now := time.Unix(0, 0)
	c := testClock(t, 1, time.Millisecond, 0, now)
	see := func(at int64) { c.see([]int64{at}, []tag{{end: 1}}) }
	see(10)
	c.tick(now)
	see(20) // which no watermark has told of
	c, err := newClock(&plan.EventTime{OutOfOrderness: plan.Duration(time.Millisecond)}, []string{"0"}, c.positions(), now)
	if err != nil {
		t.Fatal(err)
	}
	if w := c.resume(); w != 8 {
		t.Errorf("goes on at %d, want 8", w)
	}
	if w, _, _ := c.tick(now); w != 18 {
		t.Errorf("the next watermark is %d, want 18", w)
	}
}
