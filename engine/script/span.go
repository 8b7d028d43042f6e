package script

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// span is a part of a range: the numbers from first to past, which is not one of them. Those before next have been dealt out.
type span struct{ first, next, past int64 }

// spanPositions names each span by its bounds.
func spanPositions(spans []span) map[string]json.RawMessage {
	positions := make(map[string]json.RawMessage, len(spans))
	for _, s := range spans {
		positions[fmt.Sprintf("%d-%d", s.first, s.past)] = json.RawMessage(fmt.Sprint(s.next))
	}
	return positions
}

// deal gives each of a range's sources its share: the same number for all, of what is left of the range. It may have been dealt out
// to another number of sources before.
func (a *attempt) deal(spec *Source, sources []*source) error {
	var left []span
	known := int64(0) // numbers that were dealt with
	prefix := a.positionKey(spec.UID, "")
	for key, p := range a.last.Positions {
		bounds, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		var s span
		if _, err := fmt.Sscanf(bounds, "%d-%d", &s.first, &s.past); err != nil {
			return a.badPosition(spec, key, p)
		}
		if err := json.Unmarshal(p, &s.next); err != nil || s.first < 0 || s.next < s.first || s.next > s.past {
			return a.badPosition(spec, key, p)
		}
		known = max(known, s.past)
		s.past = min(s.past, spec.Count) // it may have become shorter
		if s.next < s.past {
			left = append(left, span{s.next, s.next, s.past})
		}
		delete(a.last.Positions, key)
	}
	if known < spec.Count {
		left = append(left, span{known, known, spec.Count})
	}
	slices.SortFunc(left, func(a, b span) int { return int(min(max(a.first-b.first, -1), 1)) })
	total := int64(0)
	for _, s := range left {
		total += s.past - s.first
	}
	n := int64(len(sources))
	for i, src := range sources {
		share := total / n
		if int64(i) < total%n {
			share++
		}
		for share > 0 {
			s := left[0]
			if s.past-s.first > share {
				s.past = s.first + share
				left[0].first, left[0].next = s.past, s.past
			} else {
				left = left[1:]
			}
			share -= s.past - s.first
			src.spans = append(src.spans, s)
		}
	}
	// So that it is known how far the range has been dealt out, whatever the spans are.
	sources[0].spans = append(sources[0].spans, span{spec.Count, spec.Count, spec.Count})
	return nil
}

func (a *attempt) badPosition(spec *Source, key string, position json.RawMessage) error {
	return fault.New(fault.State, "the position %s of %s cannot be read: %s", key, spec.Name, position).WithHint("start with --fresh")
}
