package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/wasmtext"
	"github.com/wasmill/wasmill/wasmhost"
)

const (
	// deadline is what bombs are given, stops how often each is stopped.
	deadline = 200 * time.Millisecond
	stops    = 12
	// quiet is how long the neighbour is watched alone.
	quiet = 5 * time.Second
)

// neighbour runs every bomb of admission's corpus beside a guest that behaves, and measures both.
func neighbour(e *env) error {
	host, err := wasmhost.New(wasmhost.Options{})
	if err != nil {
		return err
	}
	defer host.Close(context.WithoutCancel(e.ctx))
	refused, err := bombs("refused")
	if err != nil {
		return err
	}
	stopped, err := bombs("stopped")
	if err != nil {
		return err
	}
	t := newTable("Neighbour: calls of a C function (gcd of 1,024 rows) beside bombs, one core each", "beside", "calls", "p50", "p99", "most", "GCs", "stall p99", "most")
	row := func(what string, f func() error) error {
		w, err := e.watch(f)
		if err == nil {
			t.add(append([]string{what}, w.cells()...)...)
		}
		return err
	}
	if err := row("nothing", func() error { return sleep(e.ctx, quiet) }); err != nil {
		return err
	}
	if err := row("modules that are refused", func() error { return load(e.ctx, host, refused) }); err != nil {
		return err
	}
	var over overruns
	if err := row("guests that are stopped", func() error { return over.stop(e.ctx, host, stopped) }); err != nil {
		return err
	}
	if err := row("nothing, again", func() error { return sleep(e.ctx, quiet) }); err != nil {
		return err
	}
	t.print(e.out)
	over.print(e)
	return nil
}

func bombs(folder string) (map[string]wasmtext.Source, error) {
	paths, err := filepath.Glob(filepath.Join("wasmhost/admit/testdata", folder, "*.txt"))
	if err != nil || len(paths) == 0 {
		return nil, errors.New("there are no bombs here (run it in the repository's root)")
	}
	sources := map[string]wasmtext.Source{}
	for _, path := range paths {
		s, err := wasmtext.Read(path)
		if err != nil {
			return nil, err
		}
		sources[strings.TrimSuffix(filepath.Base(path), ".txt")] = s
	}
	return sources, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// load has modules refused for as long as the neighbour is watched alone.
func load(ctx context.Context, host *wasmhost.Host, modules map[string]wasmtext.Source) error {
	for end := time.Now().Add(quiet); time.Now().Before(end); {
		for name, s := range modules {
			if b, err := host.Load(ctx, name, s.Module); err == nil {
				return errors.Join(fmt.Errorf("%s was loaded", name), b.Close(ctx))
			}
			if p, err := host.Probe(ctx, s.Module); err == nil {
				return errors.Join(fmt.Errorf("%s was admitted", name), p.Close(ctx))
			}
		}
	}
	return ctx.Err()
}

// watched is what a neighbour did.
type watched struct {
	took   time.Duration
	calls  []float64 // each in nanoseconds
	stalls []float64 // how long the garbage collector waited for all to stop, in seconds: upper ends of buckets
}

// watch calls the neighbour's function without a pause, and the garbage collector every 20 ms, while f runs.
func (e *env) watch(f func() error) (*watched, error) {
	guest, err := e.bundle.Instantiate(e.ctx, udf.Options{})
	if err != nil {
		return nil, err
	}
	defer guest.Close(e.ctx)
	if err := guest.Arena().Reserve(64 << 10); err != nil {
		return nil, err
	}
	rec := pairs(guest.Arena(), 1024)
	defer rec.Release()
	call, err := caller(e, guest, "gcd", udf.Scalar, rec)
	if err != nil {
		return nil, err
	}
	w := &watched{calls: make([]float64, 0, 1<<20)}
	before := stalls()
	done, collected := make(chan error, 1), make(chan struct{})
	start := time.Now()
	go func() { done <- f() }()
	over := make(chan struct{})
	go func() {
		defer close(collected)
		for {
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
				runtime.GC()
			}
		}
	}()
	for running := true; running; {
		select {
		case err = <-done:
			running = false
		default:
			began := time.Now()
			if err := call(); err != nil {
				return nil, err
			}
			w.calls = append(w.calls, float64(time.Since(began)))
		}
	}
	w.took = time.Since(start)
	close(over)
	<-collected
	w.stalls = between(before, stalls())
	slices.Sort(w.calls)
	return w, err
}

