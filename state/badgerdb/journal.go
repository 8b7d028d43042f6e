package badgerdb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/wasmill/wasmill/state"
)

// groupBytes is how many bytes of changes a group of the journal takes, unless it holds a single one.
const groupBytes = 64 << 10

// decision says that the journal of an epoch is whole and the epoch is committed.
type decision struct {
	Epoch  uint64 `json:"epoch"`
	Groups uint32 `json:"groups"`
	Digest string `json:"digest"`
}

// commitLarge writes an epoch that does not fit one transaction: journal, decide, apply, drop. FORMAT.md says why it is
// atomic.
func (s *Store) commitLarge(ctx context.Context, c state.Commit, marker []byte) error {
	w := s.newWriter(ctx)
	defer w.close()
	d := decision{Epoch: c.Epoch}
	hash := sha256.New()
	var group []byte
	end := func() {
		if len(group) > 0 {
			hash.Write(group)
			w.set(keyGroup(c.Epoch, d.Groups), group)
			d.Groups++
			group = nil // the writer keeps it
		}
	}
	for _, change := range c.Changes {
		if len(group) > 0 && len(group)+len(change.Key)+len(change.Value) > groupBytes {
			end()
		}
		group = appendChange(group, change)
	}
	end()
	if err := w.flush(); err != nil {
		return err
	}
	s.step("journalled")
	d.Digest = hex.EncodeToString(hash.Sum(nil))
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	w.set(keyMarker, marker)
	w.set(keyDecision, b)
	if err := w.flush(); err != nil {
		return err
	}
	s.step("decided")
	for _, change := range c.Changes {
		w.change(change)
	}
	return s.finish(w, d)
}

// finish ends the application of a journal and drops it.
func (s *Store) finish(w *writer, d decision) error {
	if err := w.flush(); err != nil {
		return err
	}
	s.step("applied")
	w.delete(keyDecision)
	if err := w.flush(); err != nil {
		return err
	}
	s.step("closed")
	for i := range d.Groups {
		w.delete(keyGroup(d.Epoch, i))
	}
	return w.flush()
}

// recover applies a decided journal, and drops one that is not.
func (s *Store) recover() error {
	b, err := s.meta(keyDecision)
	if err != nil {
		return err
	}
	w := s.newWriter(context.Background())
	defer w.close()
	if b != nil {
		var d decision
		if err := json.Unmarshal(b, &d); err != nil {
			return s.damaged(fmt.Errorf("the decision on a journal: %w", err))
		}
		if err := s.apply(w, d); err != nil {
			return err
		}
		if err := s.finish(w, d); err != nil {
			return err
		}
	}
	err = s.eachGroup([]byte{tagJournal}, func(key, _ []byte) error {
		w.delete(bytes.Clone(key))
		return nil
	})
	if err != nil {
		return err
	}
	return w.flush()
}

// apply writes the changes in the groups of a decided journal, once it is known to be whole.
func (s *Store) apply(w *writer, d decision) error {
	prefix := keyGroup(d.Epoch, 0)[:9]
	hash := sha256.New()
	err := s.eachGroup(prefix, func(_, group []byte) error {
		hash.Write(group)
		return nil
	})
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != d.Digest {
		return s.damaged(fmt.Errorf("the journal of epoch %d has digest %s, %s was decided", d.Epoch, got, d.Digest))
	}
	return s.eachGroup(prefix, func(_, group []byte) error {
		group = bytes.Clone(group) // changes alias it until they are written
		for len(group) > 0 {
			change, rest, err := cutChange(group)
			if err != nil {
				return s.damaged(err)
			}
			w.change(change)
			group = rest
		}
		return w.err
	})
}

func (s *Store) eachGroup(prefix []byte, each func(key, group []byte) error) error {
	return s.db.View(func(txn *badger.Txn) error {
		opts := badger.DefaultIteratorOptions
		opts.PrefetchValues = false
		opts.Prefix = prefix
		it := txn.NewIterator(opts)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			var inner error
			err := it.Item().Value(func(v []byte) error {
				inner = each(it.Item().Key(), v)
				return nil
			})
			if inner != nil {
				return inner
			}
			if err != nil {
				return s.damaged(err)
			}
		}
		return nil
	})
}

func appendChange(dst []byte, c state.Change) []byte {
	kind := byte(1)
	if c.Value == nil {
		kind = 0
	}
	dst = binary.AppendUvarint(append(dst, kind), uint64(len(c.Key)))
	dst = append(dst, c.Key...)
	if kind == 1 {
		dst = append(binary.AppendUvarint(dst, uint64(len(c.Value))), c.Value...)
	}
	return dst
}

// cutChange returns the change that b begins with and what follows. The change aliases b.
func cutChange(b []byte) (c state.Change, rest []byte, err error) {
	kind := b[0]
	key, rest, ok := cutBytes(b[1:])
	if ok && kind == 1 {
		c.Value, rest, ok = cutBytes(rest)
	}
	if !ok || kind > 1 {
		return state.Change{}, nil, fmt.Errorf("a change in the journal is cut short or of unknown kind %d", kind)
	}
	c.Key = key
	return c, rest, nil
}

// cutBytes returns the bytes behind the length that b begins with; not nil when there are none.
func cutBytes(b []byte) (part, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	end := size + int(n)
	return b[size:end:end], b[end:], true
}
