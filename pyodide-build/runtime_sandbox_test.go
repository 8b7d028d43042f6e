package pyodide_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/wasmill/wasmill/engine/udf"
)

// TestSandbox tries the ways out: each ends in an ordinary exception that says why.
func TestSandbox(t *testing.T) {
	u := opened(t, "sandbox")
	const (
		network   = "a guest has no network: sources, sinks and lookups of the pipeline talk to the world"
		processes = "a guest has no processes besides itself; parallelism is the pipeline's"
		threads   = "can't start new thread: a guest has one thread: parallelism is the pipeline's, and waiting is that of its sources and lookups"
	)
	for function, want := range map[string][2]string{
		"connect":       {"OSError", "[Errno 58] " + network},
		"resolve":       {"OSError", network},
		"fetch":         {"URLError", "<urlopen error " + network + ">"},
		"encrypt":       {"ModuleNotFoundError", "No module named 'ssl': " + network},
		"load_library":  {"ModuleNotFoundError", "No module named 'ctypes': a guest runs no machine code"},
		"run_program":   {"OSError", "[Errno 58] wasi does not support processes."},
		"shell":         {"AttributeError", "module 'os' has no attribute 'system': " + processes},
		"fork":          {"AttributeError", "module 'os' has no attribute 'fork': " + processes},
		"asks_for_fork": {"got", "False"},
		"thread":        {"RuntimeError", threads},
		"pool":          {"RuntimeError", threads},
		"process":       {"AttributeError", "module 'os' has no attribute 'WNOHANG': " + processes},
		"alarm":         {"AttributeError", "module 'signal' has no attribute 'alarm': a guest gets no signals; the host ends calls at their deadline, see wasmill.deadline()"},
		"ask":           {"EOFError", "EOF when reading a line"},
		"environment":   {"got", "({}, '/bundle')"},
		"read_outside":  {"FileNotFoundError", "[Errno 44] No such file or directory: '/etc/passwd'"},
		"climb":         {"FileNotFoundError", "[Errno 44] No such file or directory: '../../etc/passwd'"},
		"write":         {"OSError", "[Errno 69] Read-only file system: '/bundle/new'"},
		"overwrite":     {"OSError", "[Errno 69] Read-only file system: 'clean.py'"},
		"remove":        {"OSError", "[Errno 69] Read-only file system: 'clean.py'"},
		"temporary":     {"FileNotFoundError", "[Errno 44] No usable temporary directory found in ['/tmp', '/var/tmp', '/usr/tmp', '/bundle']"},
		"own_file":      {"got", `'"""Attempts to get out, each a function that says what came of it."""\n'`},
		"lock":          {"got", "'held'"},
		"deep_repr":     {"RecursionError", "maximum recursion depth exceeded while getting the repr of an object"},
		"deep_calls":    {"got", "100000"},
		"deep_source":   {"MemoryError", "Parser stack overflowed - Python source too complex to parse"},
	} {
		t.Run(function, func(t *testing.T) {
			got, err := u.run(function, udf.Map, "", record(t, "documents", `[1]`))
			if err != nil {
				t.Fatal(text(err))
			}
			var row struct{ Event string }
			if err := json.Unmarshal([]byte(got), &row); err != nil {
				t.Fatal(err)
			}
			var outcome map[string]string
			if err := json.Unmarshal([]byte(row.Event), &outcome); err != nil {
				t.Fatal(err)
			}
			if len(outcome) != 1 || outcome[want[0]] != want[1] {
				t.Errorf("got  %v\nwant %v", outcome, want)
			}
		})
	}
}

// TestLoadErrors holds the texts for files that cannot be used.
func TestLoadErrors(t *testing.T) {
	for source, want := range map[string]string{
		"def map(event)\n    return event\n": `SyntaxError: expected ':' (clean.py, line 1)
  File "clean.py", line 1
    def map(event)
                  ^
SyntaxError: expected ':'`,
		"import numpy\n": `ModuleNotFoundError: No module named 'numpy' (clean.py, line 1, in <module>)
hint: numpy has C extensions: it runs only in the native runtime
Traceback (most recent call last):
  File "clean.py", line 1, in <module>
    import numpy
ModuleNotFoundError: No module named 'numpy'`,
		"\nimport yaml\n": `ModuleNotFoundError: No module named 'yaml' (clean.py, line 2, in <module>)
hint: put ` + "`PyYAML`" + ` into the bundle: its folder beside the file, or its pure-Python wheel (py3-none-any)
Traceback (most recent call last):
  File "clean.py", line 2, in <module>
    import yaml
ModuleNotFoundError: No module named 'yaml'`,
		"import orjson\n": `ModuleNotFoundError: No module named 'orjson' (clean.py, line 1, in <module>)
hint: ` + "`json`" + ` is in the sandbox and does the same; orjson has C extensions
Traceback (most recent call last):
  File "clean.py", line 1, in <module>
    import orjson
ModuleNotFoundError: No module named 'orjson'`,
		"import colections\n": `ModuleNotFoundError: No module named 'colections' (clean.py, line 1, in <module>)
hint: there is a module ` + "`collections`" + `
Traceback (most recent call last):
  File "clean.py", line 1, in <module>
    import colections
ModuleNotFoundError: No module named 'colections'`,
		"import sys\nsys.exit(0)\n": `SystemExit: 0 (clean.py, line 2, in <module>)
hint: a function ends with return; sys.exit() ends no job
Traceback (most recent call last):
  File "clean.py", line 2, in <module>
    sys.exit(0)
    ~~~~~~~~^^^
SystemExit: 0`,
		"x = 1\n":                        "NoFunction: clean.py has no function to call: def map(event), filter or flat_map",
		"async def clean(event): pass\n": "NoFunction: clean.py has no function to call: def map(event), filter or flat_map; `clean`: async functions are not called, for a guest has no event loop; make it a plain def",
		"async def map(event): pass\n":   "NoFunction: `map` cannot be called: async functions are not called, for a guest has no event loop; make it a plain def (clean.py)",
	} {
		u, err := open(t, source)
		if err == nil {
			t.Errorf("%q: expected an error, got %d functions", source, len(u.bundle.Functions()))
			continue
		}
		if got := text(err); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", source, got, want)
		}
	}
}

// TestPrints looks at what print, logging and warnings write.
func TestPrints(t *testing.T) {
	u, err := open(t, `
import logging, sys, warnings
logging.warning("in the image")
def map(event):
    print("one", 2)
    print("no end", end="")
    sys.stderr.write("half \ud800 surrogate\n")
    logging.getLogger("mine").error("lost %s", 3)
    logging.getLogger("mine").info("not shown")
    return event
`)
	if err != nil {
		t.Fatal(text(err))
	}
	var lines []string
	g, err := u.bundle.Instantiate(t.Context(), udf.Options{Log: func(level int, line string) { lines = append(lines, string(rune('0'+level))+line) }})
	if err != nil {
		t.Fatal(text(err))
	}
	defer g.Close(context.Background())
	u.guest = g
	for range 2 {
		if _, err := u.run("map", udf.Map, "", record(t, "documents", `[1]`)); err != nil {
			t.Fatal(text(err))
		}
	}
	got, _ := json.Marshal(lines)
	if want := `["0one 2","4half \\ud800 surrogate","8mine: lost 3","0no endone 2","4half \\ud800 surrogate","8mine: lost 3"]`; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
