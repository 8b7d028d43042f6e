// Command bench prints the tables of docs/benchmarks.md, which says what each figure means. It runs in the repository's root:
//
//	go run ./bench                    all tables
//	go run ./bench -only latency,loop some of them
//
// Every figure is the median of several rounds, and things that are compared take turns within one run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
)

// env is what the tables' programs share.
type env struct {
	ctx    context.Context
	out    io.Writer
	dir    string // scratch, removed at the end
	rounds int
	events int           // of a round of latency
	idle   time.Duration // before memory is looked at
	short  bool          // less of what takes long
	bundle udf.Bundle    // bench.c
}

// tables lists all tables in the order in which they are printed.
var tables = []struct {
	name  string
	print func(*env) error
}{
	{"boundary", boundary},
	{"json", ndjson},
	{"state", keyedState},
	{"keyed/words", wordCount},
	{"keyed/windows", windows},
	{"keyed/timers", timers},
	{"keyed/values", updates},
	{"loop", loop},
	{"arrow", arrowLoop},
	{"latency", latency},
	{"start", start},
	{"fuel", fuel},
	{"neighbour", neighbour},
	{"python", inPython},
	{"script", scripts},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	e := &env{ctx: ctx, out: os.Stdout}
	var names []string
	for _, t := range tables {
		names = append(names, t.name)
	}
	only := flag.String("only", "", "tables to print, separated by commas, of "+strings.Join(names, ", ")+"; keyed stands for all of its kind")
	flag.IntVar(&e.rounds, "rounds", 5, "rounds, of which the median is printed")
	flag.IntVar(&e.events, "events", 5000, "events of each round of the table latency, a thousand a second")
	flag.DurationVar(&e.idle, "idle", 10*time.Second, "how long the started command idles before its memory is looked at")
	flag.BoolVar(&e.short, "short", false, "the table keyed with fewer rows, keys and timers")
	verbose := flag.Bool("v", false, "show what jobs log")
	profile := flag.String("cpuprofile", "", "write a CPU profile to this file")
	flag.Parse()
	if *verbose {
		slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	} else {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	err := profiled(*profile, func() error { return e.run(*only) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled runs f and, where a file is named, writes its CPU profile there.
func profiled(file string, f func() error) error {
	if file == "" {
		return f()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}

func (e *env) run(only string) error {
	var err error
	if e.dir, err = os.MkdirTemp("", "wasmill-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(e.dir)
	host, err := wasmhost.New(wasmhost.Options{})
	if err != nil {
		return err
	}
	defer host.Close(context.WithoutCancel(e.ctx))
	wasm, err := guestWasm()
	if err != nil {
		return err
	}
	if e.bundle, err = host.Load(e.ctx, "bench.c", wasm); err != nil {
		return err
	}
	defer e.bundle.Close(context.WithoutCancel(e.ctx))
	fmt.Fprintln(e.out, machine())
	for _, t := range tables {
		group, _, _ := strings.Cut(t.name, "/")
		if named := strings.Split(only, ","); only != "" && !slices.Contains(named, t.name) && !slices.Contains(named, group) {
			continue
		}
		if err := t.print(e); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if e.ctx.Err() != nil {
			return e.ctx.Err()
		}
	}
	return nil
}
