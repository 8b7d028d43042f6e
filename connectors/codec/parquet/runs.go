package parquet

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The library waits without an end for values that a page announces and does not hold, and allocates by what a page's
// encoding announces. So both are looked at before it sees a page.

// runs counts the values of width bits in a hybrid of runs and packed bits (Encodings.md of Apache Parquet, "RLE"), up to n, and, for a width of 1,
// the ones among them.
func runs(b []byte, width, n int) (count, ones int) {
	for count < n {
		head, k := binary.Uvarint(b)
		if k <= 0 || head>>1 == 0 || head > math.MaxInt32 {
			return count, ones
		}
		b = b[k:]
		length := int(head >> 1)
		if head&1 == 0 {
			size := (width + 7) / 8
			if size > len(b) {
				return count, ones
			}
			length = min(length, n-count)
			if width == 1 && b[0]&1 == 1 {
				ones += length
			}
			b = b[size:]
		} else {
			size := length * width // of groups of 8 values
			length *= 8
			if size > len(b) {
				size, length = len(b), len(b)*8/width
			}
			length = min(length, n-count)
			if width == 1 {
				ones += popcount(b, length)
			}
			b = b[size:]
		}
		count += length
	}
	return count, ones
}

// popcount counts the ones among the first n bits.
func popcount(b []byte, n int) int {
	ones := 0
	for ; n >= 8; b, n = b[1:], n-8 {
		ones += bits.OnesCount8(b[0])
	}
	if n > 0 {
		ones += bits.OnesCount8(b[0] & (1<<n - 1))
	}
	return ones
}

// deltas checks the head of differences (Encodings.md, "DELTA_BINARY_PACKED") that are to hold n values.
func deltas(b []byte, n int) bool {
	var head [3]uint64 // values in a block, blocks in a block, values in all
	for i := range head {
		v, k := binary.Uvarint(b)
		if k <= 0 {
			return false
		}
		head[i], b = v, b[k:]
	}
	const most = 1 << 16
	block, minis, total := head[0], head[1], head[2]
	return block > 0 && block <= most && minis > 0 && minis <= block && block%minis == 0 && block/minis%8 == 0 && total >= uint64(n) && total <= math.MaxInt32
}
