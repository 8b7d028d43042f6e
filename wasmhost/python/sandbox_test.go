package python_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// escape runs what the event says and tells how it ended.
const escape = `
import os, sys
def map(event):
    space = {}
    try:
        exec(event, space)
    except BaseException as e:
        return "%s: %s" % (type(e).__name__, e)
    return str(space.get("r"))
`

func TestNothingGetsOut(t *testing.T) {
	f := load(t, newRuntime(t, python.Options{}), escape, udf.Options{})
	for _, c := range []struct{ code, want string }{
		{"r = open('/etc/passwd').read()", "FileNotFoundError: [Errno 44] No such file or directory: '/etc/passwd'"},
		{"r = open('../../../../etc/passwd').read()", "FileNotFoundError: [Errno 44] No such file or directory: '../../../../etc/passwd'"},
		{"import os; r = sorted(os.listdir('/'))", "['bundle', 'lib']"},
		{"import os; r = sorted(os.listdir('/..'))", "['bundle', 'lib']"},
		{"import os; r = sorted(os.listdir('/bundle/../../lib'))", "['python313.zip', 'wasmill.zip']"},
		{"import os; r = os.listdir('.')", "['user.py']"},
		{"import os; r = os.getcwd()", "/bundle"},
		{"r = open('/proc/self/maps').read()", "FileNotFoundError: [Errno 44] No such file or directory: '/proc/self/maps'"},
		{"r = open('user.py').read(12)", "\nimport os, "},
		{"r = open('/bundle/new', 'w')", "OSError: [Errno 69] Read-only file system: '/bundle/new'"},
		{"r = open('user.py', 'a')", "OSError: [Errno 69] Read-only file system: 'user.py'"},
		{"r = open('user.py', 'r+')", "OSError: [Errno 69] Read-only file system: 'user.py'"},
		{"import os; os.mkdir('/x')", "OSError: [Errno 69] Read-only file system: '/x'"},
		{"import os; os.remove('/bundle/user.py')", "OSError: [Errno 69] Read-only file system: '/bundle/user.py'"},
		{"import os; os.rename('user.py', 'x')", "OSError: [Errno 69] Read-only file system: 'user.py' -> 'x'"},
		{"import os; os.symlink('/etc', 'x')", "OSError: [Errno 69] Read-only file system: '/etc' -> 'x'"},
		{"import os; r = dict(os.environ)", "{}"},
		{"import os; os.open('user.py', os.O_WRONLY)", "OSError: [Errno 69] Read-only file system: 'user.py'"},
		{"open('x\\0y')", "ValueError: embedded null byte"},
		{"open('d/' * 3000 + 'x')", "OSError: [Errno 37] Filename too long: '"},
		{"import os; os.chdir('/lib'); r = os.listdir('.'); os.chdir('/bundle')", "['python313.zip', 'wasmill.zip']"},
		{"import pathlib; r = [str(p) for p in pathlib.Path('/').rglob('*')]", "['/bundle', '/lib', '/bundle/user.py', '/lib/python313.zip', '/lib/wasmill.zip']"},
		{"open('/bundle')", "IsADirectoryError: [Errno 31] Is a directory: '/bundle'"},
		{"open('user.py/x')", "NotADirectoryError: [Errno 54] Not a directory: 'user.py/x'"},
		{"r = len([open('user.py') for _ in range(1000)])", "OSError: [Errno 33] No file descriptors available: 'user.py'"},
		{"r = open('user.py').readline()", "\n"},
		{"import mmap", "ModuleNotFoundError"},
		{"import ctypes", "ModuleNotFoundError"},
		{"import subprocess; subprocess.run(['ls'])", "OSError"},
		{"import os; os.fork()", "AttributeError: module 'os' has no attribute 'fork': a guest has no processes"},
		{"import os; os.system('ls')", "AttributeError: module 'os' has no attribute 'system'"},
		{"import os; os.kill(1, 9)", "AttributeError: module 'os' has no attribute 'kill'"},
		{"import socket; socket.create_connection(('127.0.0.1', 1))", "OSError: a guest has no network"},
		{"import urllib.request; urllib.request.urlopen('http://127.0.0.1')", "URLError: <urlopen error a guest has no network"},
		{"import threading; threading.Thread(target=print).start()", "RuntimeError: can't start new thread: a guest has one thread"},
		{"import multiprocessing; multiprocessing.Process(target=print).start()", ""},
		{"import asyncio; asyncio.run(asyncio.sleep(0))", ""},
		{"import faulthandler; faulthandler.dump_traceback_later(1)", ""},
		{"import os; os.write(3, b'x')", "OSError: [Errno 8] Bad file descriptor"},
		{"import os; os.close(3); r = os.listdir('/')", ""},
		{"import os; r = sorted(os.listdir('/'))", "['bundle', 'lib']"},
		{"raise SystemExit(3)", "SystemExit: 3"},
	} {
		got, err := f.Call(t.Context(), "map", c.code)
		if err != nil {
			t.Errorf("%s: the guest failed: %v\n%s", c.code, err, fault.From(err).Detail)
			continue
		}
		if !strings.HasPrefix(fmt.Sprint(got), c.want) {
			t.Errorf("%s: got %q, want %q", c.code, got, c.want)
		}
	}
	_, err := f.Call(t.Context(), "map", "import signal; signal.raise_signal(9)")
	if fault.CodeOf(err) != fault.Guest || !strings.HasPrefix(fault.From(err).Detail, "Program received termination signal: Killed") {
		t.Errorf("a guest that kills itself: %v", err)
	}
	if got := call(t, f, "map", "r = 1"); got != "1" {
		t.Errorf("the next one: %v", got)
	}
}

