package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// batchRows are the rows of a batch, batches the batches of a round.
const (
	batchRows = 8192
	batches   = 20
)

// rowCase is a function of bench/python/events.py.
type rowCase struct {
	what, function string
	kind           udf.Kind
	record         arrow.Record
	target, faster string
}

// pythonRows calls functions over columns that lie in the guest's memory, with fuel; the same functions in a CPython of this machine; and loops in Python
// that call them in the sandbox. All that is compared takes turns, round by round; figures are the least of the
// rounds, since all that others on the machine do makes them larger.
func pythonRows(e *env, r *python.Runtime) error {
	native, err := buildNative(e)
	if err != nil {
		return err
	}
	b, err := script(e, r, "events.py")
	if err != nil {
		return err
	}
	defer b.Close(context.WithoutCancel(e.ctx))
	guest, err := b.Instantiate(e.ctx, udf.Options{})
	if err != nil {
		return err
	}
	defer guest.Close(e.ctx)
	if err := guest.Arena().Reserve(24 << 20); err != nil {
		return err
	}
	text := arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String}}, nil)
	rows := func(columns *arrow.Schema) arrow.Record { return orderRecord(guest.Arena(), columns, batchRows) }
	calls := newTable(fmt.Sprintf("Python: functions over batches of %d rows, with fuel; least processor time", batchRows), "case", "per row", "target", "native", "ratio", "target")
	loops := newTable("Python: the same functions called by a loop in Python, in the sandbox", "case", "by numbers", "ours faster", "target", "by zip", "ours faster")
	for _, c := range []rowCase{
		{"two ints below a million, a*2+b", "linear", udf.Scalar, smallPairs(guest.Arena()), "500 ns", "2.0"},
		{"two ints below 2**32, a*2+b", "linear", udf.Scalar, pairs(guest.Arena(), batchRows), "", ""},
		{"filter by two columns", "dear", udf.Filter, rows(orders("price", "quantity")), "580 ns", "2.0"},
		{"Row, 3 of 5 fields, branches", "row", udf.Map, rows(orders()), "1.5 us", "2.0"},
		{"dict of 5 in, of 3 out", "dicts", udf.Map, rows(orders()), "2.8 us", "1.5"},
		{"document of 100 bytes, a field changed", "changed", udf.Map, rows(schema.Document()), "", ""},
		{"json.loads, a field changed, json.dumps", "itself", udf.Scalar, rows(text), "6 us", ""},
	} {
		err := c.measure(e, guest, native, calls, loops)
		c.record.Release()
		if err != nil {
			return fmt.Errorf("%s: %w", c.function, err)
		}
	}
	calls.print(e.out)
	loops.print(e.out)
	return nil
}

func (c *rowCase) measure(e *env, guest udf.Guest, n *native, calls, loops *table) error {
	outside, err := n.start(e, "events.py", c.function, c.kind, c.record, batches)
	if err != nil {
		return err
	}
	defer outside.close()
	var rounds []func() (float64, error)
	names := []string{c.function}
	if c.faster != "" {
		names = append(names, c.function+"_numbers", c.function+"_zip")
	}
	for _, name := range names {
		f, err := guest.Bind(e.ctx, name, c.kind, c.record.Schema(), nil, nil)
		if err != nil {
			return err
		}
		rounds = append(rounds, func() (float64, error) { return e.perRow(f, c.record) })
	}
	rounds = append(rounds, outside.round)
	all := make([][]float64, len(rounds))
	for round := range e.rounds + 1 { // the first is for pages and caches
		for i, f := range rounds {
			ns, err := f()
			if err != nil {
				return err
			}
			if round > 0 {
				all[i] = append(all[i], ns)
			}
		}
	}
	ours, away := slices.Min(all[0]), slices.Min(all[len(all)-1])
	calls.add(c.what, nanos(ours), c.target, nanos(away), fmt.Sprintf("%.1f", ours/away), "6.0")
	if c.faster != "" {
		numbers, zip := slices.Min(all[1]), slices.Min(all[2])
		loops.add(c.what, nanos(numbers), fmt.Sprintf("%.1f", numbers/ours), c.faster, nanos(zip), fmt.Sprintf("%.1f", zip/ours))
	}
	return nil
}

// perRow returns the processor time that a row of rec costs in one round, in nanoseconds.
func (e *env) perRow(f udf.Function, rec arrow.Record) (float64, error) {
	before, err := processor()
	if err != nil {
		return 0, err
	}
	for range batches {
		rows := int64(0)
		err := f.Call(e.ctx, rec, nil, func(r udf.Result) error {
			rows += r.Record.NumRows()
			return nil
		})
		if err == nil && rows != rec.NumRows() {
			err = fmt.Errorf("%d rows came back of %d", rows, rec.NumRows())
		}
		if err != nil {
			return 0, err
		}
	}
	after, err := processor()
	return float64(after-before) / batches / float64(rec.NumRows()), err
}

// smallPairs are columns of ints that take one digit of Python's, as most do.
func smallPairs(alloc memory.Allocator) arrow.Record {
	column := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64} }
	b := array.NewRecordBuilder(alloc, arrow.NewSchema([]arrow.Field{column("a"), column("b")}, nil))
	defer b.Release()
	b.Reserve(batchRows)
	r := rand.New(rand.NewPCG(1, 2))
	for range batchRows {
		b.Field(0).(*array.Int64Builder).Append(r.Int64N(1_000_000))
		b.Field(1).(*array.Int64Builder).Append(r.Int64N(1000))
	}
	return b.NewRecord()
}
