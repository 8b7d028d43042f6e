package parquet

import (
	"bytes"
	"encoding/binary"

	"github.com/wasmill/wasmill/engine/fault"
)

// What a footer may hold at most.
const (
	maxFooter   = 16 << 20
	maxElements = 10_000 // of the schema, which the library walks by recursion
	maxNesting  = 32
)

var magic = []byte("PAR1")

// checkFooter looks at a file's ends and walks its footer, which is a struct in Thrift's compact protocol ("Thrift Compact
// protocol encoding", thrift-compact-protocol.md of Apache Thrift). The library allocates lists by the lengths that they announce; here each
// must fit into the bytes that are there.
func checkFooter(data []byte) *fault.Fault {
	switch {
	case len(data) < 12:
		return fault.New(fault.Decode, "expected a Parquet file of 12 bytes at least, got %d", len(data))
	case bytes.HasSuffix(data, []byte("PARE")):
		return fault.New(fault.Unsupported, "encrypted Parquet files cannot be read")
	case !bytes.HasSuffix(data, magic):
		return fault.New(fault.Decode, "expected a Parquet file, got bytes that end with % x", data[len(data)-4:]).
			WithHint("was the file cut off when it was written or copied?")
	}
	size := int64(binary.LittleEndian.Uint32(data[len(data)-8:]))
	if size > maxFooter || size > int64(len(data)-8) {
		return fault.New(fault.Decode, "expected a footer of at most %d bytes, got %d", min(maxFooter, len(data)-8), size)
	}
	w := &walker{b: data[int64(len(data))-8-size : len(data)-8]}
	if !w.structure(0) {
		return fault.New(fault.Decode, "the footer of the Parquet file is damaged behind byte %d", int64(len(data))-8-int64(len(w.b)))
	}
	return nil
}

// walker passes over values in Thrift's compact protocol; false: they are damaged.
type walker struct{ b []byte }

func (w *walker) skip(n uint64) bool {
	if n > uint64(len(w.b)) {
		return false
	}
	w.b = w.b[n:]
	return true
}

func (w *walker) varint() (uint64, bool) {
	v, n := binary.Uvarint(w.b)
	if n <= 0 {
		return 0, false
	}
	w.b = w.b[n:]
	return v, true
}

func (w *walker) byte() (byte, bool) {
	if len(w.b) == 0 {
		return 0, false
	}
	b := w.b[0]
	w.b = w.b[1:]
	return b, true
}

func (w *walker) structure(depth int) bool {
	field := 0
	for depth < maxNesting {
		head, ok := w.byte()
		if !ok || head == 0 {
			return ok
		}
		if delta := int(head >> 4); delta > 0 {
			field += delta
		} else if id, ok := w.varint(); ok {
			field = int(int32(id>>1) ^ -int32(id&1))
		} else {
			return false
		}
		kind := head & 15
		most := uint64(len(w.b))
		if depth == 0 && field == 2 {
			most = maxElements
		}
		if (kind != 1 && kind != 2) && !w.value(kind, depth, most) { // booleans are in the kind
			return false
		}
	}
	return false
}

// value passes over a value; a list has at most so many items.
func (w *walker) value(kind byte, depth int, most uint64) bool {
	switch kind {
	case 1, 2, 3: // a boolean in a list, a byte
		return w.skip(1)
	case 4, 5, 6: // integers
		_, ok := w.varint()
		return ok
	case 7: // a double
		return w.skip(8)
	case 8: // bytes
		n, ok := w.varint()
		return ok && w.skip(n)
	case 9, 10: // a list, a set
		head, ok := w.byte()
		n := uint64(head >> 4)
		if n == 15 {
			n, ok = w.varint()
		}
		if !ok || n > most || n > uint64(len(w.b)) || depth >= maxNesting {
			return false
		}
		for range n {
			if !w.value(head&15, depth+1, most) {
				return false
			}
		}
		return true
	case 12:
		return w.structure(depth + 1)
	}
	return false // maps do not occur in Parquet
}
