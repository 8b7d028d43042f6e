package sdk_test

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/udf"
)

// BenchmarkFunctions times small functions over batches that lie in the guest already. The functions themselves do next to nothing
// (gcd apart), so what is timed is the SDK: reading columns into structs and writing structs into columns.
func BenchmarkFunctions(b *testing.B) {
	for _, sdk := range []struct {
		name  string
		build func(testing.TB) []byte
	}{
		{"c", func(t testing.TB) []byte { return buildC(t, "bench.c") }},
		{"go", func(t testing.TB) []byte { return buildGo(t, "bench") }},
		{"rust", func(t testing.TB) []byte { return buildRust(t, "bench") }},
	} {
		for _, name := range []string{"numbers", "text", "late", "twice", "gcd", "gcd_v"} {
			b.Run(sdk.name+"/"+name, func(b *testing.B) {
				wasm := sdk.build(b)
				g := start(b, load(b, wasm))
				f := g.bind(name, nil, nil)
				if err := g.Arena().Reserve(1 << 20); err != nil {
					b.Fatal(err)
				}
				in := flights(g, g.signatures[name].In, 1024)
				defer in.Release()
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					if err := f.Call(b.Context(), in, nil, func(udf.Result) error { return nil }); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/row")
				b.ReportMetric(float64(len(wasm)), "bytes/module")
			})
		}
	}
}

func flights(g *guest, s *arrow.Schema, n int) arrow.Record {
	b := array.NewRecordBuilder(g.Arena(), s)
	defer b.Release()
	for i := range n {
		for _, field := range b.Fields() {
			switch field := field.(type) {
			case *array.StringBuilder:
				field.Append("carrier"[:2+i%5])
			case *array.Int64Builder:
				field.Append(int64(1000 + 37*i%977))
			case *array.Float64Builder:
				if i%10 == 0 {
					field.AppendNull()
				} else {
					field.Append(float64(i%60) - 20)
				}
			}
		}
	}
	return b.NewRecord()
}
