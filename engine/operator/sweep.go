package operator

import "github.com/wasmill/wasmill/state"

// A barrier looks for what has expired in so many partitions of states, at so many entries of each at most: a few milliseconds in all.
const (
	sweptTogether = 8
	sweptEntries  = 512
)

// swept is a state that removes expired entries of a partition.
type swept interface {
	Sweep(partition uint16, from []byte, n int) (next []byte, err error)
}

var (
	_ swept = (*state.Value)(nil)
	_ swept = (*state.List)(nil)
	_ swept = (*state.Map)(nil)
)

// sweeper goes round and round through the states that expire, a little with each barrier, so that what nobody reads any more
// is removed, too.
type sweeper struct {
	states   []swept
	from, to int // partitions
	at       int // of all pairs of a state and a partition
	next     []byte
}

// add has a state swept.
func (s *sweeper) add(one swept) { s.states = append(s.states, one) }

// sweep removes some of what has expired.
func (s *sweeper) sweep() error {
	partitions := s.to - s.from
	all := len(s.states) * partitions
	for range min(sweptTogether, all) {
		next, err := s.states[s.at/partitions].Sweep(uint16(s.from+s.at%partitions), s.next, sweptEntries)
		if err != nil {
			return err
		}
		if s.next = next; next == nil {
			s.at = (s.at + 1) % all
		}
	}
	return nil
}
