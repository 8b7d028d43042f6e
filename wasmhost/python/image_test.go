package python_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// ask calls the function map of a new guest with one document and returns what it says.
func ask(t testing.TB, b udf.Bundle, document string, o udf.Options) string {
	t.Helper()
	g, err := b.Instantiate(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, fault.From(err).Detail)
	}
	defer func() {
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	f, err := g.Bind(t.Context(), "map", udf.Map, schema.Document(), nil, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, fault.From(err).Detail)
	}
	return answer(t, g, f, document, 1)
}

// answer calls a function with rows of the same document and returns the last one's result.
func answer(t testing.TB, g udf.Guest, f udf.Function, document string, rows int) string {
	t.Helper()
	in := documents(t, g, document, rows)
	defer in.Release()
	said := ""
	err := f.Call(t.Context(), in, nil, func(r udf.Result) error {
		said = strings.Clone(r.Record.Column(0).(*array.String).Value(int(r.Record.NumRows()) - 1))
		return nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, fault.From(err).Detail)
	}
	return said
}

// documents makes rows of the same document in a guest's memory.
func documents(t testing.TB, g udf.Guest, document string, rows int) arrow.Record {
	t.Helper()
	rb := array.NewRecordBuilder(g.Arena(), schema.Document())
	defer rb.Release()
	if err := g.Arena().Reserve(rows*(len(document)+64) + 4096); err != nil {
		t.Fatal(err)
	}
	for range rows {
		rb.Field(0).(*array.StringBuilder).Append(document)
	}
	return rb.NewRecord()
}

func openFile(t testing.TB, r *python.Runtime, b *bundle.Bundle) udf.Bundle {
	t.Helper()
	opened, err := r.Open(t.Context(), b)
	if err != nil {
		t.Fatalf("%v\n%s", err, fault.From(err).Detail)
	}
	t.Cleanup(func() { opened.Close(context.Background()) })
	return opened
}

const counting = `
import random, os, uuid, time
print("executed")
calls, made = 0, random.random()
def map(event):
    global calls
    calls += 1
    return [calls, made, random.random(), os.urandom(4).hex(), str(uuid.uuid4())]
`

// TestClonesAreApart uses guests one after the other, of which the later ones take the place of the earlier ones, and at once.
func TestClonesAreApart(t *testing.T) {
	b := openFile(t, newRuntime(t, python.Options{}), upload(t, "user.py", counting))
	seen := map[string]bool{}
	var made string
	look := func(said string) {
		parts := strings.SplitN(strings.Trim(said, "[]"), ",", 3)
		if parts[0] != "1" || made != "" && parts[1] != made || seen[parts[2]] {
			t.Errorf("got %s after %d others, of which the number at the start was %s", said, len(seen), made)
		}
		made, seen[parts[2]] = parts[1], true
	}
	for range 5 {
		look(ask(t, b, "null", udf.Options{}))
	}
	said := make(chan string, 8)
	for range 8 {
		go func() { said <- ask(t, b, "null", udf.Options{}) }()
	}
	for range 8 {
		look(<-said)
	}
}

