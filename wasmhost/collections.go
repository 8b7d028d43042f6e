package wasmhost

import (
	"encoding/binary"
	"math"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
)

// maxWritten is how many bytes of state a call may write. What it writes stays in the host's memory until the epoch is committed.
const maxWritten = 256 << 20

// writes counts and charges a write of state of n bytes.
func (g *guest) writes(n int) {
	g.charge(int64(n) / fuelBytes)
	if g.running.written += n + writeOverhead; g.running.written > maxWritten {
		panic(fault.New(fault.Limit, "more than %d bytes of state were written in one call", maxWritten).
			WithHint("write less for each row, or have fewer rows in a batch"))
	}
}

// writeOverhead is about what a value takes beside its bytes.
const writeOverhead = 64

// collection returns the state of the process function that is running, and checks that what a call names is of a kind, or traps.
func (g *guest) collection(stack []uint64, kind state.Kind) (s udf.TimedState, index, slot int32) {
	plain, index, slot := g.address(stack)
	g.ofKind(index, kind)
	return plain.(udf.TimedState), index, slot // only a process declares other kinds than values
}

// ofKind traps unless a state is of a kind.
func (g *guest) ofKind(index int32, kind state.Kind) {
	declared := g.running.signature.State[index].Kind
	if declared == "" {
		declared = state.KindValue
	}
	if declared != kind {
		panic(fault.New(fault.Guest, "state %d is a %s and was used as a %s", index, declared, kind))
	}
}

// mapKey returns the key of an entry, or traps.
func (g *guest) mapKey(ptr, length uint64) []byte {
	g.charge(int64(uint32(length)) / fuelBytes)
	return g.argument("the key of a map's entry", ptr, length)
}

// give copies a value to a guest's buffer if it fits, and returns its length; -1 for none.
func (g *guest) give(what string, value []byte, ok bool, ptr, room uint64) uint64 {
	if !ok {
		return api.EncodeI64(-1)
	}
	if uint64(len(value)) <= uint64(uint32(room)) && len(value) > 0 {
		g.charge(int64(len(value)) / fuelBytes)
		copy(g.argument(what, ptr, uint64(len(value))), value)
	}
	return uint64(len(value))
}

func (g *guest) importListAdd(stack []uint64) {
	s, index, slot := g.collection(stack, state.KindList)
	value := g.argument("the value of list_add", stack[2], stack[3])
	if len(value) > maxStateValue {
		stack[0] = 1
		return
	}
	g.charge(fuelChunk)
	g.writes(len(value))
	if err := s.Add(index, slot, value); err != nil {
		panic(err)
	}
	stack[0] = 0
}

func (g *guest) importListGet(stack []uint64) {
	s, index, slot := g.collection(stack, state.KindList)
	values, err := s.List(index, slot)
	if err != nil {
		panic(err)
	}
	size := 0
	for _, v := range values {
		size += 4 + len(v)
	}
	g.charge(int64(size) / fuelBytes)
	all := make([]byte, 0, size)
	for _, v := range values {
		all = append(binary.LittleEndian.AppendUint32(all, uint32(len(v))), v...)
	}
	stack[0] = g.give("the buffer of list_get", all, len(values) > 0, stack[2], stack[3])
}

func (g *guest) importMapGet(stack []uint64) {
	s, index, slot := g.collection(stack, state.KindMap)
	value, ok, err := s.MapGet(index, slot, g.mapKey(stack[2], stack[3]))
	if err != nil {
		panic(err)
	}
	stack[0] = g.give("the buffer of map_get", value, ok, stack[4], stack[5])
}

func (g *guest) importMapPut(stack []uint64) {
	s, index, slot := g.collection(stack, state.KindMap)
	key, value := g.mapKey(stack[2], stack[3]), g.argument("the value of map_put", stack[4], stack[5])
	if len(key)+len(value) > maxStateValue {
		stack[0] = 1
		return
	}
	g.writes(len(key) + len(value))
	if err := s.MapPut(index, slot, key, value); err != nil {
		panic(err)
	}
	stack[0] = 0
}

func (g *guest) importMapRemove(stack []uint64) {
	s, index, slot := g.collection(stack, state.KindMap)
	if err := s.MapRemove(index, slot, g.mapKey(stack[2], stack[3])); err != nil {
		panic(err)
	}
	stack[0] = 0
}

// importMapNext writes the entries behind a key, as many as fit.
func (g *guest) importMapNext(stack []uint64) {
	s, index, slot := g.collection(stack, state.KindMap)
	g.charge(fuelPage)
	var from []byte
	if uint32(stack[3]) != math.MaxUint32 {
		key := g.mapKey(stack[2], stack[3])
		from = append(append(make([]byte, 0, len(key)+1), key...), 0) // the first key behind it
	}
	to := g.argument("the buffer of map_next", stack[4], stack[5])
	written, missing := 0, 0
	if err := s.MapFrom(index, slot, from, func(key, value []byte) bool {
		n := 8 + len(key) + len(value)
		if n > len(to)-written {
			missing = n
			return false
		}
		at := to[written:]
		binary.LittleEndian.PutUint32(at, uint32(len(key)))
		binary.LittleEndian.PutUint32(at[4:], uint32(len(value)))
		copy(at[8:], key)
		copy(at[8+len(key):], value)
		written += n
		return true
	}); err != nil {
		panic(err)
	}
	g.charge(int64(written) / fuelBytes)
	stack[0] = uint64(written)
	if written == 0 && missing > 0 {
		stack[0] = api.EncodeI64(-int64(missing))
	}
}
