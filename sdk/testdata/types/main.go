// Every type of column, in and out, with nulls as pointers and as Null.
package main

import (
	"errors"
	"strings"
	"time"

	wasmill "github.com/wasmill/wasmill/sdk/go"
)

type pointers struct {
	B    *bool               `wasmill:"b"`
	I8   *int8               `wasmill:"i8"`
	I16  *int16              `wasmill:"i16"`
	I32  *int32              `wasmill:"i32"`
	I64  *int64              `wasmill:"i64"`
	U8   *uint8              `wasmill:"u8"`
	U16  *uint16             `wasmill:"u16"`
	U32  *uint32             `wasmill:"u32"`
	U64  *uint64             `wasmill:"u64"`
	F32  *float32            `wasmill:"f32"`
	F64  *float64            `wasmill:"f64"`
	S    *string             `wasmill:"s"`
	Y    *[]byte             `wasmill:"y"`
	LS   *string             `wasmill:"ls,large_utf8"`
	LY   *[]byte             `wasmill:"ly,large_binary"`
	D    *time.Time          `wasmill:"d,date32"`
	T32  *int32              `wasmill:"t32,time32[ms]"`
	T64  *time.Duration      `wasmill:"t64,time64[us]"`
	At   *time.Time          `wasmill:"at"`
	AtMS *int64              `wasmill:"at_ms,timestamp[ms]"`
	Dur  *time.Duration      `wasmill:"dur,duration[us]"`
	Dec  *wasmill.Decimal128 `wasmill:"dec,decimal128(20, 3)"`
	ID   *[5]byte            `wasmill:"id"`
}

type options struct {
	B    wasmill.Null[bool]               `wasmill:"b"`
	I8   wasmill.Null[int8]               `wasmill:"i8"`
	I16  wasmill.Null[int16]              `wasmill:"i16"`
	I32  wasmill.Null[int32]              `wasmill:"i32"`
	I64  wasmill.Null[int64]              `wasmill:"i64"`
	U8   wasmill.Null[uint8]              `wasmill:"u8"`
	U16  wasmill.Null[uint16]             `wasmill:"u16"`
	U32  wasmill.Null[uint32]             `wasmill:"u32"`
	U64  wasmill.Null[uint64]             `wasmill:"u64"`
	F32  wasmill.Null[float32]            `wasmill:"f32"`
	F64  wasmill.Null[float64]            `wasmill:"f64"`
	S    wasmill.Null[string]             `wasmill:"s"`
	Y    wasmill.Null[[]byte]             `wasmill:"y"`
	LS   wasmill.Null[string]             `wasmill:"ls,large_utf8"`
	LY   wasmill.Null[[]byte]             `wasmill:"ly,large_binary"`
	D    wasmill.Null[int32]              `wasmill:"d,date32"`
	T32  wasmill.Null[time.Duration]      `wasmill:"t32,time32[ms]"`
	T64  wasmill.Null[int64]              `wasmill:"t64,time64[us]"`
	At   wasmill.Null[int64]              `wasmill:"at,timestamp[us, UTC]"`
	AtMS wasmill.Null[time.Time]          `wasmill:"at_ms,timestamp[ms]"`
	Dur  wasmill.Null[int64]              `wasmill:"dur,duration[us]"`
	Dec  wasmill.Null[wasmill.Decimal128] `wasmill:"dec,decimal128(20, 3)"`
	ID   wasmill.Null[[]byte]             `wasmill:"id,fixed_size_binary[5]"`
}

type passed struct {
	I64 wasmill.Column `wasmill:"i64"`
	S   wasmill.Column `wasmill:"s"`
	B   wasmill.Column `wasmill:"b"`
}

type nested struct {
	Words *[][]string
	Point *struct {
		X, Y int64
		Tags []*string
	}
	Raw *[]wasmill.Null[int32]
}

type lists struct {
	Words []string
	N     int64
}

type sizes struct{ Rows, Bytes int64 }

type text struct {
	I    int64
	Text string
}

type word struct {
	Word string
	N    int64
}

type seen struct {
	IsNew bool `wasmill:"is_new"`
	Sum   int64
	Last  string
}

type state struct {
	wasmill.Keyed
	Sum  int64
	Last string
	Even *bool
}

var letters = strings.Repeat("\x00", 1<<20)

func init() {
	wasmill.Map("copy", func(in pointers) (pointers, error) { return in, nil })
	wasmill.Map("copy_null", func(in options) (options, error) { return in, nil })
	wasmill.FlatMap("twice", func(in pointers, emit func(pointers)) error {
		emit(in)
		emit(in)
		return nil
	})
	wasmill.Map("pass", func(pointers) (passed, error) { return passed{}, nil })
	wasmill.Map("nested", func(in nested) (nested, error) { return in, nil })
	wasmill.Scalar("join", func(in lists) (*string, error) {
		if in.Words == nil {
			return nil, nil
		}
		joined := strings.Join(append([]string{"n"}, in.Words...), " ")
		return &joined, nil
	})
	wasmill.FlatMap("fan", func(in sizes, emit func(text)) error {
		for i := range in.Rows {
			emit(text{i, letters[:in.Bytes]})
		}
		return nil
	})
	wasmill.Map("pad", func(in sizes) (text, error) { return text{0, letters[:in.Bytes]}, nil })
	wasmill.AnyFilter("whole", func(batch wasmill.Batch, row int) (bool, error) {
		for i := range batch.Len() {
			if batch.IsNull(i, row) {
				return false, nil
			}
		}
		return true, nil
	})
	wasmill.Filter("fails", func(in sizes) (bool, error) {
		switch in.Rows {
		case 1:
			return false, errors.New("an error\nof two lines")
		case 2:
			panic("a panic")
		case 3:
			var none *sizes
			return none.Bytes == 0, nil
		case 4:
			return letters[in.Bytes] == 0, nil
		}
		return true, nil
	})
	wasmill.Map("wrong_size", func(in sizes) (struct {
		ID []byte `wasmill:",fixed_size_binary[5]"`
	}, error) {
		return struct {
			ID []byte `wasmill:",fixed_size_binary[5]"`
		}{make([]byte, in.Bytes)}, nil
	})
	wasmill.KeyedMap("keyed", func(s *state, in word) (seen, error) {
		out := seen{IsNew: s.New, Last: s.Last}
		s.Sum += in.N
		out.Sum = s.Sum
		s.Last = "<" + in.Word + ">"
		even := in.N%2 == 0
		s.Even = &even
		s.Remove = in.N == 0
		if in.N < 0 {
			return out, errors.New("negative")
		}
		return out, nil
	})
}

func main() {}
