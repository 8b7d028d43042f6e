package admit

import (
	"errors"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
)

// TestNoIndexReachesWhatIsAdded uses, in every place that holds an index, the first that the module does not have: each
// of them is valid once the rewriter has added its own, and the fuel would be the guest's.
func TestNoIndexReachesWhatIsAdded(t *testing.T) {
	const (
		// A type () -> (), a function, a table, a memory, a global, an element segment, a data segment.
		head = `00 61 73 6d 01 00 00 00 01 { 01 60 00 00 } 03 { 01 00 } 04 { 01 70 00 01 } 05 { 01 00 01 } 06 { 01 7e 01 42 00 0b } `
		tail = ` 0b { 01 01 { "x" } }`
	)
	body := func(code string) string { return head + `0c { 01 } 0a { 01 { 00 ` + code + ` 0b } }` + tail }
	for _, c := range []struct{ name, text, want string }{
		{"global.get of the fuel", body(`23 01 1a`), "byte 0x2d, function 0: global 1, there are 1"},
		{"global.set of the fuel", body(`42 00 24 01`), "byte 0x2f, function 0: global 1, there are 1"},
		{"call of the helper", body(`10 02`), "byte 0x2d, function 0: function 2, there are 1"},
		{"call of the function moved up", body(`10 01`), "byte 0x2d, function 0: function 1, there are 1"},
		{"reference to the helper", body(`d2 01 1a`), "byte 0x2d, function 0: function 1, there are 1"},
		{"call_indirect of the host's type", body(`42 00 41 00 11 01 00 1a`), "byte 0x31, function 0: type 1, there are 1"},
		{"block of the host's type", body(`42 00 02 01 0b 1a`), "byte 0x2f, function 0: type 1, there are 1"},
		{"loop of the host's type", body(`42 00 03 01 0b 1a`), "byte 0x2f, function 0: type 1, there are 1"},
		{"the local that charges use", body(`03 40 20 00 1a 41 00 0d 00 0b`), "byte 0x2f, function 0: local 0, there are 0"},
		{"local.set of it", body(`03 40 42 7f 21 00 41 00 0d 00 0b`), "byte 0x31, function 0: local 0, there are 0"},
		{"local.tee of it", body(`03 40 42 7f 22 00 1a 41 00 0d 00 0b`), "byte 0x31, function 0: local 0, there are 0"},
		{"a label of the block around a charge", body(`03 40 0c 02 0b`), "byte 0x2f, function 0: branch to label 2, there are 2"},
		{"a function of a type that is added", strings.Replace(body(``), "03 { 01 00 }", "03 { 01 01 }", 1), "byte 0x11: type 1, there are 1"},
		{"export of the fuel", head + `07 { 01 { "g" } 03 01 } 0a { 01 { 00 0b } }`, "byte 0x28: export \"g\" is global 1, there are 1"},
		{"export of the helper", head + `07 { 01 { "g" } 00 01 } 0a { 01 { 00 0b } }`, "byte 0x28: export \"g\" is function 1, there are 1"},
		{"start at the helper", head + `08 { 01 } 0a { 01 { 00 0b } }`, "byte 0x27: function 1, there are 1"},
		{"element of the helper", head + `09 { 01 00 41 00 0b 01 02 } 0a { 01 { 00 0b } }`, "byte 0x2d: function 2, there are 1"},
		{"element expression of the helper", head + `09 { 01 05 70 01 d2 02 0b } 0a { 01 { 00 0b } }`, "byte 0x2b: function 2, there are 1"},
		{"a global that starts as the fuel", strings.Replace(body(``), "42 00 0b }", "23 01 0b }", 1), "byte 0x22: constant expression reads global 1, there are 0 imported"},
		{"a data segment that is not", body(`41 00 41 00 41 00 fc 08 01 00`), "byte 0x33, function 0: data segment 1, there are 1"},
		{"an element segment that is not", body(`fc 0d 00`), "byte 0x2d, function 0: element segment 0, there are 0"},
		{"a table that is not", body(`fc 10 01 1a`), "byte 0x2d, function 0: table 1, there are 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &notation{tokens: strings.Fields(c.text)}
			wasm := p.until("", 0)
			if p.err != nil {
				t.Fatal(p.err)
			}
			policy := Default()
			policy.StartFunction = true
			_, _, err := Instrument(wasm, policy)
			var f *fault.Fault
			if !errors.As(err, &f) {
				t.Fatalf("got %v", err)
			}
			if got := f.Where + ": " + f.What; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	// The frame itself is sound: what is refused above is refused for its index.
	p := &notation{tokens: strings.Fields(body(`23 00 1a`))}
	if err := Validate(p.until("", 0), Default()); err != nil {
		t.Error(err)
	}
}

// TestPolicyFaults checks that a policy reports all that is wrong with it.
func TestPolicyFaults(t *testing.T) {
	p := Default()
	p.Locals, p.Nesting = -1, -2
	p.Allowed = []Import{{Kind: Func, Module: ImportModule, Name: ImportName}, {Kind: 7, Module: "m", Name: "n"}}
	err := Validate(nil, p)
	want := `admission policy: cap Locals is -1, less than 0
admission policy: cap Nesting is -2, less than 0
admission policy: import module "wasmill_fuel" belongs to the fuel rewriter
admission policy: import "m"."n" is of unknown kind 7`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestImportTypes checks what an allowed import must be.
func TestImportTypes(t *testing.T) {
	wasm := (&notation{tokens: strings.Fields(`00 61 73 6d 01 00 00 00 01 { 01 60 01 7f 01 7e } 02 { 01 { "m" } { "f" } 00 00 }`)}).until("", 0)
	for _, c := range []struct {
		allowed Import
		want    string
	}{
		{Import{Func, "m", "f", nil}, ""},
		{Import{Func, "m", "*", nil}, ""},
		{Import{Func, "m", "f", &FuncType{[]ValueType{I32}, []ValueType{I64}}}, ""},
		{Import{Func, "m", "f", &FuncType{[]ValueType{I32}, nil}}, `byte 0x13: import "m"."f" has type (i32) -> (i64), the host's is (i32) -> ()`},
		{Import{Func, "m", "g", nil}, `byte 0x13: import of function "m"."f" is not allowed`},
		{Import{Table, "m", "f", nil}, `byte 0x13: import of function "m"."f" is not allowed`},
	} {
		p := Default()
		p.Allowed = []Import{c.allowed}
		got := ""
		if err := Validate(wasm, p); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v: got %q, want %q", c.allowed, got, c.want)
		}
	}
}
