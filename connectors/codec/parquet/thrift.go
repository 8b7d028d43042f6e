package parquet

import "encoding/binary"

// maxNesting is how deep values may nest. Deeper ones do not occur in Parquet.
const maxNesting = 16

// walker goes through a struct in Thrift's compact protocol (thrift-compact-protocol.md of Apache Thrift) without allocating anything by what
// the bytes announce. False: they are damaged, or one of the functions said no.
type walker struct {
	b []byte
	// value, where it is set, gets each number, truth value (0 or 1) and text, with the ids of the fields on the way to it; items of a list
	// have the list's path.
	value func(path []int, v int64, text []byte) bool
	// end, where it is set, is called behind each struct.
	end func(path []int) bool
	// structs counts them, most bounds them.
	structs, most int
}

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

func (w *walker) tell(path []int, v int64, text []byte) bool {
	return w.value == nil || w.value(path, v, text)
}

func signed(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// structure passes over a struct.
func (w *walker) structure(path []int) bool {
	if w.structs++; w.structs > w.most || len(path) >= maxNesting {
		return false
	}
	field := 0
	for {
		head, ok := w.byte()
		switch {
		case !ok:
			return false
		case head == 0:
			return w.end == nil || w.end(path)
		}
		if delta := int(head >> 4); delta > 0 {
			field += delta
		} else if id, ok := w.varint(); ok {
			field = int(int16(signed(id)))
		} else {
			return false
		}
		here := append(path, field)
		switch kind := head & 15; kind {
		case 1, 2: // a truth value is in its kind
			ok = w.tell(here, int64(2-kind), nil)
		default:
			ok = w.item(kind, here)
		}
		if !ok {
			return false
		}
	}
}

// item passes over a value of a kind.
func (w *walker) item(kind byte, path []int) bool {
	switch kind {
	case 1, 2, 3: // a truth value in a list, a byte
		b, ok := w.byte()
		return ok && w.tell(path, int64(b), nil)
	case 4, 5, 6: // integers
		v, ok := w.varint()
		return ok && w.tell(path, signed(v), nil)
	case 7: // a double
		return w.skip(8)
	case 8: // text
		n, ok := w.varint()
		text := w.b
		return ok && w.skip(n) && w.tell(path, 0, text[:n])
	case 9, 10: // a list, a set
		head, ok := w.byte()
		n := uint64(head >> 4)
		if n == 15 && ok {
			n, ok = w.varint()
		}
		if !ok || n > uint64(len(w.b)) || len(path) >= maxNesting {
			return false // an item has a byte at least
		}
		inner := path
		if k := head & 15; k == 9 || k == 10 {
			inner = append(path, 0) // lists of lists do not occur; what is damaged ends here
		}
		for range n {
			if !w.item(head&15, inner) {
				return false
			}
		}
		return true
	case 12:
		return w.structure(path)
	}
	return false // maps do not occur in Parquet
}
