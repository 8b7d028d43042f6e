// What the benchmarks time: the same functions as in testdata/c/bench.c.
package main

import wasmill "github.com/wasmill/wasmill/sdk/go"

type flight struct {
	Carrier  string
	Distance int64
	Delay    wasmill.Null[float64]
}

type named struct {
	Carrier string
	Delay   wasmill.Null[float64]
}

type measured struct {
	Carrier  wasmill.Column `wasmill:"carrier,utf8"`
	Distance int64
	Delay    wasmill.Null[float64]
}

type rated struct {
	Carrier wasmill.Column
	Speed   float64
	Late    wasmill.Null[bool]
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func init() {
	wasmill.Map("numbers", func(in measured) (rated, error) {
		return rated{
			Speed: float64(in.Distance) / 1.6,
			Late:  wasmill.Null[bool]{Value: in.Delay.Value > 15, Valid: in.Delay.Valid},
		}, nil
	})
	wasmill.Map("text", func(in flight) (named, error) { return named{in.Carrier, in.Delay}, nil })
	wasmill.Filter("late", func(in measured) (bool, error) { return in.Delay.Value > 15, nil })
	wasmill.FlatMap("twice", func(in flight, emit func(flight)) error {
		emit(in)
		emit(in)
		return nil
	})
	wasmill.Scalar2("gcd", gcd)
	wasmill.Vector2("gcd_v", func(a, b, out []int64) error {
		for i := range out {
			out[i] = gcd(a[i], b[i])
		}
		return nil
	})
}

func main() {}
