package operator

import (
	"slices"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/window"
	"github.com/wasmill/wasmill/state"
)

// windowHost is what the logic of windows sees of a Window: the world of the key at hand.
type windowHost struct{ w *Window }

var _ window.Host = windowHost{}

// Watermark implements window.Host.
func (h windowHost) Watermark() int64 { return h.w.watermark }

// Now implements window.Host.
func (h windowHost) Now() int64 { return h.w.now }

func (h windowHost) timer(time int64, win window.Window) state.Timer {
	s := h.w.State
	s.namespace = win.Append(s.namespace[:0])
	return state.Timer{Time: time, Partition: h.w.key.partition, Key: h.w.key.bytes, Namespace: s.namespace}
}

// Set implements window.Host.
func (h windowHost) Set(d window.Domain, time int64, win window.Window) error {
	return h.w.State.timers[d].Set(h.timer(time, win))
}

// Delete implements window.Host.
func (h windowHost) Delete(d window.Domain, time int64, win window.Window) error {
	return h.w.State.timers[d].Delete(h.timer(time, win))
}

// Pane implements window.Host.
func (h windowHost) Pane(win window.Window, create bool) (*window.Pane, error) {
	return h.w.State.pane(h.w.key, win, create, h.w.Listed)
}

// Recent implements window.Host.
func (h windowHost) Recent(other *window.Pane) *window.Pane {
	panes := h.w.key.panes
	for i := len(panes) - 1; i >= 0; i-- {
		if panes[i] != other {
			return panes[i]
		}
	}
	return nil
}

// Panes implements window.Host.
func (h windowHost) Panes() ([]window.Window, error) { return h.w.State.windows(h.w.key) }

// Add implements window.Host.
func (h windowHost) Add(p *window.Pane) error {
	w := h.w
	c := of(p)
	w.State.seq++
	c.rows++
	row := c.row
	if w.Keep > 0 {
		row = w.Aggregates.NewRow()
		c.last = append(c.last, row)
	}
	w.Aggregates.Add(row, w.row, w.State.seq)
	w.State.changed(w.key, p)
	return nil
}

// Merge implements window.Host.
func (h windowHost) Merge(into, from *window.Pane) error {
	h.w.Aggregates.Merge(of(into).row, of(from).row)
	of(into).rows += of(from).rows
	h.w.State.changed(h.w.key, into)
	return nil
}

// Clear implements window.Host.
func (h windowHost) Clear(p *window.Pane) error {
	c := of(p)
	h.w.Aggregates.Clear(c.row)
	c.last, c.rows = nil, 0
	h.w.State.changed(h.w.key, p)
	return nil
}

// Changed implements window.Host.
func (h windowHost) Changed(p *window.Pane) { h.w.State.changed(h.w.key, p) }

// Drop implements window.Host.
func (h windowHost) Drop(p *window.Pane) error { return h.w.State.drop(h.w.key, p, h.w.Listed) }

// Fire implements window.Host.
func (h windowHost) Fire(win window.Window, panes ...*window.Pane) error {
	w := h.w
	var row aggregate.Row
	switch {
	case w.Keep > 0:
		c := of(panes[0])
		if len(c.last) > w.Keep {
			c.last = slices.Clone(c.last[len(c.last)-w.Keep:])
		}
		row = w.whole()
		for _, r := range c.last {
			w.Aggregates.Merge(row, r)
		}
		if len(c.last) == 0 {
			return nil
		}
	case len(panes) == 1:
		row = of(panes[0]).row
	default:
		row = w.whole()
		for _, p := range panes {
			w.Aggregates.Merge(row, of(p).row)
		}
	}
	if w.Keep == 0 && !rows(panes) {
		return nil
	}
	if err := w.results.add(w.key.bytes, win, row); err != nil {
		return err
	}
	if w.results.rows >= resultRows {
		return w.flush()
	}
	return nil
}

// whole returns an empty accumulator for a result.
func (w *Window) whole() aggregate.Row {
	if w.scratch == nil {
		w.scratch = w.Aggregates.NewRow()
	}
	w.Aggregates.Clear(w.scratch)
	return w.scratch
}

// rows reports whether there was any row in the panes.
func rows(panes []*window.Pane) bool {
	return slices.ContainsFunc(panes, func(p *window.Pane) bool { return of(p).rows > 0 })
}
