package operator

import (
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
)

// ProcessStateOptions of a process function's state.
type ProcessStateOptions struct {
	Store    state.Store
	Operator string
	States   []udf.StateDecl
	// From (inclusive) and To (exclusive) are the partitions of the task.
	From, To int
	// Limit is how many bytes are kept at hand.
	Limit int
	// Epoch is the newest that the store holds.
	Epoch uint64
	// Full is called when much is uncommitted; nil: nothing.
	Full func()
}

// ProcessState is the state, the timers and the clocks of a process function of one task. Timers that a call sets and deletes wait
// for its end, so that those of a call that fails are as if it had not been.
type ProcessState struct {
	*KeyedState
	kinds          kinds
	sweeper        sweeper
	overlay        *state.Overlay
	timers         [2]*state.Timers // by domain
	keys           *stream.Keys     // of the call
	wishes         []wish
	watermark, now int64
}

var (
	_ udf.TimedState = (*ProcessState)(nil)
	_ Stateful       = (*ProcessState)(nil)
)

// wish is a timer that a call sets or deletes.
type wish struct {
	domain udf.Domain
	delete bool
	slot   int32
	time   int64
}

// NewProcessState returns the state over what the store holds.
func NewProcessState(o ProcessStateOptions) *ProcessState {
	overlay := state.NewOverlay(o.Store, o.Limit/2, o.Epoch, o.Full)
	p := &ProcessState{
		KeyedState: NewKeyedState(o.Store, o.Operator, plains(o.States), o.Limit/2, o.Epoch, o.Full), overlay: overlay,
		timers: [2]*state.Timers{
			udf.EventTime:      state.NewTimers(overlay, o.Operator, state.EventTimers, o.From, o.To, 0),
			udf.ProcessingTime: state.NewTimers(overlay, o.Operator, state.ProcessingTimers, o.From, o.To, 0),
		},
		watermark: int64(stream.MinWatermark),
	}
	p.kinds = newKinds(overlay, o.Operator, o.States, p.Now)
	p.sweeper = sweeper{from: o.From, to: o.To}
	for i, d := range o.States {
		if d.TTL != nil {
			p.sweeper.add(p.kinds.swept(i))
		}
	}
	return p
}

func (p *ProcessState) begin(keys *stream.Keys) error {
	p.keys, p.wishes = keys, p.wishes[:0]
	if p.kinds.others {
		if err := p.prefetch(keys); err != nil {
			return err
		}
		p.overlay.Mark()
	}
	return p.Begin(keys)
}

// rollback undoes what was written and wished for since begin.
func (p *ProcessState) rollback() {
	p.Rollback()
	if p.kinds.others {
		p.overlay.Rollback()
	}
	p.wishes = p.wishes[:0]
}

// settle sets and deletes the timers of the call.
func (p *ProcessState) settle() error {
	for _, w := range p.wishes {
		t := state.Timer{Time: w.time, Partition: p.keys.Partitions[w.slot], Key: p.keys.Distinct[w.slot]}
		change := p.timers[w.domain].Set
		if w.delete {
			change = p.timers[w.domain].Delete
		}
		if err := change(t); err != nil {
			return err
		}
	}
	p.wishes = p.wishes[:0]
	return nil
}

// SetTimer implements [udf.TimedState].
func (p *ProcessState) SetTimer(slot int32, d udf.Domain, time int64) error {
	return p.wish(wish{domain: d, slot: slot, time: time})
}

// DeleteTimer implements [udf.TimedState].
func (p *ProcessState) DeleteTimer(slot int32, d udf.Domain, time int64) error {
	return p.wish(wish{domain: d, slot: slot, time: time, delete: true})
}

func (p *ProcessState) wish(w wish) error {
	if w.slot < 0 || int(w.slot) >= len(p.keys.Distinct) {
		return fault.New(fault.Guest, "a timer of key slot %d was asked for, the batch has %d", w.slot, len(p.keys.Distinct))
	}
	if w.domain != udf.EventTime && w.domain != udf.ProcessingTime {
		return fault.New(fault.Guest, "a timer of domain %d was asked for", w.domain)
	}
	p.wishes = append(p.wishes, w)
	return nil
}

// Watermark implements [udf.TimedState].
func (p *ProcessState) Watermark() int64 { return p.watermark }

// Now implements [udf.TimedState].
func (p *ProcessState) Now() int64 { return p.now }

// cut returns how many of the timers of a call that is over may have fired in it. The others have to come behind a timer of the same
// domain that one of the first has set.
func (p *ProcessState) cut(timers []udf.Timer) int {
	n := len(timers)
	for _, w := range p.wishes {
		if w.delete || w.domain != timers[0].Domain {
			continue
		}
		// Each timer is of another key, so slots number them.
		behind := int(w.slot) + 1
		for behind < n && timers[behind].Time <= w.time {
			behind++
		}
		n = min(n, behind)
	}
	return n
}

// putBack sets timers again that have not fired after all.
func (p *ProcessState) putBack(timers []udf.Timer, keys *stream.Keys) error {
	for _, t := range timers {
		at := state.Timer{Time: t.Time, Partition: keys.Partitions[t.Slot], Key: keys.Distinct[t.Slot]}
		if err := p.timers[t.Domain].Set(at); err != nil {
			return err
		}
	}
	return nil
}

// due removes the timers that fire together and returns them with their keys: the first ones that are due, each of another key,
// since what a key's timer does may set and delete the key's others.
func (p *ProcessState) due(d udf.Domain, until int64, most int) ([]udf.Timer, *stream.Keys, error) {
	var fired []udf.Timer
	keys := &stream.Keys{}
	seen := make(map[string]bool)
	for len(fired) < most {
		t, ok, err := p.timers[d].Due(until)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			break
		}
		if seen[string(t.Key)] {
			if err := p.timers[d].Set(t); err != nil {
				return nil, nil, err
			}
			break
		}
		seen[string(t.Key)] = true
		slot := int32(len(fired))
		fired = append(fired, udf.Timer{Slot: slot, Time: t.Time, Domain: d})
		keys.Slots = append(keys.Slots, slot)
		keys.Distinct = append(keys.Distinct, t.Key)
		keys.Partitions = append(keys.Partitions, t.Partition)
	}
	return fired, keys, nil
}

// Barrier implements [Stateful].
func (p *ProcessState) Barrier(epoch uint64) []state.Change {
	return append(p.KeyedState.Barrier(epoch), p.overlay.Barrier(epoch)...)
}

// Committed implements [Stateful].
func (p *ProcessState) Committed(epoch uint64) {
	p.KeyedState.Committed(epoch)
	p.overlay.Committed(epoch)
}
