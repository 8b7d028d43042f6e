package runtime

import (
	"sync"

	"github.com/wasmill/wasmill/engine/stream"
)

// alignment keeps the tasks of one input together in event time: one whose rows are more than a drift ahead of the task that is
// behind all others does not read until that one has caught up. Idle tasks and those that ended hold nobody back. A nil
// alignment aligns nothing.
type alignment struct {
	drift int64 // ms
	mu    sync.Mutex
	marks map[*source]stream.Watermark // guarded by mu: of the tasks that hold others back
}

func newAlignment(drift int64) *alignment {
	return &alignment{drift: drift, marks: make(map[*source]stream.Watermark)}
}

// join adds a task before any has begun.
func (a *alignment) join(s *source) {
	if a != nil {
		a.marks[s] = stream.MinWatermark
	}
}

// note notes how far a task is.
func (a *alignment) note(s *source, w stream.Watermark, active bool) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if active {
		a.marks[s] = w
	} else {
		delete(a.marks, s)
	}
}

func (a *alignment) end(s *source) { a.note(s, 0, false) }

// ahead reports whether a task has to wait.
func (a *alignment) ahead(s *source) bool {
	if a == nil || s.ended {
		return false
	}
	far := s.clock.newest()
	if far == stream.MinWatermark {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for other, w := range a.marks {
		// A task that has no time yet holds others back only while it has nothing to say of them being behind.
		if other != s && w != stream.MinWatermark && int64(far)-a.drift > int64(w) {
			return true
		}
	}
	return false
}
