package python_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// drivers hand over their jobs in all the places where a call can happen.
var drivers = map[string]string{
	"plain":      "log.append(execute('p'))\n",
	"twice":      "for i in range(2): log.append(execute('p'))\n",
	"deep":       "def d(n): return execute('p') if n == 0 else d(n - 1)\nlog.append(d(200))\n",
	"except":     "import sys\ntry: 1/0\nexcept ZeroDivisionError as e:\n  log.append(execute('p'))\n  assert sys.exc_info()[1] is e\n",
	"generator":  "def g():\n  yield 1\n  yield execute('p')\n  yield 3\nlog.extend(g())\n",
	"sort key":   "log.extend(sorted([3, 1, 2], key=lambda x: (x, execute('p'))))\n",
	"init, with": "import contextlib\n@contextlib.contextmanager\ndef cm(): yield 5\nclass A:\n  def __init__(self):\n    with cm(): self.r = execute('p')\nlog.append(A().r)\n",
	"exec":       "exec('log.append(eval(\"execute(\\'p\\')\"))')\n",
	"finally":    "try:\n  try: raise KeyError('k')\n  finally: log.append(execute('p'))\nexcept KeyError: log.append('caught')\n",
	"C callback": "import json\nlog.append(json.dumps({'a': object()}, default=lambda o: execute('p')))\n",
}

const driver = `
import _wasmill, sys
from wasmill import _describe, _runtime
def execute(plan):
    # What clones have to offer is here a function of this file.
    _runtime._functions[:] = _describe.functions(sys.modules["__main__"], lambda v: getattr(v, "__name__", "") == "map")[0]
    return _wasmill.execute(plan)
log, kept = [], {"model": list(range(1000))}
def paused():
    k = 10
    while True:
        yield k
        k += 1
running = paused(); next(running)
class task:
    def map(self, event):
        def deep(n): return 1 + deep(n - 1) if n else 0
        assert sys.exc_info() == (None, None, None), sys.exc_info()
        try:
            def endless(n): return endless(n + 1)
            endless(0)
        except RecursionError: pass
        log.append("clone")
        return [len(kept["model"]), next(running), deep(300), len(log)]
def map(event): return task().map(event)
%s
print("went on", log.count("clone"))
`

func TestScripts(t *testing.T) {
	r := newRuntime(t, python.Options{})
	for name, code := range drivers {
		t.Run(name, func(t *testing.T) {
			var log lines
			jobs := 0
			err := r.Run(t.Context(), upload(t, "job.py", fmt.Sprintf(driver, code)), python.Script{
				Log: log.add,
				Execute: func(_ context.Context, plan []byte, tasks udf.Bundle) ([]byte, error) {
					jobs++
					for range 2 {
						if got := ask(t, tasks, "null", udf.Options{}); !strings.HasPrefix(got, "[1000,11,300,") {
							t.Errorf("a clone says %s", got)
						}
					}
					return []byte(`"` + string(plan) + `!"`), nil
				},
			})
			if err != nil || jobs == 0 || log.String() != "went on 0" {
				t.Errorf("got %v after %d jobs\n%s\n%s", err, jobs, fault.From(err), log.String())
			}
		})
	}
}

func TestScriptsThatFail(t *testing.T) {
	r := newRuntime(t, python.Options{LoadTimeout: time.Second})
	run := func(code string, execute func() ([]byte, error)) error {
		return r.Run(t.Context(), upload(t, "job.py", code), python.Script{
			Execute: func(context.Context, []byte, udf.Bundle) ([]byte, error) { return execute() },
		})
	}
	nothing := func() ([]byte, error) { return nil, nil }
	const source = `import _wasmill, sys; from wasmill import _describe, _runtime
def map(event): return event
_runtime._functions[:] = _describe.functions(sys.modules["__main__"], lambda v: v is map)[0]
`
	err := run(source+"_wasmill.execute('p')\n", func() ([]byte, error) { return nil, errors.New("the job is no good") })
	if err == nil || !strings.Contains(err.Error(), "the job is no good") || !strings.Contains(err.Error(), "job.py, line 4") {
		t.Errorf("got %v", err)
	}
	// The wait is longer than what the script may take.
	err = run(source+"_wasmill.execute('p')\n", func() ([]byte, error) { time.Sleep(1200 * time.Millisecond); return []byte("{}"), nil })
	if err != nil {
		t.Errorf("got %v", err)
	}
	if err := run(source+"f = open('job.py')\n_wasmill.execute('p')\n", nothing); err == nil ||
		!strings.HasPrefix(err.Error(), "job: the file `/bundle/job.py` is open while an image is made") {
		t.Errorf("got %v", err)
	}
	for source, want := range map[string]wasmhost.Exit{
		"raise SystemExit(0)": 0, "import os; os._exit(0)": 0, "import sys; sys.exit(3)": 3, "import sys; sys.exit('why')": 1, "raise SystemExit(True)": 1,
		"import argparse; argparse.ArgumentParser().parse_args(['--x'])": 2,
		"import atexit, os; atexit.register(os._exit, 5)":                5,
	} {
		var got wasmhost.Exit
		if err := run(source, nothing); err != nil && !errors.As(err, &got) || got != want {
			t.Errorf("%s: got %v, want exit code %d", source, err, want)
		}
	}
	f := load(t, r, "import _wasmill\ndef map(event): return _wasmill.execute('p')\n", udf.Options{})
	if _, err := f.Call(t.Context(), "map", 1); fault.CodeOf(err) != fault.Unsupported {
		t.Errorf("got %v", err)
	}
}

// TestScriptsAreHeardAtOnce looks at what has been printed when a job begins.
func TestScriptsAreHeardAtOnce(t *testing.T) {
	const source = `import _wasmill, sys; from wasmill import _describe, _runtime
def map(event): return event
_runtime._functions[:] = _describe.functions(sys.modules["__main__"], lambda v: v is map)[0]
for i in range(2000): print(i, file=sys.stderr if i % 2 else sys.stdout)
_wasmill.execute('p')
`
	var log lines
	before := 0
	err := newRuntime(t, python.Options{}).Run(t.Context(), upload(t, "job.py", source), python.Script{
		Log: log.add,
		Execute: func(context.Context, []byte, udf.Bundle) ([]byte, error) {
			before = strings.Count(log.String(), "\n") + 1
			return []byte("{}"), nil
		},
	})
	if err != nil || before != 2000 {
		t.Errorf("%d lines were there: %v", before, err)
	}
}
