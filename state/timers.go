package state

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

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
// there once, however often it is set. The store holds all of them, and memory the first, which are those before the horizon, and
// what is not committed yet. A timer that is set and gone again within an epoch is never written.
//
// What changes is part of the overlay's epochs, but not of Mark and Rollback.
type Timers struct {
	o              *Overlay
	operator, name string
	from, to       int // partitions
	most           int
	starts         [][]byte // by partition: the prefix of its timers
	prefix         int      // its length, which is the same for all

	// tree holds all pending timers before the horizon, and what the store may not have yet: timers behind it, and ones that are gone.
	tree    *btree.BTreeG[entry]
	pending int // timers in tree before the horizon that are not gone
	// horizon is the place of the first timer that may be in the store alone; past says that there is none.
	horizon entry
	past    bool
	// ready holds the first of the pending timers, in order. None of the others lies before cursor.
	ready  []entry
	cursor entry

	dirty   []*timer
	written int // bytes of dirty
	bytes   int // of tree
	flying  []timerFlight
	settled uint64
	key     []byte
	probe   timer // of locate
}

// timer is what is known of a timer.
type timer struct {
	key       string // in the store
	partition uint16
	gone      bool
	dirty     bool // listed in Timers.dirty
	before    int8 // while dirty: what it was when the epoch began
	out       bool // no longer in the tree
	changed   uint64
}

// What a timer was when the epoch began.
const (
	unknown int8 = iota
	absent
	present
)

// entry is a timer in the tree. The time stands beside it, so that the key is looked at only among timers of one time.
type entry struct {
	time int64
	*timer
}

// timerFlight is what an epoch changed that the store may not have yet.
type timerFlight struct {
	epoch  uint64
	timers []*timer
}

const (
	// DefaultTimersHead is how many timers an operator keeps in memory.
	DefaultTimersHead = 1 << 16
	// timerOverhead is about what the tree and the timer take beside the key, in bytes.
	timerOverhead = 80
	// readyTimers is how many timers are made ready at once.
	readyTimers = 512
)

// NewTimers returns the timers that are stored under a name for the partitions from (inclusive) to to (exclusive). At most head
// of them are kept in memory once they are committed, or [DefaultTimersHead] for 0.
func NewTimers(o *Overlay, operator, name string, from, to, head int) *Timers {
	if head == 0 {
		head = DefaultTimersHead
	}
	t := &Timers{o: o, operator: operator, name: name, from: from, to: to, most: head, settled: o.committed.Load()}
	for p := from; p < to; p++ {
		t.starts = append(t.starts, AppendStatePrefix(nil, uint16(p), operator, name))
		t.prefix = len(t.starts[0])
	}
	t.tree = btree.NewG(64, t.less)
	t.horizon = entry{math.MinInt64, &timer{key: string(make([]byte, t.prefix))}}
	t.cursor = t.horizon
	o.timers = append(o.timers, t)
	return t
}

func (t *Timers) less(a, b entry) bool {
	return a.time < b.time || a.time == b.time && a.key[t.prefix:] < b.key[t.prefix:]
}

// locate returns a timer's place in the tree, until the next call. In the key the time, with its sign bit flipped, stands before the
// user's key, so that timers sort by it.
func (t *Timers) locate(tm Timer) entry {
	t.key = append(t.key[:0], t.starts[int(tm.Partition)-t.from]...)
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(tm.Time)^(1<<63))
	t.key = appendEscaped(t.key, at[:])
	t.key = appendPart(t.key, tm.Key)
	t.key = append(t.key, tm.Namespace...)
	t.probe.key = text(t.key)
	return entry{tm.Time, &t.probe}
}

func (t *Timers) headed(e entry) bool { return t.past || t.less(e, t.horizon) }

// Set adds a timer, unless it is there.
func (t *Timers) Set(tm Timer) error {
	t.settle()
	at := t.locate(tm)
	e, known := t.tree.Get(at)
	if known && !e.gone {
		return nil
	}
	if len(at.key) > MaxEntry {
		return Change{Key: t.key, Value: []byte{}}.Check()
	}
	head := t.headed(at)
	if !known {
		e = entry{tm.Time, &timer{key: string(t.key), partition: tm.Partition, gone: true}}
		t.insert(e)
	}
	was := absent
	if !known && !head {
		was = unknown
	}
	t.change(e.timer, false, was)
	if head {
		t.arrived(e)
		if t.pending > t.most {
			t.shorten()
		}
	}
	return nil
}

