package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/connectors/file"
	"github.com/wasmill/wasmill/connectors/generate"
	"github.com/wasmill/wasmill/engine/aggregate"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
	jobs "github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
	panes "github.com/wasmill/wasmill/engine/window"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/badgerdb"
)

// spent is what something took, in seconds.
func spent(f func() error) (cost, error) {
	runtime.GC()
	start, before := time.Now(), processorSeconds()
	err := f()
	return cost{time.Since(start).Seconds(), processorSeconds() - before}, err
}

// wordCount runs a whole job: words out of the generator, as JSON, counted by key.
func wordCount(e *env) error {
	n := 10_000_000
	if e.short {
		n /= 20
	}
	yaml := fmt.Sprintf(`
name: words
parallelism: 2
input:
  generate: {rows: %d, splits: 2, fields: {word: {kind: int, min: 1, max: 5000}}}
  schema: {word: int64}
  parallelism: 2
pipeline:
  - key_by: word
  - label: count
    window: {global: true, time: processing, trigger: {count: 2000}, aggregate: {n: count}}
output:
  file: {path: counts.ndjson}
`, n)
	var rates, cpu []float64
	for round := range e.rounds {
		dir := filepath.Join(e.dir, fmt.Sprintf("words-%d", round))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		took, err := spent(func() error { return e.runFile(dir, yaml) })
		if err != nil {
			return err
		}
		rates, cpu = append(rates, float64(n)/took.wall), append(cpu, took.cpu*1e9/float64(n))
	}
	t := newTable(fmt.Sprintf("Word count: a job over %d words of 5,000 kinds from the generator, in JSON, two tasks", n),
		"", "events", "target", "processor", "by two cores")
	c := median(cpu)
	t.add("generate, decode, exchange, count, commit", million(median(rates)), million(1e6), nanos(c), million(2e9/c))
	t.print(e.out)
	return nil
}

// runFile runs a pipeline between a generator and files.
func (e *env) runFile(dir, yaml string) error {
	p, err := pipeline.Parse(filepath.Join(dir, "bench.yaml"), []byte(yaml), os.LookupEnv)
	if err != nil {
		return err
	}
	resolved, err := plan.Resolve(e.ctx, p, plan.Env{
		Functions:  func(context.Context, string) ([]udf.Signature, error) { return e.bundle.Functions(), nil },
		Connectors: map[string]connectors.Connector{"generate": generate.Connector(), "file": file.Connector()},
		Formats:    map[string]codec.Format{"json": json.Format()},
	})
	if err != nil {
		return err
	}
	return jobs.New(jobs.Options{
		Plan:   resolved,
		Bundle: func(string) (udf.Bundle, error) { return e.bundle, nil },
		OpenStore: func() (state.Store, error) {
			return badgerdb.Open(badgerdb.Options{Dir: filepath.Join(dir, "state"), Profile: badgerdb.Small})
		},
		Log: slog.Default(),
	}).Run(e.ctx)
}

// windows compares sums of tumbling and of sliding windows, operators alone.
func windows(e *env) error {
	rows := 20_000_000
	if e.short {
		rows /= 20
	}
	var cpu [2][]float64
	var ratios []float64
	for round := range e.rounds {
		var took [2]float64
		for turn := range 2 {
			which := (round + turn) % 2
			size := []int64{30_000, 300_000}[which]
			c, err := e.sumWindows(size, 30_000, rows)
			if err != nil {
				return err
			}
			took[which] = c.cpu * 1e9 / float64(rows)
			cpu[which] = append(cpu[which], took[which])
		}
		ratios = append(ratios, took[1]/took[0])
	}
	t := newTable("Windows: key_by and a sum over 1,000 keys, 100 rows of each key in 30 s; processor time", "windows", "per row", "ratio", "target")
	t.add("tumbling, 30 s", nanos(median(cpu[0])))
	t.add("sliding, 5 min by 30 s", nanos(median(cpu[1])), fmt.Sprintf("%.2f", median(ratios)), "1.50")
	t.rows[1] = append(t.rows[1], "", "")
	t.print(e.out)
	return nil
}

