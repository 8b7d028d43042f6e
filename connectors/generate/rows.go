package generate

import (
	"maps"
	"slices"

	"github.com/wasmill/wasmill/engine/fault"
)

// rows writes rows by their numbers. It holds no state: a row is a function of seed, number and fields.
type rows struct {
	seed    uint64
	columns []column
}

// newRows takes the fields in the order of their names, for the order in which they were written does not reach us.
func newRows(seed uint64, fields map[string]fieldConfig) (*rows, error) {
	r := &rows{seed: mix(seed)}
	var faults fault.List
	if len(fields) == 0 {
		faults.Add(fault.Usage, "fields", "there are no fields")
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		c, err := newColumn(name, fields[name])
		faults.Append(err)
		r.columns = append(r.columns, c)
	}
	return r, faults.Err()
}

// golden is 2^64 divided by the golden ratio, the step of splitmix64.
const golden = 0x9e3779b97f4a7c15

// mix is the output function of splitmix64 (Steele, Lea and Flood 2014): neighbouring numbers give unrelated ones.
func mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// append appends a row as JSON with a line end.
func (r *rows) append(dst []byte, row int64) []byte {
	random := r.seed ^ mix(uint64(row))
	open := byte('{')
	for i := range r.columns {
		c := &r.columns[i]
		dst = append(append(dst, open), c.name...)
		open = ','
		random = mix(random)
		if c.nulls != 0 && mix(^random) < c.nulls {
			dst = append(dst, "null"...)
		} else {
			dst = c.put(dst, row, random)
		}
	}
	return append(dst, '}', '\n')
}