// Delete removes a timer, if it is there.
func (t *Timers) Delete(tm Timer) error {
	t.settle()
	at := t.locate(tm)
	e, known := t.tree.Get(at)
	head := t.headed(at)
	switch {
	case known && e.gone || !known && head:
		return nil
	case known:
		if head {
			t.pending--
			if n := len(t.ready); n > 0 && !t.less(t.ready[n-1], e) {
				i, _ := slices.BinarySearchFunc(t.ready, e, t.compare)
				t.ready = slices.Delete(t.ready, i, i+1)
			}
		}
		t.change(e.timer, true, present)
	default:
		e = entry{tm.Time, &timer{key: string(t.key), partition: tm.Partition}}
		t.insert(e)
		t.change(e.timer, true, unknown)
	}
	return nil
}

func (t *Timers) compare(a, b entry) int {
	switch {
	case t.less(a, b):
		return -1
	case t.less(b, a):
		return 1
	}
	return 0
}

func (t *Timers) insert(e entry) {
	t.tree.ReplaceOrInsert(e)
	t.bytes += timerOverhead + len(e.key)
}

func (t *Timers) remove(e entry) {
	if _, there := t.tree.Delete(e); there {
		e.out = true
		t.bytes -= timerOverhead + len(e.key)
	}
}

// change notes that the open epoch sets a timer, or lets it go; was is what it is before.
func (t *Timers) change(m *timer, gone bool, was int8) {
	m.gone = gone
	if !m.dirty {
		m.dirty, m.before = true, was
		t.dirty = append(t.dirty, m)
		t.written += timerOverhead + len(m.key)
		if o := t.o; o.full != nil && o.uncommitted() > o.limit/2 {
			o.full()
		}
	}
}

// arrived counts a pending timer before the horizon.
func (t *Timers) arrived(e entry) {
	t.pending++
	if t.less(e, t.cursor) {
		t.cursor = e
	}
	n := len(t.ready)
	if n == 0 || t.less(t.ready[n-1], e) {
		return
	}
	i, _ := slices.BinarySearchFunc(t.ready, e, t.compare)
	t.ready = slices.Insert(t.ready, i, e)
	if len(t.ready) > 2*readyTimers {
		t.ready = t.ready[:readyTimers]
	}
}

// shorten leaves the later half of the head to the store, but for what it does not have yet.
func (t *Timers) shorten() {
	var kept []entry
	keep := max(t.most/2, 1)
	var cut entry
	walk := func(e entry) bool {
		if t.pending == keep {
			return false
		}
		cut = e
		if !e.gone {
			t.pending--
			if !e.dirty && e.changed <= t.settled {
				kept = append(kept, e)
			}
		}
		return true
	}
	if t.past {
		t.tree.Descend(walk)
	} else {
		t.tree.DescendLessOrEqual(t.horizon, func(e entry) bool { return !t.less(e, t.horizon) || walk(e) })
	}
	t.horizon, t.past = entry{cut.time, &timer{key: cut.key}}, false
	for _, e := range kept {
		t.remove(e)
	}
	for n := len(t.ready); n > 0 && !t.headed(t.ready[n-1]); n-- {
		t.ready = t.ready[:n-1]
	}
}

// Due removes the first timer and returns it, if its time is not after now. What is set and deleted between calls counts. Key and
// namespace must not be written to.
func (t *Timers) Due(now int64) (Timer, bool, error) {
	first, ok, err := t.first()
	if err != nil || !ok || first.time > now {
		return Timer{}, false, err
	}
	key, namespace, ok := cutTimer(view(first.key)[t.prefix:])
	if !ok {
		return Timer{}, false, t.damaged()
	}
	t.ready = t.ready[1:]
	t.cursor = first
	t.pending--
	t.change(first.timer, true, present)
	return Timer{first.time, first.partition, key, namespace}, true, nil
}

// Next returns the time of the first timer, [math.MaxInt64] when there is none.
func (t *Timers) Next() (int64, error) {
	first, ok, err := t.first()
	if err != nil || !ok {
		return math.MaxInt64, err
	}
	return first.time, nil
}

func (t *Timers) first() (entry, bool, error) {
	t.settle()
	if len(t.ready) == 0 {
		for t.pending == 0 && !t.past {
			if err := t.fill(); err != nil {
				return entry{}, false, err
			}
		}
		if t.pending == 0 {
			return entry{}, false, nil
		}
		if cap(t.ready) < readyTimers {
			t.ready = make([]entry, 0, 2*readyTimers+1)
		}
		t.tree.AscendGreaterOrEqual(t.cursor, func(e entry) bool {
			if !t.headed(e) {
				return false
			}
			if !e.gone {
				t.ready = append(t.ready, e)
			}
			return len(t.ready) < readyTimers
		})
	}
	return t.ready[0], true, nil
}