// TestGuestsThatAreStopped calls functions that do not return. What the interpreter can interrupt ends with a traceback, and the guest is
// used on; what it cannot is stopped by force, and the guest is replaced.
func TestGuestsThatAreStopped(t *testing.T) {
	const source = `
import re, time
calls = 0
def map(event):
    global calls
    calls += 1
    if event: exec(event)
    return calls
`
	r := newRuntime(t, python.Options{})
	for _, c := range []struct {
		name, code string
		soft       bool
	}{
		{"loop", "while True: pass", true},
		{"sleep", "time.sleep(1000)", true},
		{"generator", "sum(x for x in iter(int, 1))", true},
		{"deaf", "while True:\n  try:\n    while True: pass\n  except BaseException: pass", false},
		{"in C", "sum(range(10**12))", false},
		{"regex", "re.match('(a*)*b', 'a' * 40)", true},
		{"huge power", "3 ** 10**9", true},
		{"multiply", "x = [0] * 10**6\nwhile True: x.sort()", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := load(t, r, source, udf.Options{CallTimeout: 400 * time.Millisecond})
			if got := call(t, f, "map", ""); got != int64(1) {
				t.Fatalf("got %v", got)
			}
			_, err := f.Call(t.Context(), "map", c.code)
			if fault.CodeOf(err) != fault.Limit || !strings.Contains(err.Error(), "the guest was stopped after 400ms: its time for one call is over") {
				t.Fatalf("got %v", err)
			}
			traced := strings.Contains(fault.From(err).Detail, "user.py")
			want := int64(1) // a new guest
			if c.soft {
				want = 3
			}
			if got := call(t, f, "map", ""); got != want || traced != c.soft {
				t.Errorf("then: got call %v, want %d; the traceback was\n%s", got, want, fault.From(err).Detail)
			}
		})
	}
}

func TestMemoryIsLimited(t *testing.T) {
	const source = `
kept = []
def map(event):
    if event == "bomb":
        while True: kept.append(bytearray(1 << 20))
    if event == "small":
        x = []
        while True: x.append((len(x), str(len(x))))
    if event == "caught":
        try:
            x = bytearray(1 << 30)
        except MemoryError:
            return "caught"
    if event == "repeat":
        return len("x" * (1 << 30))
    kept.clear()
    return "fine"
`
	f := load(t, newRuntime(t, python.Options{}), source, udf.Options{MaxMemory: 64 << 20, CallTimeout: time.Minute})
	for _, event := range []string{"caught", "bomb", "small", "repeat"} {
		got, err := f.Call(t.Context(), "map", event)
		if event == "caught" {
			if err != nil || got != "caught" {
				t.Errorf("got %v, %v", got, err)
			}
		} else if err == nil || !strings.HasPrefix(err.Error(), "function map: MemoryError") {
			t.Errorf("%s: got %v, %v", event, got, err)
		}
		if got := call(t, f, "map", ""); got != "fine" {
			t.Errorf("then: got %v", got)
		}
	}
}

