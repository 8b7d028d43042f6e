package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/udf"
)

// boundary times calls of functions whose input lies in the guest's memory already.
func boundary(e *env) error {
	const rows = 1024
	guest, err := e.bundle.Instantiate(e.ctx, udf.Options{})
	if err != nil {
		return err
	}
	defer guest.Close(e.ctx)
	if err := guest.Arena().Reserve(64 << 10); err != nil {
		return err
	}
	many, one := pairs(guest.Arena(), rows), pairs(guest.Arena(), 1)
	defer one.Release()
	defer many.Release()

	t := newTable("Boundary: a C function over columns that lie in its memory already", "case", "per batch", "per row", "ratio", "allocs", "copied")
	inGo, err := e.perOp(gcdInGo(many))
	if err != nil {
		return err
	}
	t.add("gcd of 1,024 rows, Go", nanos(inGo), nanos(inGo/rows), "1.00", "0", "0 B")
	for _, c := range []struct {
		what, function string
		kind           udf.Kind
		rec            arrow.Record
	}{
		{"gcd of 1,024 rows, C guest", "gcd", udf.Scalar, many},
		{"call, 1,024 rows (< 5 us)", "echo", udf.Map, many},
		{"call, 1 row", "echo", udf.Map, one},
	} {
		call, err := caller(e, guest, c.function, c.kind, c.rec)
		if err != nil {
			return err
		}
		before := guest.Stats().CopiedBytes
		ns, err := e.perOp(call)
		if err != nil {
			return err
		}
		ratio := ""
		if c.function == "gcd" {
			ratio = fmt.Sprintf("%.2f", ns/inGo)
		}
		allocs, err := allocations(call)
		if err != nil {
			return err
		}
		t.add(c.what, nanos(ns), nanos(ns/float64(c.rec.NumRows())), ratio, fmt.Sprintf("%.0f", allocs),
			fmt.Sprintf("%d B", guest.Stats().CopiedBytes-before))
	}
	t.print(e.out)
	return nil
}

// caller returns a call of a function over rec.
func caller(e *env, guest udf.Guest, name string, kind udf.Kind, rec arrow.Record) (func() error, error) {
	f, err := guest.Bind(e.ctx, name, kind, rec.Schema(), nil, nil)
	if err != nil {
		return nil, err
	}
	want := rec.NumRows()
	return func() error {
		return f.Call(e.ctx, rec, nil, func(r udf.Result) error {
			if r.Record.NumRows() != want {
				return fmt.Errorf("%d rows came back of %d", r.Record.NumRows(), want)
			}
			return nil
		})
	}, nil
}

func gcdInGo(rec arrow.Record) func() error {
	x, y := rec.Column(0).(*array.Int64).Int64Values(), rec.Column(1).(*array.Int64).Int64Values()
	out := make([]int64, len(x))
	return func() error {
		for i := range out {
			a, b := x[i], y[i]
			for b != 0 {
				a, b = b, a%b
			}
			out[i] = a
		}
		return nil
	}
}

// pairs makes two columns of numbers below 2^32.
func pairs(alloc memory.Allocator, rows int) arrow.Record {
	column := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64} }
	b := array.NewRecordBuilder(alloc, arrow.NewSchema([]arrow.Field{column("a"), column("b")}, nil))
	defer b.Release()
	b.Reserve(rows)
	r := rand.New(rand.NewPCG(1, 2))
	for range rows {
		b.Field(0).(*array.Int64Builder).Append(r.Int64N(1 << 32))
		b.Field(1).(*array.Int64Builder).Append(r.Int64N(1 << 32))
	}
	return b.NewRecord()
}

// allocations returns how often f allocates.
func allocations(f func() error) (float64, error) {
	const n = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		if err := f(); err != nil {
			return 0, err
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / n, nil
}
