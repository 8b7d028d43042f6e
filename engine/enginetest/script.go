package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	codecjson "github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// Variant is a way to run a script. What comes out is the same in all of them.
type Variant struct {
	// Parallelism is the number of tasks at the start, Restored the number behind a restore that does not say; 0: the same.
	Parallelism, Restored int
	// Batch is the most rows that an input hands on together; 0: all there are.
	Batch int
	// Crashes adds a checkpoint, a crash and a restore behind every step that has none of these.
	Crashes bool
	// StateCache is as in runtime.Options.
	StateCache int
	// Open opens the job's store, at each start after the one before was closed; nil keeps it in memory.
	Open func() (state.Store, error)
	// Bundles are the bundles that scripts name, by their paths.
	Bundles map[string]udf.Bundle
}

// Variants are the ways in which every script is run.
var Variants = map[string]Variant{
	"plain": {Parallelism: 1}, "row by row": {Parallelism: 1, Batch: 1}, "two tasks": {Parallelism: 2}, "restored at three": {Parallelism: 2, Restored: 3},
	"crashes": {Parallelism: 1, Crashes: true}, "crashes, at three": {Parallelism: 2, Restored: 3, Crashes: true, Batch: 2},
	"little memory": {Parallelism: 2, StateCache: 1},
}

// Run runs a script. It is a pipeline, whose connectors are `script: {splits: N}` and `script`, a line `---`, and steps:
//
//	feed [INPUT/]SPLIT      rows as JSON in the lines that follow, which begin with a blank
//	watermark N             no row at or before the time N (ms) is to come in any split; `watermark N 1`: in split 1
//	clock N                 processing time is N ms
//	checkpoint              an epoch ends and is committed
//	crash                   the job stops at once; what is not committed is lost
//	restore [N]             it starts again, with N tasks
//	end                     the inputs end
//	expect [OUTPUT]         the rows that came out since the last expect, in any order, in the lines that follow
//	late N                  how many rows were late in this run of the job
//
// Blank lines and lines that begin with # mean nothing. Split 0 of the only input need not be named.
func Run(ctx context.Context, script string, v Variant) error {
	_, err := play(ctx, script, v)
	return err
}

// Outputs runs a script and returns all that came out, by output, sorted.
func Outputs(ctx context.Context, script string, v Variant) (map[string][]string, error) {
	w, err := play(ctx, script, v)
	if err != nil {
		return nil, err
	}
	all := make(map[string][]string)
	for node := range w.outputs {
		all[node] = w.lines(node)
	}
	return all, nil
}

func play(ctx context.Context, script string, v Variant) (*world, error) {
	head, body, ok := strings.Cut(script, "\n---\n")
	if !ok {
		return nil, errors.New("a script has a pipeline, a line `---`, and steps")
	}
	r := &run{ctx: ctx, yaml: head, variant: v, world: newWorld(), seen: make(map[string][]string)}
	r.world.batch = v.Batch
	if r.open = v.Open; r.open == nil {
		store := memstate.New()
		r.open = func() (state.Store, error) {
			store = store.Reopen()
			return store, nil
		}
	}
	defer r.stop()
	if err := r.start(max(v.Parallelism, 1)); err != nil {
		return nil, err
	}
	steps := parse(body)
	for i, s := range steps {
		if err := r.step(s); err != nil {
			return nil, fmt.Errorf("step %d, `%s`: %w", i+1, s.words, err)
		}
		if v.Crashes && s.words[0] != "end" && !r.ended {
			next := ""
			if i+1 < len(steps) {
				next = steps[i+1].words[0]
			}
			if r.job == nil || next == "late" {
				continue
			}
			for _, more := range []string{"checkpoint", "crash", "restore"} {
				if err := r.step(step{words: []string{more}}); err != nil {
					return nil, fmt.Errorf("behind step %d, `%s`: %w", i+1, s.words, err)
				}
			}
		}
	}
	return r.world, nil
}

// step is a line and the indented ones behind it.
type step struct {
	words []string
	lines []string
}

