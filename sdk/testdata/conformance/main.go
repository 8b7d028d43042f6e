// The functions that the conformance kit asks for, in Go on the SDK.
package main

import wasmill "github.com/wasmill/wasmill/sdk/go"

type number struct {
	N *int64 `wasmill:"n"`
}

type copied struct {
	N int64 `wasmill:"n"`
	I int64 `wasmill:"i"`
}

type same struct {
	N wasmill.Column `wasmill:"n"`
}

type counted struct {
	N     *int64 `wasmill:"n"`
	Count int64  `wasmill:"count"`
}

type total struct {
	Count int64 `wasmill:"count"`
}

func copies(in number, emit func(copied)) error {
	for i := int64(0); in.N != nil && i < *in.N; i++ {
		emit(copied{*in.N, i})
	}
	return nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func init() {
	wasmill.AnyMap("echo", func(wasmill.Batch) error { return nil })
	wasmill.Filter("echo_filter_odd", func(in number) (wasmill.Null[bool], error) {
		if in.N == nil {
			return wasmill.Null[bool]{}, nil
		}
		return wasmill.Some(*in.N&1 != 0), nil
	})
	wasmill.FlatMap("dup", copies)
	wasmill.FlatMap("many", copies)
	wasmill.Scalar2("add", func(a, b wasmill.Null[int64]) wasmill.Null[int64] {
		return wasmill.Null[int64]{Value: a.Value + b.Value, Valid: a.Valid && b.Valid}
	})
	wasmill.Vector2("gcd", func(a, b, out []int64) error {
		for i := range out {
			out[i] = gcd(a[i], b[i])
		}
		return nil
	})
	wasmill.Scalar1("upper", func(s *string) *string {
		if s == nil {
			return nil
		}
		up := []byte(*s)
		for i, c := range up {
			if 'a' <= c && c <= 'z' {
				up[i] = c - 'a' + 'A'
			}
		}
		text := string(up)
		return &text
	})
	wasmill.Map("fail_on_negative", func(in number) (same, error) {
		if in.N != nil && *in.N < 0 {
			return same{}, wasmill.Errorf("the number is negative\nin fail_on_negative")
		}
		return same{}, nil
	})
	var configuration string
	wasmill.Scalar("config", func(number) (string, error) { return configuration, nil },
		wasmill.OnOpen(func(config []byte) error {
			configuration = string(config)
			return nil
		}))
	wasmill.KeyedMap("count", func(state *total, in number) (counted, error) {
		state.Count++
		return counted{in.N, state.Count}, nil
	})
}

func main() {}
