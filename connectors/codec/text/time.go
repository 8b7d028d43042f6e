package text

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
)

// IsUTC reports whether a zone is UTC.
func IsUTC(zone string) bool {
	switch zone {
	case "UTC", "utc", "Z", "Etc/UTC", "+00:00":
		return true
	}
	return false
}

// PerSecond returns how many of unit a second has.
func PerSecond(unit arrow.TimeUnit) int64 {
	switch unit {
	case arrow.Second:
		return 1
	case arrow.Millisecond:
		return 1e3
	case arrow.Microsecond:
		return 1e6
	}
	return 1e9
}

// two returns the number of two digits at b[i:], or more than 99. The caller knows that they are there.
func two(b []byte, i int) int {
	hi, lo := b[i]-'0', b[i+1]-'0'
	if hi > 9 || lo > 9 {
		return 100
	}
	return int(hi)*10 + int(lo)
}

// days returns the days from 1970-01-01 to a day of the proleptic Gregorian calendar. The year is counted from March, so
// that the leap day is its last (H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil).
func days(y, m, d int) int {
	if m <= 2 {
		y--
		m += 12
	}
	y += 400 // not negative from year 0 on
	return y*365 + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468 - 146097
}

func daysIn(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// Date parses "2013-01-31" and returns the days since 1970-01-01.
func Date(b []byte) (int32, Problem) {
	if len(b) != 10 {
		return 0, Malformed
	}
	d, ok := date(b)
	if !ok {
		return 0, Malformed
	}
	return int32(d), OK
}

func date(b []byte) (int, bool) {
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	hi, lo, m, d := two(b, 0), two(b, 2), two(b, 5), two(b, 8)
	if hi > 99 || lo > 99 || m-1 > 11 || m < 1 || d < 1 {
		return 0, false
	}
	y := hi*100 + lo
	if d > 28 && d > daysIn(y, m) {
		return 0, false
	}
	return days(y, m, d), true
}

// clock parses "15:04:05" with or without a fraction at the beginning of b: seconds, nanoseconds, how many digits the
// fraction had, what it took. Zeros behind the ninth digit are passed over.
func clock(b []byte) (seconds, nanos, digits, n int, ok bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return
	}
	h, m, s := two(b, 0), two(b, 3), two(b, 6)
	if h > 23 || m > 59 || s > 59 {
		return
	}
	seconds, n = h*3600+m*60+s, 8
	if len(b) > 8 && b[8] == '.' {
		n++
		scale := 100_000_000
		for n < len(b) && b[n]-'0' <= 9 {
			d := int(b[n] - '0')
			nanos += d * scale
			scale /= 10
			n++
			if d != 0 {
				digits = n - 9
			}
		}
		if n == 9 {
			return 0, 0, 0, 0, false
		}
	}
	return seconds, nanos, digits, n, true
}

// unitDigits returns the digits of a fraction of a second that unit holds.
func unitDigits(unit arrow.TimeUnit) int {
	switch unit {
	case arrow.Second:
		return 0
	case arrow.Millisecond:
		return 3
	case arrow.Microsecond:
		return 6
	}
	return 9
}

// Time parses "15:04:05.123" and returns the time since midnight in units.
func Time(b []byte, unit arrow.TimeUnit) (int64, Problem) {
	seconds, nanos, digits, n, ok := clock(b)
	if !ok || n != len(b) {
		return 0, Malformed
	}
	if digits > unitDigits(unit) {
		return 0, Digits
	}
	per := PerSecond(unit)
	return int64(seconds)*per + int64(nanos)/(1e9/per), OK
}

// Timestamp parses a time of RFC 3339, which may have a space in place of the T, and returns it in units since 1970 UTC.
// An offset may be missing only if optional says so, and means UTC then. Leap seconds are malformed.
func Timestamp(b []byte, unit arrow.TimeUnit, optional bool) (int64, Problem) {
	if len(b) < 19 || b[10]|0x20 != 't' && b[10] != ' ' {
		return 0, Malformed
	}
	day, ok := date(b)
	if !ok {
		return 0, Malformed
	}
	sec, nanos, digits, n, ok := clock(b[11:])
	if !ok {
		return 0, Malformed
	}
	seconds := int64(day)*86400 + int64(sec)
	switch zone := b[11+n:]; {
	case len(zone) == 0:
		if !optional {
			return 0, NoOffset
		}
	case len(zone) == 1 && zone[0]|0x20 == 'z':
	case len(zone) == 6 && zone[3] == ':' && (zone[0] == '+' || zone[0] == '-'):
		h, m := two(zone, 1), two(zone, 4)
		if h > 23 || m > 59 {
			return 0, Malformed
		}
		if zone[0] == '+' {
			seconds -= int64(h*3600 + m*60)
		} else {
			seconds += int64(h*3600 + m*60)
		}
	default:
		return 0, Malformed
	}
	if digits > unitDigits(unit) {
		return 0, Digits
	}
	per := PerSecond(unit)
	part := int64(nanos) / (1e9 / per)
	if per == 1e9 && (seconds < math.MinInt64/per-1 || seconds > math.MaxInt64/per) {
		return 0, Range
	}
	v := seconds * per
	if per == 1e9 {
		// The first second of the range begins before it.
		if seconds == math.MinInt64/per-1 {
			v = (seconds+1)*per - per + part
			if v > 0 {
				return 0, Range
			}
			return v, OK
		}
		if v > 0 && v+part < 0 {
			return 0, Range
		}
	}
	return v + part, OK
}
