package badgerdb

import (
	"bytes"
	"errors"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// Get implements state.Store.
func (s *Store) Get(dst, key []byte) ([]byte, bool, error) {
	if err := s.enter(); err != nil {
		return dst, false, err
	}
	defer s.using.Done()
	txn := s.db.NewTransactionAt(newest, false)
	defer txn.Discard()
	var scratch [128]byte
	ok, err := s.get(txn, scratch[:0], key, func(value []byte) error {
		dst = append(dst, value...)
		return nil
	})
	return dst, ok, err
}

// GetMany implements state.Store.
func (s *Store) GetMany(keys [][]byte, found func(i int, value []byte) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.using.Done()
	txn := s.db.NewTransactionAt(newest, false)
	defer txn.Discard()
	var scratch []byte
	for i, key := range keys {
		if need := len(key) + 64; cap(scratch) < need {
			scratch = make([]byte, 0, 2*need)
		}
		if _, err := s.get(txn, scratch[:0], key, func(value []byte) error { return found(i, value) }); err != nil {
			return err
		}
	}
	return nil
}

// get calls found with the value of a key, if there is one, and returns found's error as it is.
func (s *Store) get(txn *badger.Txn, scratch, key []byte, found func([]byte) error) (bool, error) {
	item, err := txn.Get(dataKey(scratch, key))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, s.damaged(err)
	}
	var inner error
	err = item.Value(func(v []byte) error {
		if len(key) >= longKey {
			stored, value, err := splitLong(v)
			if err != nil || !bytes.Equal(stored, key) {
				return errors.Join(err, errors.New("a long key does not match its hash"))
			}
			v = value
		}
		inner = found(v)
		return nil
	})
	if err != nil {
		return false, s.damaged(err)
	}
	return true, inner
}

// pair is a long key and its value.
type pair struct{ key, value []byte }

// Scan implements state.Store.
func (s *Store) Scan(prefix []byte, each func(key, value []byte) bool) error {
	return s.ScanFrom(prefix, nil, each)
}

// ScanFrom implements state.Store.
func (s *Store) ScanFrom(prefix, from []byte, each func(key, value []byte) bool) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.using.Done()
	return s.db.View(func(txn *badger.Txn) error { return s.scan(txn, prefix, from, each) })
}

func (s *Store) scan(txn *badger.Txn, prefix, from []byte, each func(key, value []byte) bool) error {
	opts := badger.DefaultIteratorOptions
	opts.PrefetchValues = false // they lie beside the keys
	opts.Prefix = append([]byte{tagData}, prefix[:min(len(prefix), longKey)]...)
	it := txn.NewIterator(opts)
	defer it.Close()
	// Long keys that share their beginning lie side by side but in the order of their hashes; they are collected and sorted.
	var same []pair
	var shared []byte
	flush := func() bool {
		slices.SortFunc(same, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
		for _, p := range same {
			if bytes.HasPrefix(p.key, prefix) && bytes.Compare(p.key, from) >= 0 && !each(p.key, p.value) {
				return false
			}
		}
		same = same[:0]
		return true
	}
	start := opts.Prefix
	if bytes.Compare(from, prefix) > 0 {
		start = append([]byte{tagData}, from[:min(len(from), longKey)]...)
	}
	for it.Seek(start); it.Valid(); it.Next() {
		item := it.Item()
		k, more := item.Key(), true
		long := isLong(k)
		if len(same) > 0 && !(long && bytes.Equal(k[:1+longKey], shared)) && !flush() {
			return nil
		}
		err := item.Value(func(v []byte) error {
			if !long {
				if bytes.Compare(k[1:], from) >= 0 {
					more = each(k[1:], v)
				}
				return nil
			}
			key, value, err := splitLong(bytes.Clone(v))
			same = append(same, pair{key, value})
			shared = append(shared[:0], k[:1+longKey]...)
			return err
		})
		if err != nil {
			return s.damaged(err)
		}
		if !more {
			return nil
		}
	}
	flush()
	return nil
}

// Size implements state.Store: the space that the store's files take on disk, holes not counted.
func (s *Store) Size() int64 { return usedSpace(s.dir) }
