package python

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

// appendJSON appends a document.
func appendJSON(b array.Builder, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fault.New(fault.Schema, "the value has no JSON: %v", err)
	}
	b.(*array.StringBuilder).BinaryBuilder.Append(text)
	return nil
}

// appendValue appends a Go value to a column.
func appendValue(b array.Builder, v any) error {
	if v == nil {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.TimestampBuilder:
		if t, ok := v.(time.Time); ok {
			at, err := arrow.TimestampFromTime(t, b.Type().(*arrow.TimestampType).Unit)
			if err != nil {
				return misfit(b, v)
			}
			b.Append(at)
			return nil
		}
	case *array.Date32Builder:
		if t, ok := v.(time.Time); ok {
			b.Append(arrow.Date32FromTime(t))
			return nil
		}
	case *array.DurationBuilder:
		if d, ok := v.(time.Duration); ok {
			b.Append(arrow.Duration(d / b.Type().(*arrow.DurationType).Unit.Multiplier()))
			return nil
		}
	case *array.ListBuilder:
		return appendList(b, v)
	case *array.StructBuilder:
		return appendStruct(b, v)
	case *array.BinaryBuilder:
		if data, ok := v.([]byte); ok {
			b.Append(data)
			return nil
		}
	}
	return appendScalar(b, reflect.ValueOf(v))
}

func misfit(b array.Builder, v any) error {
	return fault.New(fault.Schema, "a Go %T does not fit %s", v, schema.Format(b.Type()))
}

// appendScalar appends a bool, number or text to a column of the same, unless it does not hold it.
func appendScalar(b array.Builder, v reflect.Value) error {
	kind := v.Kind()
	id := b.Type().ID()
	text, ok := "", false
	switch {
	case kind == reflect.Bool:
		text, ok = strconv.FormatBool(v.Bool()), id == arrow.BOOL
	case v.CanInt():
		text, ok = strconv.FormatInt(v.Int(), 10), numeric(id)
	case v.CanUint():
		text, ok = strconv.FormatUint(v.Uint(), 10), numeric(id)
	case v.CanFloat():
		text = strconv.FormatFloat(v.Float(), 'g', -1, 64)
		ok = arrow.IsFloating(id)
		if f := v.Float(); arrow.IsInteger(id) && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			text, ok = strconv.FormatInt(int64(f), 10), true
		}
	case kind == reflect.String:
		text, ok = v.String(), id == arrow.STRING || id == arrow.LARGE_STRING || id == arrow.DECIMAL128
	}
	if !ok || b.AppendValueFromString(text) != nil {
		return misfit(b, v.Interface())
	}
	return nil
}

func numeric(id arrow.Type) bool {
	return arrow.IsInteger(id) || arrow.IsFloating(id) || id == arrow.DECIMAL128
}

func appendList(b *array.ListBuilder, v any) error {
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
		return misfit(b, v)
	}
	b.Append(true)
	for i := range list.Len() {
		if err := appendValue(b.ValueBuilder(), list.Index(i).Interface()); err != nil {
			return err
		}
	}
	return nil
}

func appendStruct(b *array.StructBuilder, v any) error {
	values, ok := v.(map[string]any)
	if !ok {
		return misfit(b, v)
	}
	b.Append(true)
	for i, f := range b.Type().(*arrow.StructType).Fields() {
		if err := appendValue(b.FieldBuilder(i), values[f.Name]); err != nil {
			return err
		}
	}
	return nil
}

// rowValue returns what a function returned in a row.
func rowValue(r arrow.Record, row int, kind udf.Kind) (any, error) {
	if schema.IsDocument(r.Schema()) {
		return documentValue(r.Column(0).(*array.String).Value(row))
	}
	if kind == udf.Filter || kind == udf.Scalar {
		v := value(r.Column(0), row)
		if v == nil && kind == udf.Filter {
			v = false
		}
		return v, nil
	}
	values := make(map[string]any, r.NumCols())
	for i, f := range r.Schema().Fields() {
		if values[f.Name] = value(r.Column(i), row); schema.IsJSON(f) && values[f.Name] != nil {
			var err error
			if values[f.Name], err = documentValue(r.Column(i).(*array.String).Value(row)); err != nil {
				return nil, err
			}
		}
	}
	return values, nil
}

// documentValue reads JSON that a guest wrote.
func documentValue(text string) (any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return plainNumbers(v), nil
		}
	}
	return nil, fault.New(fault.Guest, "the function returned text that is no JSON")
}

// plainNumbers makes Go's numbers of JSON's, where they hold them.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return i
		}
		if _, integer := strconv.ParseUint(string(v), 10, 64); integer == nil || !bytes.ContainsAny([]byte(v), ".eE") {
			return v
		}
		f, err := v.Float64()
		if err != nil {
			return v
		}
		return f
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plainNumbers(v[k])
		}
	}
	return v
}

// value returns the value of a column in a row; nil for null. It shares no memory with the column.
func value(column arrow.Array, row int) any {
	if column.IsNull(row) {
		return nil
	}
	switch c := column.(type) {
	case *array.Boolean:
		return c.Value(row)
	case *array.Binary:
		return bytes.Clone(c.Value(row))
	case *array.Timestamp:
		return c.Value(row).ToTime(c.DataType().(*arrow.TimestampType).Unit)
	case *array.Date32:
		return c.Value(row).ToTime()
	case *array.Duration:
		return time.Duration(c.Value(row)) * c.DataType().(*arrow.DurationType).Unit.Multiplier()
	case *array.Struct:
		values := map[string]any{}
		for i, f := range c.DataType().(*arrow.StructType).Fields() {
			values[f.Name] = value(c.Field(i), row)
		}
		return values
	case *array.Map:
		return mapValue(c, row)
	case array.ListLike:
		from, to := c.ValueOffsets(row)
		list := make([]any, 0, to-from)
		for i := from; i < to; i++ {
			list = append(list, value(c.ListValues(), int(i)))
		}
		return list
	}
	return scalarValue(column, row)
}

// mapValue is a map by the text of its keys.
func mapValue(c *array.Map, row int) any {
	values := map[string]any{}
	from, to := c.ValueOffsets(row)
	for i := from; i < to; i++ {
		values[c.Keys().ValueStr(int(i))] = value(c.Items(), int(i))
	}
	return values
}

func scalarValue(column arrow.Array, row int) any {
	text := column.ValueStr(row)
	switch id := column.DataType().ID(); {
	case arrow.IsSignedInteger(id):
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			return v
		}
	case arrow.IsUnsignedInteger(id):
		if v, err := strconv.ParseUint(text, 10, 64); err == nil {
			return v
		}
	case arrow.IsFloating(id):
		if c, ok := column.(*array.Float64); ok {
			return c.Value(row)
		}
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v
		}
	case id == arrow.DECIMAL128:
		return json.Number(text)
	}
	return text
}