func TestRecursionIsLimited(t *testing.T) {
	const source = `
import sys, json, re, pickle
def map(event):
    space = {}
    try:
        exec(event, space)
    except (RecursionError, MemoryError, SyntaxError, OverflowError) as e:
        return type(e).__name__
    return space.get("r", "")
`
	f := load(t, newRuntime(t, python.Options{}), source, udf.Options{CallTimeout: time.Minute})
	for code, want := range map[string]string{
		"def f(): f()\nf()": "RecursionError",
		"import sys\nsys.setrecursionlimit(10**6)\ndef f(): f()\ntry: f()\nfinally: sys.setrecursionlimit(1000)":               "",
		"l = []\nfor _ in range(100000): l = [l]\nrepr(l)":                                                                     "RecursionError",
		"l = []\nfor _ in range(100000): l = [l]\nl == eval('l', {'l': l})\ndel l":                                             "",
		"import json; json.loads('[' * 100000)":                                                                                "RecursionError",
		"import json\nl = []\nfor _ in range(100000): l = [l]\njson.dumps(l)":                                                  "RecursionError",
		"compile('-' * 100000 + '1', 'x', 'eval')":                                                                             "",
		"compile('(' * 5000 + ')' * 5000, 'x', 'eval')":                                                                        "MemoryError",
		"import re; re.compile('(' * 10000 + ')' * 10000)":                                                                     "",
		"class A:\n  def __getattr__(s, n): return getattr(s, n + 'x')\nA().y":                                                 "RecursionError",
		"class A:\n  def __repr__(s): return repr(s)\nrepr(A())":                                                               "RecursionError",
		"f = lambda x: x\nfor _ in range(100000): f = (lambda g: lambda x: map(g, [x]))(f)\nr = 'made'\ndel f":                 "made",
		"x = None\nfor _ in range(200000): x = (x,)\ndel x\nr = 'freed'":                                                       "freed",
		"import functools\nf = int\nfor _ in range(20000): f = functools.partial(f)\nr = 'made'":                               "made",
		"class A: pass\na = A()\nfor _ in range(100000):\n  b = A(); b.a = a; a = b\ndel a, b\nimport gc; gc.collect()\nr = 1": "",
	} {
		got, err := f.Call(t.Context(), "map", code)
		if err != nil {
			t.Errorf("%.80q: %v\n%.600s", code, err, fault.From(err).Detail)
		} else if want != "" && got != want {
			t.Errorf("%.80q: got %v, want %s", code, got, want)
		}
	}
}

// TestStopsNameTheirRow calls functions that only force can stop, or that trap, at one row of many: the row is known at once, so that nobody has to
// look for it by calling again. A guest that keeps what it has filled its memory with is not used on; one that let go of it is.
func TestStopsNameTheirRow(t *testing.T) {
	const source = `
import os
kept, calls = [], 0
def map(event):
    global calls
    calls += 1
    if event and calls == 3: exec(event, globals())
    return calls
`
	b := openFile(t, newRuntime(t, python.Options{}), upload(t, "user.py", source))
	for _, c := range []struct {
		code, want string
		broken     bool
	}{
		{"sum(range(10**12))", "the guest was stopped after 2s", true},
		{"os.abort()", "the guest trapped", true},
		{"1 / 0", "ZeroDivisionError", false},
		{"while True: kept.append(bytearray(1 << 20))", "MemoryError", true},
		{"x = bytearray(1 << 30)", "MemoryError", false},
	} {
		t.Run(c.code, func(t *testing.T) {
			limit := time.Minute
			if strings.Contains(c.want, "2s") {
				limit = 2 * time.Second
			}
			g, err := b.Instantiate(t.Context(), udf.Options{CallTimeout: limit, MaxMemory: 64 << 20})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close(t.Context())
			f, err := g.Bind(t.Context(), "map", udf.Map, schema.Document(), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			in := documents(t, g, strconv.Quote(c.code), 5)
			defer in.Release()
			err = f.Call(t.Context(), in, nil, func(udf.Result) error { return nil })
			var failed *udf.CallError
			if !errors.As(err, &failed) || failed.Row != 2 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v (%+v), want row 2: %s", err, failed, c.want)
			}
			if g.Broken() != c.broken {
				t.Errorf("broken: %v, want %v", g.Broken(), c.broken)
			}
		})
	}
}
