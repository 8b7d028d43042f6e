// Functions over numbers: a map that passes a column through, vectorised functions, and state per key. examples/guests/c/sensors.c
// has the same in C.
package main

import (
	"fmt"
	"slices"

	wasmill "github.com/wasmill/wasmill/sdk/go"
)

type reading struct {
	Sensor  wasmill.Column `wasmill:"sensor,utf8"`
	At      wasmill.Column `wasmill:"at,timestamp[us, UTC]"`
	Celsius *float64       `wasmill:"celsius"`
}

// rated passes sensor and at on as they are: their memory is handed back, not copied.
type rated struct {
	Sensor wasmill.Column `wasmill:"sensor"`
	At     wasmill.Column `wasmill:"at"`
	Kelvin *float64       `wasmill:"kelvin"`
	Hot    *bool          `wasmill:"hot"`
}

func rate(in reading) (rated, error) {
	if in.Celsius == nil {
		return rated{}, nil
	}
	if *in.Celsius < -273.15 {
		return rated{}, fmt.Errorf("%.2f °C is below absolute zero", *in.Celsius)
	}
	kelvin, hot := *in.Celsius+273.15, *in.Celsius >= 30
	return rated{Kelvin: &kelvin, Hot: &hot}, nil
}

// fahrenheit works on whole columns.
func fahrenheit(celsius, out []float64) error {
	for i, c := range celsius {
		out[i] = c*9/5 + 32
	}
	return nil
}

type sample struct {
	Sensor  *string               `wasmill:"sensor"`
	At      wasmill.Column        `wasmill:"at,timestamp[us, UTC]"`
	Celsius wasmill.Null[float64] `wasmill:"celsius"`
}

type smoothed struct {
	Sensor *string `wasmill:"sensor"`
	Mean   float64 `wasmill:"mean"`
}

// average is kept per sensor: the pipeline's key_by says that the key is the sensor.
type average struct {
	wasmill.Keyed
	Mean float64 `wasmill:"mean"`
	N    int64   `wasmill:"n"`
}

func smooth(a *average, in sample, emit func(smoothed)) error {
	if !in.Celsius.Valid {
		return nil
	}
	if a.New {
		a.Mean = in.Celsius.Value
	} else {
		a.Mean = 0.75*a.Mean + 0.25*in.Celsius.Value
	}
	a.N++
	emit(smoothed{in.Sensor, a.Mean})
	return nil
}

// span is what a window has collected: `window: {tumbling: 5m, rows: [celsius], map: median}`.
type span struct {
	Sensor  wasmill.Column          `wasmill:"sensor,utf8"`
	Celsius []wasmill.Null[float64] `wasmill:"celsius"`
}

type middle struct {
	Sensor wasmill.Column `wasmill:"sensor"`
	Median *float64       `wasmill:"median"`
}

func median(in span) (middle, error) {
	var sorted []float64
	for _, c := range in.Celsius {
		if c.Valid {
			sorted = append(sorted, c.Value)
		}
	}
	if len(sorted) == 0 {
		return middle{}, nil
	}
	slices.Sort(sorted)
	m := (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
	return middle{Median: &m}, nil
}

func init() {
	wasmill.Map("median", median, wasmill.Doc("the median of a window's readings"))
	wasmill.Map("rate", rate, wasmill.Doc("kelvin, and whether that is hot"))
	wasmill.Vector1("fahrenheit", fahrenheit, wasmill.Doc("degrees Fahrenheit"),
		wasmill.Columns("celsius"), wasmill.Result("fahrenheit"))
	wasmill.KeyedFlatMap("smooth", smooth, wasmill.Doc("a moving average per sensor"))
}

func main() {}