func (w *watched) cells() []string {
	rate := float64(len(w.calls)) / w.took.Seconds()
	return []string{
		thousand(rate), nanos(at(w.calls, 0.5)), nanos(at(w.calls, 0.99)), nanos(at(w.calls, 1)),
		fmt.Sprint(len(w.stalls)), nanos(1e9 * at(w.stalls, 0.99)), nanos(1e9 * at(w.stalls, 1)),
	}
}

// at returns a quantile of sorted values.
func at(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// stalls reads how long the garbage collector has waited for goroutines to stop.
func stalls() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(s)
	h := s[0].Value.Float64Histogram()
	return &metrics.Float64Histogram{Counts: slices.Clone(h.Counts), Buckets: h.Buckets}
}

// between returns what came between two readings.
func between(a, b *metrics.Float64Histogram) []float64 {
	var out []float64
	for i := range b.Counts {
		for range b.Counts[i] - a.Counts[i] {
			if end := b.Buckets[i+1]; !math.IsInf(end, 1) {
				out = append(out, end)
			} else {
				out = append(out, b.Buckets[i])
			}
		}
	}
	return out
}

// overruns is how much longer than its deadline each bomb ran, in nanoseconds.
type overruns struct {
	names []string
	each  map[string][]float64
}

// stop runs each bomb again and again. Those that trap of themselves run once each time, and are not counted.
func (o *overruns) stop(ctx context.Context, host *wasmhost.Host, modules map[string]wasmtext.Source) error {
	o.each = map[string][]float64{}
	probes := map[string]*wasmhost.Probe{}
	for name, s := range modules {
		p, err := host.Probe(ctx, s.Module)
		if err != nil {
			return err
		}
		defer p.Close(context.WithoutCancel(ctx))
		probes[name] = p
		o.names = append(o.names, name)
	}
	slices.Sort(o.names)
	o.names = append(o.names, control)
	for range stops {
		o.each[control] = append(o.each[control], float64(spin(deadline)-deadline))
		for _, name := range o.names[:len(o.names)-1] {
			took, _, err := probes[name].Run(ctx, "f", deadline)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil || fault.CodeOf(err) != fault.Limit && !strings.HasPrefix(modules[name].Expect, "trap ") {
				return fmt.Errorf("%s was not stopped: %v", name, err)
			}
			if !strings.HasPrefix(modules[name].Expect, "trap ") {
				o.each[name] = append(o.each[name], float64(took-deadline))
			}
		}
	}
	return nil
}

// control is what the machine adds on its own: a loop in Go that looks at the clock every millisecond or so.
const control = "(Go, by the clock)"

func spin(d time.Duration) time.Duration {
	start, x := time.Now(), uint64(1)
	for time.Since(start) < d {
		for range 1_000_000 {
			x = x*6364136223846793005 + 1
		}
	}
	runtime.KeepAlive(x)
	return time.Since(start)
}

func (o *overruns) print(e *env) {
	t := newTable(fmt.Sprintf("Overrun of a deadline of %v, beside the neighbour", deadline), "bomb", "stops", "median", "p99", "most", "target p99")
	var all []float64
	for _, name := range o.names {
		if values := o.each[name]; len(values) > 0 {
			slices.Sort(values)
			t.add(name, fmt.Sprint(len(values)), nanos(at(values, 0.5)), nanos(at(values, 0.99)), nanos(at(values, 1)), "")
			if name != control {
				all = append(all, values...)
			}
		}
	}
	slices.Sort(all)
	t.add("all", fmt.Sprint(len(all)), nanos(at(all, 0.5)), nanos(at(all, 0.99)), nanos(at(all, 1)), "20 ms")
	t.print(e.out)
}
