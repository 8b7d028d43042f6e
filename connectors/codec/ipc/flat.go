package ipc

import (
	"encoding/binary"
	"errors"
)

// This file reads FlatBuffers (https://flatbuffers.dev/internals): tables with a vtable that says where each field is,
// vectors and strings with a length in front, all relative. Every position is checked against the buffer; a reader that
// meets a bad one keeps errFlat and returns zeros from there on.

var errFlat = errors.New("its metadata is damaged")

// flat is a buffer being read.
type flat struct {
	b   []byte
	err error
}

// table is a table at pos whose vtable is at fields, size bytes long.
type table struct {
	f      *flat
	pos    int
	fields int
	size   int
}

func (f *flat) bad() { f.err = errFlat }

// in reports whether n bytes at pos are in the buffer.
func (f *flat) in(pos, n int) bool {
	if f.err == nil && pos >= 0 && n >= 0 && n <= len(f.b) && pos <= len(f.b)-n {
		return true
	}
	f.bad()
	return false
}

func (f *flat) u16(pos int) uint16 {
	if !f.in(pos, 2) {
		return 0
	}
	return binary.LittleEndian.Uint16(f.b[pos:])
}

func (f *flat) u32(pos int) uint32 {
	if !f.in(pos, 4) {
		return 0
	}
	return binary.LittleEndian.Uint32(f.b[pos:])
}

func (f *flat) i64(pos int) int64 {
	if !f.in(pos, 8) {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(f.b[pos:]))
}

// root returns the table that the buffer begins with the position of.
func (f *flat) root() table { return f.table(f.follow(0)) }

// follow returns what the relative position at pos points to.
func (f *flat) follow(pos int) int { return pos + int(f.u32(pos)) }

func (f *flat) table(pos int) table {
	fields := pos - int(int32(f.u32(pos)))
	size := int(f.u16(fields))
	if size < 4 || !f.in(fields, size) {
		f.bad()
	}
	return table{f, pos, fields, size}
}

// field returns where field i is, 0 where the table has its default.
func (t table) field(i int) int {
	if t.f == nil || t.f.err != nil || 4+2*i+2 > t.size {
		return 0
	}
	at := int(t.f.u16(t.fields + 4 + 2*i))
	if at == 0 {
		return 0
	}
	return t.pos + at
}

func (t table) has(i int) bool { return t.field(i) != 0 }

func (t table) byte(i int) byte {
	at := t.field(i)
	if at == 0 || !t.f.in(at, 1) {
		return 0
	}
	return t.f.b[at]
}

func (t table) short(i, standard int) int {
	if at := t.field(i); at != 0 {
		return int(int16(t.f.u16(at)))
	}
	return standard
}

func (t table) int(i, standard int) int {
	if at := t.field(i); at != 0 {
		return int(int32(t.f.u32(at)))
	}
	return standard
}

func (t table) long(i int) int64 {
	if at := t.field(i); at != 0 {
		return t.f.i64(at)
	}
	return 0
}

// table returns the table in field i, which has no fields where it is missing.
func (t table) table(i int) table {
	if at := t.field(i); at != 0 {
		return t.f.table(t.f.follow(at))
	}
	return table{}
}

// vector returns where the items of field i begin, and how many there are, of size bytes each.
func (t table) vector(i, size int) (pos, n int) {
	at := t.field(i)
	if at == 0 {
		return 0, 0
	}
	at = t.f.follow(at)
	n = int(t.f.u32(at))
	if n > len(t.f.b)/size || !t.f.in(at+4, n*size) {
		t.f.bad()
		return 0, 0
	}
	return at + 4, n
}

func (t table) string(i int) string {
	pos, n := t.vector(i, 1)
	if n == 0 {
		return ""
	}
	return string(t.f.b[pos : pos+n])
}
