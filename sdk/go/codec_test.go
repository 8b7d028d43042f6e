package wasmill

import (
	"reflect"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

// columnOf is an output as the input that it becomes for the next function.
func columnOf(o *output) column {
	c := column{width: abs(o.codec.width), length: o.rows, values: unsafe.Pointer(unsafe.SliceData(o.values)), data: unsafe.Pointer(unsafe.SliceData(o.data))}
	if o.nulls > 0 {
		c.validity = unsafe.Pointer(unsafe.SliceData(o.validity))
	}
	for _, item := range o.items {
		c.children = append(c.children, columnOf(item))
	}
	return c
}

// there and back writes values to a column in pieces, and reads them again in other pieces.
func thereAndBack[T any](t *rapid.T, name string, values []T) {
	k := compileType(reflect.TypeFor[T](), "", "test")
	size := unsafe.Sizeof(*new(T))
	pieces := func(each func(from, n int)) {
		for from := 0; from < len(values); {
			n := rapid.IntRange(1, len(values)-from).Draw(t, "piece")
			each(from, n)
			from += n
		}
	}
	o := newOutput(k)
	for range 2 { // the second time with the memory of the first
		o.reset()
		pieces(func(from, n int) { k.write(o, n, unsafe.Pointer(&values[from]), size) })
		c := columnOf(o)
		got := make([]T, len(values))
		pieces(func(from, n int) { k.read(&c, from, n, unsafe.Pointer(&got[from]), size) })
		if len(values) > 0 && !reflect.DeepEqual(got, values) {
			t.Fatalf("%s: expected %v, got %v", name, values, got)
		}
	}
}

func TestCodecs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		thereAndBack(t, "bool", rapid.SliceOf(rapid.Bool()).Draw(t, "bool"))
		thereAndBack(t, "int64", rapid.SliceOf(rapid.Int64()).Draw(t, "int64"))
		thereAndBack(t, "string", rapid.SliceOf(rapid.String()).Draw(t, "string"))
		thereAndBack(t, "*string", rapid.SliceOf(rapid.Ptr(rapid.String(), true)).Draw(t, "*string"))
		thereAndBack(t, "*bool", rapid.SliceOf(rapid.Ptr(rapid.Bool(), true)).Draw(t, "*bool"))
		thereAndBack(t, "[3]byte", rapid.SliceOf(rapid.Custom(func(t *rapid.T) [3]byte {
			return [3]byte(rapid.SliceOfN(rapid.Byte(), 3, 3).Draw(t, "bytes"))
		})).Draw(t, "[3]byte"))
		thereAndBack(t, "Null", rapid.SliceOf(rapid.Custom(func(t *rapid.T) Null[int16] {
			if rapid.Bool().Draw(t, "null") {
				return Null[int16]{}
			}
			return Some(rapid.Int16().Draw(t, "value"))
		})).Draw(t, "Null"))
		thereAndBack(t, "time", rapid.SliceOf(rapid.Custom(func(t *rapid.T) time.Time {
			return time.UnixMicro(rapid.Int64Range(-1e17, 1e17).Draw(t, "time")).UTC()
		})).Draw(t, "times"))
		thereAndBack(t, "lists", rapid.SliceOf(rapid.SliceOf(rapid.SliceOfN(rapid.Ptr(rapid.String(), true), 1, 3))).
			Filter(func(lists [][][]*string) bool {
				for _, l := range lists {
					if len(l) == 0 {
						return false // an empty list is read as nil
					}
				}
				return true
			}).Draw(t, "lists"))
		type point struct {
			X int64
			S string
			P *int32
		}
		thereAndBack(t, "structs", rapid.SliceOf(rapid.Custom(func(t *rapid.T) point {
			return point{rapid.Int64().Draw(t, "x"), rapid.String().Draw(t, "s"), rapid.Ptr(rapid.Int32(), true).Draw(t, "p")}
		})).Draw(t, "structs"))
	})
}

func TestTimes(t *testing.T) {
	at := time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	for text, want := range map[string]time.Time{
		"timestamp[s]":      at.Truncate(time.Second),
		"timestamp[ms]":     at.Truncate(time.Millisecond),
		"timestamp[us, X]":  at.Truncate(time.Microsecond),
		"timestamp[ns,UTC]": at,
		"date32":            time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC),
	} {
		k := compileType(reflect.TypeFor[time.Time](), text, "test")
		o := newOutput(k)
		k.write(o, 1, unsafe.Pointer(&at), 0)
		c := columnOf(o)
		var got time.Time
		k.read(&c, 0, 1, unsafe.Pointer(&got), 0)
		if !got.Equal(want) {
			t.Errorf("%s: expected %v, got %v", text, want, got)
		}
	}
}
