package text_test

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors/codec/text"
)

var units = []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond}

// TestTimestamp compares with package time.
func TestTimestamp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom(units).Draw(t, "unit")
		at := time.Unix(rapid.Int64Range(-62167219200, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		at = at.Truncate(time.Second / time.Duration(text.PerSecond(unit)))
		zone := time.FixedZone("", 60*rapid.IntRange(-1439, 1439).Draw(t, "zone"))
		written := at.In(zone).Format(time.RFC3339Nano)
		if y := at.In(zone).Year(); y < 0 || y > 9999 {
			return
		}
		got, p := text.Timestamp([]byte(written), unit, false)
		per := text.PerSecond(unit)
		seconds := big.NewInt(at.Unix())
		want := seconds.Mul(seconds, big.NewInt(per)).Add(seconds, big.NewInt(int64(at.Nanosecond())/(1e9/per)))
		if !want.IsInt64() {
			if p != text.Range {
				t.Fatalf("%s: got %d, %q", written, got, p)
			}
			return
		}
		if p != text.OK || got != want.Int64() {
			t.Fatalf("%s: got %d, %q, want %s", written, got, p, want)
		}
		again, ok := text.AppendTimestamp(nil, got, unit, true)
		back, err := time.Parse(time.RFC3339Nano, string(again))
		if !ok || err != nil || !back.Equal(at) {
			t.Fatalf("%s was written as %s", written, again)
		}
	})
}

func TestDate(t *testing.T) {
	for day := int64(-719528); day <= 2932896; day++ {
		b, ok := text.AppendDate(nil, day)
		got, p := text.Date(b)
		if !ok || p != text.OK || int64(got) != day {
			t.Fatalf("day %d was written as %s and read as %d", day, b, got)
		}
		if day%997 == 0 && time.Unix(day*86400, 0).UTC().Format(time.DateOnly) != string(b) {
			t.Fatalf("day %d was written as %s", day, b)
		}
	}
	for _, day := range []int64{-719529, 2932897, math.MaxInt64, math.MinInt64} {
		if _, ok := text.AppendDate(nil, day); ok {
			t.Errorf("day %d was written", day)
		}
	}
	for _, s := range []string{"", "2013-1-31", "2013-13-01", "2013-04-31", "1900-02-29", "2013/01/31", "2013-01-3a", "+013-01-31", "2013-01-311"} {
		if v, p := text.Date([]byte(s)); p != text.Malformed {
			t.Errorf("%q: got %d, %q", s, v, p)
		}
	}
}

// TestDecimal compares with rational numbers.
func TestDecimal(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,45})(\.[0-9]{1,45})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		precision := rapid.IntRange(1, 38).Draw(t, "precision")
		scale := rapid.IntRange(0, precision).Draw(t, "scale")
		s := number.Draw(t, "number")
		hi, lo, p := text.Decimal([]byte(s), precision, scale)
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatal(s)
		}
		ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		r.Mul(r, new(big.Rat).SetInt(ten))
		most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
		fits := r.IsInt() && new(big.Int).Abs(r.Num()).Cmp(most) < 0
		if fits != (p == text.OK) {
			t.Fatalf("%s as decimal(%d, %d): %q", s, precision, scale, p)
		}
		if !fits {
			if p == text.Digits && r.IsInt() || p == text.Malformed {
				t.Fatalf("%s as decimal(%d, %d): %q", s, precision, scale, p)
			}
			return
		}
		if got := decimal128.New(hi, lo).BigInt(); got.Cmp(r.Num()) != 0 {
			t.Fatalf("%s as decimal(%d, %d): got %s", s, precision, scale, got)
		}
		again := text.AppendDecimal(nil, hi, lo, scale)
		if h, l, p := text.Decimal(again, precision, scale); h != hi || l != lo || p != text.OK {
			t.Fatalf("%s was written as %s", s, again)
		}
	})
}

// TestFloat compares with package strconv, which also tells the shortest number.
func TestFloat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(rapid.Float64(), rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-1e6, 1e6).Draw(t, "n")) / 100 })).Draw(t, "v")
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		s := text.AppendFloat(nil, v, 64)
		got, p := text.Float64(s)
		if p != text.OK || math.Float64bits(got) != math.Float64bits(v) {
			t.Fatalf("%v was written as %s and read as %v", v, s, got)
		}
		f := float32(v)
		if math.IsInf(float64(f), 0) {
			return
		}
		s = text.AppendFloat(nil, float64(f), 32)
		if got, p := text.Float32(s); p != text.OK || math.Float32bits(got) != math.Float32bits(f) {
			t.Fatalf("%v was written as %s and read as %v", f, s, got)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		m, exp := rapid.Uint64().Draw(t, "m"), rapid.IntRange(-30, 30).Draw(t, "exp")
		got, ok := text.Exact(m, exp)
		want, err := strconv.ParseFloat(strconv.FormatUint(m, 10)+"e"+strconv.Itoa(exp), 64)
		if ok && (err != nil || got != want) {
			t.Fatalf("%d e %d: got %v, want %v", m, exp, got, want)
		}
	})
}

func TestIntegers(t *testing.T) {
	for s, want := range map[string]text.Problem{
		"0": text.OK, "18446744073709551615": text.OK, "18446744073709551616": text.Range, strings.Repeat("9", 50): text.Range,
		"": text.Malformed, "-1": text.Malformed, "1 ": text.Malformed, strings.Repeat("9", 50) + "x": text.Malformed,
	} {
		if _, p := text.Uint([]byte(s)); p != want {
			t.Errorf("%q as unsigned: got %q, want %q", s, p, want)
		}
	}
	for s, want := range map[string]text.Problem{
		"-9223372036854775808": text.OK, "-9223372036854775809": text.Range, "9223372036854775808": text.Range, "-": text.Malformed, "--1": text.Malformed,
	} {
		if _, p := text.Int([]byte(s)); p != want {
			t.Errorf("%q as signed: got %q, want %q", s, p, want)
		}
	}
	if v, _ := text.Int([]byte("-9223372036854775808")); v != math.MinInt64 {
		t.Errorf("got %d", v)
	}
}

func TestShort(t *testing.T) {
	long := strings.Repeat("x", 59) + "é" + "tail"
	for s, want := range map[string]string{
		"": "", "abc": "abc", long: strings.Repeat("x", 59) + "...", strings.Repeat("\x80", 100): strings.Repeat("\x80", 56) + "...",
	} {
		if got := text.Short([]byte(s)); got != want {
			t.Errorf("%q: got %q", s, got)
		}
	}
}
