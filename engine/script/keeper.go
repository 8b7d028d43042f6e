package script

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/state"
)

// Names of states that are the host's own begin with a zero byte. What an operator keeps for itself, rather than for a key, is stored under
// own + its name in partition 0. A value that is larger than an entry of the store lies in pieces under part + its name, the piece's number behind
// the namespace; how many there are stands under parts + its name.
const (
	internal    = "\x00"
	ownPrefix   = internal + "own/"
	partPrefix  = internal + "part/"
	partsPrefix = internal + "parts/"
)

// timersPrefix begins the names of states that a guest gets whole, before it is ready.
const timersPrefix = "timers/"

// partBytes is the size of a piece. It is a variable for tests.
var partBytes = 512 << 10

// overlayBytes is how much of what a guest has handed over is kept in memory until a commit; half of it ends an epoch early.
const overlayBytes = 64 << 20

// keeper has what is stored of a subtask's operators: what the guest hands over belongs to the open epoch, and is read by the guest before the
// store has it. It belongs to the subtask's goroutine.
type keeper struct {
	subtask *subtask
	overlay *state.Overlay
	parts   map[string]int  // by key, the pieces of values that lie in pieces
	stored  map[string]bool // operators of which something is stored
	key     []byte
	answer  []byte
}

func newKeeper(s *subtask) *keeper {
	overlay := state.NewOverlay(s.job.options.Store, overlayBytes, s.job.last.Epoch, s.job.commits.hurry)
	return &keeper{subtask: s, overlay: overlay, parts: map[string]int{}, stored: map[string]bool{}}
}