// sumWindows runs key_by and a window over rows with times that go on, with a commit each five million rows, which are about a second's.
func (e *env) sumWindows(size, slide int64, rows int) (took cost, err error) {
	const keys, perKey, batch = 1000, 100, 8000
	in := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "v", Type: arrow.PrimitiveTypes.Int64}}, nil)
	set, err := aggregate.New(in, []aggregate.Spec{{Name: "sum", Func: "sum", Column: "v"}})
	if err != nil {
		return took, err
	}
	dir, err := os.MkdirTemp(e.dir, "windows-")
	if err != nil {
		return took, err
	}
	defer os.RemoveAll(dir)
	store, err := badgerdb.Open(badgerdb.Options{Dir: dir, Profile: badgerdb.Small})
	if err != nil {
		return took, err
	}
	defer store.Close()
	encoder, err := stream.NewKeyEncoder(in, []string{"k"})
	if err != nil {
		return took, err
	}
	ts := &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
	w := &operator.Window{Forward: stream.Forward{Next: drop{}}, Policy: operator.Policy{Node: "w", Policy: plan.Fail, Stats: &operator.Stats{}},
		Logic: panes.NewShared(panes.EventTime, size, slide, 0, 0), EventTime: true, Listed: size != slide, Aggregates: set, Gap: -1,
		Out: arrow.NewSchema([]arrow.Field{in.Field(0), {Name: "window_start", Type: ts}, {Name: "window_end", Type: ts}, set.Fields()[0]}, nil),
		Now: func() int64 { return 0 },
		State: operator.NewWindowState(operator.WindowStateOptions{Store: store, Operator: "w", Aggregates: set, From: 0,
			To: stream.DefaultPartitions, Limit: operator.DefaultStateCache}),
	}
	var changes []state.Change
	w.TakeChanges = func(epoch uint64, s operator.Stateful) { changes = s.Barrier(epoch) }
	if err := w.Open(e.ctx); err != nil {
		return took, err
	}
	defer w.Close()
	by := &operator.KeyBy{Forward: stream.Forward{Next: w}, Stats: &operator.Stats{}, Encoder: encoder, Partitions: stream.DefaultPartitions}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, in)
	defer builder.Release()
	for i := range batch {
		builder.Field(0).(*array.Int64Builder).Append(int64(i * 7919 % keys))
		builder.Field(1).(*array.Int64Builder).Append(int64(i))
	}
	rec := builder.NewRecord()
	defer rec.Release()
	times := make([]int64, batch)
	return spent(func() error {
		epoch := uint64(0)
		for n := 0; n < rows; n += batch {
			for i := range times {
				times[i] = int64(n+i) * slide / (keys * perKey)
			}
			if err := by.Batch(&stream.Batch{Record: rec, Times: times}); err != nil {
				return err
			}
			if n%(5*batch) == 0 {
				if err := w.Watermark(stream.Watermark(times[batch-1] - 1)); err != nil {
					return err
				}
			}
			if n%(625*batch) == 0 {
				epoch++
				if err := w.Barrier(epoch, false); err != nil {
					return err
				}
				if err := store.Commit(e.ctx, state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: changes}); err != nil {
					return err
				}
				w.State.Committed(epoch)
			}
		}
		return nil
	})
}

