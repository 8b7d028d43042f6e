package runtime

import (
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/stream"
)

// TestAlignment has three tasks of one input: those that are too far ahead wait for the one that is behind, unless it is idle or
// has ended.
func TestAlignment(t *testing.T) {
	a := newAlignment(100)
	now := time.Unix(0, 0)
	var tasks []*source
	for range 3 {
		s := &source{clock: testClock(t, 1, 0, 0, now)}
		a.join(s)
		tasks = append(tasks, s)
	}
	see := func(task int, at int64) {
		s := tasks[task]
		s.clock.see([]int64{at}, []tag{{end: 1}})
		w, active, _ := s.clock.tick(now)
		a.note(s, w, active)
	}
	check := func(what string, want ...bool) {
		t.Helper()
		for i, s := range tasks {
			if got := a.ahead(s); got != want[i] {
				t.Errorf("%s: task %d waits %v, want %v", what, i, got, want[i])
			}
		}
	}
	check("at the start", false, false, false)
	see(0, 1000)
	check("nobody else has a time", false, false, false)
	see(1, 950)
	see(2, 900)
	check("within the drift", false, false, false)
	see(0, 1001)
	check("one is ahead", true, false, false)
	see(2, 901)
	check("the last one caught up", false, false, false)
	see(0, 2000)
	see(1, 1500)
	check("two are ahead", true, true, false)
	a.note(tasks[2], stream.MinWatermark, false)
	check("the last one is idle", true, false, false)
	tasks[1].ended = true
	a.end(tasks[1])
	check("another one ended", false, false, false)
	var none *alignment
	none.join(tasks[0])
	none.note(tasks[0], 5, true)
	if none.ahead(tasks[0]) {
		t.Error("waits for nobody")
	}
}
