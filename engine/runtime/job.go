// Package runtime runs a resolved plan: tasks joined by edges, epochs that commit what they did, and restarts.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
)

// Options of a job.
type Options struct {
	// Plan is what to run.
	Plan *plan.Resolved
	// Bundle returns a loaded bundle by the path in the plan. The caller closes bundles after the job has ended.
	Bundle func(path string) (udf.Bundle, error)
	// OpenStore opens the job's store. It is called at every start, after the store of an earlier one was closed.
	OpenStore func() (state.Store, error)
	// StateCache is how many bytes of state each keyed operator keeps in memory; 0 means operator.DefaultStateCache.
	StateCache int
	// Clock is processing time; nil means the computer's.
	Clock Clock
	// Log receives what an operator of the job should know; nil discards it.
	Log *slog.Logger
	// GuestLog receives what guests log and print; nil discards it.
	GuestLog func(node string, level int, line string)
}

// Job is one run of a plan.
type Job struct {
	options Options
	stop    chan struct{}
	stopped sync.Once
	epochs  EpochStats
	retries atomic.Uint64
	ended   atomic.Bool
	current atomic.Pointer[attempt]

	counters counters
}

// New returns a job that has not started.
func New(options Options) *Job {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Clock == nil {
		options.Clock = wallClock{}
	}
	if options.StateCache == 0 {
		options.StateCache = operator.DefaultStateCache
	}
	return &Job{options: options, stop: make(chan struct{}, 1)}
}

// Stop asks the job to drain: sources stop, what they have read is processed, written and committed, and Run returns nil.
func (j *Job) Stop() { j.stopped.Do(func() { close(j.stop) }) }

// Stats returns the counters of the operators in the plan's order, and nil before the job runs. Counters start anew when
// the job restarts.
func (j *Job) Stats() []*operator.Stats {
	if a := j.current.Load(); a != nil {
		return a.stats
	}
	return nil
}

// Epochs returns the counters of commits.
func (j *Job) Epochs() *EpochStats { return &j.epochs }

// Commit asks for the end of the epoch before its time. Epochs tells when it has come.
func (j *Job) Commit() {
	if a := j.current.Load(); a != nil {
		poke(a.epochs.full)
	}
}

// Settled reports whether nothing is under way between tasks, and all timers that are due by the clock have fired. What sources
// have not handed on yet is not known here. Tests of jobs that wait for their input use it.
func (j *Job) Settled() bool {
	a := j.current.Load()
	if a == nil {
		return false
	}
	now := j.options.Clock.Now().UnixMilli()
	for _, t := range a.timed {
		if len(t.operators) > 0 && t.seen.Load() != now {
			return false
		}
	}
	for _, s := range a.epochs.sources {
		if s.due.Load() {
			return false
		}
	}
	return a.moving.Load() == 0
}

// Ended reports whether all of the job's inputs came to their end, and all that they held is committed.
func (j *Job) Ended() bool { return j.ended.Load() }

// Restarts returns how often the job was started again.
func (j *Job) Restarts() uint64 { return j.retries.Load() }

// Progress returns bytes read and bytes in all of the sources that know; all is 0 when one does not.
func (j *Job) Progress() (read, all int64) {
	a := j.current.Load()
	if a == nil {
		return 0, 0
	}
	known := true
	for _, r := range a.readers {
		sized, ok := r.(connectors.Sized)
		if !ok {
			return 0, 0
		}
		n, of := sized.Progress()
		read, all, known = read+n, all+of, known && of > 0
	}
	if !known {
		all = 0
	}
	return read, all
}

const (
	defaultEpoch    = time.Second
	defaultAttempts = 10
	defaultDelay    = 500 * time.Millisecond
	defaultMaxDelay = 30 * time.Second
	// A start that went well for this long is a new beginning for the back-off.
	stable = time.Minute
)

// Run runs the job until all sources have ended, Stop, or the context's end, which stops it at once and returns its cause.
// A failure that another try may mend starts the job again from its last commit, after a wait that doubles.
func (j *Job) Run(ctx context.Context) error {
	policy := j.options.Plan.Plan.Restart
	attempts := orElse(policy.Attempts, defaultAttempts)
	delay := orElse(time.Duration(policy.Delay), defaultDelay)
	most := orElse(time.Duration(policy.MaxDelay), defaultMaxDelay)
	failures, wait := 0, delay
	for {
		start := time.Now()
		err := j.attempt(ctx)
		if err == nil {
			j.ended.Store(j.current.Load().epochs.through())
		}
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx) // whatever the tasks made of it
		}
		if err == nil || !mendable(err) || j.current.Load() == nil {
			// A job that never came to run is not started again: whoever starts it should see why, and sources and sinks
			// have already waited for servers that were not there.
			return err
		}
		if time.Since(start) >= stable {
			failures, wait = 0, delay
		}
		if failures++; attempts >= 0 && failures >= attempts {
			f := *fault.From(err)
			if f.Hint == "" {
				f.Hint = fmt.Sprintf("gave up after %d attempts; restart.attempts in the pipeline sets how many", failures)
			}
			return &f
		}
		j.retries.Add(1)
		j.options.Log.Error("job failed, starting again from the last commit", "error", err, "wait", wait.String(), "failures", failures)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-j.stop:
			return err // nothing runs that could be drained
		}
		wait = min(2*wait, most)
	}
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// mendable tells failures of the surroundings from those that would come again: of user code and data under the policy
// fail, and of the plan.
func mendable(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Connect, fault.Internal:
		return true
	}
	return false
}

// attempt runs the job once.
func (j *Job) attempt(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &attempt{job: j, plan: j.options.Plan}
	defer a.close()
	if err := a.build(ctx); err != nil {
		return err
	}
	j.current.Store(a)

	var wg sync.WaitGroup
	var once sync.Once
	var first error
	run := func(what string, f func(context.Context) error) {
		wg.Go(func() {
			err := guard(what, func() error { return f(ctx) })
			if err != nil {
				once.Do(func() { first = err })
				cancel(err)
			}
		})
	}
	for _, t := range a.tasks {
		run(t.name, t.run)
	}
	run("the epochs' commits", a.epochs.run)
	wg.Wait()
	if first != nil && errors.Is(first, context.Canceled) && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return first
}

// guard turns a panic, which is a mistake of wasmill's, into a fault: one job must not take down the others.
func guard(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Internal, "panic: %v", p).At("%s", what).WithDetail(string(debug.Stack())).
				WithHint("this is a mistake in wasmill, please report it")
		}
	}()
	return f()
}
