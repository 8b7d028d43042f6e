package operator

import (
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
)

// kinds are the states of a process function: values that do not expire are cells of the [KeyedState], all others lie in the overlay.
type kinds struct {
	decls  []udf.StateDecl
	cells  []int32 // by state: its number among the cells
	values []*state.Value
	lists  []*state.List
	maps   []*state.Map
	others bool // there are states in the overlay
	keys   [][]byte
	all    []byte
}

// plain reports whether a state is a cell.
func plain(d udf.StateDecl) bool {
	return d.TTL == nil && (d.Kind == "" || d.Kind == state.KindValue)
}

// plains returns the states that are cells.
func plains(decls []udf.StateDecl) []udf.StateDecl {
	var some []udf.StateDecl
	for _, d := range decls {
		if plain(d) {
			some = append(some, d)
		}
	}
	return some
}

func newKinds(overlay *state.Overlay, operator string, decls []udf.StateDecl, now state.Clock) kinds {
	k := kinds{
		decls: decls, cells: make([]int32, len(decls)), values: make([]*state.Value, len(decls)), lists: make([]*state.List, len(decls)),
		maps: make([]*state.Map, len(decls)),
	}
	cells := int32(0)
	for i, d := range decls {
		switch {
		case plain(d):
			k.cells[i] = cells
			cells++
			continue
		case d.Kind == state.KindList:
			k.lists[i] = state.NewList(overlay, operator, d.Stored(), now)
		case d.Kind == state.KindMap:
			k.maps[i] = state.NewMap(overlay, operator, d.Stored(), now)
		default:
			k.values[i] = state.NewValue(overlay, operator, d.Stored(), now)
		}
		k.others = true
	}
	return k
}

// swept returns a state that expires.
func (k *kinds) swept(i int) swept {
	switch {
	case k.lists[i] != nil:
		return k.lists[i]
	case k.maps[i] != nil:
		return k.maps[i]
	}
	return k.values[i]
}

// prefetch reads the values of a call's keys that expire, all at once.
func (p *ProcessState) prefetch(keys *stream.Keys) error {
	k := &p.kinds
	k.keys, k.all = k.keys[:0], k.all[:0]
	for s, v := range k.values {
		if v == nil {
			continue
		}
		for i, key := range keys.Distinct {
			at := len(k.all)
			k.all = state.AppendKey(k.all, keys.Partitions[i], p.operator, k.decls[s].Name, key, nil)
			k.keys = append(k.keys, k.all[at:len(k.all):len(k.all)])
		}
	}
	if len(k.keys) == 0 {
		return nil
	}
	return p.overlay.Prefetch(k.keys)
}

// at returns where a state of a slot's key is.
func (p *ProcessState) at(s, slot int32) (state.At, error) {
	if s < 0 || int(s) >= len(p.kinds.decls) {
		return state.At{}, fault.New(fault.Guest, "state %d was asked for, the function declares %d", s, len(p.kinds.decls))
	}
	if slot < 0 || int(slot) >= len(p.keys.Distinct) {
		return state.At{}, fault.New(fault.Guest, "key slot %d was asked for, the batch has %d", slot, len(p.keys.Distinct))
	}
	return state.At{Partition: p.keys.Partitions[slot], Key: p.keys.Distinct[slot]}, nil
}

// otherwise is the fault of a state that is not what it was used as.
func (p *ProcessState) otherwise(s int32, as string) error {
	return fault.New(fault.Guest, "the state `%s` is not a %s", p.kinds.decls[s].Name, as)
}

// fits refuses at once what the store would refuse at the commit.
func (p *ProcessState) fits(s int32, at state.At, size int) error {
	if most := state.MaxEntry - 64 - 2*(len(at.Key)+len(p.operator)+len(p.kinds.decls[s].Name)); size > most {
		return fault.New(fault.Limit, "an entry of %d bytes for state `%s`, at most %d can be stored", size, p.kinds.decls[s].Name, max(most, 0)).
			WithHint("spread what is kept over several keys or states")
	}
	return nil
}