// ask answers a request of the guest, as docs/tasks.md has it.
func (k *keeper) ask(text []byte) ([]byte, error) {
	r, err := parseRequest(text)
	if err != nil {
		return nil, nonsense("a request for state that cannot be read: %v", err)
	}
	operator, name, ok := strings.Cut(r.name, "/")
	if !ok || !k.subtask.owns(operator) || strings.HasPrefix(name, internal) {
		return nil, nonsense("a request for state %q, which is of none of its operators", r.name)
	}
	if r.op == opGet {
		return k.get(operator, name, r.entries)
	}
	for i := range r.entries {
		if err := k.put(operator, name, &r.entries[i]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// at returns the store's key of an entry. It is valid until the next call.
func (k *keeper) at(operator, prefix, name string, e *entry) ([]byte, error) {
	s := k.subtask
	if e.key == nil {
		k.key = state.AppendKey(k.key[:0], 0, operator, prefix+ownPrefix+name, nil, e.space)
		return k.key, nil
	}
	partition := stream.Partition(e.key, s.job.plan.Partitions)
	if stream.Owner(partition, s.job.plan.Partitions, s.task.Parallelism) != s.index {
		return nil, nonsense("state of a key that belongs to another subtask")
	}
	k.key = state.AppendKey(k.key[:0], partition, operator, prefix+name, e.key, e.space)
	return k.key, nil
}

func (k *keeper) put(operator, name string, e *entry) error {
	key, err := k.at(operator, "", name, e)
	if err != nil {
		return err
	}
	k.stored[operator] = true
	had := k.parts[string(key)]
	if had == 0 && len(key)+len(e.value) <= state.MaxEntry {
		return k.overlay.Hand(key, e.value)
	}
	main := string(key)
	pieces := 0
	if len(key)+len(e.value) > state.MaxEntry {
		pieces = (len(e.value) + partBytes - 1) / partBytes
	}
	part := *e
	for i := range max(had, pieces) {
		part.space = binary.BigEndian.AppendUint32(append([]byte{}, e.space...), uint32(i))
		at, err := k.at(operator, partPrefix, name, &part)
		if err != nil {
			return err
		}
		var piece []byte
		if i < pieces {
			piece = e.value[i*partBytes : min((i+1)*partBytes, len(e.value))]
		}
		if err := k.overlay.Hand(at, piece); err != nil {
			return err
		}
	}
	value, count := e.value, []byte(nil)
	delete(k.parts, main)
	if pieces > 0 {
		value, count = nil, binary.AppendUvarint(nil, uint64(pieces))
		k.parts[main] = pieces
	}
	at, err := k.at(operator, partsPrefix, name, e)
	if err != nil {
		return err
	}
	if err := k.overlay.Hand(at, count); err != nil {
		return err
	}
	return k.overlay.Hand([]byte(main), value)
}

// get answers with the size of each value, -1 where there is none, and its bytes.
func (k *keeper) get(operator, name string, entries []entry) ([]byte, error) {
	keys := make([][]byte, len(entries))
	values := make([][]byte, len(entries))
	for i := range entries {
		key, err := k.at(operator, "", name, &entries[i])
		if err != nil {
			return nil, err
		}
		keys[i] = append([]byte(nil), key...)
	}
	found := func(i int, value []byte) error {
		values[i] = append(make([]byte, 0, len(value)), value...)
		return nil
	}
	if err := k.overlay.LookMany(keys, found); err != nil {
		return nil, err
	}
	k.answer = k.answer[:0]
	if cap(k.answer) > overlayBytes {
		k.answer = nil
	}
	for i, value := range values {
		if n := k.parts[string(keys[i])]; n > 0 {
			var err error
			if value, err = k.join(operator, name, &entries[i], n); err != nil {
				return nil, err
			}
		}
		if value == nil {
			k.answer = binary.LittleEndian.AppendUint32(k.answer, ^uint32(0))
			continue
		}
		k.answer = binary.LittleEndian.AppendUint32(k.answer, uint32(len(value)))
		k.answer = append(k.answer, value...)
	}
	return k.answer, nil
}

// join returns a value that lies in pieces.
func (k *keeper) join(operator, name string, e *entry, pieces int) ([]byte, error) {
	var out []byte
	part := *e
	for i := range pieces {
		part.space = binary.BigEndian.AppendUint32(append([]byte{}, e.space...), uint32(i))
		at, err := k.at(operator, partPrefix, name, &part)
		if err != nil {
			return nil, err
		}
		piece, ok, err := k.overlay.Look(at)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fault.New(fault.State, "a piece of state %s of operator %s is not there", name, operator).WithHint("start with --fresh")
		}
		out = append(out, piece...)
	}
	return out, nil
}

// restore hands the guest what it is to have before it is ready: timers of the keys of its partitions, and what has no key. All else it asks for.
func (k *keeper) restore(ctx context.Context) error {
	s := k.subtask
	if !s.job.resumes {
		return nil
	}
	for _, o := range s.task.Operators {
		for p := range s.job.plan.Partitions {
			mine := stream.Owner(uint16(p), s.job.plan.Partitions, s.task.Parallelism) == s.index
			for _, prefix := range []string{partsPrefix, timersPrefix, ownPrefix} {
				if !mine && (p != 0 || prefix == timersPrefix) || p != 0 && prefix == ownPrefix {
					continue
				}
				if err := k.scan(ctx, uint16(p), o.UID, prefix, mine); err != nil {
					return fault.From(err).In("%s", s.name())
				}
			}
		}
	}
	return nil
}

// scan restores what is stored of an operator's states in a partition whose names begin with the prefix.
func (k *keeper) scan(ctx context.Context, partition uint16, uid, prefix string, mine bool) error {
	s := k.subtask
	begin := state.AppendStatePrefix(nil, partition, uid, prefix)
	begin = begin[:len(begin)-2] // names that go on from there
	var bad error
	each := func(key, value []byte) bool {
		at, err := state.ParseKey(key)
		if err != nil {
			bad = err
			return false
		}
		r := row{kind: kindState, target: -1, key: at.Key, space: append([]byte{}, at.Namespace...), payload: append([]byte{}, value...)}
		name := at.State
		if prefix == partsPrefix {
			name = strings.TrimPrefix(name, partsPrefix)
			own := strings.HasPrefix(name, ownPrefix)
			n, _ := binary.Uvarint(value)
			if own || mine {
				k.parts[string(state.AppendKey(nil, partition, uid, name, at.Key, at.Namespace))] = int(n)
			}
			if !own {
				return true
			}
			e := entry{space: r.space}
			if r.payload, bad = k.join(uid, strings.TrimPrefix(name, ownPrefix), &e, int(n)); bad != nil {
				return false
			}
		}
		if rest, own := strings.CutPrefix(name, ownPrefix); own {
			name, r.key = rest, nil
		}
		r.name = uid + "/" + name
		s.add(r)
		if len(s.queue) >= callRows || s.bytes >= callBytes {
			bad = s.call(ctx)
		}
		return bad == nil
	}
	if err := s.job.options.Store.Scan(begin, each); err != nil {
		return err
	}
	return bad
}
