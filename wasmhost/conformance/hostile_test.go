package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
)

// record makes the three rows that every hostile function gets: of its one input column.
func record(t testing.TB, alloc memory.Allocator, s *arrow.Schema) arrow.Record {
	t.Helper()
	rows := `[{"n": 10, "s": "a"}, {"n": 20, "s": "bb"}, {"n": 30, "s": "ccc"}]`
	if s.HasField("n") {
		rows = `[{"n": 10}, {"n": 20}, {"n": 30}]`
	}
	rec, _, err := array.RecordFromJSON(alloc, s, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

type noState struct{}

func (noState) Get(int32, int32) ([]byte, bool, error) { return nil, false, nil }
func (noState) Put(int32, int32, []byte) error         { return nil }
func (noState) Delete(int32, int32) error              { return nil }

func (noState) Add(int32, int32, []byte) error                             { return nil }
func (noState) List(int32, int32) ([][]byte, error)                        { return nil, nil }
func (noState) MapGet(int32, int32, []byte) ([]byte, bool, error)          { return nil, false, nil }
func (noState) MapPut(int32, int32, []byte, []byte) error                  { return nil }
func (noState) MapRemove(int32, int32, []byte) error                       { return nil }
func (noState) MapFrom(int32, int32, []byte, func(k, v []byte) bool) error { return nil }

func (noState) SetTimer(int32, udf.Domain, int64) error    { return nil }
func (noState) DeleteTimer(int32, udf.Domain, int64) error { return nil }
func (noState) Watermark() int64                           { return 0 }
func (noState) Now() int64                                 { return 0 }

// provoke binds and calls one hostile function in a guest of its own.
func provoke(t *testing.T, b udf.Bundle, name string, opts udf.Options) (err error, broken bool) {
	t.Helper()
	ctx := t.Context()
	g, err := b.Instantiate(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(ctx)
	var signature udf.Signature
	for _, s := range b.Functions() {
		if s.Name == name {
			signature = s
		}
	}
	if err := g.Arena().Reserve(4096); err != nil {
		t.Fatal(err)
	}
	in := signature.In
	if in == nil {
		in = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	}
	rec := record(t, g.Arena(), in)
	defer rec.Release()
	f, err := g.Bind(ctx, name, signature.Kind, in, json.RawMessage(`{}`), noState{})
	if err != nil {
		return err, g.Broken()
	}
	var slots []int32
	if signature.Kind.Keyed() {
		slots = []int32{0, 1, 0}
	}
	err = f.Call(ctx, rec, slots, func(r udf.Result) error {
		for _, c := range r.Record.Columns() {
			_ = c.String() // reads every value
		}
		return nil
	})
	if err == nil && !g.Broken() {
		err = f.Recheck(rec)
	}
	if err == nil {
		err = g.Arena().Reserve(32 << 20)
	}
	return err, g.Broken()
}

func TestHostileGuests(t *testing.T) {
	host := newHost(t, wasmhost.Options{})
	b, err := load(t, host, "hostile.c")
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{"last": true}
	for _, c := range hostile {
		tried[c.function] = true
		t.Run(c.function, func(t *testing.T) {
			err, broken := provoke(t, b, c.function, c.options)
			got := "<nil>"
			if err != nil {
				got = moving.ReplaceAllString(sizes.ReplaceAllString(err.Error(), "${1}SIZE"), "ADDRESS")
			}
			if got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if broken != c.broken {
				t.Errorf("broken is %v", broken)
			}
			if code := fault.CodeOf(err); code != c.code {
				t.Errorf("code %q, want %q", code, c.code)
			}
			var failed *udf.CallError
			if c.call != errors.As(err, &failed) || failed != nil && failed.Row != c.row {
				t.Errorf("call error %v of row %v", failed != nil, failed)
			}
		})
	}
	for _, s := range b.Functions() {
		if !tried[s.Name] {
			t.Errorf("nothing provokes `%s`", s.Name)
		}
	}
}

// Where a compiler puts the guest's data, and how much memory that takes, is not what is tested.
var (
	moving = regexp.MustCompile(`\b0x1[0-9a-f]{5}\b`)
	sizes  = regexp.MustCompile(`(memory of |offsets up to )1\d{6}\b`)
)

// short is a timeout that ends a test soon.
var short = udf.Options{CallTimeout: 200 * time.Millisecond}

// patient is one that no other limit needs, however slow the machine is.
var patient = udf.Options{CallTimeout: time.Minute}

func TestDetailsOfHostileTexts(t *testing.T) {
	b, err := load(t, newHost(t, wasmhost.Options{}), "hostile.c")
	if err != nil {
		t.Fatal(err)
	}
	detail := func(name string) string {
		err, _ := provoke(t, b, name, udf.Options{})
		return fault.From(err).Detail
	}
	if got, want := detail("error_binary"), "\ta second line\uFFFD"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := detail("stack_overflow"); len(got) > 10_000 || !strings.Contains(got, "at deep(i64) i64\n") || !strings.HasSuffix(got, "at ... maybe followed by omitted frames\n") {
		t.Errorf("got %d bytes: %s", len(got), got)
	}
	err, _ = provoke(t, b, "spin", short)
	if got := fault.From(err).Detail; !strings.HasPrefix(got, "at ") || strings.Contains(got, "fuel") {
		t.Errorf("got %q", got)
	}
	if got := detail("trap"); !strings.HasPrefix(got, "at ") || strings.Contains(got, "/") {
		t.Errorf("got %q", got)
	}
}

func TestTheLogIsCapped(t *testing.T) {
	b, err := load(t, newHost(t, wasmhost.Options{}), "hostile.c")
	if err != nil {
		t.Fatal(err)
	}
	lines, last := 0, ""
	opts := udf.Options{Log: func(level int, line string) { lines++; last = line }}
	if err, _ := provoke(t, b, "log_flood", opts); err != nil {
		t.Fatal(err)
	}
	if want := "4000 lines of this guest's log were dropped: at most 1000 lines and 64 KiB are kept per call"; lines != 1001 || last != want {
		t.Errorf("%d lines, the last is %q", lines, last)
	}
}

func TestAnEndedContextIsNotTheGuestsFault(t *testing.T) {
	b, err := load(t, newHost(t, wasmhost.Options{}), "hostile.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"spin", "nap", "more_forever"} {
		g, err := b.Instantiate(t.Context(), udf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rec := record(t, memory.DefaultAllocator, b.Functions()[1].In)
		f, err := g.Bind(t.Context(), name, udf.Find(b.Functions(), name, "").Kind, rec.Schema(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		err = f.Call(ctx, rec, nil, func(udf.Result) error { return nil })
		var failed *udf.CallError
		if !errors.Is(err, context.Canceled) || errors.As(err, &failed) {
			t.Errorf("%s: got %v", name, err)
		}
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