func TestImagesAreKept(t *testing.T) {
	dir := t.TempDir()
	var log lines
	run := func() string {
		r := newRuntime(t, python.Options{CacheDir: dir, Log: log.add})
		return strings.Split(ask(t, openFile(t, r, upload(t, "user.py", counting)), "null", udf.Options{}), ",")[1]
	}
	first := run()
	if second := run(); second != first {
		t.Errorf("the number of the start is %s, and was %s", second, first)
	}
	if log.String() != "executed" {
		t.Errorf("the file printed %q", log.String())
	}
	images, err := filepath.Glob(filepath.Join(dir, "images", "*.image"))
	if err != nil || len(images) != 2 {
		t.Fatalf("%v is kept, %v", images, err)
	}
	for i, spoil := range []func([]byte) []byte{
		func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		func(b []byte) []byte { return b[:len(b)-4096] },
		func(b []byte) []byte { return nil },
		func(b []byte) []byte { return bytes.Repeat([]byte("wasmill image 1\n"), 1000) },
	} {
		for _, path := range images {
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, spoil(b), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		next := run()
		if next == first || strings.Count(log.String(), "executed") != i+2 {
			t.Errorf("spoiled in way %d: the number is %s, and the file printed %q", i, next, log.String())
		}
		first = next
	}
	// The same code under another name is another module.
	r := newRuntime(t, python.Options{CacheDir: dir, Log: log.add})
	openFile(t, r, upload(t, "other.py", counting))
	if got := strings.Count(log.String(), "executed"); got != 6 {
		t.Errorf("executed %d times", got)
	}
}

func TestManyMakeTheSameImageAtOnce(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	shared := newRuntime(t, python.Options{CacheDir: dir})
	for i := range 6 {
		r := shared
		if i%2 == 0 {
			r = newRuntime(t, python.Options{CacheDir: dir}) // as another process
		}
		all.Add(1)
		go func() {
			defer all.Done()
			b, err := r.Open(t.Context(), upload(t, "user.py", counting))
			if err != nil {
				t.Error(err)
				return
			}
			defer b.Close(context.Background())
			if got := ask(t, b, "null", udf.Options{}); !strings.HasPrefix(got, "[1,") {
				t.Errorf("got %s", got)
			}
		}()
	}
	all.Wait()
}

func TestFilesThatDoNotLoad(t *testing.T) {
	r := newRuntime(t, python.Options{LoadMemory: 64 << 20})
	hasty := newRuntime(t, python.Options{LoadTimeout: time.Second})
	for _, c := range []struct {
		name, code, want, detail string
		kind                     fault.Code
	}{
		{"syntax", "def map(event):\n    return event +\n", "user: SyntaxError: invalid syntax (user.py, line 2)", "    return event +\n                  ^", fault.Guest},
		{"raises", "def f():\n    raise ValueError('no')\nf()\n", "user: ValueError: no (user.py, line 2, in f)", "line 3, in <module>", fault.Guest},
		{"missing", "import nosuch\n", "user: ModuleNotFoundError: No module named 'nosuch'", "line 1, in <module>", fault.Guest},
		{"native", "import numpy\n", "user: ModuleNotFoundError: No module named 'numpy'", "", fault.Guest},
		{"nothing", "x = 1\n", "user: NoFunction: user.py has no function to call", "", fault.Guest},
		{"exit", "raise SystemExit(4)\n", "user: SystemExit: 4", "", fault.Guest},
		{"coroutine", "async def map(event): return event\n", "user: NoFunction: `map` cannot be called: async functions are not called", "", fault.Guest},
		{"open file", "f = open('/bundle/user.py')\ndef map(event): return event\n", "user: the file `/bundle/user.py` is open while an image is made, and guests of the image would share it (close it, or open it in open())", "", fault.Guest},
		{"loop", "while True: pass\n", "user: the guest was stopped after 1s: its time to start is over (do less before the first call)", "user.py, line 1", fault.Limit},
		{"memory", "x = []\nwhile True: x.append(bytearray(1 << 20))\n", "user: MemoryError (user.py, line 2, in <module>)", "", fault.Guest},
		{"killed", "import signal; signal.raise_signal(9)\n", "user: the guest trapped: unreachable", "Killed", fault.Guest},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := r
			if c.kind == fault.Limit {
				r = hasty
			}
			b, err := r.Open(t.Context(), upload(t, "user.py", c.code))
			if err == nil {
				b.Close(context.Background())
				t.Fatal("it loaded")
			}
			f := fault.From(err)
			if !strings.HasPrefix(f.Error(), c.want) || f.Code != c.kind || !strings.Contains(f.Detail, c.detail) {
				t.Errorf("got %s %v\n%s\nwant %s %s\n%s", f.Code, f, f.Detail, c.kind, c.want, c.detail)
			}
		})
	}
	// None of that has harmed the base image.
	if got := ask(t, openFile(t, r, upload(t, "user.py", "def map(event): return 7\n")), "null", udf.Options{}); got != "7" {
		t.Errorf("got %s", got)
	}
}

