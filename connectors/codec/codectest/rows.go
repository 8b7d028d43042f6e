package codectest

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Rows returns n rows of plain values that differ from row to row, for benchmarks. The caller releases them.
func Rows(alloc memory.Allocator, schema *arrow.Schema, n int) arrow.Record {
	b := array.NewRecordBuilder(alloc, schema)
	defer b.Release()
	for k := range schema.Fields() {
		for i := range n {
			switch b := b.Field(k).(type) {
			case *array.Int64Builder:
				b.Append(int64(i) * 7919)
			case *array.Float64Builder:
				b.Append(float64(i) / 100)
			case *array.TimestampBuilder:
				b.Append(arrow.Timestamp(1_700_000_000_000_000 + int64(i)*1_234_567))
			case *array.BooleanBuilder:
				b.Append(i%3 == 0)
			case *array.StringBuilder:
				b.Append(fmt.Sprintf("user%d", i))
			default:
				b.AppendNull()
			}
		}
	}
	return b.NewRecord()
}
