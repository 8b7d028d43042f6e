package conformance

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// canonical writes a vector's row without spaces and with its numbers as they are.
func canonical(row json.RawMessage) (string, error) {
	v, err := decode(row)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// render writes a record's rows the way vectors do.
func render(rec arrow.Record) ([]string, error) {
	var rows []string
	for i := range int(rec.NumRows()) {
		row := make([]any, rec.NumCols())
		for c := range row {
			row[c] = value(rec.Column(c), i)
		}
		text, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		rows = append(rows, string(text))
	}
	return rows, nil
}

// value returns what add was given for an element.
func value(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Null: // has no bitmap to ask
		return nil
	case *array.Boolean:
		return a.Value(i)
	case *array.Int8:
		return a.Value(i)
	case *array.Int16:
		return a.Value(i)
	case *array.Int32:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Uint8:
		return a.Value(i)
	case *array.Uint16:
		return a.Value(i)
	case *array.Uint32:
		return a.Value(i)
	case *array.Uint64:
		return a.Value(i)
	case *array.Float32:
		if f := float64(a.Value(i)); math.IsNaN(f) || math.IsInf(f, 0) {
			return name(f)
		}
		return a.Value(i)
	case *array.Float64:
		if f := a.Value(i); math.IsNaN(f) || math.IsInf(f, 0) {
			return name(f)
		}
		return a.Value(i)
	case *array.String:
		return a.Value(i)
	case *array.LargeString:
		return a.Value(i)
	case *array.Binary:
		return base64.StdEncoding.EncodeToString(a.Value(i))
	case *array.LargeBinary:
		return base64.StdEncoding.EncodeToString(a.Value(i))
	case *array.FixedSizeBinary:
		return base64.StdEncoding.EncodeToString(a.Value(i))
	case *array.Date32:
		return int32(a.Value(i))
	case *array.Time32:
		return int32(a.Value(i))
	case *array.Time64:
		return int64(a.Value(i))
	case *array.Duration:
		return int64(a.Value(i))
	case *array.Timestamp:
		return int64(a.Value(i))
	case *array.Decimal128:
		return a.Value(i).BigInt().String()
	case *array.Dictionary:
		return value(a.Dictionary(), a.GetValueIndex(i))
	case *array.Map:
		from, to := a.ValueOffsets(i)
		pairs := []any{}
		for k := from; k < to; k++ {
			pairs = append(pairs, []any{value(a.Keys(), int(k)), value(a.Items(), int(k))})
		}
		return pairs
	case *array.List:
		from, to := a.ValueOffsets(i)
		items := []any{}
		for k := from; k < to; k++ {
			items = append(items, value(a.ListValues(), int(k)))
		}
		return items
	case *array.Struct:
		values := make([]any, a.NumField())
		for c := range values {
			values[c] = value(a.Field(c), i)
		}
		return values
	}
	return fmt.Sprintf("an array of type %s", a.DataType())
}

func name(f float64) string {
	for word, v := range special {
		if v == f || math.IsNaN(v) && math.IsNaN(f) {
			return word
		}
	}
	return fmt.Sprint(f)
}
