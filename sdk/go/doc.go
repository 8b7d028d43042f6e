// Package wasmill is the SDK for functions over streams in Go. A guest is a package main that registers its functions in
// init, with an empty main, built as a WASI reactor:
//
//	type In struct {
//		Carrier string   `wasmill:"carrier"`
//		Delay   *float64 `wasmill:"dep_delay"` // nil for null
//	}
//	type Out struct {
//		Carrier wasmill.Column `wasmill:"carrier"` // the input's column, untouched
//		Late    bool           `wasmill:"late"`
//	}
//
//	func init() {
//		wasmill.Map("enrich", func(in In) (Out, error) {
//			return Out{Late: in.Delay != nil && *in.Delay > 15}, nil
//		})
//	}
//	func main() {}
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o enrich.wasm
//
// # Kinds
//
// [Map] makes one row of each, [FlatMap] any number, [Filter] keeps rows, [Scalar], [Scalar1] to [Scalar3] compute one column,
// [Vector1] and [Vector2] do so over whole columns, [KeyedMap] and [KeyedFlatMap] have state per key, [Process] has timers, lists,
// maps and side outputs besides, [AnyFilter] takes any columns.
//
// # Process functions
//
//	type visits struct {
//		Last    wasmill.ValueState[int64]
//		Pages   wasmill.ListState[string]
//		Counts  wasmill.MapState[string, int64] `ttl:"1h"` // it expires: docs/abi.md, "Description"
//		Bounces wasmill.SideOutput[bounce]                 // v.Bounces.Emit(bounce{...})
//	}
//
//	func (v *visits) Process(ctx *wasmill.Context[visit], in click) error {
//		at, _ := ctx.Time()
//		v.Last.Set(at)
//		v.Pages.Add(in.Page)
//		ctx.SetTimer(wasmill.EventTime, at+600_000)
//		return nil
//	}
//
//	func (v *visits) OnTimer(ctx *wasmill.Context[visit], t wasmill.Timer) error {
//		ctx.Emit(visit{End: t.Time, Pages: int64(len(v.Pages.Get()))})
//		v.Pages.Clear()
//		return nil
//	}
//
//	func init() { wasmill.Process("visits", &visits{}) }
//
// What a state holds belongs to the key of the row or timer at hand. One that cannot be read or written fails the row.
//
// # Columns
//
// Exported fields are columns; the tag is "name" or "name,type" with a type of the pipelines' grammar, and "-" leaves a
// field out. Without a tag the name is the field's in lower case.
//
//	Go type                       default type          also with a tag
//	bool                          bool
//	int8 … int64, uint8 … uint64  the same              int32: date32, time32; int64: timestamp, time64, duration
//	float32, float64              the same
//	string                        utf8                  large_utf8
//	[]byte                        binary                large_binary, fixed_size_binary[N]
//	[N]byte                       fixed_size_binary[N]
//	time.Time                     timestamp[us, UTC]    timestamp of any unit and zone, date32
//	time.Duration                 duration[ns]          duration of any unit, time32, time64 (since midnight)
//	Decimal128                    needs a tag           decimal128(P, S)
//	[]T                           list<T>
//	a struct                      struct<…>
//	*T, Null[T]                   T with nulls
//	Column                        any: in In it names a type and is not read; in Out it passes In's column of that name on
//
// A null read into a type without nulls is its zero value. Strings, slices and pointers are the function's to keep: they
// are copies, made for up to 1,024 rows at once. Other types panic in init, which the host reports when it loads the guest.
//
// # Errors
//
// An error from a function, or a panic in it, fails its row; what happens then is the pipeline's policy.
package wasmill
