package operator

import (
	"encoding/binary"
	"slices"

	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/window"
	"github.com/wasmill/wasmill/state"
)

// The names of a window's state. FORMAT.md of package state says what is in it.
const (
	panesState   = "panes"
	windowsState = "windows"
)

// WindowState keeps the panes of keys at hand, as live accumulators, over an overlay of the store. What an epoch changed is
// written to the overlay at its barrier.
type WindowState struct {
	overlay    *state.Overlay
	operator   string
	aggregates *aggregate.Set
	limit      int
	full       func()
	timers     [2]*state.Timers // by domain

	keys      map[string]*windowKey
	dirty     []*windowKey
	bytes     int
	since     int // bytes of keys that this epoch changed
	epoch     uint64
	committed func() uint64
	swept     uint64
	// alone says that all that the operator remembers is at hand, so that the store need not be asked for what is not.
	alone bool
	seq   int64 // of rows; rises from epoch to epoch

	namespace, place, value []byte
}

// windowKey is what is kept of a key.
type windowKey struct {
	bytes     []byte
	partition uint16
	panes     []*window.Pane
	// windows are those of all panes, the store's as well, where they are listed; listed says that they are known here.
	windows []window.Window
	listed  bool
	relist  bool // windows changed in the open epoch
	dirty   bool
	changed uint64 // the newest epoch that changed it
	size    int
}

// contents is what a pane holds: an accumulator, or one for each of its last rows.
type contents struct {
	row    aggregate.Row
	last   []aggregate.Row
	rows   int64
	dirty  bool
	stored bool // the store may have the pane
}

func of(p *window.Pane) *contents { return p.Host.(*contents) }

const (
	keyOverheadBytes  = 200
	paneOverheadBytes = 200
)

// WindowStateOptions configure the state of a Window.
type WindowStateOptions struct {
	Store      state.Store
	Operator   string
	Aggregates *aggregate.Set
	// From (inclusive) and To (exclusive) are the partitions of the task.
	From, To int
	// Limit is how many bytes are kept at hand. Full asks for a barrier.
	Limit int
	Full  func()
	// Epoch is the newest that the store holds, 0 for a new store.
	Epoch uint64
}

// NewWindowState returns the state of a Window.
func NewWindowState(o WindowStateOptions) *WindowState {
	overlay := state.NewOverlay(o.Store, o.Limit/2, o.Epoch, o.Full)
	s := &WindowState{overlay: overlay, operator: o.Operator, aggregates: o.Aggregates, limit: o.Limit / 2, full: o.Full, epoch: o.Epoch + 1,
		keys: make(map[string]*windowKey), alone: o.Epoch == 0, committed: overlay.Newest, seq: int64(o.Epoch+1) << 32}
	s.timers[window.EventTime] = state.NewTimers(overlay, o.Operator, state.EventTimers, o.From, o.To, 0)
	s.timers[window.ProcessingTime] = state.NewTimers(overlay, o.Operator, state.ProcessingTimers, o.From, o.To, 0)
	return s
}

// Committed says that the store holds the epoch. It may be called from any goroutine.
func (s *WindowState) Committed(epoch uint64) { s.overlay.Committed(epoch) }

// Bytes returns about how much memory the state takes.
func (s *WindowState) Bytes() int { return s.bytes + s.overlay.Bytes() }

// WindowTypes returns what is declared of the state: a window function keeps what fits its aggregates and its windows.
func WindowTypes(windows string, a *aggregate.Set) map[string]string {
	return map[string]string{panesState: windows + " " + a.Type(), windowsState: "windows/1"}
}

// key returns what is kept of a key.
func (s *WindowState) key(bytes []byte, partition uint16) *windowKey {
	if k := s.keys[string(bytes)]; k != nil {
		return k
	}
	k := &windowKey{bytes: slices.Clone(bytes), partition: partition, listed: s.alone}
	s.keys[string(k.bytes)] = k
	k.size = keyOverheadBytes + 2*len(bytes)
	s.bytes += k.size
	return k
}

