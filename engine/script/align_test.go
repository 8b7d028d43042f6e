package script

import (
	"fmt"
	"sync"
	"testing"
)

// TestSourcesWaitForEachOther has two sources, of which one covers ten times as much event time with each number, and kills the job in the middle. No
// piece is handed on by a source that is ahead of the other by more than the drift.
func TestSourcesWaitForEachOther(t *testing.T) {
	const drift, slow, fast = 3000, 20000, 2000 // numbers of both: the slow one has a number for each millisecond, the other one for ten
	var mu sync.Mutex
	marks, numbers := map[int]int64{}, map[int]int64{}
	task := func(scale, all int64) func(config) behaviour {
		return func(c config) behaviour {
			mu.Lock()
			delete(marks, c.Task)
			numbers[c.Task] = 0
			mu.Unlock()
			last := int64(0)
			return func(r row, put func(row)) error {
				if r.kind != kindRange {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				other, known := marks[1-c.Task]
				if numbers[1-c.Task] < map[int]int64{0: fast, 1: slow}[c.Task] && last > 0 && (!known || last > other+drift) {
					return fmt.Errorf("task %d goes on at %d, the other one is at %d", c.Task, last, other)
				}
				numbers[c.Task] = r.number + int64(r.target)
				last = numbers[c.Task] * scale
				marks[c.Task] = last
				put(row{kind: kindMark, port: r.port, number: last})
				if c.Task == 0 && c.Attempt == 0 && r.number > all/2 {
					return fmt.Errorf("killed")
				}
				return nil
			}
		}
	}
	p := &Plan{Version: 1, Name: "aligned", ID: "1", Partitions: 128, CheckpointInterval: 5, Restart: &Restart{Attempts: 2},
		Tasks: []Task{{Number: 0, Name: "Slow", Parallelism: 1, Inputs: 1, Operators: []Operator{{UID: "slow"}}},
			{Number: 1, Name: "Fast", Parallelism: 1, Inputs: 1, Operators: []Operator{{UID: "fast"}}}},
		Sources: []Source{{Number: 2, Name: "A", UID: "a", To: 0, Parallelism: 1, Kind: "range", Count: slow, Align: &Align{"g", drift}},
			{Number: 3, Name: "B", UID: "b", To: 1, Parallelism: 1, Kind: "range", Count: fast, Align: &Align{"g", drift}}}}
	b := &interpreter{tasks: []func(config) behaviour{task(1, slow), task(10, fast)}}
	if r, err := run(t, p, options(t, b, nil)); err != nil || r.Error != "" {
		t.Fatal(err, r)
	}
	if numbers[0] != slow || numbers[1] != fast {
		t.Errorf("the sources came to %v", numbers)
	}
}

// Idle sources, and those without any event time after a while, hold nobody back; ended ones are gone.
func TestWhoHoldsOthersBack(t *testing.T) {
	spec := &Source{Align: &Align{"g", 10}, Port: 0}
	a := &attempt{}
	sources, tasks := make([]*source, 3), make([]*subtask, 3)
	for i := range sources {
		sources[i], tasks[i] = &source{spec: spec, wake: make(chan struct{}, 1)}, &subtask{}
	}
	a.align(spec, sources, tasks)
	g, s := sources[0].group, sources[0]
	expect := func(what string, want bool) {
		t.Helper()
		if got := g.ahead(s); got != want {
			t.Errorf("%s: ahead is %v", what, got)
		}
	}
	expect("at the start", false)
	g.sends(s)
	expect("while the subtask works", true)
	s.dealt()
	s.mark(100, false)
	expect("others have no time yet", true)
	sources[1].mark(90, false)
	sources[2].mark(89, false)
	expect("11 ms ahead", true)
	sources[2].mark(89, true)
	expect("the one behind is idle", false)
	sources[2].mark(89, false)
	g.leave(sources[2])
	expect("it has ended", false)
	sources[1].mark(-1<<63, false)
	g.began = g.began.Add(-patience)
	expect("a watermark that does not come", false)
	if task := tasks[1]; task.paced[0] != sources[1] {
		t.Error("the subtask does not know its source")
	}
}
