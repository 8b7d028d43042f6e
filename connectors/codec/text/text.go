// Package text converts between values of Arrow's types and the text that JSON and CSV have for them.
//
// Parsing is exact: what a type cannot hold is refused, never rounded, except that floats take the nearest value as
// IEEE 754 has it. Nothing here allocates on valid input.
package text

import (
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// Problem says why a text was not taken; "" is none. It continues "expected TYPE, got TEXT".
type Problem string

// The problems.
const (
	OK        Problem = ""
	Malformed Problem = "malformed"
	Range     Problem = "which is out of range"
	Digits    Problem = "which has more digits than it can hold"
	NoOffset  Problem = "which has no offset from UTC"
	Size      Problem = "which is not of its size"
	Values    Problem = "which is one value more than its index can number in a batch"
	TooMuch   Problem = "which makes it more than 2 GiB in a batch"
)

// Uint parses decimal digits.
func Uint(b []byte) (uint64, Problem) {
	if len(b) == 0 {
		return 0, Malformed
	}
	var v uint64
	over := false
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, Malformed
		}
		hi, lo := bits.Mul64(v, 10)
		sum, carry := bits.Add64(lo, uint64(d), 0)
		over = over || hi|carry != 0
		v = sum
	}
	if over {
		return 0, Range
	}
	return v, OK
}

// Int parses decimal digits with or without a sign "-".
func Int(b []byte) (int64, Problem) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	v, p := Uint(b)
	if p != OK {
		return 0, p
	}
	return Signed(v, negative)
}

// Signed gives v a sign.
func Signed(v uint64, negative bool) (int64, Problem) {
	if negative {
		if v > 1<<63 {
			return 0, Range
		}
		return -int64(v), OK // -(-1<<63) is itself
	}
	if v > math.MaxInt64 {
		return 0, Range
	}
	return int64(v), OK
}

// pow10 are the powers of ten that a float64 holds exactly.
var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// Exact returns m * 10^exp where that takes one correctly rounded operation on exact operands (W. D. Clinger, "How to
// read floating point numbers accurately", 1990), and whether it does.
func Exact(m uint64, exp int) (float64, bool) {
	if m >= 1<<53 || exp < -22 || exp > 22 {
		return 0, false
	}
	if exp < 0 {
		return float64(m) / pow10[-exp], true
	}
	return float64(m) * pow10[exp], true
}

// Float64 parses digits with or without sign, fraction and exponent, or one of NaN, Inf, -Inf and their spellings in
// small letters.
func Float64(b []byte) (float64, Problem) { return float(b, 64) }

// Float32 likewise, rounded once.
func Float32(b []byte) (float32, Problem) {
	v, p := float(b, 32)
	return float32(v), p
}

func float(b []byte, size int) (float64, Problem) {
	if !number(b) {
		return special(b)
	}
	v, err := strconv.ParseFloat(string(b), size)
	if err != nil {
		return 0, Range // the form was checked
	}
	return v, OK
}

func special(b []byte) (float64, Problem) {
	switch string(b) {
	case "NaN", "nan":
		return math.NaN(), OK
	case "Inf", "+Inf", "inf", "+inf", "Infinity", "+Infinity":
		return math.Inf(1), OK
	case "-Inf", "-inf", "-Infinity":
		return math.Inf(-1), OK
	}
	return 0, Malformed
}

// number reports whether b is digits with an optional sign, fraction and exponent.
func number(b []byte) bool {
	i := 0
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		i++
	}
	digits := 0
	run := func() {
		for i < len(b) && b[i]-'0' <= 9 {
			i++
			digits++
		}
	}
	run()
	if i < len(b) && b[i] == '.' {
		i++
		run()
	}
	if digits == 0 {
		return false
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			i++
		}
		digits = 0
		run()
		if digits == 0 {
			return false
		}
	}
	return i == len(b)
}

// Short cuts a value to what fits in a message.
func Short(b []byte) string {
	const most = 60
	if len(b) <= most {
		return string(b)
	}
	n := most
	for n > most-utf8.UTFMax && !utf8.RuneStart(b[n]) {
		n--
	}
	return string(b[:n]) + "..."
}

// InvalidAt returns where b stops being UTF-8, len(b) if it does not.
func InvalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}