func parse(body string) []step {
	var steps []step
	for _, line := range strings.Split(body, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if len(steps) > 0 {
				s := &steps[len(steps)-1]
				s.lines = append(s.lines, trimmed)
			}
		default:
			steps = append(steps, step{words: strings.Fields(trimmed)})
		}
	}
	return steps
}

type run struct {
	ctx     context.Context
	yaml    string
	variant Variant
	world   *world
	open    func() (state.Store, error)
	plan    *plan.Plan
	job     *runtime.Job
	cancel  context.CancelCauseFunc
	done    chan error
	seen    map[string][]string // by output: what was expected already
	ended   bool
}

var errCrash = errors.New("the script has the job crash")

// start starts the job with a number of tasks.
func (r *run) start(parallelism int) error {
	p, err := pipeline.Parse("script.yaml", []byte(r.yaml), func(string) (string, bool) { return "", false })
	if err != nil {
		return err
	}
	p.Parallelism, p.Epoch, p.Restart.Attempts = parallelism, plan.Duration(time.Hour), 1
	r.plan = p
	resolved, err := plan.Resolve(r.ctx, p, plan.Env{
		Connectors: map[string]connectors.Connector{"script": r.world.connector()},
		Formats:    map[string]codec.Format{"json": codecjson.Format()},
		Functions: func(_ context.Context, path string) ([]udf.Signature, error) {
			b, err := r.bundle(path)
			if err != nil {
				return nil, err
			}
			return b.Functions(), nil
		},
	})
	if err != nil {
		return err
	}
	store, err := r.open()
	if err != nil {
		return err
	}
	last, _, err := store.Last()
	if err != nil {
		return err
	}
	if err := r.world.cut(last.Positions); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(r.ctx)
	r.cancel, r.done = cancel, make(chan error, 1)
	r.job = runtime.New(runtime.Options{Plan: resolved, Clock: r.world, StateCache: r.variant.StateCache, Bundle: r.bundle,
		OpenStore: func() (state.Store, error) { return store, nil }})
	job, done := r.job, r.done
	go func() { done <- job.Run(ctx) }()
	return r.settle()
}

// bundle returns the bundle of a path.
func (r *run) bundle(path string) (udf.Bundle, error) {
	if b := r.variant.Bundles[path]; b != nil {
		return b, nil
	}
	return nil, fmt.Errorf("the script has no bundle %s", path)
}

// stop ends the job without a commit.
func (r *run) stop() {
	if r.job == nil {
		return
	}
	r.cancel(errCrash)
	if !r.ended {
		<-r.done
	}
	r.job = nil
}

// settle waits until the job has dealt with all that it was given.
func (r *run) settle() error {
	return r.await(func() bool { return r.job.Settled() && r.world.drained() && r.job.Settled() })
}

