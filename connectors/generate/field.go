package generate

import (
	"encoding/json"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"time"

	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

// fieldConfig is a column. Kind says which of the rest counts.
type fieldConfig struct {
	Kind string `json:"kind" config:"required"`
	// Min and Max are the ends of the range, both included: of int (standard 0 to 100) and of float (0 to 1).
	Min *json.Number `json:"min"`
	Max *json.Number `json:"max"`
	// Decimals is how many digits a float has behind the point; 2 where it does not say.
	Decimals *int `json:"decimals"`
	// Values are what choice takes one of, all as likely.
	Values []json.RawMessage `json:"values"`
	// Start and Step make sequence (0 and 1) and time ("2026-01-01T00:00:00Z" and "1s"): start + row * step.
	Start any `json:"start"`
	Step  any `json:"step"`
	// Count is how many words there are in a text of words; 3 where it does not say.
	Count *int `json:"count"`
	// Nulls is the share of rows without a value, 0 to 1.
	Nulls float64 `json:"nulls"`
}

// column writes the value of a row. Random holds 64 random bits of the row's and column's own.
type column struct {
	name  []byte // `"name":`
	nulls uint64 // a row is null when other random bits are below
	put   func(dst []byte, row int64, random uint64) []byte
}

// kinds lists, for each kind of field, the settings that it has.
var kinds = map[string][]string{
	"int": {"min", "max"}, "float": {"min", "max", "decimals"}, "bool": {}, "choice": {"values"},
	"sequence": {"start", "step"}, "time": {"start", "step"}, "words": {"count"},
}

// settings returns the names of the settings that are set.
func (f *fieldConfig) settings() []string {
	var names []string
	for name, set := range map[string]bool{
		"min": f.Min != nil, "max": f.Max != nil, "decimals": f.Decimals != nil, "values": f.Values != nil,
		"start": f.Start != nil, "step": f.Step != nil, "count": f.Count != nil,
	} {
		if set {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// newColumn returns a column, or a list of faults whose places begin with `fields.NAME`.
func newColumn(name string, f fieldConfig) (column, error) {
	var faults fault.List
	at := "fields." + name
	known, ok := kinds[f.Kind]
	if !ok {
		faults.Add(fault.Usage, at+".kind", "unknown kind `%s`", f.Kind).Hint = fault.DidYouMean(f.Kind, slices.Collect(maps.Keys(kinds)))
		return column{}, faults.Err()
	}
	for _, s := range f.settings() {
		if !slices.Contains(known, s) {
			faults.Add(fault.Usage, at+"."+s, "kind `%s` has no setting `%s`", f.Kind, s).Hint = fault.DidYouMean(s, known)
		}
	}
	if f.Nulls < 0 || f.Nulls > 1 {
		faults.Add(fault.Usage, at+".nulls", "expected a share of 0 to 1, got %v", f.Nulls)
	}
	quoted, err := json.Marshal(name)
	faults.Append(err)
	c := column{name: append(quoted, ':'), nulls: share(f.Nulls)}
	if faults.Err() == nil {
		c.put = putter(f, at, &faults)
	}
	return c, faults.Err()
}

// share returns the number below which a share of all 64-bit numbers lies.
func share(x float64) uint64 {
	if x >= 1 {
		return math.MaxUint64
	}
	return uint64(x * (1 << 63) * 2)
}

func putter(f fieldConfig, at string, faults *fault.List) func([]byte, int64, uint64) []byte {
	switch f.Kind {
	case "int":
		lo, hi := integer(f.Min, 0, at+".min", faults), integer(f.Max, 100, at+".max", faults)
		if lo > hi {
			faults.Add(fault.Usage, at, "min %d lies above max %d", lo, hi)
		}
		span := uint64(hi) - uint64(lo) + 1 // 0: all of them
		return func(dst []byte, _ int64, random uint64) []byte {
			if span != 0 {
				random, _ = bits.Mul64(random, span)
			}
			return strconv.AppendInt(dst, int64(uint64(lo)+random), 10)
		}
	case "float":
		return floats(f, at, faults)
	case "bool":
		return func(dst []byte, _ int64, random uint64) []byte { return strconv.AppendBool(dst, random>>63 == 1) }
	case "choice":
		if len(f.Values) == 0 {
			faults.Add(fault.Usage, at+".values", "there is nothing to choose from").Hint = "list the values: `values: [a, b]`"
		}
		values := f.Values
		return func(dst []byte, _ int64, random uint64) []byte {
			i, _ := bits.Mul64(random, uint64(len(values)))
			return append(dst, values[i]...)
		}
	case "sequence":
		start, step := number(f.Start, 0, at+".start", faults), number(f.Step, 1, at+".step", faults)
		return func(dst []byte, row int64, _ uint64) []byte { return strconv.AppendInt(dst, start+row*step, 10) }
	case "time":
		return times(f, at, faults)
	default: // words, by the table of kinds
		return text(f, at, faults)
	}
}

func integer(n *json.Number, standard int64, at string, faults *fault.List) int64 {
	if n == nil {
		return standard
	}
	return number(*n, standard, at, faults)
}

func number(v any, standard int64, at string, faults *fault.List) int64 {
	if v == nil {
		return standard
	}
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	faults.Add(fault.Usage, at, "expected an integer of 64 bits, got %v", v)
	return standard
}

func floats(f fieldConfig, at string, faults *fault.List) func([]byte, int64, uint64) []byte {
	lo, hi, decimals := 0.0, 1.0, 2
	for _, end := range []struct {
		from *json.Number
		to   *float64
		name string
	}{{f.Min, &lo, ".min"}, {f.Max, &hi, ".max"}} {
		if end.from == nil {
			continue
		}
		x, err := end.from.Float64()
		if err != nil {
			faults.Add(fault.Usage, at+end.name, "expected a number, got %s", *end.from)
		}
		*end.to = x
	}
	if lo > hi || math.IsInf(hi-lo, 0) {
		faults.Add(fault.Usage, at, "min %v and max %v are not the ends of a range", lo, hi)
	}
	if f.Decimals != nil {
		if decimals = *f.Decimals; decimals < 0 || decimals > 17 {
			faults.Add(fault.Usage, at+".decimals", "expected 0 to 17, got %d", decimals)
		}
	}
	return func(dst []byte, _ int64, random uint64) []byte {
		return strconv.AppendFloat(dst, lo+(hi-lo)*(float64(random>>11)/(1<<53-1)), 'f', decimals, 64)
	}
}

func times(f fieldConfig, at string, faults *fault.List) func([]byte, int64, uint64) []byte {
	start, step := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Second
	if f.Start != nil {
		s, _ := f.Start.(string)
		var err error
		if start, err = time.Parse(time.RFC3339Nano, s); err != nil {
			faults.Add(fault.Usage, at+".start", "expected a time such as \"2026-01-01T00:00:00Z\", got %v", f.Start)
		}
	}
	if f.Step != nil {
		var d config.Duration
		b, err := json.Marshal(f.Step)
		if err == nil {
			err = d.UnmarshalJSON(b)
		}
		if err != nil {
			faults.Add(fault.Usage, at+".step", "%v", err)
		}
		step = time.Duration(d)
	}
	start = start.UTC()
	seconds, nanos := int64(step/time.Second), int64(step%time.Second)
	return func(dst []byte, row int64, _ uint64) []byte {
		// In two parts: a duration of 64 bits of nanoseconds ends after 292 years.
		part := row % 1e9 * nanos
		t := time.Unix(start.Unix()+row*seconds+row/1e9*nanos+part/1e9, int64(start.Nanosecond())+part%1e9).UTC()
		return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
	}
}

var vocabulary = []string{
	"river", "stone", "amber", "willow", "north", "harbor", "copper", "meadow", "silver", "lantern", "orchard", "winter",
	"market", "garden", "signal", "bridge", "canyon", "violet", "ember", "summit", "marble", "forest", "candle", "island",
	"thunder", "velvet", "mirror", "pepper", "anchor", "falcon", "hollow", "saddle",
}

func text(f fieldConfig, at string, faults *fault.List) func([]byte, int64, uint64) []byte {
	count := 3
	if f.Count != nil {
		if count = *f.Count; count < 0 || count > 1000 {
			faults.Add(fault.Usage, at+".count", "expected 0 to 1000, got %d", count)
		}
	}
	return func(dst []byte, _ int64, random uint64) []byte {
		dst = append(dst, '"')
		for i := range count {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = append(dst, vocabulary[random>>59]...)
			random = mix(random)
		}
		return append(dst, '"')
	}
}