// changed notes that a pane changed in the open epoch.
func (s *WindowState) changed(k *windowKey, p *window.Pane) {
	c := of(p)
	if c.dirty && k.dirty {
		return
	}
	c.dirty = true
	s.touch(k)
}

func (s *WindowState) touch(k *windowKey) {
	if k.dirty {
		return
	}
	k.dirty, k.changed = true, s.epoch
	s.dirty = append(s.dirty, k)
	if s.since += k.size; s.since > s.limit/2 && s.full != nil {
		s.full()
	}
}

// pane returns a key's pane of a window; nil when there is none and it is not to be made.
func (s *WindowState) pane(k *windowKey, w window.Window, create, listed bool) (*window.Pane, error) {
	if listed && k.listed && len(k.windows) == len(k.panes) {
		// Where no pane is in the store alone, the list has most often their order, and lies together.
		if i := slices.Index(k.windows, w); i >= 0 && k.panes[i].Window == w {
			return k.panes[i], nil
		}
	}
	for i := len(k.panes) - 1; i >= 0; i-- {
		if k.panes[i].Window == w {
			return k.panes[i], nil
		}
	}
	p := &window.Pane{Window: w}
	c := &contents{}
	p.Host = c
	ask := !s.alone
	if listed {
		windows, err := s.windows(k)
		if err != nil {
			return nil, err
		}
		ask = ask && slices.Contains(windows, w)
	}
	if ask {
		value, ok, err := s.overlay.Look(s.locate(k, panesState, w))
		if err != nil {
			return nil, err
		}
		if ok {
			c.stored = true
			if err := s.decode(p, value); err != nil {
				return nil, err
			}
			s.keep(k, p)
			return p, nil
		}
	}
	if !create {
		return nil, nil
	}
	c.row = s.aggregates.NewRow()
	s.keep(k, p)
	if listed {
		k.windows, k.relist = append(k.windows, w), true
		s.touch(k)
	}
	return p, nil
}

func (s *WindowState) keep(k *windowKey, p *window.Pane) {
	k.panes = append(k.panes, p)
	s.grow(k, paneOverheadBytes+of(p).row.Size())
}

func (s *WindowState) grow(k *windowKey, n int) {
	k.size += n
	s.bytes += n
}

// windows returns the windows of a key's panes, where they are listed.
func (s *WindowState) windows(k *windowKey) ([]window.Window, error) {
	if k.listed {
		return k.windows, nil
	}
	value, _, err := s.overlay.Look(s.locate(k, windowsState, window.Window{})[:len(s.place)-window.Bytes])
	if err != nil {
		return nil, err
	}
	for ; len(value) >= window.Bytes; value = value[window.Bytes:] {
		w, err := window.Read(value[:window.Bytes])
		if err != nil {
			return nil, err
		}
		k.windows = append(k.windows, w)
	}
	k.listed = true
	return k.windows, nil
}

// drop removes a pane.
func (s *WindowState) drop(k *windowKey, p *window.Pane, listed bool) error {
	p.Gone = true
	k.panes = slices.DeleteFunc(k.panes, func(o *window.Pane) bool { return o == p })
	s.grow(k, -paneOverheadBytes-of(p).row.Size())
	if listed {
		if _, err := s.windows(k); err != nil {
			return err
		}
		k.windows = slices.DeleteFunc(slices.Clone(k.windows), func(w window.Window) bool { return w == p.Window })
		k.relist = true
	}
	s.touch(k)
	if !of(p).stored {
		return nil
	}
	return s.overlay.Hand(s.locate(k, panesState, p.Window), nil)
}

func (s *WindowState) locate(k *windowKey, name string, w window.Window) []byte {
	s.place = state.AppendKeyPrefix(s.place[:0], k.partition, s.operator, name, k.bytes)
	s.place = w.Append(s.place)
	return s.place
}

