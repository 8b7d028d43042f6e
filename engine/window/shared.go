package window

// Shared is the way of tumbling and sliding windows that fire at their end: windows that overlap share panes, so that a row is
// added once, and a window's result is that of its panes together.
type Shared struct {
	Domain              Domain
	Size, Slide, Offset int64 // ms
	// Lateness is as with Windows.
	Lateness int64

	pane   int64
	firing []*Pane
	parts  []Window
}

var _ Logic = (*Shared)(nil)

// maxPanes is how many panes a window has at most: with more, it costs less to add a row to each of its windows.
const maxPanes = 1000

// Shareable reports whether windows are better kept in panes than each on its own.
func Shareable(size, slide int64) bool {
	return size/NewShared(EventTime, size, slide, 0, 0).pane <= maxPanes
}

// NewShared returns windows of a size whose starts lie slide apart.
func NewShared(d Domain, size, slide, offset, lateness int64) *Shared {
	pane, rest := size, slide
	for rest != 0 {
		pane, rest = rest, pane%rest
	}
	return &Shared{Domain: d, Size: size, Slide: slide, Offset: offset, Lateness: lateness, pane: pane}
}

func (s *Shared) now(h Host) int64 {
	if s.Domain == ProcessingTime {
		return h.Now()
	}
	return h.Watermark()
}

func (s *Shared) cleanup(w Window) int64 { return cleanup(w, s.Domain, s.Lateness) }

func (s *Shared) late(w Window, now int64) bool { return s.Domain == EventTime && s.cleanup(w) <= now }

// Element implements Logic.
func (s *Shared) Element(h Host, ts int64) (late bool, err error) {
	if s.Domain == ProcessingTime {
		ts = h.Now()
	}
	start := floor(ts, s.Offset, s.pane)
	first := floor(ts, s.Offset, s.Slide) // of the last window
	now := s.now(h)
	last := Window{first, end(first, s.Size)}
	if ts-first >= s.Size || s.late(last, now) {
		// In the gap between windows, or too late for all of them.
		return s.Domain == EventTime && end(ts, s.Lateness) <= now, nil
	}
	p, err := h.Pane(Window{start, end(start, s.pane)}, true)
	if err != nil {
		return false, err
	}
	if err := h.Add(p); err != nil {
		return false, err
	}
	if !p.Armed {
		p.Armed = true
		recent := h.Recent(p)
		if err := s.each(last, ts, func(w Window) error {
			if recent != nil && recent.Armed && w.Start <= recent.Start && recent.Start < w.End {
				return nil // its timers are set
			}
			return s.arm(h, w, now)
		}); err != nil {
			return false, err
		}
	}
	// The earliest window that the row is in ends before all others.
	if earliest := s.earliest(ts, first); s.Domain == ProcessingTime || earliest.Last() > now {
		return false, nil
	}
	return false, s.each(last, ts, func(w Window) error {
		if w.Last() > now || s.late(w, now) {
			return nil
		}
		return s.fire(h, w)
	})
}

// earliest returns the first window that holds ts, where the last one begins at start.
func (s *Shared) earliest(ts, start int64) Window {
	back := (s.Size - 1 - (ts - start)) / s.Slide * s.Slide
	if start < -never+back {
		return Window{-never, end(-never, s.Size)}
	}
	return Window{start - back, end(start-back, s.Size)}
}

// each calls do for the windows that hold ts, the latest first.
func (s *Shared) each(last Window, ts int64, do func(Window) error) error {
	for w, first := last, s.earliest(ts, last.Start); ; w = (Window{w.Start - s.Slide, end(w.Start-s.Slide, s.Size)}) {
		if err := do(w); err != nil || w.Start <= first.Start {
			return err
		}
	}
}

// arm sets the timers of a window, unless it has ended.
func (s *Shared) arm(h Host, w Window, now int64) error {
	if s.late(w, now) {
		return nil
	}
	if s.Domain == ProcessingTime || w.Last() > now {
		if err := h.Set(s.Domain, w.Last(), w); err != nil {
			return err
		}
	}
	if t := s.cleanup(w); t != w.Last() && t != never {
		return h.Set(s.Domain, t, w)
	}
	return nil
}

// fire fires a window with the panes that there are of it.
func (s *Shared) fire(h Host, w Window) error {
	s.firing = s.firing[:0]
	if err := s.within(h, w.Start, w.End, func(p *Pane) error {
		s.firing = append(s.firing, p)
		return nil
	}); err != nil {
		return err
	}
	return h.Fire(w, s.firing...)
}

// within calls do for the panes that there are from a time to another.
func (s *Shared) within(h Host, from, to int64, do func(*Pane) error) error {
	s.parts = append(s.parts[:0], Window{from, to})
	if s.Size != s.Slide {
		panes, err := h.Panes()
		if err != nil {
			return err
		}
		s.parts = append(s.parts[:0], panes...) // do may drop some
	}
	for _, w := range s.parts {
		if w.Start < from || w.End > to {
			continue
		}
		p, err := h.Pane(w, false)
		if err == nil && p != nil {
			err = do(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Timer implements Logic.
func (s *Shared) Timer(h Host, d Domain, time int64, w Window) error {
	if d != s.Domain {
		return nil
	}
	if time == w.Last() {
		if err := s.fire(h, w); err != nil {
			return err
		}
	}
	if time != s.cleanup(w) {
		return nil
	}
	// No later window holds the panes before the next one's start.
	return s.within(h, w.Start, min(w.End, end(w.Start, s.Slide)), h.Drop)
}
