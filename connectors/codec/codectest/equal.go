package codectest

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Equal compares records by value: a dictionary equals another one that means the same, wherever it nests.
func Equal(a, b arrow.Record) bool {
	if a.NumRows() != b.NumRows() || a.NumCols() != b.NumCols() || !a.Schema().Equal(b.Schema()) {
		return false
	}
	for i := range int(a.NumCols()) {
		for k := range int(a.NumRows()) {
			if !equal(a.Column(i), k, b.Column(i), k) {
				return false
			}
		}
	}
	return true
}

func equal(a arrow.Array, i int, b arrow.Array, j int) bool {
	if a.IsNull(i) || b.IsNull(j) {
		return a.IsNull(i) == b.IsNull(j)
	}
	switch x := a.(type) {
	case *array.Dictionary:
		y := b.(*array.Dictionary)
		return equal(x.Dictionary(), x.GetValueIndex(i), y.Dictionary(), y.GetValueIndex(j))
	case *array.Struct:
		y := b.(*array.Struct)
		for k := range x.NumField() {
			if !equal(x.Field(k), i, y.Field(k), j) {
				return false
			}
		}
		return true
	case array.ListLike: // maps too
		y := b.(array.ListLike)
		from, to := x.ValueOffsets(i)
		first, last := y.ValueOffsets(j)
		if to-from != last-first {
			return false
		}
		for k := from; k < to; k++ {
			if !equal(x.ListValues(), int(k), y.ListValues(), int(k-from+first)) {
				return false
			}
		}
		return true
	}
	x, y := array.NewSlice(a, int64(i), int64(i+1)), array.NewSlice(b, int64(j), int64(j+1))
	defer x.Release()
	defer y.Release()
	return array.Equal(x, y)
}
