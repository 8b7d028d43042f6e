package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost/admit"
	"github.com/wasmill/wasmill/wasmhost/overhead"
)

// kernels and how often each runs in a measurement of a few milliseconds.
var kernels = []overhead.Kernel{
	{Name: "recurrence", Rounds: 3_000_000}, {Name: "sum", Rounds: 150}, {Name: "checksum", Rounds: 25}, {Name: "chacha", Rounds: 12_000},
	{Name: "matrix", Rounds: 15}, {Name: "heapsort", Rounds: 8}, {Name: "recursion", Rounds: 150}, {Name: "indirect", Rounds: 800_000},
	{Name: "interpreter", Rounds: 60_000}, {Name: "parse", Rounds: 60}, {Name: "fills", Rounds: 150_000}, {Name: "copies", Rounds: 150_000},
	{Name: "strlen_", Rounds: 150}, {Name: "divisions", Rounds: 60_000},
}

// fuel times kernels in C as they are and with fuel, and the rewriter on large modules.
func fuel(e *env) error {
	wasm := filepath.Join(e.dir, "kernels.wasm")
	if err := command("clang-19", "--target=wasm32", "-std=c11", "-O2", "-mbulk-memory", "-nostdlib", "-ffreestanding", "-Wl,--no-entry",
		"-o", wasm, "wasmhost/admit/testdata/c/kernels.c"); err != nil {
		return err
	}
	code, err := os.ReadFile(wasm)
	if err != nil {
		return err
	}
	costs, err := overhead.Measure(e.ctx, code, "prepare", kernels, 10*e.rounds)
	if err != nil {
		return err
	}
	t := newTable("Fuel: kernels in C as they are and metered", "kernel", "plain", "metered", "ratio", "target")
	for _, c := range costs {
		t.add(c.Name, nanos(float64(c.Plain)), nanos(float64(c.Metered)), fmt.Sprintf("%.2f", c.Ratio()), "")
	}
	t.add("geometric mean", "", "", fmt.Sprintf("%.3f", overhead.Mean(costs)), "1.15")
	// A kernel that fuel makes faster by half, since the compiler happens to lay it out better then, says nothing about fuel.
	var others []overhead.Cost
	for _, c := range costs {
		if c.Ratio() > 0.9 {
			others = append(others, c)
		}
	}
	if len(others) < len(costs) {
		t.add(fmt.Sprintf("without %d below 0.9", len(costs)-len(others)), "", "", fmt.Sprintf("%.3f", overhead.Mean(others)), "1.15")
	}
	t.print(e.out)
	if err := fuelOfPython(e); err != nil {
		return err
	}
	return rewriting(e)
}

// fuelOfPython times programs in Python in an interpreter as it is and in metered ones.
func fuelOfPython(e *env) error {
	p, err := pyodide.Load()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join("bench", "python", "programs", "*.py"))
	if err != nil {
		return err
	}
	var programs []overhead.Program
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		programs = append(programs, overhead.Program{Name: strings.TrimSuffix(filepath.Base(file), ".py"), Source: source})
	}
	costs, err := overhead.Programs(e.ctx, p, programs, 2*e.rounds, processor)
	if err != nil {
		return err
	}
	t := newTable("Fuel: programs in Python, in the interpreter as it is and metered, least processor time; \"lazy\": and with a table that is filled as it is called through",
		"program", "plain", "metered", "ratio", "target", "lazy", "ratio")
	var metered, lazy []overhead.Cost
	for _, c := range costs {
		m, l := overhead.Cost{Plain: c.Plain, Metered: c.Metered}, overhead.Cost{Plain: c.Plain, Metered: c.Lazy}
		t.add(c.Name, nanos(float64(c.Plain)), nanos(float64(c.Metered)), fmt.Sprintf("%.2f", m.Ratio()), "", nanos(float64(c.Lazy)), fmt.Sprintf("%.2f", l.Ratio()))
		metered, lazy = append(metered, m), append(lazy, l)
	}
	t.add("geometric mean", "", "", fmt.Sprintf("%.3f", overhead.Mean(metered)), "1.15", "", fmt.Sprintf("%.3f", overhead.Mean(lazy)))
	t.print(e.out)
	return nil
}

// rewriting times admission and the rewriter on a large module in standard Go.
func rewriting(e *env) error {
	t := newTable("Admission and rewriting", "module", "bytes", "functions", "time", "target")
	assembler := filepath.Join(e.dir, "asm.wasm")
	if err := command("env", "GOOS=wasip1", "GOARCH=wasm", "go", "build", "-ldflags=-s -w", "-o", assembler, "cmd/asm"); err != nil {
		return err
	}
	policy := admit.Default()
	policy.Allowed = []admit.Import{{Kind: admit.Func, Module: "wasi_snapshot_preview1", Name: "*"}}
	policy.BodyBytes, policy.Nesting, policy.Blocks = 1<<20, 5000, 20_000 // one of its functions is larger than a guest's may be
	wasm, err := os.ReadFile(assembler)
	if err != nil {
		return err
	}
	functions := 0
	least := time.Hour
	for range e.rounds {
		start := time.Now()
		_, info, err := admit.Instrument(wasm, policy)
		if err != nil {
			return err
		}
		least, functions = min(least, time.Since(start)), info.Functions
	}
	t.add("Go's assembler", fmt.Sprintf("%.1f MB", float64(len(wasm))/1e6), fmt.Sprint(functions), nanos(float64(least)), "500 ms")
	t.print(e.out)
	return nil
}

func command(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %v (run it in the repository's root; script/setup installs the compiler)\n%s", cmd, err, text)
	}
	return nil
}
