package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/badgerdb"
)

// keyedState times the two steps of a running mean per key, over batches in Go memory, with a commit to Badger after
// each million rows, about as many as an epoch of a second has.
func keyedState(e *env) error {
	t := newTable("Keyed state: key_by and keyed_map (a running mean, C), batches of 8,192 rows", "keys", "key_by", "keyed_map",
		"commit", "changes", "all together")
	for _, keys := range []int{16, 100_000} {
		var by, mapped, commit, rate []float64
		changes := 0
		for round := range e.rounds {
			m, err := measureMeans(e, keys, filepath.Join(e.dir, fmt.Sprintf("state-%d-%d", keys, round)))
			if err != nil {
				return err
			}
			by, mapped, commit, rate = append(by, m.keyBy), append(mapped, m.keyedMap), append(commit, m.commit), append(rate, m.rate)
			changes = m.changes
		}
		t.add(fmt.Sprint(keys), nanos(median(by))+"/row", nanos(median(mapped))+"/row", nanos(median(commit)),
			fmt.Sprint(changes), million(median(rate)))
	}
	t.print(e.out)
	return nil
}

type means struct {
	keyBy, keyedMap float64 // ns per row
	commit          float64 // ns per commit
	rate            float64 // rows per second, commits included
	changes         int     // of the last commit
}

func measureMeans(e *env, keys int, dir string) (m means, err error) {
	store, err := badgerdb.Open(badgerdb.Options{Dir: dir, Profile: badgerdb.Small})
	if err != nil {
		return m, err
	}
	defer store.Close()
	signature := function(e.bundle, "mean")
	if err := store.Declare("mean", map[string]string{signature.State[0].Name: signature.State[0].Type}); err != nil {
		return m, err
	}
	keyed := operator.NewKeyedState(store, "mean", signature.State, operator.DefaultStateCache, 0, nil)
	guest := operator.NewGuest(e.bundle, udf.Options{})
	defer guest.Close(e.ctx)
	encoder, err := stream.NewKeyEncoder(signature.In, []string{"key"})
	if err != nil {
		return m, err
	}
	call := &operator.Call{
		Forward: stream.Forward{Next: drop{}}, Policy: operator.Policy{Node: "mean", Policy: plan.Fail, Stats: &operator.Stats{}},
		Kind: plan.KindKeyedMap, Function: "mean", Guest: guest, Columns: []int{0, 1}, In: signature.In, Out: signature.Out, State: keyed,
	}
	by := &operator.KeyBy{Forward: stream.Forward{Next: call}, Stats: &operator.Stats{}, Encoder: encoder, Partitions: stream.DefaultPartitions}
	if err := call.Open(e.ctx); err != nil {
		return m, err
	}
	batches := measurements(signature.In, keys)
	const epochs, batchesPerEpoch = 4, 128
	var committing time.Duration
	start := time.Now()
	for epoch := uint64(1); epoch <= epochs; epoch++ {
		for i := range batchesPerEpoch {
			if err := by.Batch(&stream.Batch{Record: batches[i%len(batches)]}); err != nil {
				return m, err
			}
		}
		begin := time.Now()
		changes := keyed.Barrier(epoch)
		if err := store.Commit(e.ctx, state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: changes}); err != nil {
			return m, err
		}
		keyed.Committed(epoch)
		m.changes = len(changes)
		committing += time.Since(begin)
	}
	took := time.Since(start)
	rows := float64(by.Stats.RowsIn.Load())
	m.keyBy = float64(by.Stats.Busy().Nanoseconds()) / rows
	m.keyedMap = float64(call.Stats.Busy().Nanoseconds()) / rows
	m.commit = float64(committing.Nanoseconds()) / epochs
	m.rate = rows / took.Seconds()
	return m, nil
}

func function(b udf.Bundle, name string) udf.Signature {
	if f := udf.Find(b.Functions(), name, ""); f != nil {
		return *f
	}
	panic("bench.c has no function " + name)
}

// measurements makes 64 full batches of random keys.
func measurements(s *arrow.Schema, keys int) []arrow.Record {
	r := rand.New(rand.NewPCG(5, 6))
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	var all []arrow.Record
	for range 64 {
		for range stream.MaxRows {
			b.Field(0).(*array.Int64Builder).Append(r.Int64N(int64(keys)))
			b.Field(1).(*array.Float64Builder).Append(r.Float64())
		}
		all = append(all, b.NewRecord())
	}
	return all
}

// drop is the end of a chain that nobody listens to.
type drop struct{}

func (drop) Open(context.Context) error       { return nil }
func (drop) Close() error                     { return nil }
func (drop) Batch(*stream.Batch) error        { return nil }
func (drop) Watermark(stream.Watermark) error { return nil }
func (drop) Status(bool) error                { return nil }
func (drop) Barrier(uint64, bool) error       { return nil }
func (drop) End() error                       { return nil }
