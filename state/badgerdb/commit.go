package badgerdb

import (
	"context"
	"errors"

	"github.com/dgraph-io/badger/v4"

	"github.com/wasmill/wasmill/state"
)

// entryOverhead is what Badger counts for an entry beside key and value, at most.
const entryOverhead = 40

// Commit implements state.Store. Changes are checked before anything is written. When a write fails, or ctx ends while one is under
// way, it is not known here whether the epoch is committed, so the store takes no more writes; the next Open finds out.
func (s *Store) Commit(ctx context.Context, c state.Commit) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.using.Done()
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.writable(); err != nil {
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
	bytes := int64(len(marker) + entryOverhead)
	for _, change := range c.Changes {
		if err := change.Check(); err != nil {
			return err
		}
		bytes += int64(2*len(change.Key) + len(change.Value) + entryOverhead) // twice: a long key stands in the value, too
	}
	if err := s.checkSpace(bytes); err != nil {
		return err
	}
	if fits, err := s.commitSmall(ctx, c.Changes, marker); fits || err != nil {
		return err
	}
	return s.commitLarge(ctx, c, marker)
}

// commitSmall writes an epoch as one transaction; it writes nothing and returns false when it does not fit.
func (s *Store) commitSmall(ctx context.Context, changes []state.Change, marker []byte) (fits bool, err error) {
	if int64(len(changes)) >= s.db.MaxBatchCount() {
		return false, nil
	}
	w := s.newWriter(ctx)
	defer w.close()
	w.single = true
	for _, c := range changes {
		w.change(c)
	}
	w.set(keyMarker, marker)
	if errors.Is(w.err, badger.ErrTxnTooBig) {
		return false, nil
	}
	s.step("small")
	return true, w.flush()
}

// writer writes entries in as many transactions as it takes, several of them under way at once. Its methods are no-ops
// after an error, which flush returns.
type writer struct {
	s   *Store
	ctx context.Context
	txn *badger.Txn
	n   int // entries in txn
	// done receives the outcome of each transaction sent; its capacity bounds them, so that a callback never waits.
	done   chan error
	flying int
	single bool // one transaction has to do: one that is full gives ErrTxnTooBig
	err    error
	block  []byte // where the keys of changes lie
}

// blockBytes is how many bytes of keys are allocated at once.
const blockBytes = 32 << 10

// newWriter returns a writer, which the caller closes.
func (s *Store) newWriter(ctx context.Context) *writer {
	return &writer{s: s, ctx: ctx, txn: s.db.NewTransactionAt(newest, true), done: make(chan error, s.flying)}
}

func (w *writer) change(c state.Change) {
	if cap(w.block)-len(w.block) < len(c.Key)+1 && len(c.Key) < blockBytes/8 {
		w.block = make([]byte, 0, blockBytes)
	}
	at := len(w.block)
	w.block = dataKey(w.block, c.Key)
	key := w.block[at:len(w.block):len(w.block)]
	if c.Value == nil {
		w.delete(key)
		return
	}
	w.set(key, dataValue(c.Key, c.Value))
}

// set and delete keep key and value until the transaction is written.
func (w *writer) set(key, value []byte) {
	w.add(func() error { return w.txn.Set(key, value) })
}

func (w *writer) delete(key []byte) {
	w.add(func() error { return w.txn.Delete(key) })
}

func (w *writer) add(put func() error) {
	if w.err != nil {
		return
	}
	w.err = put()
	if errors.Is(w.err, badger.ErrTxnTooBig) && w.n > 0 && !w.single {
		w.err = nil
		if w.send(); w.err == nil {
			w.err = put()
		}
	}
	w.n++
}

// send sends the transaction off and begins another.
func (w *writer) send() {
	if w.err != nil || w.n == 0 {
		return
	}
	if w.flying == cap(w.done) {
		if w.await(); w.err != nil {
			return
		}
	}
	w.s.version++
	if w.err = w.txn.CommitAt(w.s.version, func(err error) { w.done <- err }); w.err != nil {
		return
	}
	w.flying++
	w.txn, w.n = w.s.db.NewTransactionAt(newest, true), 0
	if cap(w.done) == 1 {
		w.await()
		w.s.step("transaction")
	}
}

// await waits for one transaction. Badger waits without end for a disk that takes no more tables, hence the context.
func (w *writer) await() {
	select {
	case err := <-w.done:
		w.flying--
		if err != nil && w.err == nil {
			w.err = err
		}
	case <-w.ctx.Done():
		w.flying = 0
		if w.err == nil {
			w.err = w.ctx.Err()
		}
	}
}

// flush waits until everything is durable, and returns the first error as a fault, behind which the store takes no more
// writes. The writer may be used on.
func (w *writer) flush() error {
	w.send()
	for w.flying > 0 {
		w.await()
	}
	if w.err != nil {
		return w.s.fail(writeFault(w.s.dir, w.err))
	}
	w.s.db.SetDiscardTs(w.s.version)
	return nil
}

// close ends the transaction that was begun last.
func (w *writer) close() { w.txn.Discard() }
