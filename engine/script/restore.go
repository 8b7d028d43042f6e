package script

import (
	"context"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/state"
)

// What an operator keeps for itself, rather than for a key, is stored under this state of its, in partition 0.
const ownPrefix = "own:"

// change notes a change of state for the epoch's commit.
func (s *subtask) change(r *row) error {
	operator, name, ok := strings.Cut(r.name, "/")
	if !ok || !s.owns(operator) {
		return s.nonsense("state %q, which is of none of its operators", r.name)
	}
	var key []byte
	if r.key == nil {
		key = state.AppendKey(nil, 0, operator, ownPrefix+name, nil, r.space)
	} else {
		key = state.AppendKey(nil, stream.Partition(r.key, s.job.plan.Partitions), operator, name, r.key, r.space)
	}
	c := state.Change{Key: key, Value: r.payload}
	if err := c.Check(); err != nil {
		return s.placed(err)
	}
	s.changes = append(s.changes, c)
	return nil
}

func (s *subtask) owns(uid string) bool {
	for _, o := range s.task.Operators {
		if o.UID == uid {
			return true
		}
	}
	return false
}

// restore hands the guest what is stored of its operators: the keys of the partitions that it owns, and what has no key.
func (s *subtask) restore(ctx context.Context) error {
	if !s.job.resumes {
		return nil
	}
	var bad error
	each := func(key, value []byte) bool {
		k, err := state.ParseKey(key)
		if err != nil {
			bad = err
			return false
		}
		r := row{kind: kindState, target: -1, name: k.Operator + "/" + k.State, key: k.Key, space: append([]byte{}, k.Namespace...), payload: append([]byte{}, value...)}
		if name, own := strings.CutPrefix(k.State, ownPrefix); own {
			r.name, r.key = k.Operator+"/"+name, nil
		} else if stream.Owner(k.Partition, s.job.plan.Partitions, s.task.Parallelism) != s.index {
			return true
		}
		s.add(r)
		if len(s.queue) >= callRows || s.bytes >= callBytes {
			bad = s.call(ctx)
		}
		return bad == nil
	}
	for _, o := range s.task.Operators {
		for p := range s.job.plan.Partitions {
			if p != 0 && stream.Owner(uint16(p), s.job.plan.Partitions, s.task.Parallelism) != s.index {
				continue
			}
			if err := s.job.options.Store.Scan(state.AppendOperatorPrefix(nil, uint16(p), o.UID), each); err != nil {
				return fault.From(err).In("%s", s.name())
			}
			if bad != nil {
				return bad
			}
		}
	}
	return nil
}
