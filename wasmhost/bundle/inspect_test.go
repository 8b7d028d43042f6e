package bundle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// sample has a type (i32, i64) -> i32, imports a function and a global, has a function of its own, a memory of 1 to 3
// pages, exports both, and a producers section.
const sample = empty +
	"\x01\x07\x01\x60\x02\x7f\x7e\x01\x7f" +
	"\x02\x0f\x02\x01m\x01f\x00\x00\x01m\x02gl\x03\x7f\x00" +
	"\x03\x02\x01\x00" +
	"\x05\x04\x01\x01\x01\x03" +
	"\x07\x0b\x02\x03run\x00\x01\x01m\x02\x00" +
	"\x0a\x06\x01\x04\x00\x41\x00\x0b" +
	"\x00\x1e\x09producers\x01\x08language\x01\x03C11\x042019"

func TestInspect(t *testing.T) {
	got, err := bundle.Inspect([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := &bundle.Module{
		Imports: []bundle.Import{
			{Module: "m", Name: "f", Kind: "func", Type: "(i32, i64) -> i32"},
			{Module: "m", Name: "gl", Kind: "global"},
		},
		Exports:   []bundle.Export{{Name: "run", Kind: "func", Type: "(i32, i64) -> i32"}, {Name: "m", Kind: "memory"}},
		Memory:    &bundle.Memory{Min: 1, Max: 3, HasMax: true},
		Functions: 1, Code: 6,
		Customs:   []bundle.Custom{{Name: "producers", Size: 30}},
		Producers: []bundle.Producer{{Field: "language", Name: "C11", Version: "2019"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestInspectFaults(t *testing.T) {
	for wasm, want := range map[string]string{
		"":                                     "this is not a WebAssembly module",
		"\x00asm\x02\x00\x00\x00":              "expected version 1 of the WebAssembly binary format",
		"\x00asm\x0d\x00\x01\x00":              "expected version 1 of the WebAssembly binary format (this is a component; wasmill runs core modules)",
		empty + "\x01":                         "byte 9: the module ends too early",
		empty + "\x01\x05":                     "byte 10: a part of 5 bytes is longer than what is left of the module",
		empty + "\x01\xff\xff\xff\xff\x7f":     "byte 14: a number is longer than 32 bits",
		empty + "\x01\x02\x01\x61":             "byte 12: expected a function type, got 0x61",
		empty + "\x01\x05\xff\xff\xff\xff\x0f": "byte 15: the module ends too early",
		empty + "\x07\x05\x01\x01f\x00\x07":    "the module names function 7 of 0",
		empty + "\x03\x02\x01\x05\x07\x05\x01\x01f\x00\x00": "the module names type 5 of 0",
		empty + "\x07\x05\x01\x01f\x09\x07":                 "byte 14: unknown kind 9 of import or export",
		empty + "\x07\x05\x01\x01\xff\x00\x07":              "byte 13: a name is not UTF-8",
	} {
		_, err := bundle.Inspect([]byte(wasm))
		if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Admission {
			t.Errorf("%q:\n got %v\nwant %s", wasm, err, want)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte(sample))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := bundle.Inspect(wasm)
		if (m == nil) == (err == nil) {
			t.Fatal("neither a module nor a fault")
		}
		if err != nil && fault.CodeOf(err) != fault.Admission {
			t.Fatalf("got %v", err)
		}
	})
}
