package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// Aside is what comes out of a side output: the rows of all of its steps together, or how many there are, and their origins.
type Aside struct {
	Rows    []json.RawMessage `json:"rows,omitempty"`
	Count   int               `json:"count,omitempty"`
	Origins []int32           `json:"origins,omitempty"`
}

// operator is the name that the kit keeps state under.
const operator = "kit"

// timed is the state, the timers and the clocks of a process function. Keys are those of states.
type timed struct {
	*states
	overlay        *state.Overlay
	values         []*state.Value // by state, nil for other kinds
	lists          []*state.List
	maps           []*state.Map
	timers         map[string]bool // as the vectors write them
	wishes         []wish
	watermark, now int64
}

// wish is a timer that a call sets or deletes.
type wish struct {
	timer string
	set   bool
}

var _ udf.TimedState = (*timed)(nil)

func newTimed(s *states, decls []udf.StateDecl) *timed {
	t := &timed{states: s, overlay: state.NewOverlay(memstate.New(), 1<<24, 0, nil), timers: make(map[string]bool), watermark: math.MinInt64}
	n := len(decls)
	t.values, t.lists, t.maps = make([]*state.Value, n), make([]*state.List, n), make([]*state.Map, n)
	clock := func() int64 { return t.now }
	for i, d := range decls {
		switch d.Kind {
		case state.KindList:
			t.lists[i] = state.NewList(t.overlay, operator, d.Stored(), clock)
		case state.KindMap:
			t.maps[i] = state.NewMap(t.overlay, operator, d.Stored(), clock)
		default:
			t.values[i] = state.NewValue(t.overlay, operator, d.Stored(), clock)
		}
	}
	return t
}

// begin starts a call; end keeps what it did, or undoes it.
func (t *timed) begin() {
	t.overlay.Mark()
	t.wishes = t.wishes[:0]
}

func (t *timed) end(failed bool) {
	if failed {
		t.overlay.Rollback()
		return
	}
	for _, w := range t.wishes {
		if w.set {
			t.timers[w.timer] = true
		} else {
			delete(t.timers, w.timer)
		}
	}
}

// set returns the timers that are set, in the order of their texts.
func (t *timed) set() []string {
	list := []string{}
	for timer := range t.timers {
		list = append(list, timer)
	}
	slices.Sort(list)
	return list
}

func (t *timed) at(slot int32) state.At { return state.At{Key: []byte(t.keys[slot])} }

func (t *timed) Get(s, slot int32) ([]byte, bool, error) { return t.values[s].Get(t.at(slot)) }

func (t *timed) Put(s, slot int32, value []byte) error { return t.values[s].Set(t.at(slot), value) }

func (t *timed) Delete(s, slot int32) error {
	switch {
	case t.lists[s] != nil:
		return t.lists[s].Clear(t.at(slot))
	case t.maps[s] != nil:
		return t.maps[s].Clear(t.at(slot))
	}
	return t.values[s].Clear(t.at(slot))
}

func (t *timed) Add(s, slot int32, value []byte) error { return t.lists[s].Add(t.at(slot), value) }

func (t *timed) List(s, slot int32) ([][]byte, error) { return t.lists[s].Get(t.at(slot)) }

func (t *timed) MapGet(s, slot int32, key []byte) ([]byte, bool, error) {
	return t.maps[s].Get(t.at(slot), key)
}

func (t *timed) MapPut(s, slot int32, key, value []byte) error {
	return t.maps[s].Put(t.at(slot), key, value)
}

func (t *timed) MapRemove(s, slot int32, key []byte) error { return t.maps[s].Remove(t.at(slot), key) }

func (t *timed) MapFrom(s, slot int32, from []byte, each func(key, value []byte) bool) error {
	return t.maps[s].EachFrom(t.at(slot), from, each)
}

var domains = []string{udf.EventTime: "event", udf.ProcessingTime: "processing"}

func (t *timed) wish(slot int32, d udf.Domain, time int64, set bool) error {
	t.wishes = append(t.wishes, wish{fmt.Sprintf("%s %d %s", domains[d], time, t.keys[slot]), set})
	return nil
}