// Get implements [udf.State].
func (p *ProcessState) Get(s, slot int32) ([]byte, bool, error) {
	at, err := p.at(s, slot)
	switch {
	case err != nil:
		return nil, false, err
	case p.kinds.values[s] != nil:
		return p.kinds.values[s].Get(at)
	case plain(p.kinds.decls[s]):
		return p.KeyedState.Get(p.kinds.cells[s], slot)
	}
	return nil, false, p.otherwise(s, "value")
}

// Put implements [udf.State].
func (p *ProcessState) Put(s, slot int32, value []byte) error {
	at, err := p.at(s, slot)
	switch {
	case err != nil:
		return err
	case p.kinds.values[s] != nil:
		if err := p.fits(s, at, len(value)); err != nil {
			return err
		}
		return p.kinds.values[s].Set(at, value)
	case plain(p.kinds.decls[s]):
		return p.KeyedState.Put(p.kinds.cells[s], slot, value)
	}
	return p.otherwise(s, "value")
}

// Delete implements [udf.State].
func (p *ProcessState) Delete(s, slot int32) error {
	at, err := p.at(s, slot)
	k := &p.kinds
	switch {
	case err != nil:
		return err
	case k.values[s] != nil:
		return k.values[s].Clear(at)
	case k.lists[s] != nil:
		return k.lists[s].Clear(at)
	case k.maps[s] != nil:
		return k.maps[s].Clear(at)
	}
	return p.KeyedState.Delete(k.cells[s], slot)
}

// list returns a state that is a list.
func (p *ProcessState) list(s, slot int32) (*state.List, state.At, error) {
	at, err := p.at(s, slot)
	if err == nil && p.kinds.lists[s] == nil {
		err = p.otherwise(s, "list")
	}
	if err != nil {
		return nil, at, err
	}
	return p.kinds.lists[s], at, nil
}

// Add implements [udf.TimedState].
func (p *ProcessState) Add(s, slot int32, value []byte) error {
	l, at, err := p.list(s, slot)
	if err == nil {
		err = p.fits(s, at, len(value))
	}
	if err != nil {
		return err
	}
	return l.Add(at, value)
}

// List implements [udf.TimedState].
func (p *ProcessState) List(s, slot int32) ([][]byte, error) {
	l, at, err := p.list(s, slot)
	if err != nil {
		return nil, err
	}
	return l.Get(at)
}

// entries returns a state that is a map.
func (p *ProcessState) entries(s, slot int32) (*state.Map, state.At, error) {
	at, err := p.at(s, slot)
	if err == nil && p.kinds.maps[s] == nil {
		err = p.otherwise(s, "map")
	}
	if err != nil {
		return nil, at, err
	}
	return p.kinds.maps[s], at, nil
}

// MapGet implements [udf.TimedState].
func (p *ProcessState) MapGet(s, slot int32, key []byte) ([]byte, bool, error) {
	m, at, err := p.entries(s, slot)
	if err != nil {
		return nil, false, err
	}
	return m.Get(at, key)
}

// MapPut implements [udf.TimedState].
func (p *ProcessState) MapPut(s, slot int32, key, value []byte) error {
	m, at, err := p.entries(s, slot)
	if err == nil {
		err = p.fits(s, at, len(key)+len(value))
	}
	if err != nil {
		return err
	}
	return m.Put(at, key, value)
}

// MapRemove implements [udf.TimedState].
func (p *ProcessState) MapRemove(s, slot int32, key []byte) error {
	m, at, err := p.entries(s, slot)
	if err != nil {
		return err
	}
	return m.Remove(at, key)
}

// MapFrom implements [udf.TimedState].
func (p *ProcessState) MapFrom(s, slot int32, from []byte, each func(key, value []byte) bool) error {
	m, at, err := p.entries(s, slot)
	if err != nil {
		return err
	}
	return m.EachFrom(at, from, each)
}
