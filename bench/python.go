package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// inPython measures functions in Python: rows in each convention, files, and the start of guests.
func inPython(e *env) error {
	host, err := wasmhost.New(wasmhost.Options{CacheDir: filepath.Join(e.dir, "python")})
	if err != nil {
		return err
	}
	defer host.Close(context.WithoutCancel(e.ctx))
	runtime, err := python.New(python.Options{Host: host, CacheDir: filepath.Join(e.dir, "python")})
	if err != nil {
		return err
	}
	defer runtime.Close(context.WithoutCancel(e.ctx))
	if err := pythonRows(e, runtime); err != nil {
		return err
	}
	if err := pythonFiles(e); err != nil {
		return err
	}
	return pythonStart(e, runtime)
}

// script opens a file of bench/python.
func script(e *env, r *python.Runtime, name string) (udf.Bundle, error) {
	b, err := bundle.Open(filepath.Join("bench", "python", name))
	if err != nil {
		return nil, err
	}
	return r.Open(e.ctx, b)
}

// processor returns the processor time of this process. What others do on the machine is not in it, but for the caches that they take.
func processor() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// orders is the schema of the events, or of some of their columns.
func orders(names ...string) *arrow.Schema {
	all := []arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "price", Type: arrow.PrimitiveTypes.Float64},
		{Name: "quantity", Type: arrow.PrimitiveTypes.Int64},
		{Name: "city", Type: arrow.BinaryTypes.String},
		{Name: "paid", Type: arrow.FixedWidthTypes.Boolean},
	}
	var some []arrow.Field
	for _, f := range all {
		for _, name := range names {
			if f.Name == name {
				some = append(some, f)
			}
		}
	}
	if len(names) == 0 {
		some = all
	}
	return arrow.NewSchema(some, nil)
}

// order is one event of 100 bytes, its line's end not counted.
type order struct {
	id       int64
	price    float64
	quantity int64
	city     string
	paid     bool
}

// randomOrder draws an event whose JSON has the same length as every other's.
func randomOrder(r *rand.Rand) order {
	return order{id: 1e9 + r.Int64N(8e9), price: float64(100+r.IntN(900)) + 0.25, quantity: 1 + r.Int64N(8),
		city: fmt.Sprintf("Amsterdam-Zuid-%017d", r.Int64N(1e17)), paid: r.IntN(2) == 0}
}

func (o order) json() string {
	paid := "true "
	if !o.paid {
		paid = "false"
	}
	return fmt.Sprintf(`{"id":%d,"price":%.2f,"quantity":%d,"city":"%s","paid":%s}`, o.id, o.price, o.quantity, o.city, paid)
}

// orderRecord makes rows of the schema: of columns of the events, or of their JSON where there is one column of text only.
func orderRecord(alloc memory.Allocator, s *arrow.Schema, rows int) arrow.Record {
	b := array.NewRecordBuilder(alloc, s)
	defer b.Release()
	b.Reserve(rows)
	r := rand.New(rand.NewPCG(5, 6))
	for range rows {
		o := randomOrder(r)
		for i, f := range s.Fields() {
			switch f.Name {
			case "id":
				b.Field(i).(*array.Int64Builder).Append(o.id)
			case "price":
				b.Field(i).(*array.Float64Builder).Append(o.price)
			case "quantity":
				b.Field(i).(*array.Int64Builder).Append(o.quantity)
			case "city":
				b.Field(i).(*array.StringBuilder).Append(o.city)
			case "paid":
				b.Field(i).(*array.BooleanBuilder).Append(o.paid)
			default:
				b.Field(i).(*array.StringBuilder).Append(o.json())
			}
		}
	}
	return b.NewRecord()
}
