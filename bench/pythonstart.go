package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// pythonFiles runs the built command from a file of lines to another, on one core, and takes off what a file of one line takes.
func pythonFiles(e *env) error {
	const rows = 300_000
	command := filepath.Join(e.dir, "wasmill")
	if text, err := exec.Command("go", "build", "-o", command, "./cmd/wasmill").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, text)
	}
	r := rand.New(rand.NewPCG(7, 8))
	var lines []byte
	first := 0
	for range rows {
		lines = append(append(lines, randomOrder(r).json()...), '\n')
		if first == 0 {
			first = len(lines)
		}
	}
	for name, data := range map[string][]byte{"many.ndjson": lines, "one.ndjson": lines[:first]} {
		if err := os.WriteFile(filepath.Join(e.dir, name), data, 0o666); err != nil {
			return err
		}
	}
	t := newTable(fmt.Sprintf("Python: a file of %d lines of %d bytes, a field changed, to a file; per second of processor time", rows, first-1),
		"function", "rows", "target", "of the start")
	for _, c := range []struct{ what, file, target string }{
		{"a dict, nothing declared", "changed.py", "200 k/s"},
		{"a dict with declared fields", "declared.py", "250 k/s"},
	} {
		var rates, starts []float64
		for range e.rounds {
			short, err := e.throughFile(command, c.file, "one.ndjson", 1)
			if err != nil {
				return err
			}
			long, err := e.throughFile(command, c.file, "many.ndjson", rows)
			if err != nil {
				return err
			}
			rates, starts = append(rates, rows/(long-short).Seconds()), append(starts, float64(short))
		}
		t.add(c.what, thousand(median(rates)), c.target, nanos(median(starts)))
	}
	t.print(e.out)
	return nil
}

// throughFile returns the processor time of the command from an input to a file,
// which must have as many lines.
func (e *env) throughFile(command, function, input string, rows int) (time.Duration, error) {
	out := filepath.Join(e.dir, "out.ndjson")
	if err := os.Remove(out); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	cmd := exec.Command(command, "run", filepath.Join("bench", "python", function), "--input", filepath.Join(e.dir, input), "--output", out, "--quiet")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "WASMILL_CACHE="+filepath.Join(e.dir, "python"))
	if text, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%v: %v\n%s", cmd, err, text)
	}
	written, err := os.ReadFile(out)
	if err != nil {
		return 0, err
	}
	if n := bytes.Count(written, []byte("\n")); n != rows {
		return 0, fmt.Errorf("%s wrote %d rows, want %d", function, n, rows)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// pythonStart makes guests of an image: how long each takes, and what a thousand of them take at once.
func pythonStart(e *env, r *python.Runtime) error {
	const clones, batch = 1000, 64
	b, err := script(e, r, "changed.py")
	if err != nil {
		return err
	}
	defer b.Close(context.WithoutCancel(e.ctx))
	one, many := orderRecord(memory.DefaultAllocator, schema.Document(), 1), orderRecord(memory.DefaultAllocator, schema.Document(), batch)
	var guests []udf.Guest
	defer func() {
		for _, g := range guests {
			g.Close(context.WithoutCancel(e.ctx))
		}
	}()
	answer := func(g udf.Guest, n int) error {
		rec := one
		if n > 1 {
			rec = many
		}
		call, err := caller(e, g, "map", udf.Map, rec)
		if err != nil {
			return err
		}
		return call()
	}
	before, err := sharedMemory()
	if err != nil {
		return err
	}
	begin, err := processor()
	if err != nil {
		return err
	}
	var made, first []float64
	for range clones {
		start := time.Now()
		g, err := b.Instantiate(e.ctx, udf.Options{})
		if err != nil {
			return err
		}
		guests = append(guests, g)
		made = append(made, float64(time.Since(start)))
		if err := answer(g, 1); err != nil {
			return err
		}
		first = append(first, float64(time.Since(start)))
		if err := answer(g, batch); err != nil {
			return err
		}
	}
	end, err := processor()
	if err != nil {
		return err
	}
	after, err := sharedMemory()
	if err != nil {
		return err
	}
	t := newTable(fmt.Sprintf("Python: %d guests of one image, all of them alive", clones), "figure", "measured", "target")
	t.add("a new guest", nanos(median(made)), "1 ms")
	t.add("a new guest and its first result", nanos(median(first)), "2 ms")
	t.add(fmt.Sprintf("processor time of both and %d rows, mean", batch), nanos(float64(end-begin)/clones), "")
	t.add(fmt.Sprintf("memory of each after %d rows", batch), fmt.Sprintf("%d KiB", (after-before)/clones), "400 KiB")
	t.print(e.out)
	return nil
}

// sharedMemory returns the process's share of the memory that it uses, in KiB, as Linux counts it.
func sharedMemory() (int, error) {
	runtime.GC()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
			return strconv.Atoi(f[1])
		}
	}
	return 0, errors.New("the system does not say how much memory a process shares")
}
