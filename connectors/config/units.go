package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, written as Go writes it: "200ms", "1m30s". It is not negative.
type Duration time.Duration

// UnmarshalJSON reads a string with a unit. It returns a plain error saying what was expected.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		if x, err := time.ParseDuration(s); err == nil && x >= 0 {
			*d = Duration(x)
			return nil
		}
	}
	return fmt.Errorf(`expected a duration such as "200ms" or "1m30s", got %s`, b)
}

// MarshalJSON writes what UnmarshalJSON reads.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// Bytes is a size: a number of bytes, or a string such as "64KiB", "1.5MB", "2 GiB".
type Bytes int64

var units = map[string]float64{
	"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// UnmarshalJSON reads a number or a string with a unit. It returns a plain error saying what was expected.
func (n *Bytes) UnmarshalJSON(b []byte) error {
	var i int64
	if json.Unmarshal(b, &i) == nil && i >= 0 && string(b) != "null" {
		*n = Bytes(i)
		return nil
	}
	var s string
	if json.Unmarshal(b, &s) == nil {
		s = strings.TrimSpace(s)
		digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
		unit, known := units[strings.ToLower(strings.TrimSpace(s[len(digits):]))]
		x, err := strconv.ParseFloat(digits, 64)
		if known && err == nil && x >= 0 && x*unit < math.MaxInt64 {
			*n = Bytes(x * unit)
			return nil
		}
	}
	return fmt.Errorf(`expected a size such as 4096 or "64KiB", got %s`, b)
}
