package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
)

// Options of a job.
type Options struct {
	// Bundle makes the guests: clones of the interpreter that waits in execute(). The caller closes it.
	Bundle udf.Bundle
	// Guest holds the limits of each.
	Guest udf.Options
	// Store keeps state, empty for a new job. The caller closes it.
	Store state.Store
	// Durable says that the store outlives the run: a job goes on from its last commit, if [Plan.Durable] allows it.
	Durable bool
	// AllowDropped lets a job begin without state that is stored of operators which it does not have; that state is removed.
	AllowDropped bool
	// Script names what the script is made of; a job that ended is not run again by the same script.
	Script string
	// Cache is how many bytes of state a subtask holds as live objects, about; 0: a quarter of its memory. The rest lies in the store.
	Cache uint64
	// Connectors and Formats are what sources and sinks are made of.
	Connectors map[string]connectors.Connector
	Formats    map[string]codec.Format
	// Name is the job's name for durable consumers and the like: letters, digits, "-" and "_".
	Name string
	// Dir is what relative paths are relative to.
	Dir string
	// Stdout takes what is printed.
	Stdout io.Writer
	Log    *slog.Logger
}

// cacheShare is the part of a guest's memory that live state may take there; the rest is the interpreter's, the script's and that of what is in hand.
const cacheShare = 4

// defaultMemory is the limit of a guest's memory where nothing is said.
const defaultMemory = 256 << 20

func (o *Options) cache() uint64 {
	if o.Cache > 0 {
		return o.Cache
	}
	memory := o.Guest.MaxMemory
	if memory == 0 {
		memory = defaultMemory
	}
	return memory / cacheShare
}

// result is the answer to the script.
type result struct {
	RuntimeMS int64               `json:"runtime_ms"`
	Collected map[string][]string `json:"collected,omitempty"`
	Error     string              `json:"error,omitempty"`
}

// attempt is one run of a job, from its start or its last commit.
type attempt struct {
	options    Options
	plan       *Plan
	number     int
	resumes    bool
	keeps      bool // state is handed over at barriers, since the job may start again from a commit
	last       state.Marker
	started    time.Time
	ctx        context.Context
	commits    *commits
	sources    []*source
	subtasks   []*subtask
	collectors map[int]*collector
	rolls      []*rolling
	groups     map[string]*group   // of sources that wait for each other
	kept       map[string][]string // hidden files that attempts before left, by the sink's position: a commit may know of them
	rows       atomic.Uint64       // elements that were read or sent, and files that were read whole, so that an idle job does not commit
	output     sync.Mutex          // of standard output
}

// Run runs the job of a plan until its sources have ended, stop is closed, which drains it, or the context ends. It returns the answer for the
// script: results, or what went wrong there. The error is that of the last attempt, nil when the job ended well.
func Run(ctx context.Context, text []byte, o Options, stop <-chan struct{}) (answer []byte, err error) {
	start := time.Now()
	r := result{}
	var collected map[int]*collector
	plan, err := Parse(text)
	if err == nil {
		collected, err = attempts(ctx, plan, o, stop)
	}
	r.RuntimeMS = time.Since(start).Milliseconds()
	if err != nil {
		r.Error = explain(err)
	} else {
		r.Collected = map[string][]string{}
		for number, c := range collected {
			r.Collected[fmt.Sprint(number)] = c.texts()
		}
	}
	answer, e := json.Marshal(r)
	if e != nil {
		return nil, fault.New(fault.Internal, "the answer to the script: %v", e)
	}
	return answer, err
}

// explain writes an error for the script: the fault, and what the guest said of it.
func explain(err error) string {
	f := fault.From(err)
	if f.Detail == "" {
		return f.Error()
	}
	return f.Error() + "\n" + f.Detail
}

func attempts(ctx context.Context, plan *Plan, o Options, stop <-chan struct{}) (map[int]*collector, error) {
	tries, delay := 1, time.Second
	if plan.Restart != nil {
		tries, delay = max(1, plan.Restart.Attempts), time.Duration(plan.Restart.DelayMS)*time.Millisecond
	}
	started, collectors, kept := time.Now(), map[int]*collector{}, map[string][]string{}
	for number := 0; ; number++ {
		a := &attempt{options: o, plan: plan, number: number, keeps: plan.resumable() || o.Durable, started: started, collectors: collectors, kept: kept}
		err := a.run(ctx, stop)
		if err == nil || ctx.Err() != nil || number+1 >= tries {
			return a.collectors, err
		}
		o.Log.Error("job failed, starting again from the last commit", "error", err, "wait", delay.String(), "failures", number+1)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-stop:
			return nil, err
		}
	}
}

