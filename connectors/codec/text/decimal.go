package text

import (
	"math/bits"
)

// uint128 is a number below 2^128.
type uint128 struct{ hi, lo uint64 }

// mulAdd returns v*m+a, and whether that is below 2^127.
func (v uint128) mulAdd(m, a uint64) (uint128, bool) {
	h, lo := bits.Mul64(v.lo, m)
	over, hi := bits.Mul64(v.hi, m)
	var carry uint64
	lo, carry = bits.Add64(lo, a, 0)
	hi, carry = bits.Add64(hi, h, carry)
	return uint128{hi, lo}, over == 0 && carry == 0 && hi < 1<<63
}

// divMod returns the quotient and remainder by d.
func (v uint128) divMod(d uint64) (uint128, uint64) {
	hi, r := v.hi/d, v.hi%d
	lo, r := bits.Div64(r, v.lo, d)
	return uint128{hi, lo}, r
}

func (v uint128) less(o uint128) bool { return v.hi < o.hi || v.hi == o.hi && v.lo < o.lo }

// tens are the powers of ten up to 10^38.
var tens = func() (t [39]uint128) {
	t[0].lo = 1
	for i := 1; i < len(t); i++ {
		t[i], _ = t[i-1].mulAdd(10, 0)
	}
	return t
}()

// Decimal parses a number, with fraction and exponent as the case may be, as the unscaled value of a decimal of the
// precision (1 to 38) and scale given. Digits that are not zero behind the scale are refused.
func Decimal(b []byte, precision, scale int) (hi int64, lo uint64, problem Problem) {
	if !number(b) {
		return 0, 0, Malformed
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	exp, mantissa := exponent(b)
	// The digits stand for mantissa * 10^exp; zeros is how many of them were held back, to be dropped or multiplied in.
	var v uint128
	zeros, fraction, point := 0, 0, false
	for _, c := range mantissa {
		if c == '.' {
			point = true
			continue
		}
		if point {
			fraction++
		}
		if c == '0' {
			zeros++
			continue
		}
		ok := true
		if v != (uint128{}) {
			for ; zeros > 0 && ok; zeros-- {
				v, ok = v.mulAdd(10, 0)
			}
		}
		zeros = 0
		if ok {
			v, ok = v.mulAdd(10, uint64(c-'0'))
		}
		if !ok {
			// More than 38 digits from the first to the last that is not zero.
			return 0, 0, tooLong(exp, mantissa, precision, scale)
		}
	}
	if v == (uint128{}) {
		return 0, 0, OK
	}
	shift := exp - fraction + zeros + scale
	if shift < 0 {
		return 0, 0, Digits
	}
	if shift > 38 {
		return 0, 0, Range
	}
	for ; shift > 0; shift-- {
		var ok bool
		if v, ok = v.mulAdd(10, 0); !ok {
			return 0, 0, Range
		}
	}
	if !v.less(tens[precision]) {
		return 0, 0, Range
	}
	if negative {
		var borrow uint64
		v.lo, borrow = bits.Sub64(0, v.lo, 0)
		v.hi, _ = bits.Sub64(0, v.hi, borrow)
	}
	return int64(v.hi), v.lo, OK
}

// exponent cuts "e12" off. Exponents beyond a million, which no decimal has, are taken for a million.
func exponent(b []byte) (int, []byte) {
	for i, c := range b {
		if c|0x20 != 'e' {
			continue
		}
		digits := b[i+1:]
		negative := digits[0] == '-'
		if negative || digits[0] == '+' {
			digits = digits[1:]
		}
		e := 0
		for _, d := range digits {
			e = min(e*10+int(d-'0'), 1_000_000)
		}
		if negative {
			e = -e
		}
		return e, b[:i]
	}
	return 0, b
}

// tooLong says what is wrong with a number of more than 38 significant digits: those before the point, or those behind.
func tooLong(exp int, mantissa []byte, precision, scale int) Problem {
	whole, started, point := exp, false, false
	for _, c := range mantissa {
		switch {
		case c == '.':
			point = true
		case c != '0' || started:
			started = true
			if !point {
				whole++
			}
		case point:
			whole--
		}
	}
	if whole > precision-scale {
		return Range
	}
	return Digits
}

// AppendDecimal appends the exact value of a decimal of the scale given.
func AppendDecimal(dst []byte, hi int64, lo uint64, scale int) []byte {
	v := uint128{uint64(hi), lo}
	if hi < 0 {
		var borrow uint64
		v.lo, borrow = bits.Sub64(0, v.lo, 0)
		v.hi, _ = bits.Sub64(0, v.hi, borrow)
		dst = append(dst, '-')
	}
	var digits [80]byte
	i := len(digits)
	for n := 0; v != (uint128{}) || n <= scale; n++ {
		if n == scale && scale > 0 {
			i--
			digits[i] = '.'
		}
		var r uint64
		v, r = v.divMod(10)
		i--
		digits[i] = byte('0' + r)
	}
	return append(dst, digits[i:]...)
}
