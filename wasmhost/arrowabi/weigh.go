package arrowabi

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
)

// weighDictionary counts the values that rows refer to against the limit, each time that one does. A dictionary is the
// only way to say much with few bytes: 65,536 rows that name one value of 60 MB are 4 TB once they are written as JSON.
// As long as all rows could name all of the dictionary, which took size bytes, nothing is counted.
//
// Every step of the weighing adds to the weight, so that it ends at the limit whatever the guest has built.
func (r *reader) weighDictionary(d *array.Data, size int64) *fault.Fault {
	most := r.limits.Bytes - r.bytes
	if size == 0 || int64(d.Len()) <= most/size {
		return nil
	}
	weight := int64(0)
	for i := 0; i < d.Len() && weight <= most; i++ {
		weight += weigh(d, i, most-weight)
	}
	return r.spend(weight)
}

// weigh returns the bytes of one element with all that it refers to, at least 1, and stops beyond most.
func weigh(d arrow.ArrayData, i int, most int64) int64 {
	k, width, _ := layout(d.DataType())
	at := d.Offset() + i
	if k == kindNull || !valid(d, at) {
		return 1
	}
	if d.DataType().ID() == arrow.DICTIONARY {
		return weigh(d.Dictionary(), int(number(d.Buffers()[1].Bytes(), width, at)), most)
	}
	weight := int64(1)
	switch k {
	case kindFixed:
		weight += int64(width)
	case kindBytes:
		offsets := d.Buffers()[1].Bytes()
		weight += int64(number(offsets, width, at+1) - number(offsets, width, at))
	case kindList:
		offsets := d.Buffers()[1].Bytes()
		from, to := int(number(offsets, width, at)), int(number(offsets, width, at+1))
		for ; from < to && weight <= most; from++ {
			weight += weigh(d.Children()[0], from, most-weight)
		}
	case kindStruct:
		for _, c := range d.Children() {
			if weight <= most {
				weight += weigh(c, at, most-weight)
			}
		}
	}
	return weight
}

func valid(d arrow.ArrayData, at int) bool {
	b := d.Buffers()[0]
	return b == nil || b.Bytes()[at>>3]>>(at&7)&1 == 1
}

// number returns an offset or an index, which has been checked not to be negative.
func number(b []byte, width, i int) uint64 {
	switch width {
	case 1:
		return uint64(b[i])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b[2*i:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return binary.LittleEndian.Uint64(b[8*i:])
}
