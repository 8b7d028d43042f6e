package state

import (
	"encoding/binary"
	"math"

	"github.com/google/btree"

	"github.com/wasmill/wasmill/engine/fault"
)

// The names that timers are stored under, which no function can give a state of its own.
const (
	EventTimers      = "\x00timers/event"
	ProcessingTimers = "\x00timers/processing"
)

// Timer is a time at which a key wants to be called, for a namespace of its own.
type Timer struct {
	// Time is in milliseconds since 1970 UTC.
	Time      int64
	Partition uint16
	Key       []byte
	Namespace []byte
}

// Timers is the set of an operator's timers in the partitions of one task, ordered by time, then key and namespace. Each is
// there once, however often it is set. The store holds all of them, and memory the first: those before the horizon.
type Timers struct {
	o              *Overlay
	operator, name string
	from, to       int // partitions
	most           int
	head           *btree.BTreeG[pending]
	// horizon is the place of the first timer that may be in the store alone; past says that there is none.
	horizon string
	past    bool
	key     []byte
	starts  [][]byte // by partition: the prefix of its timers
}

// pending is a timer by its place in the order, which is what stands behind the prefix in its key.
type pending struct {
	place     string
	partition uint16
}

// DefaultTimersHead is how many timers an operator keeps in memory.
const DefaultTimersHead = 1 << 16

// NewTimers returns the timers that are stored under a name for the partitions from (inclusive) to to (exclusive). At most head
// of them are kept in memory, or [DefaultTimersHead] for 0.
func NewTimers(o *Overlay, operator, name string, from, to, head int) *Timers {
	if head == 0 {
		head = DefaultTimersHead
	}
	t := &Timers{o: o, operator: operator, name: name, from: from, to: to, most: head,
		head: btree.NewG(32, func(a, b pending) bool { return a.place < b.place })}
	for p := from; p < to; p++ {
		t.starts = append(t.starts, AppendStatePrefix(nil, uint16(p), operator, name))
	}
	return t
}

// locate returns the key of a timer and the length of its prefix, until the next call. The time, with its sign bit flipped,
// stands before the user's key, so that timers sort by it.
func (t *Timers) locate(tm Timer) (key []byte, prefix int) {
	start := t.starts[int(tm.Partition)-t.from]
	t.key = append(t.key[:0], start...)
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(tm.Time)^(1<<63))
	t.key = appendEscaped(t.key, at[:])
	t.key = appendPart(t.key, tm.Key)
	t.key = append(t.key, tm.Namespace...)
	return t.key, len(start)
}

func (t *Timers) before(place []byte) bool { return t.past || text(place) < t.horizon }

// Set adds a timer, unless it is there.
func (t *Timers) Set(tm Timer) error {
	key, prefix := t.locate(tm)
	if place := key[prefix:]; t.before(place) {
		if t.head.Has(pending{place: text(place)}) {
			return nil
		}
		t.head.ReplaceOrInsert(pending{string(place), tm.Partition})
		t.shorten()
	}
	return t.o.set(key, []byte{}, true, true, true)
}

// shorten gives the later half of the head to the store alone when it has grown too long.
func (t *Timers) shorten() {
	if t.head.Len() <= t.most {
		return
	}
	for t.head.Len() > t.most/2 && t.head.Len() > 1 {
		last, _ := t.head.DeleteMax()
		t.horizon, t.past = last.place, false
	}
}

// Delete removes a timer, if it is there.
func (t *Timers) Delete(tm Timer) error {
	key, prefix := t.locate(tm)
	if place := key[prefix:]; t.before(place) {
		if _, there := t.head.Delete(pending{place: text(place)}); !there {
			return nil
		}
	}
	return t.o.set(key, nil, false, true, true)
}

// Due removes the first timer and returns it, if its time is not after now. What is set and deleted between calls counts.
func (t *Timers) Due(now int64) (Timer, bool, error) {
	first, ok, err := t.first()
	if err != nil || !ok {
		return Timer{}, false, err
	}
	tm, err := t.parse(first)
	if err != nil || tm.Time > now {
		return Timer{}, false, err
	}
	t.head.DeleteMin()
	t.key = append(append(t.key[:0], t.starts[int(first.partition)-t.from]...), first.place...)
	return tm, true, t.o.set(t.key, nil, false, true, true)
}

// Next returns the time of the first timer, [math.MaxInt64] when there is none.
func (t *Timers) Next() (int64, error) {
	first, ok, err := t.first()
	if err != nil || !ok {
		return math.MaxInt64, err
	}
	tm, err := t.parse(first)
	return tm.Time, err
}

func (t *Timers) first() (pending, bool, error) {
	if t.head.Len() == 0 && !t.past {
		if err := t.fill(); err != nil {
			return pending{}, false, err
		}
	}
	first, ok := t.head.Min()
	return first, ok, nil
}

func (t *Timers) parse(p pending) (Timer, error) {
	part, namespace, ok := cutPart([]byte(p.place))
	if !ok || len(part) < 8 {
		return Timer{}, fault.New(fault.State, "a timer is not as it was written").At("operator %s", t.operator)
	}
	return Timer{int64(binary.BigEndian.Uint64(part) ^ (1 << 63)), p.partition, part[8:], namespace}, nil
}

// fill reads the first timers of each partition that are not before the horizon. Where a partition has more than its share, what
// lies behind the last one read of it is left to the store, in all partitions.
func (t *Timers) fill() error {
	share := max(t.most/2/max(t.to-t.from, 1), 16)
	horizon, past := "", true
	var from []byte
	for n, prefix := range t.starts {
		left := share
		from = append(append(from[:0], prefix...), t.horizon...)
		if err := t.o.Scan(prefix, from, func(key, _ []byte) bool {
			place := string(key[len(prefix):])
			if !past && place >= horizon {
				return false
			}
			if left == 0 {
				horizon, past = place, false
				return false
			}
			left--
			t.head.ReplaceOrInsert(pending{place, uint16(t.from + n)})
			return true
		}); err != nil {
			return err
		}
	}
	for !past {
		last, ok := t.head.Max()
		if !ok || last.place < horizon {
			break
		}
		t.head.DeleteMax()
	}
	t.horizon, t.past = horizon, past
	return nil
}