// timers sets timers and fires all of them in order, with a commit each 100,000, beside which it goes on as a job does.
func timers(e *env) error {
	n, keys, each := 1_000_000, 100_000, 100_000
	if e.short {
		n, keys, each = 100_000, 10_000, 10_000
	}
	var setting, firing [2][]float64 // on the clock, of the processor
	most := 0
	for range e.rounds {
		dir, err := os.MkdirTemp(e.dir, "timers-")
		if err != nil {
			return err
		}
		store, err := badgerdb.Open(badgerdb.Options{Dir: dir})
		if err != nil {
			return err
		}
		c := &committer{e: e, store: store, overlay: state.NewOverlay(store, 64<<20, 0, nil), done: make(chan error, 1)}
		c.done <- nil
		set := state.NewTimers(c.overlay, "op", state.EventTimers, 0, stream.DefaultPartitions, 0)
		key := make([]byte, 0, 16)
		took, err := spent(func() error {
			for i := range n {
				key = fmt.Appendf(key[:0], "key%07d", i%keys)
				if err := set.Set(state.Timer{Time: int64(i*7919%n) + 1, Partition: uint16(i % stream.DefaultPartitions), Key: key}); err != nil {
					return err
				}
				if i%each == each-1 {
					if err := c.commit(); err != nil {
						return err
					}
				}
			}
			return c.wait()
		})
		if err != nil {
			return err
		}
		setting[0], setting[1] = append(setting[0], float64(n)/took.wall), append(setting[1], took.cpu*1e9/float64(n))
		took, err = spent(func() error {
			for i := range n {
				t, ok, err := set.Due(math.MaxInt64)
				if err != nil || !ok || t.Time != int64(i)+1 {
					return errors.Join(err, fmt.Errorf("timer %d is %v", i, t))
				}
				if i%each == each-1 {
					if err := c.commit(); err != nil {
						return err
					}
				}
			}
			return c.wait()
		})
		if err != nil {
			return err
		}
		firing[0], firing[1] = append(firing[0], float64(n)/took.wall), append(firing[1], took.cpu*1e9/float64(n))
		most = max(most, c.most)
		if err := errors.Join(store.Close(), os.RemoveAll(dir)); err != nil {
			return err
		}
	}
	t := newTable(fmt.Sprintf("Timers: %d pending ones of %d keys, over Badger, durable each %d", n, keys, each),
		"", "on the clock", "target", "processor", "by two cores")
	for i, rates := range [][2][]float64{setting, firing} {
		cpu := median(rates[1])
		t.add([]string{"setting", "firing in order"}[i], thousand(median(rates[0])), thousand(200e3), nanos(cpu), thousand(2e9/cpu))
	}
	t.add("most memory of the timers", fmt.Sprintf("%.1f MB", float64(most)/1e6), "", "", "")
	t.print(e.out)
	return nil
}

// committer commits an overlay's epochs one at a time, while the caller goes on.
type committer struct {
	e       *env
	store   state.Store
	overlay *state.Overlay
	epoch   uint64
	done    chan error
	most    int
}

func (c *committer) commit() error {
	if err := <-c.done; err != nil {
		return err
	}
	c.epoch++
	c.most = max(c.most, c.overlay.Bytes())
	epoch := state.Commit{Marker: state.Marker{Epoch: c.epoch}, Changes: c.overlay.Barrier(c.epoch)}
	go func() {
		err := c.store.Commit(c.e.ctx, epoch)
		c.overlay.Committed(epoch.Epoch)
		c.done <- err
	}()
	return nil
}

func (c *committer) wait() error {
	err := <-c.done
	c.done <- nil
	return err
}

// updates compares updates of value state with a bare loop that reads, changes and writes the same keys in a store of the same settings.
func updates(e *env) error {
	keys, n := 10_000_000, 3_000_000
	if e.short {
		keys, n = 200_000, 200_000
	}
	base := filepath.Join(e.dir, "updates")
	bare, whole := filepath.Join(base, "bare"), filepath.Join(base, "state")
	defer os.RemoveAll(base)
	for _, dir := range []string{bare, whole} {
		if err := e.fill(dir, keys); err != nil {
			return err
		}
	}
	var took [2]struct{ wall, cpu []float64 }
	var ratios, processor []float64
	for round := range min(e.rounds, 3) {
		var costs [2]cost
		for turn := range 2 {
			which := (round + turn) % 2
			var err error
			if which == 0 {
				costs[0], err = e.bareUpdates(bare, keys, n, uint64(round))
			} else {
				costs[1], err = e.stateUpdates(whole, keys, n, uint64(round))
			}
			if err != nil {
				return err
			}
			took[which].wall = append(took[which].wall, float64(n)/costs[which].wall)
			took[which].cpu = append(took[which].cpu, costs[which].cpu*1e9/float64(n))
		}
		ratios, processor = append(ratios, costs[0].wall/costs[1].wall), append(processor, costs[0].cpu/costs[1].cpu)
	}
	t := newTable(fmt.Sprintf("Value state: %d updates of %d keys at random, 100 bytes each", n, keys), "", "on the clock", "ratio", "processor", "ratio", "target")
	t.add("bare loop on Badger", thousand(median(took[0].wall)), "", nanos(median(took[0].cpu)), "", "")
	t.add("value state", thousand(median(took[1].wall)), fmt.Sprintf("%.2f", median(ratios)), nanos(median(took[1].cpu)),
		fmt.Sprintf("%.2f", median(processor)), "0.50")
	t.print(e.out)
	return nil
}

