package badgerdb

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"github.com/wasmill/wasmill/engine/fault"
)

// newest is the version at which everything is read. Versions are the store's own business, not Badger's: Badger's transactions wait,
// when they begin, for all writes that are under way, so that tasks would stand still during each commit.
const newest = math.MaxUint64

// Store is a state.Store in a folder. Reads see, for each key, the value before or behind a commit that is under way.
type Store struct {
	db     *badger.DB
	dir    string
	log    *logger
	step   func(string)
	free   func(string) (uint64, error)
	flying int // transactions of one commit that may be under way at once

	writing sync.Mutex // held by Commit and Declare
	version uint64     // guarded by writing: Badger's of the last transaction
	// failed is set by the first write that fails, and by one whose outcome is unknown: what the disk holds is then not known here.
	failed atomic.Pointer[fault.Fault]

	mu     sync.Mutex
	closed bool           // guarded by mu
	using  sync.WaitGroup // calls under way; added to with mu held while not closed
}

// Open opens the store in o.Dir and finishes or drops what a crash left half done. Every error is a fault of code State: in
// use by another process, written by a newer version, damaged, disk full, no permission. No two stores may be open on one folder.
func Open(o Options) (_ *Store, err error) {
	s := &Store{dir: o.Dir, log: &logger{log: o.Log}, step: o.step, free: o.free, flying: 4}
	if s.step == nil {
		s.step = func(string) {}
	} else {
		s.flying = 1 // nothing is to be under way at a step
	}
	if s.free == nil {
		s.free = freeSpace
	}
	switch o.Profile {
	case "", Default, Small:
	default:
		return nil, fault.New(fault.Usage, "unknown profile `%s`", o.Profile).WithHint("there is default, small")
	}
	if err := s.checkSpace(0); err != nil {
		return nil, err
	}
	if err := checkFooters(o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		// Badger panics on some damaged files.
		if r := recover(); r != nil {
			err = damaged(o.Dir, fmt.Sprint(r))
		}
	}()
	if err := dropEmptyLogs(o.Dir); err != nil {
		return nil, openFault(o.Dir, err)
	}
	if s.db, err = openBadger(o, s.log); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		_ = s.db.Close() // the first error is the one to tell
		return nil, err
	}
	return s, nil
}

func openBadger(o Options, log *logger) (*badger.DB, error) {
	db, err := badger.OpenManaged(badgerOptions(o, log))
	if err != nil {
		return nil, openFault(o.Dir, err)
	}
	return db, nil
}

// begin checks what was found at open, and recovers.
func (s *Store) begin() error {
	if text := s.log.failed.Load(); text != nil {
		return damaged(s.dir, *text)
	}
	s.version = s.db.MaxVersion()
	if n := tableBytes(s.dir); n <= verifyAtMost {
		if err := s.db.VerifyChecksum(); err != nil {
			return damaged(s.dir, err.Error())
		}
	} else if s.log.log != nil {
		s.log.log.Debug("the state's checksums are not verified at open, for it is large", "dir", s.dir, "bytes", n)
	}
	if err := s.checkFormat(); err != nil {
		return err
	}
	return s.recover()
}

// enter begins a call; the caller calls s.using.Done at its end.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fault.New(fault.Internal, "the store is closed")
	}
	s.using.Add(1)
	return nil
}

// Close waits for calls under way and closes the store.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.using.Wait()
	if err := s.db.Close(); err != nil && s.failed.Load() == nil {
		return writeFault(s.dir, err)
	}
	return nil
}

// fail notes why the store takes no more writes, and returns it.
func (s *Store) fail(f *fault.Fault) error {
	s.failed.CompareAndSwap(nil, f)
	return f
}

// writable returns a fault when an earlier write failed, or one of Badger's in the background.
func (s *Store) writable() error {
	if text := s.log.failed.Load(); text != nil {
		s.failed.CompareAndSwap(nil, writeFault(s.dir, fmt.Errorf("%s", *text)))
	}
	if f := s.failed.Load(); f != nil {
		c := *f
		c.What = "an earlier write failed, so that no more are taken: " + c.What
		return &c
	}
	return nil
}

func (s *Store) damaged(err error) error { return damaged(s.dir, err.Error()) }
