package badgerdb

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/dgraph-io/badger/v4"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
)

// Format is the number of the format that this package writes, and the newest that it reads.
const Format = 1

// meta returns the value of a key other than a data key, or nil.
func (s *Store) meta(key []byte) (value []byte, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if err == nil {
			value, err = item.ValueCopy([]byte{})
		}
		return err
	})
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, s.damaged(err)
	}
	return value, nil
}

// setMeta writes one key and waits until it is durable.
func (s *Store) setMeta(key, value []byte) error {
	w := s.newWriter(context.Background())
	defer w.close()
	w.set(key, value)
	return w.flush()
}

func (s *Store) checkFormat() error {
	b, err := s.meta(keyFormat)
	if err != nil {
		return err
	}
	if b == nil {
		return s.setMeta(keyFormat, strconv.AppendInt(nil, Format, 10))
	}
	n, err := strconv.Atoi(string(b))
	switch {
	case err != nil || n < 1:
		return damaged(s.dir, "its format is "+strconv.Quote(string(b)))
	case n > Format:
		return fault.New(fault.State, "the state was written by a newer wasmill: it has format %d, this one reads up to %d", n, Format).
			At("%s", s.dir).WithHint("run the newer wasmill, or give the job another name to begin with empty state")
	}
	return nil
}

// Last implements state.Store.
func (s *Store) Last() (state.Marker, bool, error) {
	if err := s.enter(); err != nil {
		return state.Marker{}, false, err
	}
	defer s.using.Done()
	return s.last()
}

func (s *Store) last() (state.Marker, bool, error) {
	b, err := s.meta(keyMarker)
	if err != nil || b == nil {
		return state.Marker{}, false, err
	}
	m, err := state.ParseMarker(b)
	return m, err == nil, err
}

// Declare implements state.Store.
func (s *Store) Declare(operator string, types map[string]string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.using.Done()
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	stored := map[string]string{}
	b, err := s.meta(keyTypes(operator))
	if err != nil {
		return err
	}
	if b != nil {
		if err := json.Unmarshal(b, &stored); err != nil {
			return damaged(s.dir, "the types of operator "+operator+": "+err.Error())
		}
	}
	joined, err := state.CheckTypes(operator, stored, types)
	if err != nil || len(joined) == len(stored) {
		return err
	}
	if b, err = json.Marshal(joined); err != nil {
		return fault.New(fault.Internal, "types of operator %s: %v", operator, err)
	}
	return s.setMeta(keyTypes(operator), b)
}
