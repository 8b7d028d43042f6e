package runtime

import (
	"fmt"
	"time"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/window"
)

// window builds the operator of a window or an aggregate, with all behind its side outputs.
func (c *chain) window(n *plan.ResolvedNode) (*operator.Window, error) {
	specs := n.AggregateSpecs()
	set, err := aggregate.New(n.In[0], specs)
	if err != nil {
		return nil, c.placed(n, err)
	}
	from, to := c.owned()
	w := &operator.Window{
		Where: c.where(n), Aggregates: set, Out: n.Out, Gap: -1,
		Now: c.now, TakeChanges: c.epochs.takeChanges,
	}
	if w.Reached, err = c.reached(n); err != nil {
		return nil, err
	}
	what := "running"
	if spec := n.Node.Window; spec != nil {
		w.Policy = c.policy(n, spec.OnError)
		what = spec.Describe()
		if err := c.windows(n, spec, w); err != nil {
			return nil, c.placed(n, err)
		}
	} else {
		w.Policy = c.policy(n, plan.Fail)
		// Each row fires the one window that all rows of its key are in.
		w.Running = true
		w.Logic = &window.Windows{Assigner: window.Assigner{Global: true}, Trigger: window.Count{Rows: 1}}
	}
	if err := c.store.Declare(n.Node.ID, operator.WindowTypes(what, set)); err != nil {
		return nil, c.placed(n, err)
	}
	w.State = operator.NewWindowState(operator.WindowStateOptions{
		Store: c.store, Operator: n.Node.ID, Aggregates: set, From: from, To: to, Limit: c.job.options.StateCache, Epoch: c.last.Epoch,
		Full: func() { poke(c.epochs.full) },
	})
	for _, side := range c.stage.Nodes {
		if side.Node.Kind == plan.KindSideOutput && side.Node.Inputs[0] == n.Node.ID {
			if w.Late, err = c.node(side); err != nil {
				return nil, err
			}
		}
	}
	c.timed = append(c.timed, w)
	return w, nil
}

// owned returns the partitions of the task: from (inclusive) to to (exclusive).
func (c *chain) owned() (from, to int) {
	width, partitions := c.width[c.stage], c.partitions()
	for from < partitions && stream.Owner(uint16(from), partitions, width) < c.index {
		from++
	}
	to = from
	for to < partitions && stream.Owner(uint16(to), partitions, width) == c.index {
		to++
	}
	return from, to
}

// now returns processing time in milliseconds.
func (a *attempt) now() int64 { return a.job.options.Clock.Now().UnixMilli() }

func ms(d plan.Duration) int64 { return time.Duration(d).Milliseconds() }

// windows fills in what a window's operator does.
func (c *chain) windows(n *plan.ResolvedNode, spec *plan.Window, w *operator.Window) error {
	w.All, w.EventTime = spec.All, spec.NeedsEventTime()
	d := domain(spec.Time)
	size, slide := ms(spec.Tumbling), ms(spec.Tumbling)
	if s := spec.Sliding; s != nil {
		size, slide = ms(s.Size), ms(s.Slide)
	}
	lateness := ms(spec.AllowedLateness)
	a := window.Assigner{Domain: d, Size: size, Slide: slide, Offset: ms(spec.Offset)}
	switch {
	case spec.Session != nil:
		a.Gap, w.Listed = ms(spec.Session.Gap), true
		if column := spec.Session.GapColumn; column != "" {
			at := n.In[0].FieldIndices(column)
			if len(at) == 0 {
				return fmt.Errorf("the column `%s` of gaps was pruned", column)
			}
			var err error
			if w.Gaps, err = operator.NewGaps(n.In[0].Field(at[0])); err != nil {
				return err
			}
			w.Gap, a.Gaps = at[0], w.Gaps.Gap
		}
	case spec.Global || spec.Count != nil:
		a.Global = true
	case spec.Trigger == nil && window.Shareable(size, slide):
		w.Listed = size != slide
		w.Logic = window.NewShared(d, size, slide, a.Offset, lateness)
		return nil
	}
	if a.Global && spec.Time != "processing" {
		a.Domain = window.EventTime
	}
	trigger := triggerOf(spec, d)
	if spec.Count != nil && spec.Count.Slide > 0 {
		w.Keep = spec.Count.Size
	}
	w.Logic = &window.Windows{Assigner: a, Trigger: trigger, Lateness: lateness}
	return nil
}

func domain(time string) window.Domain {
	if time == "processing" {
		return window.ProcessingTime
	}
	return window.EventTime
}

func triggerOf(spec *plan.Window, d window.Domain) window.Trigger {
	if count := spec.Count; count != nil {
		if count.Slide > 0 {
			return window.Count{Rows: int64(count.Slide)}
		}
		return window.Purging{Trigger: window.Count{Rows: int64(count.Size)}}
	}
	t := spec.Trigger
	if t == nil {
		return window.AtEnd{Domain: d}
	}
	if t.Time != "" {
		d = domain(t.Time)
	}
	var trigger window.Trigger
	switch {
	case t.Never:
		trigger = window.Never{}
	case t.Count > 0:
		trigger = window.Count{Rows: int64(t.Count)}
	case t.Every > 0:
		trigger = window.Every{Domain: d, Interval: ms(t.Every)}
	default:
		trigger = window.AtEnd{Domain: d}
	}
	if t.Purge {
		trigger = window.Purging{Trigger: trigger}
	}
	return trigger
}
