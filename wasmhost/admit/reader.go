package admit

import (
	"fmt"
	"unicode/utf8"
)

// reader walks over a part of a module. The first refusal sticks: after it every read yields zero and no position
// moves, so that callers check bad once per item instead of once per byte.
type reader struct {
	b   []byte // the whole module, so that positions are offsets
	p   int
	end int
	bad *Refusal
}

func (r *reader) failAt(at int, format string, args ...any) {
	if r.bad == nil {
		r.bad = &Refusal{What: fmt.Sprintf(format, args...), Offset: at, Function: -1}
	}
	r.p = r.end
}

func (r *reader) fail(format string, args ...any) { r.failAt(r.p, format, args...) }

// cap refuses a value over a limit; noun follows the number: "5001 locals in a function, the cap is 5000".
func (r *reader) cap(at int, value uint64, limit int, noun string) bool {
	if limit >= 0 && value <= uint64(limit) {
		return true
	}
	if r.bad == nil {
		r.failAt(at, "%d %s, the cap is %d", value, noun, limit)
		r.bad.Limit, r.bad.Value, r.bad.capped = uint64(limit), value, true
	}
	return false
}

func (r *reader) more() bool { return r.p < r.end }

func (r *reader) byte() byte {
	if r.p >= r.end {
		r.fail("unexpected end")
		return 0
	}
	r.p++
	return r.b[r.p-1]
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(r.end-r.p) {
		r.fail("unexpected end: %d bytes announced, %d left", n, r.end-r.p)
		return nil
	}
	r.p += int(n)
	return r.b[r.p-int(n) : r.p : r.p]
}

// u32 reads an unsigned LEB128 number of 32 bits, refusing what the specification does: too many bytes, and bits that
// do not fit.
func (r *reader) u32() uint32 {
	if r.p < r.end {
		if c := r.b[r.p]; c < 0x80 {
			r.p++
			return uint32(c)
		}
	}
	return r.u32Long()
}

func (r *reader) u32Long() uint32 {
	at := r.p
	var v uint32
	for shift := uint(0); ; shift += 7 {
		c := r.byte()
		if r.bad != nil {
			return 0
		}
		if shift == 28 && c > 0x0f {
			r.failAt(at, "integer does not fit 32 bits")
			return 0
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
}

// signed reads a signed LEB128 number of 32, 33 or 64 bits.
func (r *reader) signed(bits uint) int64 {
	at := r.p
	var v int64
	for shift := uint(0); ; {
		c := r.byte()
		if r.bad != nil {
			return 0
		}
		v |= int64(c&0x7f) << shift
		if shift == 63 && c != 0 && c != 0x7f {
			break
		}
		shift += 7
		if c >= 0x80 {
			if shift >= bits {
				break
			}
			continue
		}
		if shift < 64 && c&0x40 != 0 {
			v |= -1 << shift
		}
		if half := int64(1) << (bits - 1); bits < 64 && (v < -half || v >= half) {
			break
		}
		return v
	}
	r.failAt(at, "integer does not fit %d bits", bits)
	return 0
}

// count reads the length of a vector whose items take at least size bytes each, checks it against what is left, so
// that it can be trusted as an allocation, and against a cap.
func (r *reader) count(size, limit int, noun string) int {
	at := r.p
	n := r.u32()
	if !r.cap(at, uint64(n), limit, noun) {
		return 0
	}
	if uint64(n)*uint64(size) > uint64(r.end-r.p) {
		r.failAt(at, "unexpected end: %d %s announced, %d bytes left", n, noun, r.end-r.p)
		return 0
	}
	return int(n)
}

// name reads a name, which must be UTF-8 and within the limit in bytes.
func (r *reader) name(limit int, noun string) string {
	at := r.p
	n := r.u32()
	if !r.cap(at, uint64(n), limit, noun) {
		return ""
	}
	b := r.bytes(n)
	if !utf8.Valid(b) {
		r.failAt(at, "malformed UTF-8 in a name")
		return ""
	}
	return string(b)
}

// appendU appends v in unsigned LEB128.
func appendU(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendS appends v in signed LEB128.
func appendS(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
