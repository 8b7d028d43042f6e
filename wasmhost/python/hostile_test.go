package python_test

import (
	"context"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// hostile are files that take the interpreter and our package apart. What becomes of such a guest is its own affair: it may work, fail or trap. The
// host stays what it was.
var hostile = map[string]string{
	"no builtins":      "import builtins\nfor n in list(vars(builtins)): delattr(builtins, n)\ndef map(event): return event\n",
	"no modules":       "import sys\nsys.modules.clear()\ndef map(event): return event\n",
	"no runtime":       "from wasmill import _runtime as r\ndef map(event): return event\nfor n in ('open', 'close', 'describe', 'error_text', 'flush', 'after_clone'): setattr(r, n, None)\n",
	"lying describe":   "from wasmill import _runtime as r\ndef map(event): return event\nr.describe = lambda: ('{\"abi\": 1, \"name\": \"x\", \"functions\": [{\"name\": \"map\", \"kind\": \"map\"}]}', 1000000)\n",
	"huge describe":    "from wasmill import _runtime as r\ndef map(event): return event\nr.describe = lambda: ('x' * (2 << 20), 1)\n",
	"negative":         "from wasmill import _runtime as r\ndef map(event): return event\nr.describe = lambda: ('{}', -5)\n",
	"other errors":     "from wasmill import _runtime as r\ndef map(event): raise ValueError\nr.error_text = lambda *a: b'\\xff' * 100\n",
	"long errors":      "def map(event): raise ValueError('x' * 10_000_000)\n",
	"ugly errors":      "def map(event): raise ValueError('\\x1b[31m\\0\\r\\n\\ud800')\n",
	"failing repr":     "class E(Exception):\n  def __str__(self): raise E\n  __repr__ = __str__\ndef map(event): raise E\n",
	"error in error":   "class E(BaseException):\n  def __str__(self):\n    while True: pass\ndef map(event): raise E\n",
	"changing row":     "def map(event):\n  event.clear()\n  raise ValueError(event)\n",
	"closed output":    "import sys, os\nsys.stdout.close(); sys.stderr.close()\nfor i in range(3): \n  try: os.close(i)\n  except OSError: pass\ndef map(event): print('x'); return event\n",
	"much output":      "def map(event):\n  for i in range(100000): print('x' * 100)\n  return event\n",
	"trace":            "import sys\ndef t(*a): return t\ndef map(event):\n  sys.settrace(t); sys.setprofile(t); return event\n",
	"failing trace":    "import sys\ndef t(*a): raise ValueError\nsys.settrace(t)\ndef map(event): return event\n",
	"audit":            "import sys\nsys.addaudithook(lambda *a: 1 / 0)\ndef map(event): return event\n",
	"recursion":        "import sys\nsys.setrecursionlimit(10**9)\ndef map(event): return map(event)\n",
	"deep data":        "def map(event):\n  for _ in range(1000000): event = [event]\n  return event\n",
	"cycle":            "def map(event):\n  event = []; event.append(event); return event\n",
	"finalizer":        "class A:\n  def __del__(self):\n    while True: pass\ndef map(event): A(); return event\n",
	"exit at close":    "def map(event): return event\ndef close(): raise SystemExit(3)\n",
	"endless close":    "def map(event): return event\ndef close():\n  while True: pass\n",
	"trap at close":    "def map(event): return event\ndef close():\n  import os; os._exit(1)\n",
	"endless open":     "def map(event): return event\ndef open():\n  import os; os.abort()\n",
	"strange event":    "class D(dict):\n  def items(self): return 5\n  def __iter__(self): raise KeyError\ndef map(event): return D(a=1)\n",
	"huge number":      "def map(event): return 10 ** 100000\n",
	"strange keys":     "def map(event): return {(1, 2): 3, None: 4, b'x': 5}\n",
	"lone surrogate":   "def map(event): return {'\\ud800': '\\udfff'}\n",
	"generator of map": "def map(event): yield 1\n",
	"endless rows":     "def flat_map(event):\n  while True: yield 1\n",
	"huge rows":        "def flat_map(event):\n  while True: yield 'x' * 1000000\n",
	"gc":               "import gc\ndef map(event):\n  for o in gc.get_objects():\n    if type(o) is dict: o.clear()\n  return event\n",
	"wild C":           "import _wasmill\ndef map(event):\n  for n in dir(_wasmill):\n    for args in ((), (1,), (None, None), ('x',), (b'x', -1, 2**70)):\n      try: getattr(_wasmill, n)(*args)\n      except Exception: pass\n  return event\n",
	"code":             "def map(event): return event\nmap.__code__ = map.__code__.replace(co_code=b'\\x00' * 10)\n",
	"wild code":        "def map(event): return event\nmap.__code__ = map.__code__.replace(co_code=bytes([100, 255, 83, 0]) * 4, co_stacksize=0)\n",
	"frames":           "import sys\ndef map(event):\n  f = sys._getframe()\n  while f: f.f_locals.clear() if type(f.f_locals) is dict else 0; f = f.f_back\n  return event\n",
	"interrupt":        "import wasmill\ndef map(event): raise wasmill.Timeout\n",
	"deaf":             "import wasmill\ndef map(event):\n  while True:\n    try:\n      while True: pass\n    except wasmill.Timeout: pass\n",
	"nul":              "x = '\\0'\ndef map(event): return '\\0'\n",
	"big literal":      "x = " + "'" + "y" + "'" + " * (1 << 28)\ndef map(event): return len(x)\n",
}

func TestHostileFiles(t *testing.T) {
	r := newRuntime(t, python.Options{LoadTimeout: 2 * time.Second, LoadMemory: 128 << 20})
	for name, source := range hostile {
		t.Run(name, func(t *testing.T) {
			b, err := r.Open(t.Context(), upload(t, "user.py", source))
			if err != nil {
				judge(t, err)
				return
			}
			defer b.Close(context.Background())
			for range 2 {
				g, err := b.Instantiate(t.Context(), udf.Options{CallTimeout: 300 * time.Millisecond, MaxMemory: 128 << 20})
				if err != nil {
					judge(t, err)
					return
				}
				s := b.Functions()[0]
				f, err := g.Bind(t.Context(), s.Name, s.Kind, schema.Document(), nil, nil)
				if err != nil {
					judge(t, err)
				} else {
					judge(t, tryCall(t, g, f))
				}
				judge(t, g.Close(t.Context()))
			}
		})
	}
	if got := ask(t, openFile(t, r, upload(t, "user.py", "def map(event): return 7\n")), "null", udf.Options{}); got != "7" {
		t.Errorf("after all that: got %s", got)
	}
}

// judge looks whether an error is one that a guest may cause.
func judge(t *testing.T, err error) {
	t.Helper()
	switch fault.CodeOf(err) {
	case "", fault.Guest, fault.Limit, fault.Unsupported:
	default:
		t.Errorf("%s: %v", fault.CodeOf(err), err)
	}
	if err != nil && len(err.Error()) > 3000 {
		t.Errorf("the fault has %d bytes", len(err.Error()))
	}
}

// tryCall calls a function with a few documents.
func tryCall(t *testing.T, g udf.Guest, f udf.Function) error {
	t.Helper()
	in := documents(t, g, `{"a": 1}`, 3)
	defer in.Release()
	return f.Call(t.Context(), in, nil, func(udf.Result) error { return nil })
}
