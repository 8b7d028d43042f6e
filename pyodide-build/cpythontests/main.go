// Command cpythontests runs CPython's own tests in the sandbox, from the source that python.wasm is built of, and prints how many passed, failed and were
// skipped. It fails if a test fails that known.txt does not explain. See pyodide-build/README.md.
//
//	go run ./pyodide-build/cpythontests [-failures] BUNDLE [MODULE...]    the modules of modules.txt, if none is named
//
// BUNDLE is the folder that the recipe's layer "tests" makes. With -failures the failures that known.txt explains are printed, in its form.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/python"
)

//go:embed modules.txt
var moduleList string

//go:embed known.txt
var knownList string

// What a group of tests may take. Some try what happens when memory or time ends.
const (
	timeout = 5 * time.Minute
	memory  = 1 << 30
)

func main() {
	if wasmhost.CompileChild() {
		return
	}
	all := flag.Bool("failures", false, "print the failures that known.txt explains, too")
	flag.Parse()
	if flag.NArg() < 1 {
		fmt.Fprintln(os.Stderr, "usage: cpythontests [-failures] BUNDLE [MODULE...]")
		os.Exit(2)
	}
	names := flag.Args()[1:]
	if len(names) == 0 {
		names = modules(moduleList)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, flag.Arg(0), names, *all)
	if err != nil {
		f := fault.From(err)
		fmt.Fprintf(os.Stderr, "cpython-tests: %v\n%s\n", err, f.Detail)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// modules returns the names in a list: a name a line, comments and empty lines apart.
func modules(list string) []string {
	return slices.DeleteFunc(strings.Split(list, "\n"), func(line string) bool { return line == "" || strings.HasPrefix(line, "#") })
}

// outcome is what a module's tests, or a group of them, came to.
type outcome struct {
	Groups  []string          `json:"groups"`
	Passed  int               `json:"passed"`
	Skipped int               `json:"skipped"`
	Failed  map[string]string `json:"failed"` // the end of the traceback by the test's name
	Reason  string            `json:"reason"` // why a module is skipped as a whole
}

// run runs the modules and prints what comes. It reports whether all failures are explained.
func run(ctx context.Context, bundle string, names []string, all bool) (bool, error) {
	known, err := parseKnown(knownList)
	if err != nil {
		return false, err
	}
	r := &report{known: known, all: all, explained: make([]int, len(known))}
	err = within(ctx, func(ctx context.Context, runtime *python.Runtime) error {
		for _, name := range names {
			start := time.Now()
			out, err := module(ctx, runtime, bundle, name)
			if err != nil {
				return err
			}
			r.add(name, out, time.Since(start))
		}
		return nil
	})
	return err == nil && r.end(), err
}

// within calls f with a runtime that keeps machine code and images in the user's cache folder.
func within(ctx context.Context, f func(context.Context, *python.Runtime) error) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "wasmill")
	host, err := wasmhost.New(wasmhost.Options{CacheDir: cache})
	if err != nil {
		return err
	}
	defer host.Close(ctx)
	runtime, err := python.New(python.Options{Host: host, CacheDir: cache})
	if err != nil {
		return err
	}
	defer runtime.Close(ctx)
	return f(ctx, runtime)
}

// module runs a module's tests, group by group, in a guest of the module's own. A group that breaks the guest fails, and the next one gets a new guest.
func module(ctx context.Context, runtime *python.Runtime, bundle, name string) (*outcome, error) {
	file, err := runtime.LoadFile(ctx, bundle, udf.Options{CallTimeout: timeout, MaxMemory: memory})
	if err != nil {
		return nil, err
	}
	defer file.Close(ctx)
	all, err := call(ctx, file, map[string]any{"module": name})
	if err != nil {
		return &outcome{Failed: map[string]string{name: told(err)}}, ctx.Err()
	}
	all.Failed = map[string]string{}
	for _, group := range all.Groups {
		out, err := call(ctx, file, map[string]any{"module": name, "group": group})
		if err != nil {
			all.Failed[group] = told(err)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			continue
		}
		all.Passed += out.Passed
		all.Skipped += out.Skipped
		for test, trace := range out.Failed {
			all.Failed[test] = trace
		}
	}
	return all, nil
}

func call(ctx context.Context, file *python.File, event map[string]any) (*outcome, error) {
	value, err := file.Call(ctx, "map", event)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var out outcome
	return &out, json.Unmarshal(text, &out)
}

// told returns a fault's traceback with its message as the last line.
func told(err error) string { return fault.From(err).Detail + "\n" + err.Error() }
