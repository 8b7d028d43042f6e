package script

import (
	"encoding/binary"
	"errors"
)

// The operations of a request.
const (
	opGet = iota
	opPut
)

// request is what a guest asks of the state that lies with the host. Its bytes, integers little endian:
//
//	operation   1 byte: 0 get, 1 put
//	name        size (4 bytes), UID/STATE
//	count       4 bytes
//	entries     key, namespace and, of put, value: each its size (4 bytes, -1 for null) and its bytes
type request struct {
	op      byte
	name    string
	entries []entry
}

// entry is one key. Byte slices alias the request.
type entry struct {
	key   []byte // nil: the operator's own
	space []byte
	value []byte // nil: removed
}

var errShort = errors.New("it is cut short")

// parseRequest takes a request apart. Nothing in it is trusted.
func parseRequest(b []byte) (request, error) {
	var r request
	number := func() (int32, error) {
		if len(b) < 4 {
			return 0, errShort
		}
		n := int32(binary.LittleEndian.Uint32(b))
		b = b[4:]
		return n, nil
	}
	bytes := func() ([]byte, error) {
		n, err := number()
		if err != nil || n < 0 {
			return nil, err
		}
		if int64(n) > int64(len(b)) {
			return nil, errShort
		}
		v := b[:n:n]
		b = b[n:]
		return v, nil
	}
	if len(b) == 0 || b[0] > opPut {
		return r, errors.New("its operation is unknown")
	}
	r.op, b = b[0], b[1:]
	name, err := bytes()
	if err != nil {
		return r, err
	}
	r.name = string(name)
	count, err := number()
	if err != nil {
		return r, err
	}
	if count < 0 || int64(count) > int64(len(b))/8 {
		return r, errShort
	}
	r.entries = make([]entry, count)
	for i := range r.entries {
		e := &r.entries[i]
		if e.key, err = bytes(); err != nil {
			return r, err
		}
		if e.space, err = bytes(); err != nil {
			return r, err
		}
		if r.op == opPut {
			if e.value, err = bytes(); err != nil {
				return r, err
			}
		}
	}
	if len(b) > 0 {
		return r, errors.New("there is more than it says")
	}
	return r, nil
}
