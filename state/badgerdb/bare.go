package badgerdb

import (
	"errors"

	"github.com/dgraph-io/badger/v4"
)

// Bare reads, changes and writes the values of n keys as plainly as Badger can be used with the settings of Open, for benchmarks to compare a
// store with: one transaction as long as Badger takes it, then another, which are made durable while the loop goes on. Key appends the i-th key,
// as of a change of a commit; change changes a value where it is. Every key must be there.
func Bare(o Options, n int, key func(dst []byte, i int) []byte, change func(value []byte)) error {
	db, err := badger.Open(badgerOptions(o, &logger{log: o.Log}).WithExternalMagic(magic))
	if err != nil {
		return openFault(o.Dir, err)
	}
	done := make(chan error, 4)
	flying := 0
	await := func(most int) {
		for ; flying > most; flying-- {
			err = errors.Join(err, <-done)
		}
	}
	txn := db.NewTransaction(true)
	send := func() {
		await(cap(done) - 1)
		flying++
		txn.CommitWith(func(err error) { done <- err })
		txn = db.NewTransaction(true)
	}
	for i := 0; i < n && err == nil; i++ {
		k := dataKey(nil, key(nil, i))
		var item *badger.Item
		if item, err = txn.Get(k); err != nil {
			break
		}
		var value []byte
		if value, err = item.ValueCopy(nil); err != nil {
			break
		}
		change(value)
		if err = txn.Set(k, value); errors.Is(err, badger.ErrTxnTooBig) {
			send()
			err = txn.Set(k, value)
		}
	}
	send()
	await(0)
	txn.Discard()
	return errors.Join(err, db.Close())
}