// TestTheOutsideCanBeSet gives guests a clock and random numbers of the test's own.
func TestTheOutsideCanBeSet(t *testing.T) {
	host, err := wasmhost.New(wasmhost.Options{
		CacheDir: codeDir(t), Now: func() time.Time { return time.Unix(1234567890, 0) },
		Random: func(b []byte) {
			for i := range b {
				b[i] = 7
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close(context.Background())
	r, err := python.New(python.Options{Host: host, Runtime: pyodide.ForTest(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	const source = `
import time, os, random, datetime
def map(event): return [time.time(), os.urandom(2).hex(), random.random(), str(datetime.datetime.now(datetime.UTC))]
`
	b := openFile(t, r, upload(t, "user.py", source))
	defer b.Close(context.Background())
	first := ask(t, b, "null", udf.Options{})
	if !strings.HasPrefix(first, `[1234567890.0,"0707",0.`) || !strings.HasSuffix(first, `"2009-02-13 23:31:30+00:00"]`) {
		t.Errorf("got %s", first)
	}
	if again := ask(t, b, "null", udf.Options{}); again != first {
		t.Errorf("another guest says %s", again)
	}
}

func TestOpenAndCloseOfTheFile(t *testing.T) {
	const source = `
import sys
def open(): print("opened")
def close():
    print("closed")
    if fail: raise ValueError("not so fast")
fail = False
def map(event):
    global fail
    fail = event
    print("called", file=sys.stderr)
    return event
`
	b := openFile(t, newRuntime(t, python.Options{}), upload(t, "user.py", source))
	for event, want := range map[string]string{
		"false": "opened\ncalled\nclosed",
		"true":  "opened\ncalled\nclosed\nValueError: not so fast (user.py, line 6, in close)",
	} {
		var log lines
		g, err := b.Instantiate(t.Context(), udf.Options{Log: log.add})
		if err != nil {
			t.Fatal(err)
		}
		f, err := g.Bind(t.Context(), "map", udf.Map, schema.Document(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer(t, g, f, event, 1)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.Close(ended); (err == nil) != (event == "false") || !strings.HasSuffix(want, "closed") && !strings.HasSuffix(want, err.Error()) {
			t.Errorf("%s: got %v", event, err)
		}
		if log.String() != want {
			t.Errorf("%s: got\n%s\nwant\n%s", event, log.String(), want)
		}
	}
	// A guest of which no function was opened has nothing to close.
	var log lines
	g, err := b.Instantiate(t.Context(), udf.Options{Log: log.add})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Close(t.Context()); err != nil || log.String() != "" {
		t.Errorf("got %v and %q", err, log.String())
	}
}

// TestNothingStaysOpen counts what images take of the system.
func TestNothingStaysOpen(t *testing.T) {
	images := func() int {
		names, err := filepath.Glob("/proc/self/fd/*")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, name := range names {
			if to, err := os.Readlink(name); err == nil && strings.Contains(to, "wasmill-image") {
				n++
			}
		}
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil && !os.IsNotExist(err) { // not Linux
			t.Fatal(err)
		}
		return n + strings.Count(string(maps), "wasmill-image")
	}
	t.Run("used", func(t *testing.T) {
		r := newRuntime(t, python.Options{CacheDir: t.TempDir()})
		for range 2 {
			b := openFile(t, r, upload(t, "user.py", counting))
			ask(t, b, "null", udf.Options{})
			ask(t, b, "null", udf.Options{MaxMemory: 64 << 20})
			g, err := b.Instantiate(t.Context(), udf.Options{CallTimeout: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, err := r.Open(t.Context(), upload(t, "user.py", "raise ValueError")); err == nil {
			t.Error("it loaded")
		}
		if _, err := r.Open(t.Context(), &bundle.Bundle{Name: "wasm"}); err == nil || err.Error() != "wasm: this is no Python (a .wasm is opened by wasmhost.Host.Open)" {
			t.Errorf("got %v", err)
		}
		b := openFile(t, r, upload(t, "user.py", counting))
		_, err := b.Instantiate(t.Context(), udf.Options{MaxMemory: 1 << 20})
		if err == nil || !strings.HasPrefix(err.Error(), "user: the guest's image has 20971520 bytes of memory, the limit is 1048576") {
			t.Errorf("got %v", err)
		}
	})
	if n := images(); n != 0 {
		t.Errorf("%d images are there after all was closed", n)
	}
}

// TestAThousandClones has them all at once.
func TestAThousandClones(t *testing.T) {
	b := openFile(t, newRuntime(t, python.Options{}), upload(t, "user.py", counting))
	guests := make([]udf.Guest, 1000)
	functions := make([]udf.Function, len(guests))
	for i := range guests {
		var err error
		if guests[i], err = b.Instantiate(t.Context(), udf.Options{}); err != nil {
			t.Fatal(err)
		}
		defer guests[i].Close(context.Background())
		if functions[i], err = guests[i].Bind(t.Context(), "map", udf.Map, schema.Document(), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, rows := range []int{1, 63} { // so that a guest that found the other's memory would have counted too far
		for i := range guests {
			got := answer(t, guests[i], functions[i], "null", rows)
			if want := map[int]string{1: "[1,", 63: "[64,"}[rows]; !strings.HasPrefix(got, want) || seen[got] {
				t.Fatalf("guest %d: got %s", i, got)
			}
			seen[got] = true
		}
	}
}