func (t *Timers) damaged() error {
	return fault.New(fault.State, "a timer is not as it was written").At("operator %s", t.operator)
}

// timeBytes returns the time that a place begins with.
func timeBytes(place []byte) (at int64, rest []byte, ok bool) {
	var b [8]byte
	for i := range b {
		if len(place) == 0 {
			return 0, nil, false
		}
		b[i] = place[0]
		place = place[1:]
		if b[i] == escape {
			if len(place) == 0 || place[0] != escapeZero {
				return 0, nil, false
			}
			place = place[1:]
		}
	}
	return int64(binary.BigEndian.Uint64(b[:]) ^ (1 << 63)), place, true
}

// cutTimer returns the user's key and the namespace in a timer's place. Namespace, and a key without zero bytes, alias it.
func cutTimer(place []byte) (key, namespace []byte, ok bool) {
	_, rest, ok := timeBytes(place)
	if !ok {
		return nil, nil, false
	}
	if i := bytes.IndexByte(rest, escape); i >= 0 && i+1 < len(rest) && rest[i+1] == escapeEnd {
		return rest[:i:i], rest[i+2:], true
	}
	return cutPart(rest)
}

// fill reads the first timers of each partition that are not before the horizon. Where a partition has more than its share, what
// lies behind the last one read of it is left to the store, in all partitions.
func (t *Timers) fill() error {
	share := max(t.most/2/max(t.to-t.from, 1), 16)
	horizon, past := entry{}, true
	var read []entry
	var from []byte
	for n, prefix := range t.starts {
		left, bad := share, false
		from = append(append(from[:0], prefix...), t.horizon.key[t.prefix:]...)
		if err := t.o.store.ScanFrom(prefix, from, func(key, _ []byte) bool {
			at, _, ok := timeBytes(key[t.prefix:])
			if bad = !ok; bad {
				return false
			}
			e := entry{at, &timer{key: string(key), partition: uint16(t.from + n)}}
			switch {
			case !past && !t.less(e, horizon):
				return false
			case left == 0:
				horizon, past = e, false
				return false
			}
			left--
			read = append(read, e)
			return true
		}); err != nil {
			return err
		}
		if bad {
			return t.damaged()
		}
	}
	t.cursor = t.horizon
	old := t.horizon
	t.horizon, t.past = horizon, past
	for _, e := range read {
		if t.headed(e) && !t.tree.Has(e) { // what the tree has of it is newer
			t.insert(e)
		}
	}
	t.tree.AscendGreaterOrEqual(old, func(e entry) bool {
		if !t.headed(e) {
			return false
		}
		if !e.gone {
			t.pending++
		}
		return true
	})
	if t.pending > t.most {
		t.shorten()
	}
	return nil
}

// barrier closes the epoch and appends what it changed.
func (t *Timers) barrier(epoch uint64, changes []Change) []Change {
	var flown []*timer
	for _, m := range t.dirty {
		m.dirty = false
		if m.gone && m.before == absent || !m.gone && m.before == present {
			t.forget(m)
			continue
		}
		m.changed = epoch
		flown = append(flown, m)
		c := Change{Key: view(m.key)}
		if !m.gone {
			c.Value = []byte{}
		}
		changes = append(changes, c)
	}
	if len(flown) > 0 {
		t.flying = append(t.flying, timerFlight{epoch, flown})
	}
	clear(t.dirty)
	t.dirty, t.written = t.dirty[:0], 0
	return changes
}

// forget takes a timer out of the tree that the store has as it is, unless it is pending in the head.
func (t *Timers) forget(m *timer) {
	if m.dirty || m.out || m.changed > t.settled {
		return
	}
	at, _, ok := timeBytes(view(m.key)[t.prefix:])
	if e := (entry{at, m}); ok && (m.gone || !t.headed(e)) {
		t.remove(e)
	}
}

// settle lets go of what a commit has brought into the store, but for the head.
func (t *Timers) settle() {
	committed := t.o.committed.Load()
	if committed == t.settled {
		return
	}
	t.settled = committed
	for len(t.flying) > 0 && t.flying[0].epoch <= committed {
		for _, m := range t.flying[0].timers {
			t.forget(m)
		}
		t.flying[0].timers = nil
		t.flying = t.flying[1:]
	}
}