// store writes what the epoch changed to the overlay.
func (s *WindowState) store(epoch uint64) error {
	for _, k := range s.dirty {
		for _, p := range k.panes {
			if c := of(p); c.dirty {
				c.dirty, c.stored = false, true
				if err := s.overlay.Hand(s.locate(k, panesState, p.Window), s.encode(p)); err != nil {
					return err
				}
			}
		}
		if k.relist {
			k.relist = false
			s.value = s.value[:0]
			for _, w := range k.windows {
				s.value = w.Append(s.value)
			}
			list := s.value
			if len(k.windows) == 0 {
				list = nil
			}
			if err := s.overlay.Hand(s.locate(k, windowsState, window.Window{})[:len(s.place)-window.Bytes], list); err != nil {
				return err
			}
		}
		k.dirty, k.changed = false, epoch
		s.resize(k)
		if s.alone && len(k.panes) == 0 {
			s.forget(k)
		}
	}
	clear(s.dirty)
	s.dirty, s.since, s.epoch = s.dirty[:0], 0, epoch+1
	s.seq = max(s.seq, int64(epoch+1)<<32)
	return nil
}

// resize counts a key's bytes anew: accumulators of texts and lists grow.
func (s *WindowState) resize(k *windowKey) {
	n := keyOverheadBytes + 2*len(k.bytes) + 16*len(k.windows)
	for _, p := range k.panes {
		n += paneOverheadBytes + of(p).row.Size()
		for _, r := range of(p).last {
			n += r.Size()
		}
	}
	s.grow(k, n-k.size)
}

func (s *WindowState) forget(k *windowKey) {
	delete(s.keys, string(k.bytes))
	s.bytes -= k.size
}

// makeRoom lets go of keys that the store has, until a quarter of the limit is free. No key is in use.
func (s *WindowState) makeRoom() {
	committed := s.committed()
	if s.bytes <= s.limit || committed == s.swept {
		return
	}
	s.swept = committed
	for _, k := range s.keys {
		if s.bytes <= s.limit*3/4 {
			return
		}
		if !k.dirty && k.changed <= committed {
			s.forget(k)
			s.alone = false
		}
	}
}

// paneVersion is the first byte of a stored pane.
const paneVersion = 1

// encode returns a pane as stored.
func (s *WindowState) encode(p *window.Pane) []byte {
	c := of(p)
	b := append(s.value[:0], paneVersion)
	b = binary.AppendUvarint(b, uint64(p.Memo.Count))
	pending := byte(0)
	if p.Memo.Pending {
		pending = 1
	}
	b = binary.AppendVarint(append(b, pending), p.Memo.Next)
	b = binary.AppendUvarint(b, uint64(c.rows))
	b = s.aggregates.Append(b, c.row)
	b = binary.AppendUvarint(b, uint64(len(c.last)))
	for _, r := range c.last {
		b = s.aggregates.Append(b, r)
	}
	s.value = b
	return b
}

// decode reads what encode wrote.
func (s *WindowState) decode(p *window.Pane, b []byte) (err error) {
	c := of(p)
	bad := fault.New(fault.State, "a stored window is not as it was written").At("operator %s", s.operator)
	if len(b) == 0 || b[0] != paneVersion {
		return bad
	}
	b = b[1:]
	ok := true
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if ok = ok && n > 0; ok {
			b = b[n:]
		}
		return v
	}
	p.Memo.Count = int64(next())
	p.Memo.Pending = next() == 1
	v, n := binary.Varint(b)
	if !ok || n <= 0 {
		return bad
	}
	p.Memo.Next, b = v, b[n:]
	c.rows = int64(next())
	if !ok {
		return bad
	}
	if c.row, b, err = s.aggregates.Read(b); err != nil {
		return err
	}
	for range next() {
		var r aggregate.Row
		if !ok || len(b) == 0 {
			return bad
		}
		if r, b, err = s.aggregates.Read(b); err != nil {
			return err
		}
		c.last = append(c.last, r)
	}
	return nil
}
