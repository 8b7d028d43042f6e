package script

import (
	"bytes"
	"context"
	"math"
	"sync"
	"time"
)

// A source that waits for others hands on so much at a time, and waits until the subtask has told how far in event time that brought it.
const (
	alignedPiece = 256     // numbers, messages, rows
	alignedBytes = 8 << 10 // of lines
)

// patience is how long sources wait for one that has no event time yet and is not idle, from when the first of them has one.
const patience = 10 * time.Second

// group is the sources whose watermarks are kept together: one that is more than its drift ahead of another does not read until that one has caught
// up. Idle sources, and those that ended, hold nobody back. A nil group aligns nothing.
type group struct {
	mu      sync.Mutex
	began   time.Time             // guarded by mu: when the first had a watermark
	members map[*source]*standing // guarded by mu: those that have not ended
}

// standing is how far a source is.
type standing struct {
	mark int64 // its watermark, math.MinInt64 where there is none yet
	idle bool
	sent int // elements that were handed on and that the subtask has not dealt with
}

// align makes the sources of a spec members of its group, and has the subtasks that they feed tell how far they are.
func (a *attempt) align(spec *Source, sources []*source, to []*subtask) {
	if spec.Align == nil {
		return
	}
	if a.groups == nil {
		a.groups = map[string]*group{}
	}
	g := a.groups[spec.Align.Group]
	if g == nil {
		g = &group{members: map[*source]*standing{}}
		a.groups[spec.Align.Group] = g
	}
	for i, s := range sources {
		s.group, g.members[s] = g, &standing{mark: math.MinInt64}
		if to[i].paced == nil {
			to[i].paced = map[int32]*source{}
		}
		to[i].paced[int32(spec.Port)] = s
	}
}

// sends notes that a source hands something on.
func (g *group) sends(s *source) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members[s].sent++
}

// dealt notes that the subtask has dealt with elements of sources that wait for others, and told their marks if they changed.
func (s *subtask) dealt(rows []row) {
	for i := range rows {
		if from := s.paced[rows[i].port]; from != nil && (rows[i].kind == kindRecord || rows[i].kind == kindRange) {
			from.dealt()
		}
	}
}

func (s *source) dealt() {
	g := s.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if m := g.members[s]; m != nil {
		m.sent--
	}
	poke(s.wake)
}

// mark takes what the subtask says of a source of its.
func (s *source) mark(watermark int64, idle bool) {
	g := s.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if m := g.members[s]; m != nil {
		m.mark, m.idle = watermark, idle
		if g.began.IsZero() && watermark != math.MinInt64 {
			g.began = time.Now()
		}
	}
	g.wake()
}

// leave takes a source out that has ended.
func (g *group) leave(s *source) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.members, s)
	g.wake()
}

func (g *group) wake() {
	for s := range g.members {
		poke(s.wake)
	}
}

// ahead reports whether a source has to wait: for the subtask, or for another source.
func (g *group) ahead(s *source) bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	own := g.members[s]
	if own.sent > 0 {
		return true
	}
	if own.mark == math.MinInt64 {
		return false
	}
	for other, m := range g.members {
		switch {
		case other == s || m.idle:
		case m.mark == math.MinInt64:
			if time.Since(g.began) < patience {
				return true
			}
		case own.mark > m.mark && uint64(own.mark)-uint64(m.mark) > uint64(s.spec.Align.DriftMS):
			return true
		}
	}
	return false
}

// pause waits until it is worth asking again whether the source is ahead.
func (s *source) pause(ctx context.Context) error {
	t := time.NewTimer(patience / 100)
	defer t.Stop()
	select {
	case <-s.wake:
	case <-t.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// piece returns how much the source is to hand on at a time, at most what is given.
func (s *source) piece(most int64) int64 {
	if s.group == nil {
		return most
	}
	return min(most, alignedPiece)
}

// fewLines cuts at line ends, behind few lines.
func fewLines(data []byte) int {
	if n := lines(data[:min(len(data), alignedBytes)]); n > 0 {
		return n
	}
	return bytes.IndexByte(data, '\n') + 1
}
