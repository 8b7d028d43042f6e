package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
)

func TestMain(m *testing.M) {
	if wasmhost.CompileChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

func start(t testing.TB, opts udf.Options) udf.Guest {
	t.Helper()
	b, err := load(t, newHost(t, wasmhost.Options{}), "reference.c")
	if err != nil {
		t.Fatal(err)
	}
	g, err := b.Instantiate(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return g
}

func bind(t testing.TB, g udf.Guest, name string, in *arrow.Schema) udf.Function {
	t.Helper()
	kind := udf.Map
	if name == "add" || name == "gcd" {
		kind = udf.Scalar
	}
	f, err := g.Bind(t.Context(), name, kind, in, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// buffers lists the addresses of all that a record's columns hold.
func buffers(rec arrow.Record) []string {
	var all []string
	for i, c := range rec.Columns() {
		for k, b := range c.Data().Buffers() {
			if b != nil && b.Len() > 0 {
				all = append(all, fmt.Sprintf("column %d, buffer %d at %p", i, k, unsafe.SliceData(b.Bytes())))
			}
		}
	}
	return all
}

// TestColumnsPassThroughAtTheSameAddress is the zero-copy rule: what was built in the guest's memory goes through two
// functions, one nested in the other's result, and comes back where it was.
func TestColumnsPassThroughAtTheSameAddress(t *testing.T) {
	g := start(t, udf.Options{})
	if err := g.Arena().Reserve(64 << 10); err != nil {
		t.Fatal(err)
	}
	s := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}, {Name: "x", Type: arrow.BinaryTypes.Binary, Nullable: true},
	}, nil)
	rec, _, err := array.RecordFromJSON(g.Arena(), s, strings.NewReader(
		`[{"n": 1, "s": "one", "b": true, "x": "AAEC"}, {"n": null, "s": null, "b": null, "x": null}, {"n": 3, "s": "three", "b": false, "x": "/w=="}]`))
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	want := strings.Join(buffers(rec), "\n")
	outer, inner := bind(t, g, "echo", s), bind(t, g, "fail_on_negative", arrow.NewSchema(s.Fields()[:1], nil))
	steps := 0
	err = outer.Call(t.Context(), rec, nil, func(r udf.Result) error {
		if got := strings.Join(buffers(r.Record), "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		one := array.NewRecord(arrow.NewSchema(s.Fields()[:1], nil), r.Record.Columns()[:1], r.Record.NumRows())
		defer one.Release()
		return inner.Call(t.Context(), one, nil, func(nested udf.Result) error {
			steps++
			if got, want := buffers(nested.Record), buffers(rec)[:2]; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("nested: got %v, want %v", got, want)
			}
			if got := nested.Record.Column(0).String(); got != "[1 (null) 3]" {
				t.Errorf("got %s", got)
			}
			return nil
		})
	})
	if err != nil || steps != 1 {
		t.Fatalf("%d steps, %v", steps, err)
	}
	if s := g.Stats(); s.CopiedBytes != 0 || s.Calls != 2 || s.Rows != 6 || s.MemoryBytes == 0 {
		t.Errorf("got %+v", s)
	}
}

func TestColumnsInGoMemoryAreCopiedAndCounted(t *testing.T) {
	g := start(t, udf.Options{})
	rec := pairs(memory.DefaultAllocator, 100)
	defer rec.Release()
	f := bind(t, g, "add", rec.Schema())
	for range 3 {
		if err := f.Call(t.Context(), rec, nil, func(udf.Result) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	// Two columns of 800 bytes; bitmaps without nulls stay behind.
	if got, want := g.Stats().CopiedBytes, uint64(3*2*800); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}

func TestAnErrorOfYieldEndsTheCallAndTheGuestLives(t *testing.T) {
	g := start(t, udf.Options{})
	rec := pairs(memory.DefaultAllocator, 3)
	defer rec.Release()
	one := array.NewRecord(arrow.NewSchema(rec.Schema().Fields()[:1], nil), rec.Columns()[:1], 3)
	defer one.Release()
	f := bind(t, g, "fail_on_negative", one.Schema())
	stop := errors.New("stop")
	if err := f.Call(t.Context(), one, nil, func(udf.Result) error { return stop }); err != stop {
		t.Fatalf("got %v", err)
	}
	if g.Broken() {
		t.Error("the guest is broken")
	}
	if err := f.Call(t.Context(), one, nil, func(udf.Result) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestAFunctionIsNotCalledWithinItsOwnResult(t *testing.T) {
	g := start(t, udf.Options{})
	rec := pairs(memory.DefaultAllocator, 3)
	defer rec.Release()
	f := bind(t, g, "add", rec.Schema())
	err := f.Call(t.Context(), rec, nil, func(udf.Result) error { return f.Call(t.Context(), rec, nil, nil) })
	if want := "function add: a function was called from within its own result"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestTimeInYieldIsNotTheGuests(t *testing.T) {
	g := start(t, udf.Options{CallTimeout: time.Second})
	rec := pairs(memory.DefaultAllocator, 3)
	defer rec.Release()
	f := bind(t, g, "add", rec.Schema())
	err := f.Call(t.Context(), rec, nil, func(udf.Result) error { time.Sleep(1100 * time.Millisecond); return nil })
	if err != nil {
		t.Error(err)
	}
}

func TestTheArenaOutlivesTheContextOfACall(t *testing.T) {
	g := start(t, udf.Options{})
	rec := pairs(memory.DefaultAllocator, 3)
	defer rec.Release()
	f := bind(t, g, "add", rec.Schema())
	ctx, cancel := context.WithCancel(t.Context())
	if err := f.Call(ctx, rec, nil, func(udf.Result) error { return nil }); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := g.Arena().Reserve(1 << 20); err != nil {
		t.Error(err)
	}
	if err := f.Call(ctx, rec, nil, nil); !errors.Is(err, context.Canceled) || g.Broken() {
		t.Errorf("broken %v, got %v", g.Broken(), err)
	}
}

func TestABatchThatDoesNotFitIsALimit(t *testing.T) {
	g := start(t, udf.Options{MaxMemory: 2 << 20})
	rec := pairs(memory.DefaultAllocator, 200_000)
	defer rec.Release()
	f := bind(t, g, "add", rec.Schema())
	err := f.Call(t.Context(), rec, nil, func(udf.Result) error { return nil })
	var failed *udf.CallError
	if !errors.As(err, &failed) || failed.Row != -1 || g.Broken() {
		t.Fatalf("broken %v, got %v", g.Broken(), err)
	}
	want := "function add: the guest has no memory for 3200000 more bytes (raise the memory limit or use smaller batches)"
	if err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	small := rec.NewSlice(0, 100)
	defer small.Release()
	if err := f.Call(t.Context(), small, nil, func(udf.Result) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestGuestsOfOneBundleWorkSideBySide(t *testing.T) {
	b, err := load(t, newHost(t, wasmhost.Options{}), "reference.c")
	if err != nil {
		t.Fatal(err)
	}
	group, ctx := errgroup.WithContext(t.Context())
	for range 4 {
		group.Go(func() error {
			g, err := b.Instantiate(ctx, udf.Options{})
			if err != nil {
				return err
			}
			defer g.Close(ctx)
			rec := pairs(memory.DefaultAllocator, 1000)
			defer rec.Release()
			f, err := g.Bind(ctx, "gcd", udf.Scalar, rec.Schema(), nil, nil)
			if err != nil {
				return err
			}
			for range 20 {
				if err := f.Call(ctx, rec, nil, func(udf.Result) error { return nil }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
