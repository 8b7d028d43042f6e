// Package memstate keeps state in memory: the model that other stores are compared with, and the store of tests.
package memstate

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
)

var _ state.Store = (*Store)(nil)

// Store is a state.Store in memory. It outlives Close: see [Store.Reopen].
type Store struct {
	mu     sync.RWMutex
	values map[string][]byte
	marker []byte // encoded; nil before the first commit
	types  map[string]map[string]string
	closed bool
}

// New returns an empty store.
func New() *Store {
	return &Store{values: map[string][]byte{}, types: map[string]map[string]string{}}
}

// Reopen returns a store with what s held at its last commit, as if a process had ended and another begun. s is closed.
func (s *Store) Reopen() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return &Store{values: s.values, marker: s.marker, types: s.types}
}

func (s *Store) open() error {
	if s.closed {
		return fault.New(fault.Internal, "the store is closed")
	}
	return nil
}

// Get implements state.Store.
func (s *Store) Get(dst, key []byte) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.open(); err != nil {
		return dst, false, err
	}
	value, ok := s.values[string(key)]
	return append(dst, value...), ok, nil
}

// GetMany implements state.Store.
func (s *Store) GetMany(keys [][]byte, found func(i int, value []byte) error) error {
	for i, key := range keys {
		value, ok, err := s.Get(nil, key)
		if err == nil && ok {
			err = found(i, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Scan implements state.Store. It shows the store as it was when Scan was called.
func (s *Store) Scan(prefix []byte, each func(key, value []byte) bool) error {
	return s.ScanFrom(prefix, nil, each)
}

// ScanFrom implements state.Store.
func (s *Store) ScanFrom(prefix, from []byte, each func(key, value []byte) bool) error {
	s.mu.RLock()
	if err := s.open(); err != nil {
		s.mu.RUnlock()
		return err
	}
	values := make(map[string][]byte)
	for key, value := range s.values {
		if strings.HasPrefix(key, string(prefix)) && key >= string(from) {
			values[key] = value
		}
	}
	s.mu.RUnlock()
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !each([]byte(key), slices.Clone(values[key])) {
			return nil
		}
	}
	return nil
}

// Commit implements state.Store.
func (s *Store) Commit(ctx context.Context, c state.Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	last, some, err := s.last()
	if err != nil {
		return err
	}
	if err := c.CheckEpoch(last, some); err != nil {
		return err
	}
	marker, err := c.Encode()
	if err != nil {
		return err
	}
	for _, change := range c.Changes {
		if err := change.Check(); err != nil {
			return err
		}
	}
	for _, change := range c.Changes {
		if change.Value == nil {
			delete(s.values, string(change.Key))
		} else {
			s.values[string(change.Key)] = slices.Clone(change.Value)
		}
	}
	s.marker = marker
	return nil
}

// Last implements state.Store.
func (s *Store) Last() (state.Marker, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.open(); err != nil {
		return state.Marker{}, false, err
	}
	return s.last()
}

func (s *Store) last() (state.Marker, bool, error) {
	if s.marker == nil {
		return state.Marker{}, false, nil
	}
	m, err := state.ParseMarker(s.marker)
	return m, err == nil, err
}

// Declare implements state.Store.
func (s *Store) Declare(operator string, types map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	joined, err := state.CheckTypes(operator, s.types[operator], types)
	if err != nil {
		return err
	}
	s.types[operator] = joined
	return nil
}

// Size implements state.Store: the bytes of keys and values.
func (s *Store) Size() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var n int64
	for key, value := range s.values {
		n += int64(len(key) + len(value))
	}
	return n
}

// Close implements state.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