func (t *timed) SetTimer(slot int32, d udf.Domain, time int64) error {
	return t.wish(slot, d, time, true)
}

func (t *timed) DeleteTimer(slot int32, d udf.Domain, time int64) error {
	return t.wish(slot, d, time, false)
}

func (t *timed) Watermark() int64 { return t.watermark }

func (t *timed) Now() int64 { return t.now }

// clocks sets the clocks that a call says.
func (t *timed) clocks(c *Call) {
	if c.Watermark != nil {
		t.watermark = *c.Watermark
	}
	if c.Now != nil {
		t.now = *c.Now
	}
}

// call runs a process over rows or timers, and checks the timers that are set then.
func (t *timed) call(ctx context.Context, f udf.TimedFunction, rec arrow.Record, c *Call, yield func(udf.Result) error) error {
	t.clocks(c)
	t.begin()
	var err error
	if c.Fire != nil {
		err = t.fire(ctx, f, c, yield)
	} else {
		times := make([]int64, rec.NumRows())
		for i := range times {
			times[i] = math.MinInt64
			if i < len(c.Times) && c.Times[i] != nil {
				times[i] = *c.Times[i]
			}
		}
		err = f.CallAt(ctx, rec, t.states.begin(c.Keys), times, yield)
	}
	t.end(err != nil)
	if set := t.set(); c.Timers != nil && !slices.Equal(set, c.Timers) {
		return fmt.Errorf("expected the timers %q to be set, got %q (%v)", c.Timers, set, err)
	}
	return err
}

// fire calls the function for timers, which must be set, and are not any longer.
func (t *timed) fire(ctx context.Context, f udf.TimedFunction, c *Call, yield func(udf.Result) error) error {
	var timers []udf.Timer
	var keys []string
	for i, text := range c.Fire {
		parts := strings.SplitN(text, " ", 3)
		if len(parts) != 3 {
			return fmt.Errorf("the vector's timer %q is not a domain, a time and a key", text)
		}
		time, err := strconv.ParseInt(parts[1], 10, 64)
		d := slices.Index(domains, parts[0])
		if err != nil || d < 0 {
			return fmt.Errorf("the vector's timer %q is not a domain, a time and a key", text)
		}
		if !t.timers[text] {
			return fmt.Errorf("the timer %s, which is to fire, is not set: there is %q", text, t.set())
		}
		delete(t.timers, text)
		timers, keys = append(timers, udf.Timer{Slot: int32(i), Time: time, Domain: udf.Domain(d)}), append(keys, parts[2])
	}
	t.keys = keys
	return f.Timers(ctx, timers, yield)
}

// checkSides compares what came out of the side outputs.
func (o *outcome) checkSides(want map[string]Aside) error {
	for tag, w := range want {
		if o.sides[tag] == nil {
			return fmt.Errorf("nothing came out of the side output %s", tag)
		}
		if w.Count > 0 && w.Count != len(o.sides[tag].rows) {
			return fmt.Errorf("expected %d rows of the side output %s, got %d", w.Count, tag, len(o.sides[tag].rows))
		}
	}
	for tag, got := range o.sides {
		w, ok := want[tag]
		switch {
		case !ok && len(got.rows) > 0:
			return fmt.Errorf("%d rows came out of the side output %s", len(got.rows), tag)
		case !ok || w.Count > 0:
			continue
		}
		c := Call{Want: w.Rows, Origins: w.Origins}
		got.last = 1
		if err := got.check(&c); err != nil {
			return fmt.Errorf("side output %s: %w", tag, err)
		}
	}
	return nil
}

// aside adds a step to what came out of a side output.
func (o *outcome) aside(r udf.Result) error {
	if r.Side > len(o.tags) {
		return errors.New("a step came of a side output that is not declared")
	}
	tag := o.tags[r.Side-1]
	if o.sides == nil {
		o.sides = make(map[string]*outcome)
	}
	if o.sides[tag] == nil {
		o.sides[tag] = &outcome{inputs: o.inputs}
	}
	if r.Last {
		o.last++
	}
	r.Side, r.Last, r.Partial = 0, false, false
	return o.sides[tag].step(r)
}
