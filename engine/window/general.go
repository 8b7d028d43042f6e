package window

// Windows is the way of any windows with any trigger: a pane for each window.
type Windows struct {
	Assigner Assigner
	Trigger  Trigger
	// Lateness is how long in ms windows of event time are kept behind their end for rows that come late.
	Lateness int64

	assigned []Window
}

var _ Logic = (*Windows)(nil)

func (g *Windows) late(h Host, w Window) bool {
	return g.Assigner.Domain == EventTime && g.cleanup(w) <= h.Watermark()
}

func (g *Windows) cleanup(w Window) int64 { return cleanup(w, g.Assigner.Domain, g.Lateness) }

// never is a clean-up time for which no timer is set.
const never = 1<<63 - 1

func (g *Windows) setCleanup(h Host, w Window) error {
	if t := g.cleanup(w); t != never {
		return h.Set(g.Assigner.Domain, t, w)
	}
	return nil
}

func (g *Windows) deleteCleanup(h Host, w Window) error {
	if t := g.cleanup(w); t != never {
		return h.Delete(g.Assigner.Domain, t, w)
	}
	return nil
}

// Element implements Logic.
func (g *Windows) Element(h Host, ts int64) (late bool, err error) {
	at := ts
	if g.Assigner.Domain == ProcessingTime {
		at = h.Now()
	}
	if g.assigned, err = g.Assigner.windows(g.assigned[:0], at); err != nil {
		return false, err
	}
	skipped := true
	for _, w := range g.assigned {
		p, err := g.pane(h, w)
		if err != nil {
			return false, err
		}
		if p == nil {
			continue
		}
		skipped = false
		if err := g.add(h, p, ts); err != nil {
			return false, err
		}
	}
	return skipped && g.Assigner.Domain == EventTime && end(ts, g.Lateness) <= h.Watermark(), nil
}

func (g *Windows) add(h Host, p *Pane, ts int64) error {
	if err := h.Add(p); err != nil {
		return err
	}
	result, err := g.Trigger.Element(h, p, ts)
	if err == nil {
		err = g.apply(h, p, result)
	}
	if err != nil || p.Armed {
		return err
	}
	p.Armed = true
	return g.setCleanup(h, p.Window)
}

func (g *Windows) apply(h Host, p *Pane, r Result) error {
	if r&Fire != 0 {
		if err := h.Fire(p.Window, p); err != nil {
			return err
		}
	}
	if r&Purge != 0 {
		return h.Clear(p)
	}
	return nil
}

// pane returns the pane that a row goes into which is assigned to w, nil when the window has ended.
func (g *Windows) pane(h Host, w Window) (*Pane, error) {
	if !g.Assigner.Merges() {
		if g.late(h, w) {
			return nil, nil
		}
		return h.Pane(w, true)
	}
	windows, err := h.Panes()
	if err != nil {
		return nil, err
	}
	merged, met := w, windows[:0:0]
	for more := true; more; {
		// What has grown may meet others.
		more = false
		for _, o := range windows {
			if merged.meets(o) && !contains(met, o) {
				merged = Window{min(merged.Start, o.Start), max(merged.End, o.End)}
				met, more = append(met, o), true
			}
		}
	}
	if len(met) == 0 && g.late(h, w) {
		return nil, nil
	}
	p, err := h.Pane(merged, true)
	if err != nil || len(met) == 0 || len(met) == 1 && met[0] == merged {
		return p, err
	}
	return p, g.merge(h, p, met)
}

func contains(windows []Window, w Window) bool {
	for _, o := range windows {
		if o == w {
			return true
		}
	}
	return false
}

// merge moves the contents of other windows into one that covers them.
func (g *Windows) merge(h Host, into *Pane, met []Window) error {
	for _, w := range met {
		from, err := h.Pane(w, false)
		if err != nil {
			return err
		}
		if from == nil || from == into {
			continue
		}
		g.Trigger.Join(&into.Memo, from.Memo)
		from.Memo = Memo{}
		if err := h.Merge(into, from); err != nil {
			return err
		}
		if err := g.Trigger.Clear(h, from); err != nil {
			return err
		}
		if err := g.deleteCleanup(h, w); err != nil {
			return err
		}
		if err := h.Drop(from); err != nil {
			return err
		}
	}
	h.Changed(into)
	return g.Trigger.Merged(h, into)
}

// Timer implements Logic.
func (g *Windows) Timer(h Host, d Domain, time int64, w Window) error {
	p, err := h.Pane(w, false)
	if err != nil || p == nil {
		return err // it has merged into another
	}
	result, err := g.Trigger.Timer(h, p, d, time)
	if err == nil {
		err = g.apply(h, p, result)
	}
	if err != nil || d != g.Assigner.Domain || time != g.cleanup(w) {
		return err
	}
	if err := g.Trigger.Clear(h, p); err != nil {
		return err
	}
	return h.Drop(p)
}
