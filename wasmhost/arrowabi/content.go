package arrowabi

import (
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/bitutil"

	"github.com/wasmill/wasmill/engine/fault"
)

// Checks of what buffers hold. All of them take slices whose bounds have been checked, and read memory that may hold
// anything.

// cast views bytes as numbers. The caller has seen to their alignment; bytes behind the last whole number are left out.
func cast[T any](b []byte) []T {
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(t)))
}

// countNulls returns how many of the elements from offset are null in a validity bitmap.
func countNulls(validity []byte, offset, length int) int {
	return length - bitutil.CountSetBits(validity, offset, length)
}

// checkOffsets checks that the offsets (of width 4 or 8 bytes) do not fall, are not negative and end at or before
// limit, and returns the last one.
func checkOffsets(b []byte, width int, limit int64) (int64, *fault.Fault) {
	if width == 4 {
		return checkNumbers(cast[int32](b), limit)
	}
	return checkNumbers(cast[int64](b), limit)
}

// checkNumbers has no branch within its loop: a falling pair, or a negative number, leaves its sign in signs. Where no
// number is negative no difference overflows. Pairs are taken four at a time, for they do not depend on each other.
func checkNumbers[T int32 | int64](o []T, limit int64) (int64, *fault.Fault) {
	signs, i := o[0], 1
	for ; i+3 < len(o); i += 4 {
		w := o[i-1 : i+4 : i+4]
		signs |= w[1] | (w[1] - w[0]) | w[2] | (w[2] - w[1]) | w[3] | (w[3] - w[2]) | w[4] | (w[4] - w[3])
	}
	for ; i < len(o); i++ {
		signs |= o[i] | (o[i] - o[i-1])
	}
	before := o[len(o)-1]
	if signs < 0 {
		before = 0
		for i, x := range o {
			if x < 0 {
				return 0, fault.New(fault.BadArray, "expected offsets from 0, got %d at %d", x, i).At("offsets")
			}
			if x < before {
				return 0, fault.New(fault.BadArray, "expected offsets that do not fall, got %d at %d after %d", x, i, before).At("offsets")
			}
			before = x
		}
	}
	if int64(before) > limit {
		return 0, fault.New(fault.BadArray, "expected offsets up to %d, got %d at %d", limit, before, len(o)-1).At("offsets")
	}
	return int64(before), nil
}

// checkIndices checks that the indices of a dictionary array from offset are in [0, count). What a null element holds
// does not matter.
func checkIndices(t arrow.DataType, b, validity []byte, offset, length, count int) *fault.Fault {
	switch t.(*arrow.DictionaryType).IndexType.ID() {
	case arrow.INT8:
		return checkRange(cast[int8](b), validity, offset, length, count)
	case arrow.UINT8:
		return checkRange(b, validity, offset, length, count)
	case arrow.INT16:
		return checkRange(cast[int16](b), validity, offset, length, count)
	case arrow.UINT16:
		return checkRange(cast[uint16](b), validity, offset, length, count)
	case arrow.INT32:
		return checkRange(cast[int32](b), validity, offset, length, count)
	case arrow.UINT32:
		return checkRange(cast[uint32](b), validity, offset, length, count)
	case arrow.INT64:
		return checkRange(cast[int64](b), validity, offset, length, count)
	}
	return checkRange(cast[uint64](b), validity, offset, length, count)
}

func checkRange[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64](all []T, validity []byte, offset, length, count int) *fault.Fault {
	indices := all[offset : offset+length]
	largest := uint64(0)
	for _, x := range indices {
		largest = max(largest, uint64(x)) // a negative one is the largest of all
	}
	if length == 0 || largest < uint64(count) {
		return nil
	}
	for i, x := range indices {
		if uint64(x) >= uint64(count) && (len(validity) == 0 || bitutil.BitIsSet(validity, offset+i)) {
			return fault.New(fault.BadArray, "expected indices below %d, the length of the dictionary, got %d at %d", count, x, i).At("indices")
		}
	}
	return nil
}

// checkMasked checks that the length elements of a struct's child from childOffset are null only where the struct is.
func checkMasked(child []byte, childOffset int, parent []byte, parentOffset, length int) *fault.Fault {
	for i := 0; i < length; i++ {
		if !bitutil.BitIsSet(child, childOffset+i) && (len(parent) == 0 || bitutil.BitIsSet(parent, parentOffset+i)) {
			return fault.New(fault.BadArray, "expected no nulls, got one at %d", i).At("validity")
		}
	}
	return nil
}
