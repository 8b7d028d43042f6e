package python_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/python"
)

func TestMain(m *testing.M) {
	if wasmhost.CompileChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// codeDir is where machine code is kept from test to test: compiling the interpreter takes seconds.
func codeDir(t testing.TB) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "wasmill", "test")
}

// newRuntime makes a runtime with images in a folder; "" for none.
func newRuntime(t testing.TB, o python.Options) *python.Runtime {
	t.Helper()
	host, err := wasmhost.New(wasmhost.Options{CacheDir: codeDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	o.Host, o.Runtime = host, pyodide.ForTest(t)
	r, err := python.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// write makes a file of Python code.
func write(t testing.TB, name, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// upload makes a bundle of one file.
func upload(t testing.TB, name, source string) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Read(name, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t testing.TB, r *python.Runtime, source string, o udf.Options) *python.File {
	t.Helper()
	f, err := r.LoadFile(t.Context(), write(t, "user.py", source), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, fault.From(err).Detail)
	}
	t.Cleanup(func() {
		if err := f.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return f
}

// call calls a function that must not fail.
func call(t testing.TB, f *python.File, name string, args ...any) any {
	t.Helper()
	v, err := f.Call(t.Context(), name, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, fault.From(err).Detail)
	}
	return v
}

// lines collects what guests print.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) add(_ int, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.text, "\n")
}
