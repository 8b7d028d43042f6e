package wasmill

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// compileType returns the codec between a Go type and an Arrow type; text is "" for the Go type's default.
func compileType(t reflect.Type, text, where string) *codec {
	switch t {
	case reflect.TypeFor[Column]():
		return &codec{text: text, pass: true, nulls: true}
	case reflect.TypeFor[time.Time]():
		return timeCodec(text, where)
	case reflect.TypeFor[time.Duration]():
		return durationCodec(text, where)
	case reflect.TypeFor[Decimal128]():
		if !strings.HasPrefix(text, "decimal128(") {
			panic(where + ": a Decimal128 needs a tag with its type, as in `wasmill:\"price,decimal128(10, 2)\"`")
		}
		return fixedCodec[Decimal128](text)
	}
	if n, ok := reflect.Zero(t).Interface().(nullable); ok {
		value, valid := n.layout()
		return nullCodec(t, compileValue(value, text, where), valid)
	}
	if t.Kind() == reflect.Pointer {
		return pointerCodec(t.Elem(), compileValue(t.Elem(), text, where))
	}
	k := compileKind(t, text, where)
	if k == nil {
		panic(where + ": " + t.String() + " cannot be a column; the documentation of package wasmill lists what can")
	}
	return k
}

// compileValue is compileType for what a pointer or a Null holds.
func compileValue(t reflect.Type, text, where string) *codec {
	k := compileType(t, text, where)
	if k.nulls || k.pass {
		panic(where + ": a pointer or Null of " + t.String() + " cannot be a column: one level of null is all that there is")
	}
	return k
}

func compileKind(t reflect.Type, text, where string) *codec {
	one := func(k *codec, also ...string) *codec {
		if text == "" || text == k.text {
			return k
		}
		for _, prefix := range also {
			if strings.HasPrefix(text, prefix) {
				k.text = text
				return k
			}
		}
		panic(where + ": " + t.String() + " cannot hold " + text)
	}
	switch t.Kind() {
	case reflect.Bool:
		return one(boolCodec())
	case reflect.Int8:
		return one(fixedCodec[int8]("int8"))
	case reflect.Int16:
		return one(fixedCodec[int16]("int16"))
	case reflect.Int32:
		return one(fixedCodec[int32]("int32"), "date32", "time32[")
	case reflect.Int64:
		return one(fixedCodec[int64]("int64"), "timestamp[", "time64[", "duration[")
	case reflect.Uint8:
		return one(fixedCodec[uint8]("uint8"))
	case reflect.Uint16:
		return one(fixedCodec[uint16]("uint16"))
	case reflect.Uint32:
		return one(fixedCodec[uint32]("uint32"))
	case reflect.Uint64:
		return one(fixedCodec[uint64]("uint64"))
	case reflect.Float32:
		return one(fixedCodec[float32]("float32"))
	case reflect.Float64:
		return one(fixedCodec[float64]("float64"))
	case reflect.String:
		if text == "large_utf8" {
			return textCodec[string, int64](text)
		}
		return one(textCodec[string, int32]("utf8"))
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Len() > 0 {
			return one(rawCodec("fixed_size_binary["+itoa(t.Len())+"]", t.Len(), false))
		}
	case reflect.Slice:
		return compileSlice(t, text, where, one)
	case reflect.Struct:
		r := compileRow(t, strings.TrimPrefix(where, "wasmill: "))
		if len(r.fields) > 0 {
			return one(structCodec(r))
		}
	}
	return nil
}

func compileSlice(t reflect.Type, text, where string, one func(*codec, ...string) *codec) *codec {
	if t.Elem().Kind() != reflect.Uint8 {
		item := compileType(t.Elem(), "", where)
		if item.pass {
			return nil
		}
		return one(listCodec(t.Elem(), item), "list<")
	}
	if width, ok := strings.CutPrefix(text, "fixed_size_binary["); ok {
		n, err := strconv.Atoi(strings.TrimSuffix(width, "]"))
		if err != nil || n < 1 {
			panic(where + ": expected fixed_size_binary[N], got " + text)
		}
		return rawCodec(text, n, true)
	}
	if text == "large_binary" {
		return textCodec[[]byte, int64](text)
	}
	return one(textCodec[[]byte, int32]("binary"))
}

// units are the Arrow units in nanoseconds.
var units = map[string]int64{"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}

// unitOf returns the unit in a type such as timestamp[ms, UTC], in nanoseconds, if the type is of the family given.
func unitOf(text, family string) (int64, bool) {
	inner, ok := strings.CutPrefix(text, family+"[")
	if !ok || !strings.HasSuffix(inner, "]") {
		return 0, false
	}
	unit, _, _ := strings.Cut(strings.TrimSuffix(inner, "]"), ",")
	scale, ok := units[strings.TrimSpace(unit)]
	return scale, ok
}

func timeCodec(text, where string) *codec {
	if text == "" {
		text = "timestamp[us, UTC]"
	}
	if text == "date32" {
		const day = 24 * 60 * 60
		return convertedCodec(text,
			func(days int32) time.Time { return time.Unix(int64(days)*day, 0).UTC() },
			func(t time.Time) int32 { return int32(floorDiv(t.Unix(), day)) })
	}
	scale, ok := unitOf(text, "timestamp")
	if !ok {
		panic(where + ": time.Time cannot hold " + text)
	}
	per := int64(1e9) / scale
	return convertedCodec(text,
		func(v int64) time.Time {
			seconds := floorDiv(v, per)
			return time.Unix(seconds, (v-seconds*per)*scale).UTC()
		},
		func(t time.Time) int64 { return t.Unix()*per + int64(t.Nanosecond())/scale })
}

func durationCodec(text, where string) *codec {
	if text == "" {
		text = "duration[ns]"
	}
	for _, family := range []string{"duration", "time64"} {
		if scale, ok := unitOf(text, family); ok {
			return convertedCodec(text,
				func(v int64) time.Duration { return time.Duration(v * scale) },
				func(d time.Duration) int64 { return int64(d) / scale })
		}
	}
	if scale, ok := unitOf(text, "time32"); ok {
		return convertedCodec(text,
			func(v int32) time.Duration { return time.Duration(int64(v) * scale) },
			func(d time.Duration) int32 { return int32(int64(d) / scale) })
	}
	panic(where + ": time.Duration cannot hold " + text)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