// updateKey appends the stream's encoding of an int64 key's number.
func updateKey(dst []byte, i uint64) []byte { return binary.BigEndian.AppendUint64(dst, i) }

func partitionOf(key []byte) uint16 { return stream.Partition(key, stream.DefaultPartitions) }

// updateState is the state whose values are updated.
var updateState = []udf.StateDecl{{Name: "value", Type: "bytes"}}

// fill makes a store with all keys.
func (e *env) fill(dir string, keys int) error {
	store, err := badgerdb.Open(badgerdb.Options{Dir: dir})
	if err != nil {
		return err
	}
	var key []byte
	epoch := uint64(0)
	const each = 500_000
	for from := 0; from < keys; from += each {
		epoch++
		changes := make([]state.Change, 0, each)
		for i := from; i < min(keys, from+each); i++ {
			key = updateKey(key[:0], uint64(i))
			changes = append(changes, state.Change{Key: state.AppendKey(nil, partitionOf(key), "op", "value", key, nil), Value: make([]byte, 100)})
		}
		if err := store.Commit(e.ctx, state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: changes}); err != nil {
			return err
		}
	}
	return store.Close()
}

func (e *env) stateUpdates(dir string, keys, n int, seed uint64) (cost, error) {
	store, err := badgerdb.Open(badgerdb.Options{Dir: dir})
	if err != nil {
		return cost{}, err
	}
	defer store.Close()
	last, _, err := store.Last()
	if err != nil {
		return cost{}, err
	}
	full := false
	k := operator.NewKeyedState(store, "op", updateState, operator.DefaultStateCache, last.Epoch, func() { full = true })
	epoch := last.Epoch
	r := rand.New(rand.NewPCG(seed, 1))
	return spent(func() error {
		done := make(chan error, 1)
		done <- nil
		commit := func() error {
			if err := <-done; err != nil {
				return err
			}
			epoch++
			c := state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: k.Barrier(epoch)}
			go func() {
				err := store.Commit(e.ctx, c)
				k.Committed(c.Epoch)
				done <- err
			}()
			full = false
			return nil
		}
		value := make([]byte, 100)
		for at := 0; at < n; {
			batch := &stream.Keys{}
			seen := map[uint64]bool{}
			var slots []int32
			for range min(stream.MaxRows, n-at) {
				i := r.Uint64N(uint64(keys))
				if !seen[i] {
					seen[i] = true
					key := updateKey(nil, i)
					batch.Distinct, batch.Partitions = append(batch.Distinct, key), append(batch.Partitions, partitionOf(key))
				}
				slots = append(slots, int32(len(batch.Distinct)-1))
			}
			if err := k.Begin(batch); err != nil {
				return err
			}
			for _, slot := range slots {
				old, ok, err := k.Get(0, slot)
				if err != nil || !ok {
					return errors.Join(err, errors.New("a key is gone"))
				}
				copy(value, old)
				binary.LittleEndian.PutUint64(value, binary.LittleEndian.Uint64(value)+1)
				if err := k.Put(0, slot, value); err != nil {
					return err
				}
			}
			if at += len(slots); full {
				if err := commit(); err != nil {
					return err
				}
			}
		}
		if err := commit(); err != nil {
			return err
		}
		return <-done
	})
}

func (e *env) bareUpdates(dir string, keys, n int, seed uint64) (cost, error) {
	r := rand.New(rand.NewPCG(seed, 1))
	return spent(func() error {
		return badgerdb.Bare(badgerdb.Options{Dir: dir}, n, func(dst []byte, _ int) []byte {
			key := updateKey(nil, r.Uint64N(uint64(keys)))
			return state.AppendKey(dst, partitionOf(key), "op", "value", key, nil)
		}, func(value []byte) {
			binary.LittleEndian.PutUint64(value, binary.LittleEndian.Uint64(value)+1)
		})
	})
}
