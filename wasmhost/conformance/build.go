package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// decode reads JSON with numbers kept as they are written.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	return v, d.Decode(&v)
}

// build makes a record of rows that are arrays of values.
func build(alloc memory.Allocator, s *arrow.Schema, rows []json.RawMessage) (arrow.Record, error) {
	b := array.NewRecordBuilder(alloc, s)
	defer b.Release()
	for i, row := range rows {
		v, err := decode(row)
		if err != nil {
			return nil, err
		}
		values, ok := v.([]any)
		if !ok || len(values) != len(s.Fields()) {
			return nil, fmt.Errorf("row %d: expected %d values, got %s", i, len(s.Fields()), row)
		}
		for c, value := range values {
			if err := add(b.Field(c), value); err != nil {
				return nil, fmt.Errorf("row %d, column %s: %w", i, s.Field(c).Name, err)
			}
		}
	}
	return b.NewRecord(), nil
}

// add appends a value of JSON to a builder: the ways to write each type are in docs/conformance.md.
func add(b array.Builder, v any) error {
	if v == nil {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.StructBuilder:
		values, ok := v.([]any)
		if !ok || len(values) != b.NumField() {
			return fmt.Errorf("expected %d values, got %v", b.NumField(), v)
		}
		b.Append(true)
		for i, value := range values {
			if err := add(b.FieldBuilder(i), value); err != nil {
				return err
			}
		}
		return nil
	case *array.MapBuilder:
		return addAll(v, func() { b.Append(true) }, func(pair any) error {
			p, ok := pair.([]any)
			if !ok || len(p) != 2 {
				return fmt.Errorf("expected a key and a value, got %v", pair)
			}
			if err := add(b.KeyBuilder(), p[0]); err != nil {
				return err
			}
			return add(b.ItemBuilder(), p[1])
		})
	case *array.ListBuilder:
		return addAll(v, func() { b.Append(true) }, func(item any) error { return add(b.ValueBuilder(), item) })
	case array.DictionaryBuilder:
		text, err := json.Marshal([]any{v})
		if err != nil {
			return err
		}
		return b.UnmarshalJSON(text)
	case *array.Decimal128Builder:
		n, ok := new(big.Int).SetString(fmt.Sprint(v), 10)
		if !ok {
			return fmt.Errorf("expected the digits of a decimal, got %v", v)
		}
		b.Append(decimal128.FromBigInt(n))
		return nil
	}
	switch v := v.(type) {
	case bool:
		return addBool(b, v)
	case json.Number:
		return addNumber(b, v)
	case string:
		return addText(b, v)
	}
	return mismatch(b, v)
}

func mismatch(b array.Builder, v any) error { return fmt.Errorf("%v is no %s", v, b.Type()) }

func addAll(v any, begin func(), item func(any) error) error {
	items, ok := v.([]any)
	if !ok {
		return fmt.Errorf("expected a list, got %v", v)
	}
	begin()
	for _, i := range items {
		if err := item(i); err != nil {
			return err
		}
	}
	return nil
}

func addBool(b array.Builder, v bool) error {
	if b, ok := b.(*array.BooleanBuilder); ok {
		b.Append(v)
		return nil
	}
	return mismatch(b, v)
}

func addText(b array.Builder, v string) error {
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(v)
	case *array.LargeStringBuilder:
		b.Append(v)
	case *array.BinaryBuilder:
		bytes, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return err
		}
		b.Append(bytes)
	case *array.FixedSizeBinaryBuilder:
		bytes, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return err
		}
		b.Append(bytes)
	case *array.Float32Builder:
		b.Append(float32(special[v]))
	case *array.Float64Builder:
		b.Append(special[v])
	default:
		return mismatch(b, v)
	}
	return nil
}

// special are the floats that JSON has no numbers for.
var special = map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}

func addNumber(b array.Builder, v json.Number) error {
	switch b := b.(type) {
	case *array.Float32Builder:
		f, err := v.Float64()
		b.Append(float32(f))
		return err
	case *array.Float64Builder:
		f, err := v.Float64()
		b.Append(f)
		return err
	case *array.Uint64Builder:
		n, ok := new(big.Int).SetString(v.String(), 10)
		if !ok || !n.IsUint64() {
			return mismatch(b, v)
		}
		b.Append(n.Uint64())
		return nil
	}
	n, err := v.Int64()
	if err != nil {
		return err
	}
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(n))
	case *array.Int16Builder:
		b.Append(int16(n))
	case *array.Int32Builder:
		b.Append(int32(n))
	case *array.Int64Builder:
		b.Append(n)
	case *array.Uint8Builder:
		b.Append(uint8(n))
	case *array.Uint16Builder:
		b.Append(uint16(n))
	case *array.Uint32Builder:
		b.Append(uint32(n))
	case *array.Date32Builder:
		b.Append(arrow.Date32(n))
	case *array.Time32Builder:
		b.Append(arrow.Time32(n))
	case *array.Time64Builder:
		b.Append(arrow.Time64(n))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(n))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(n))
	default:
		return mismatch(b, v)
	}
	return nil
}