// run runs the job once.
func (a *attempt) run(ctx context.Context, stop <-chan struct{}) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a.ctx = ctx
	var err error
	if a.last, a.resumes, err = a.options.Store.Last(); err != nil {
		return err
	}
	if a.resumes {
		if err = a.goOn(ctx); err != nil {
			return err
		}
	}
	enough := make(chan struct{})
	var once sync.Once
	for i := range a.plan.Sinks {
		if s := &a.plan.Sinks[i]; s.Kind == "collect" {
			if a.collectors[s.Number] == nil {
				a.collectors[s.Number] = &collector{limit: s.Limit}
			}
			a.collectors[s.Number].begin(a.last.Epoch, func() { once.Do(func() { close(enough) }) })
		}
	}
	if err := a.build(ctx); err != nil {
		for _, w := range a.rolls {
			w.close()
		}
		return err
	}
	ending := make(chan struct{})
	go func() {
		select {
		case <-stop:
		case <-enough:
		case <-ctx.Done():
			return
		}
		close(ending)
	}()
	var wg sync.WaitGroup
	var first error
	var failed sync.Once
	run := func(what string, f func(context.Context) error) {
		wg.Go(func() {
			if err := guard(what, func() error { return f(ctx) }); err != nil {
				failed.Do(func() { first = err })
				cancel(err)
			}
		})
	}
	for _, s := range a.sources {
		run(s.name(), s.run)
	}
	for _, s := range a.subtasks {
		run(s.name(), s.run)
	}
	run("the commits", func(ctx context.Context) error { return a.commits.run(ctx, ending) })
	wg.Wait()
	for _, s := range a.subtasks {
		for _, r := range s.routes {
			if r.sink == nil {
				continue
			}
			if err := r.sink.close(); err != nil && first == nil {
				first = fault.From(err).In("%s", s.name())
			}
		}
	}
	if first != nil && errors.Is(first, context.Canceled) {
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

// build makes sources, subtasks and what joins them.
func (a *attempt) build(ctx context.Context) error {
	a.commits = &commits{job: a, interval: a.plan.interval(), ended: make(chan struct{}, 1), early: make(chan struct{}, 1)}
	byTask := make([][]*subtask, len(a.plan.Tasks))
	for t := range a.plan.Tasks {
		task := &a.plan.Tasks[t]
		for i := range task.Parallelism {
			s := &subtask{job: a, task: task, index: i, ready: make(chan struct{}, 1), routes: make([]route, task.Outputs), ports: make([]port, task.Inputs),
				epoch: a.last.Epoch + 1}
			for p := range s.ports {
				s.ports[p].watermark = math.MinInt64
			}
			s.keeper = newKeeper(s)
			byTask[t] = append(byTask[t], s)
			a.subtasks = append(a.subtasks, s)
		}
	}
	join := func(to *subtask, port int) *feed {
		f := &feed{port: int32(port), elements: make(chan element, feedLength), ready: to.ready, watermark: math.MinInt64}
		to.feeds = append(to.feeds, f)
		return f
	}
	for _, e := range a.plan.Edges {
		for _, from := range byTask[e.From] {
			for _, to := range byTask[e.To] {
				from.routes[e.Output].feeds = append(from.routes[e.Output].feeds, join(to, e.Port))
			}
		}
	}
	for i := range a.plan.Sinks {
		spec := &a.plan.Sinks[i]
		for _, s := range byTask[spec.From] {
			w, err := a.openSink(ctx, spec, s.index)
			if err != nil {
				return err
			}
			s.routes[spec.Output].sink = w
		}
	}
	for i := range a.plan.Sources {
		spec := &a.plan.Sources[i]
		var feeds []*feed
		for _, to := range byTask[spec.To] {
			feeds = append(feeds, join(to, spec.Port))
		}
		sources, err := a.openSources(ctx, spec, feeds)
		if err != nil {
			closeReaders(a.sources)
			return err
		}
		a.sources = append(a.sources, sources...)
		a.align(spec, sources, byTask[spec.To])
	}
	a.commits.parts, a.commits.live = len(a.sources)+len(a.subtasks), len(a.sources)
	return nil
}

// overdue says that a file waits for a commit to end it.
func (a *attempt) overdue(now time.Time) bool {
	return slices.ContainsFunc(a.rolls, func(w *rolling) bool { return w.late(now) })
}

func (a *attempt) positionKey(uid, part string) string { return uid + "/" + part }
