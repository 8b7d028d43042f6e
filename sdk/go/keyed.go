package wasmill

import (
	"reflect"
	"unsafe"
)

// KeyedMap registers a function that makes one row of each and keeps state per key. State is a struct whose fields are
// stored under their columns' names; they are zero when nothing is stored. What has changed is stored when the batch is done;
// a nil pointer or a Null that is not Valid deletes. Embedding [Keyed] tells more.
func KeyedMap[In, Out, State any](name string, fn func(state *State, in In) (Out, error), options ...Option) {
	KeyedFlatMap(name, func(state *State, in In, emit func(Out)) error {
		out, err := fn(state, in)
		if err == nil {
			emit(out)
		}
		return err
	}, options...)
}

// KeyedFlatMap is a [KeyedMap] that makes any number of rows of each, by calling emit before it returns.
func KeyedFlatMap[In, Out, State any](name string, fn func(state *State, in In, emit func(Out)) error, options ...Option) {
	var rows []In
	in, out := compileInput(reflect.TypeFor[In](), name), compileRow(reflect.TypeFor[Out](), name)
	refusePasses(name, out)
	state := compileState[State](name)
	e := &emitter[Out]{}
	emit := e.emit
	register(&function{name: name, kind: "keyed_map", in: in, out: out, state: state.row, run: func(f *function) error {
		f.take()
		e.begin(f)
		clear(state.keys)
		state.keys = state.keys[:0]
		err := inChunks(f, in, &rows, func(n int) error {
			for i := range n {
				f.at = f.next + i
				key, err := state.of(f.slots[f.at])
				if err != nil {
					return err
				}
				if err := fn(&key.now, rows[i], emit); err != nil {
					return err
				}
				if e.err != nil {
					return e.err
				}
				state.settle(key)
			}
			e.flush()
			return e.err
		})
		if err != nil {
			return err
		}
		f.at = -1
		return state.save()
	}}, options)
}

// keyState is the state of one key during a step.
type keyState[State any] struct {
	now    State
	loaded bool
	gone   bool     // the function removed it, and has not touched it since
	stored [][]byte // as the host has the fields, nil for none
}

// states are those of a step's keys, by slot. Slots are numbered as keys first occur, so they stay few.
type states[State any] struct {
	row     *row
	keyed   int // offset of the embedded Keyed, or -1
	keys    []keyState[State]
	scratch []*output // to encode a field
}

func compileState[State any](name string) *states[State] {
	t := reflect.TypeFor[State]()
	s := &states[State]{row: compileRow(t, name), keyed: -1}
	for i := range t.NumField() {
		if f := t.Field(i); f.Type == reflect.TypeFor[Keyed]() {
			s.keyed = int(f.Offset)
		}
	}
	for _, f := range s.row.fields {
		if f.codec.pass || len(f.codec.items) > 0 {
			panic("wasmill: " + name + ": state " + f.name + ": lists, structs and Column cannot be state; store a []byte")
		}
		s.scratch = append(s.scratch, newOutput(f.codec))
	}
	return s
}

func (s *states[State]) flags(key *keyState[State]) *Keyed {
	if s.keyed < 0 {
		return &Keyed{}
	}
	return (*Keyed)(unsafe.Add(unsafe.Pointer(&key.now), s.keyed))
}

// of returns the state of a slot, fetched when the step first touches it.
func (s *states[State]) of(slot int32) (*keyState[State], error) {
	for len(s.keys) <= int(slot) {
		s.keys = append(s.keys, keyState[State]{})
	}
	key := &s.keys[slot]
	if key.loaded {
		return key, nil
	}
	key.loaded, key.stored = true, make([][]byte, len(s.row.fields))
	fresh := true
	for i, f := range s.row.fields {
		value, ok := stateGet(i, slot)
		if !ok {
			continue
		}
		if width := max(f.codec.width, 1); f.codec.width >= 0 && len(value) != width {
			return nil, Errorf("state ", f.name, " holds ", itoa(len(value)), " bytes, expected ", itoa(width))
		}
		fresh, key.stored[i] = false, value
		decodeValue(f.codec, value, unsafe.Add(unsafe.Pointer(&key.now), f.offset))
	}
	s.flags(key).New = fresh
	return key, nil
}

// decodeValue reads a stored value as the only row of a column.
func decodeValue(k *codec, value []byte, to unsafe.Pointer) {
	c := column{width: abs(k.width), values: unsafe.Pointer(unsafe.SliceData(value))}
	offsets := [2]int64{0, int64(len(value))}
	narrow := [2]int32{0, int32(len(value))}
	switch k.width {
	case -8:
		c.values, c.data = unsafe.Pointer(&offsets), c.values
	case -4:
		c.values, c.data = unsafe.Pointer(&narrow), c.values
	}
	k.read(&c, 0, 1, to, 0)
}

// settle carries a removal out after the row that asked for it.
func (s *states[State]) settle(key *keyState[State]) {
	flags := s.flags(key)
	key.gone = flags.Remove
	if key.gone {
		var none State
		key.now = none
	}
	s.flags(key).New = key.gone
}

// save hands the host what has changed.
func (s *states[State]) save() error {
	for slot := range s.keys {
		key := &s.keys[slot]
		for i, f := range s.row.fields {
			if !key.loaded {
				break
			}
			if fault := ""; f.codec.check != nil && !key.gone {
				if fault = f.codec.check(unsafe.Add(unsafe.Pointer(&key.now), f.offset)); fault != "" {
					return Errorf("state ", f.name, ": ", fault)
				}
			}
			o := s.scratch[i]
			o.reset()
			f.codec.write(o, 1, unsafe.Add(unsafe.Pointer(&key.now), f.offset), 0)
			value := o.data
			if f.codec.width >= 0 {
				value = o.values[:max(f.codec.width, 1)]
			}
			switch stored := key.stored[i]; {
			case key.gone || o.nulls > 0:
				if stored != nil {
					stateDelete(i, int32(slot))
				}
			case stored == nil || string(stored) != string(value):
				if !statePut(i, int32(slot), value) {
					return Errorf("state ", f.name, ": the host refused a value of ", itoa(len(value)), " bytes")
				}
			}
		}
	}
	return nil
}
