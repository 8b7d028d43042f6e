package pyodide_test

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	pyodide "github.com/wasmill/wasmill/pyodide-build"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/python"
)

//go:embed testdata/runtime/*.py
var files embed.FS

// machines is the runtime of all tests here: compiling Python takes seconds, which one of them pays.
var machines struct {
	sync.Once
	dir     string
	host    *wasmhost.Host
	runtime *python.Runtime
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if machines.runtime != nil {
		machines.runtime.Close(context.Background())
		machines.host.Close(context.Background())
	}
	if machines.dir != "" {
		os.RemoveAll(machines.dir)
	}
	os.Exit(code)
}

func start(t testing.TB) *python.Runtime {
	t.Helper()
	p := pyodide.ForTest(t)
	machines.Do(func() {
		if machines.dir, machines.err = os.MkdirTemp("", "runtime"); machines.err != nil {
			return
		}
		if machines.host, machines.err = wasmhost.New(wasmhost.Options{CacheDir: machines.dir}); machines.err != nil {
			return
		}
		machines.runtime, machines.err = python.New(python.Options{Host: machines.host, Runtime: p, CacheDir: machines.dir})
	})
	if machines.err != nil {
		t.Fatal(machines.err)
	}
	return machines.runtime
}

// user is a file of a user's, opened, and a guest of it.
type user struct {
	t      testing.TB
	bundle udf.Bundle
	guest  udf.Guest
	lines  []string // what it logged and printed
}

func open(t testing.TB, source string) (*user, error) {
	t.Helper()
	sum := sha256.Sum256([]byte(source))
	b := &bundle.Bundle{Name: "clean", Digest: hex.EncodeToString(sum[:]), Module: "clean.py", Python: &bundle.Python{Main: "clean.py"},
		Files: map[string][]byte{"clean.py": []byte(source)}}
	loaded, err := start(t).Open(t.Context(), b)
	if err != nil {
		return nil, err
	}
	u := &user{t: t, bundle: loaded}
	u.guest = u.instantiate(udf.Options{})
	t.Cleanup(func() { loaded.Close(context.Background()) })
	return u, nil
}

func opened(t testing.TB, name string) *user {
	t.Helper()
	source, err := files.ReadFile("testdata/runtime/" + name + ".py")
	if err != nil {
		t.Fatal(err)
	}
	u, err := open(t, string(source))
	if err != nil {
		t.Fatal(text(err))
	}
	return u
}

func (u *user) instantiate(o udf.Options) udf.Guest {
	u.t.Helper()
	o.Log = func(_ int, line string) { u.lines = append(u.lines, line) }
	if o.CallTimeout == 0 {
		o.CallTimeout = time.Minute
	}
	g, err := u.bundle.Instantiate(u.t.Context(), o)
	if err != nil {
		u.t.Fatal(text(err))
	}
	u.t.Cleanup(func() { g.Close(context.Background()) })
	return g
}

// text is all that an error says.
func text(err error) string {
	var call *udf.CallError
	prefix := ""
	if errors.As(err, &call) {
		prefix = fmt.Sprintf("row %d: ", call.Row)
	}
	f := fault.From(err)
	s := prefix + f.What
	if f.Hint != "" {
		s += "\nhint: " + f.Hint
	}
	if f.Detail != "" {
		s += "\n" + f.Detail
	}
	return s
}

// record makes a record of a schema in the grammar of pipelines ("documents" for documents) and rows in JSON.
func record(t testing.TB, columns, rows string) arrow.Record {
	t.Helper()
	s := schema.Document()
	if columns != "documents" {
		var err error
		if s, err = schema.ParseSchema(columns); err != nil {
			t.Fatal(err)
		}
	} else {
		var values []json.RawMessage
		if err := json.Unmarshal([]byte(rows), &values); err != nil {
			t.Fatal(err)
		}
		b := array.NewStringBuilder(memory.DefaultAllocator)
		for _, v := range values {
			b.Append(string(v))
		}
		return array.NewRecord(s, []arrow.Array{b.NewArray()}, int64(len(values)))
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// call runs a function over a record and hands its steps on.
func (u *user) call(function string, kind udf.Kind, config string, in arrow.Record, yield func(udf.Result) error) error {
	u.t.Helper()
	var c json.RawMessage
	if config != "" {
		c = json.RawMessage(config)
	}
	f, err := u.guest.Bind(u.t.Context(), function, kind, in.Schema(), c, nil)
	if err != nil {
		return err
	}
	return f.Call(u.t.Context(), in, nil, yield)
}

// run returns the rows that come out as JSON, one a line, with the origins of a flat_map in front.
func (u *user) run(function string, kind udf.Kind, config string, in arrow.Record) (string, error) {
	u.t.Helper()
	var out strings.Builder
	err := u.call(function, kind, config, in, func(r udf.Result) error {
		var rows strings.Builder
		if err := array.RecordToJSON(r.Record, &rows); err != nil {
			return err
		}
		lines := strings.SplitAfter(rows.String(), "\n")
		for i, line := range lines[:len(lines)-1] {
			if kind == udf.FlatMap && r.Origins != nil {
				fmt.Fprintf(&out, "%d ", r.Origins[i])
			}
			out.WriteString(line)
		}
		return nil
	})
	return out.String(), err
}