// await looks until something is so, or the job ends.
func (r *run) await(is func() bool) error {
	for calm, polls := 0, 0; ; polls++ {
		if is() {
			if calm++; calm == 2 {
				return nil
			}
		} else {
			calm = 0
		}
		select {
		case err := <-r.done:
			r.done <- err
			return orEnded(err)
		default:
		}
		if polls < 1000 {
			goruntime.Gosched() // most often it is a matter of microseconds
		} else {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

func orEnded(err error) error {
	if err == nil {
		return errors.New("the job ended")
	}
	return err
}

func (r *run) step(s step) error {
	if r.job == nil && s.words[0] != "restore" && s.words[0] != "expect" {
		return errors.New("the job has crashed")
	}
	arg := func(n, standard int) (int, error) {
		if len(s.words) <= n {
			return standard, nil
		}
		return strconv.Atoi(s.words[n])
	}
	switch s.words[0] {
	case "feed":
		return r.feed(s)
	case "watermark":
		at, err := arg(1, 0)
		if err != nil {
			return err
		}
		only, err := arg(2, -1)
		if err != nil {
			return err
		}
		return r.watermark(int64(at), only)
	case "clock":
		at, err := arg(1, 0)
		if err != nil {
			return err
		}
		r.world.advance(time.UnixMilli(int64(at)))
		return r.settle()
	case "checkpoint":
		// Twice: an epoch that little memory asked for may be under way, which began before.
		for range 2 {
			before := r.job.Epochs().Commits.Load()
			r.job.Commit()
			if err := r.await(func() bool { return r.job.Epochs().Commits.Load() > before }); err != nil {
				return err
			}
		}
		return nil
	case "crash":
		r.stop()
		return nil
	case "restore":
		standard := r.variant.Restored
		if standard == 0 {
			standard = max(r.variant.Parallelism, 1)
		}
		n, err := arg(1, standard)
		if err != nil {
			return err
		}
		r.stop()
		return r.start(n)
	case "end":
		r.world.end()
		err := <-r.done
		r.ended = true
		return err
	case "expect":
		return r.expect(s)
	case "late":
		want, err := arg(1, 0)
		if err != nil {
			return err
		}
		late := uint64(0)
		for _, st := range r.job.Stats() {
			late += st.Late.Load()
		}
		if late != uint64(want) && !r.variant.Crashes {
			return fmt.Errorf("%d rows were late", late)
		}
		return nil
	}
	return errors.New("there is no such step")
}

// inputs returns the ids of the inputs.
func (r *run) inputs() []string {
	var ids []string
	for _, n := range r.plan.Nodes {
		if n.Source != nil {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

func (r *run) feed(s step) error {
	node, split := r.inputs()[0], "0"
	if len(s.words) > 1 {
		split = s.words[1]
		if before, after, named := strings.Cut(split, "/"); named {
			node, split = before, after
		}
	}
	n, err := strconv.Atoi(split)
	if err != nil {
		return err
	}
	var entries []entry
	for _, line := range s.lines {
		entries = append(entries, entry{row: []byte(line)})
	}
	if err := r.world.feed(node, n, entries...); err != nil {
		return err
	}
	return r.settle()
}

func (r *run) watermark(at int64, only int) error {
	for _, node := range r.inputs() {
		for n := range r.world.splits[node] {
			if only >= 0 && n != only {
				continue
			}
			if err := r.world.feed(node, n, entry{watermark: at}); err != nil {
				return err
			}
		}
	}
	return r.settle()
}

// expect compares what came out since the last time.
func (r *run) expect(s step) error {
	node := ""
	for _, n := range r.plan.Nodes {
		if n.Sink != nil && node == "" || len(s.words) > 1 && n.ID == s.words[1] {
			node = n.ID
		}
	}
	if len(s.words) > 1 && node != s.words[1] {
		return fmt.Errorf("there is no output %s", s.words[1])
	}
	all := r.world.lines(node)
	fresh, missing := without(all, r.seen[node])
	if len(missing) > 0 {
		return fmt.Errorf("lines are gone that had come out:\n%s", strings.Join(missing, "\n"))
	}
	want := make([]string, len(s.lines))
	for i, line := range s.lines {
		var err error
		if want[i], err = canonical(line); err != nil {
			return err
		}
	}
	got := make([]string, len(fresh))
	for i, line := range fresh {
		var err error
		if got[i], err = canonical(line); err != nil {
			return err
		}
	}
	more, less := without(got, want)
	if len(more)+len(less) > 0 {
		return fmt.Errorf("came out but was not expected:\n  %s\nexpected but did not come out:\n  %s", strings.Join(more, "\n  "), strings.Join(less, "\n  "))
	}
	r.seen[node] = all
	return nil
}

// without returns the lines of a that are not in b, and those of b that are not in a, each as often as it is.
func without(a, b []string) (more, less []string) {
	count := make(map[string]int)
	for _, line := range a {
		count[line]++
	}
	for _, line := range b {
		count[line]--
	}
	for _, line := range slices.Sorted(maps.Keys(count)) {
		for range count[line] {
			more = append(more, line)
		}
		for range -count[line] {
			less = append(less, line)
		}
	}
	return more, less
}

// canonical returns a line of JSON with its members in order.
func canonical(line string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(line), &v); err != nil {
		return "", fmt.Errorf("%s: %w", line, err)
	}
	b, err := json.Marshal(v)
	return string(b), err
}
