package python

import (
	"context"
	"errors"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

// Function is a function of a [File].
type Function struct {
	file      *File
	signature *udf.Signature
}

// Signature returns what the file declares.
func (fn *Function) Signature() udf.Signature { return *fn.signature }

// Call calls the function with Go values and returns what it returns.
//
// A function that declares its columns takes a value for each of them, in order, or one map by name; nil is None. Any other function takes
// one value, which it gets as the JSON that encoding/json makes of it. What comes back is a bool, int64, uint64, float64, string, []byte, time.Time,
// time.Duration, json.Number (for integers and decimals that none of these hold), nil, and []any and map[string]any of those: for a [udf.Filter]
// whether the row stays, for a [udf.FlatMap] the list of all that comes, and for a function that declares several columns a map by name.
//
// What the function raised is a fault of code Guest with the traceback as Detail, the end of its time one of code Limit.
func (fn *Function) Call(ctx context.Context, args ...any) (any, error) {
	in, err := fn.row(args)
	if err != nil {
		return nil, fault.From(err).In("function %s", fn.signature.Name)
	}
	defer in.Release()
	out, err := fn.CallRecord(ctx, in)
	if err != nil {
		return nil, err
	}
	defer out.Release()
	rows := make([]any, out.NumRows())
	for i := range rows {
		if rows[i], err = rowValue(out, i, fn.signature.Kind); err != nil {
			return nil, fault.From(err).In("function %s", fn.signature.Name)
		}
	}
	if fn.signature.Kind == udf.FlatMap {
		return rows, nil
	}
	if len(rows) != 1 {
		return nil, fault.New(fault.Internal, "the function returned %d rows for one", len(rows)).At("function %s", fn.signature.Name)
	}
	return rows[0], nil
}

// row makes a record of one row of a call's arguments.
func (fn *Function) row(args []any) (arrow.Record, error) {
	in := fn.signature.In
	if in == nil {
		in = schema.Document()
	}
	if fields := in.Fields(); len(args) == 1 && (len(fields) != 1 || schema.IsDocument(in)) {
		if byName, ok := args[0].(map[string]any); ok && !schema.IsDocument(in) {
			args = make([]any, len(fields))
			for i, f := range fields {
				args[i] = byName[f.Name]
			}
			for name := range byName {
				if !in.HasField(name) {
					return nil, fault.New(fault.Schema, "there is no column `%s` among those that the function takes (%s)", name, schema.FormatSchema(in))
				}
			}
		}
	}
	if len(args) != len(in.Fields()) {
		return nil, fault.New(fault.Schema, "expected %d values (%s), got %d", len(in.Fields()), schema.FormatSchema(in), len(args))
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, in)
	defer b.Release()
	for i, f := range in.Fields() {
		var err error
		if schema.IsJSON(f) {
			err = appendJSON(b.Field(i), args[i])
		} else {
			err = appendValue(b.Field(i), args[i])
		}
		if err != nil {
			return nil, fault.From(err).At("column %s", f.Name)
		}
	}
	return b.NewRecord(), nil
}

// CallRecord calls the function with the rows of a record, whose columns are those that it declares, and returns the rows that it returns, in memory of Go's
// that the caller releases. The caller keeps in. The first row that fails ends the call. Errors are faults: of code Schema for a record that does not fit, and those of [Function.Call].
func (fn *Function) CallRecord(ctx context.Context, in arrow.Record) (arrow.Record, error) {
	f := fn.file
	f.mu.Lock()
	defer f.mu.Unlock()
	bound, err := f.function(ctx, fn.signature, in.Schema())
	if err != nil {
		return nil, plainFault(err)
	}
	var steps []arrow.Record
	defer func() {
		for _, s := range steps {
			s.Release()
		}
	}()
	err = bound.Call(ctx, in, nil, func(r udf.Result) error {
		step, err := join(bound.Out(), []arrow.Record{r.Record})
		if err == nil {
			steps = append(steps, step)
		}
		return err
	})
	if err != nil {
		return nil, plainFault(err)
	}
	return join(bound.Out(), steps)
}

// plainFault takes a fault out of what tells the engine which row failed.
func plainFault(err error) error {
	var call *udf.CallError
	if errors.As(err, &call) {
		return call.Err
	}
	return err
}

// join copies records to Go's memory, as one.
func join(s *arrow.Schema, records []arrow.Record) (arrow.Record, error) {
	columns := make([]arrow.Array, 0, len(s.Fields()))
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	rows := int64(0)
	for _, r := range records {
		rows += r.NumRows()
	}
	for i := range s.Fields() {
		parts := make([]arrow.Array, len(records))
		for k, r := range records {
			parts[k] = r.Column(i)
		}
		whole, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			return nil, fault.New(fault.Limit, "the result cannot be copied: %v", err)
		}
		columns = append(columns, whole)
	}
	return array.NewRecord(s, columns, rows), nil
}
