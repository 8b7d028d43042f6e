package text

import (
	"math"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
)

func append2(dst []byte, v int) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }

// floorDiv returns the quotient rounded down and the remainder, which is not negative.
func floorDiv(a, b int64) (int64, int64) {
	q, r := a/b, a%b
	if r < 0 {
		return q - 1, r + b
	}
	return q, r
}

// AppendDate appends a day as "2013-01-31"; false if its year is not within 0 to 9999, in which case the caller writes
// the number.
func AppendDate(dst []byte, day int64) ([]byte, bool) {
	if day < -719528 || day > 2932896 {
		return dst, false
	}
	// The inverse of days, within an era of 400 years (H. Hinnant, civil_from_days).
	era, doe := floorDiv(day+719468, 146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := int(doy - (153*mp+2)/5 + 1)
	m, y := int(mp+3), int(yoe+era*400)
	if m > 12 {
		m, y = m-12, y+1
	}
	dst = append2(append2(dst, y/100), y%100)
	dst = append2(append(dst, '-'), m)
	return append2(append(dst, '-'), d), true
}

// AppendTime appends a time since midnight as "15:04:05" with the unit's digits, none for seconds; false if it is not
// within a day.
func AppendTime(dst []byte, v int64, unit arrow.TimeUnit) ([]byte, bool) {
	per := PerSecond(unit)
	if v < 0 || v >= 86400*per {
		return dst, false
	}
	s := int(v / per)
	dst = append2(dst, s/3600)
	dst = append2(append(dst, ':'), s/60%60)
	dst = append2(append(dst, ':'), s%60)
	if per > 1 {
		dst = append(dst, '.')
		rest := v % per
		for p := per / 10; p > 0; p /= 10 {
			dst = append(dst, byte('0'+rest/p%10))
		}
	}
	return dst, true
}

// AppendTimestamp appends a time since 1970 UTC as RFC 3339 with the unit's digits, none for seconds, and "Z" if zoned;
// false if its year is not within 0 to 9999.
func AppendTimestamp(dst []byte, v int64, unit arrow.TimeUnit, zoned bool) ([]byte, bool) {
	day, rest := floorDiv(v, 86400*PerSecond(unit))
	dst, ok := AppendDate(dst, day)
	if !ok {
		return dst, false
	}
	dst, _ = AppendTime(append(dst, 'T'), rest, unit)
	if zoned {
		dst = append(dst, 'Z')
	}
	return dst, true
}

// AppendFloat appends the shortest number that reads back as v, a number of size bits: without exponent from 1e-6 to
// below 1e21. It must be finite.
func AppendFloat(dst []byte, v float64, size int) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1<<24 && (v != 0 || !math.Signbit(v)) {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	a := math.Abs(v)
	low, high := 1e-6, 1e21
	if size == 32 {
		low, high = float64(float32(1e-6)), float64(float32(1e21))
	}
	if a != 0 && (a < low || a >= high) {
		return strconv.AppendFloat(dst, v, 'e', -1, size)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, size)
}
