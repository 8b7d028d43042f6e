package badgerdb

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/wasmill/wasmill/state"
)

// benchStore returns a store with 100,000 keys of a counter each, and their keys.
func benchStore(b *testing.B) (*Store, [][]byte, []state.Change) {
	b.Helper()
	s := mustOpen(b, Options{Dir: b.TempDir()})
	changes := make([]state.Change, 100_000)
	keys := make([][]byte, len(changes))
	for i := range changes {
		key := fmt.Appendf(nil, "customer-%07d", i)
		keys[i] = state.AppendKey(nil, uint16(i%128), "totals", "count", key, nil)
		changes[i] = state.Change{Key: keys[i], Value: binary.LittleEndian.AppendUint64(nil, uint64(i))}
	}
	mustCommit(b, s, 1, changes...)
	b.ReportAllocs()
	b.ResetTimer()
	return s, keys, changes
}

// BenchmarkGet is bound by Badger's transaction and its look-up in the memtable and the tables.
func BenchmarkGet(b *testing.B) {
	s, keys, _ := benchStore(b)
	var dst []byte
	for i := range b.N {
		var ok bool
		var err error
		if dst, ok, err = s.Get(dst[:0], keys[i*7919%len(keys)]); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkGetMany reads what a batch of 1,000 distinct keys needs.
func BenchmarkGetMany(b *testing.B) {
	s, keys, _ := benchStore(b)
	n := 0
	for i := range b.N {
		from := i * 1000 % len(keys)
		if err := s.GetMany(keys[from:from+1000], func(int, []byte) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	if n != 1000*b.N {
		b.Fatal(n)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "keys/s")
}

// BenchmarkCommit commits 10,000 changes an epoch: one transaction, bound by one fsync and Badger's sort.
func BenchmarkCommit(b *testing.B) {
	s, _, changes := benchStore(b)
	for i := range b.N {
		from := i * 10_000 % len(changes)
		mustCommit(b, s, uint64(i+2), changes[from:from+10_000]...)
	}
	b.ReportMetric(float64(10_000*b.N)/b.Elapsed().Seconds(), "changes/s")
}

// BenchmarkCommitJournalled commits 100,000 changes an epoch, which are written twice.
func BenchmarkCommitJournalled(b *testing.B) {
	s, _, changes := benchStore(b)
	for i := range b.N {
		mustCommit(b, s, uint64(i+2), changes...)
	}
	b.ReportMetric(float64(len(changes)*b.N)/b.Elapsed().Seconds(), "changes/s")
}
