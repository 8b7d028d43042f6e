package stream

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// EventTimes returns the times in a column, in milliseconds since 1970 UTC, [NoTime] for null. The column is a timestamp, a date32 or
// an int64 in milliseconds; a fault has code Schema.
func EventTimes(column arrow.Array) ([]int64, error) {
	var at func(row int) int64
	switch c := column.(type) {
	case *array.Int64:
		at = c.Value
	case *array.Timestamp:
		perSecond := map[arrow.TimeUnit]int64{arrow.Second: 1, arrow.Millisecond: 1e3, arrow.Microsecond: 1e6, arrow.Nanosecond: 1e9}
		n := perSecond[c.DataType().(*arrow.TimestampType).Unit]
		at = func(row int) int64 {
			if n == 1 {
				// What is out of range is as far as time goes; the least number says that there is no time.
				return min(max(int64(c.Value(row)), math.MinInt64/1000), math.MaxInt64/1000) * 1000
			}
			return floorDiv(int64(c.Value(row)), n/1000)
		}
	case *array.Date32:
		at = func(row int) int64 { return int64(c.Value(row)) * 86_400_000 }
	default:
		return nil, fault.New(fault.Schema, "expected a timestamp, a date32 or an int64 in milliseconds for the event time, got %s",
			schema.Format(column.DataType()))
	}
	times := make([]int64, column.Len())
	for row := range times {
		if column.IsNull(row) {
			times[row] = NoTime
		} else {
			times[row] = at(row)
		}
	}
	return times, nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Behind returns the watermark of a stream whose newest row has time t and whose rows come at most d milliseconds late. Times come
// with the data and may be any.
func Behind(t, d int64) Watermark {
	if t < math.MinInt64+d+1 {
		return MinWatermark
	}
	return Watermark(t - d - 1)
}
