package sdk_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/rustbuild"
)

func TestErrorsRust(t *testing.T) {
	g := start(t, load(t, buildRust(t, "types")))
	f := g.bind("fails", nil, nil)
	in := g.signatures["fails"].In
	for _, c := range []struct {
		rows         string
		row          int
		want, detail string
	}{
		{`{"rows": 0}, {"rows": 1}`, 1, "an error", "of two lines"},
		{repeat(`{"rows": 0}`, 2000) + `, {"rows": 4}`, 2000, "the function returned an error without a text", ""},
	} {
		_, err := text(t, f, rows(t, in, strings.ReplaceAll(c.rows, "}", `, "bytes": 0}`)), nil)
		wantFault(t, err, c.row, c.want, c.detail)
	}
	if _, err := text(t, f, rows(t, in, `{"rows": 0, "bytes": 0}`), nil); err != nil {
		t.Errorf("after the errors: %v", err)
	}
	_, err := text(t, g.bind("large", nil, nil), rows(t, in, `{"rows": 0, "bytes": 1}, {"rows": 0, "bytes": 33554433}`), nil)
	wantFault(t, err, 1, "a row holds 33554433 bytes, more than 32 MiB", "")
	_, err = text(t, g.bind("flood", nil, nil), rows(t, in, `{"rows": 0, "bytes": 1}, {"rows": 0, "bytes": 33554433}`), nil)
	wantFault(t, err, 1, "a row holds 33554433 bytes, more than 32 MiB", "")
}

// TestFaultsRust: whatever a function does, its call ends with a fault that says what and where. A panic breaks the guest, an error does not.
func TestFaultsRust(t *testing.T) {
	dir := filepath.Join("testdata", "rust", "faults")
	const noMemory = "the guest trapped after it had asked for more memory than its 32 MiB: unreachable"
	for profile, wasm := range map[string][]byte{"release": rustbuild.Build(t, dir), "dev": rustbuild.BuildDebug(t, dir)} {
		for _, c := range []struct {
			function, rows string
			row            int
			want, detail   string
			profile        string // "" for both
		}{
			{"run", `{"n": 1}, {"n": -9223372036854775808}`, 1, "no number is less", "", ""},
			{"parse", `{"the text": "12"}, {"the text": ""}`, 1, "cannot parse integer from empty string", "", ""},
			{"product", `{"price": "1", "factors": [2]}, {"price": "999999999999999999999999999999999999.99", "factors": [1, -9]}`, 1,
				"99999999999999999999999999999999999999 times -9 is too much", "", ""},
			{"overflow", `{"n": -9223372036854775808}`, -1, "the guest trapped: unreachable",
				"panic: attempt to subtract with overflow\n\tat src/lib.rs:21\nat ", "dev"},
			{"divide", `{"n": 1}, {"n": 0}`, -1, "the guest trapped: unreachable", "panic: attempt to divide by zero\n\tat src/lib.rs:25\nat ", ""},
			{"unwrap", `{"n": 0}`, -1, "the guest trapped: unreachable",
				"panic: called `Option::unwrap()` on a `None` value\n\tat src/lib.rs:34\nat ", ""},
			{"forever", `{"n": 1}`, -1, "the guest was stopped after 1s: its time for one call is over", "at ", ""},
			{"deep", `{"n": -1}`, -1, "the guest trapped: out of bounds memory access", "at ", ""},
			{"hoard", `{"n": 0}`, -1, noMemory, "", ""},
			{"hoard", `{"n": 1}`, -1, noMemory, "", ""},
			{"hoard", `{"n": 2}`, -1, noMemory, "panic: out of memory: ", ""},
		} {
			if c.profile != "" && c.profile != profile {
				continue
			}
			t.Run(profile+"/"+c.function, func(t *testing.T) {
				o := udf.Options{MaxMemory: 32 << 20, CallTimeout: time.Minute}
				if c.function == "forever" {
					o.CallTimeout = time.Second
				}
				g := startWith(t, load(t, wasm), o)
				_, err := text(t, g.bind(c.function, nil, nil), rows(t, g.signatures[c.function].In, c.rows), nil)
				wantFault(t, err, c.row, c.want, c.detail)
				if broken := c.row < 0; g.Broken() != broken {
					t.Errorf("expected broken to be %v", broken)
				}
			})
		}
	}
}

// TestTextIsCheckedRust: a &str is UTF-8 whatever comes, also where rows cut a character in two.
func TestTextIsCheckedRust(t *testing.T) {
	g := start(t, load(t, buildRust(t, "faults")))
	s := g.signatures["loop"].In
	f := g.bind("loop", nil, nil)
	for _, texts := range [][]string{
		{"plain", "\xff"}, {"grüße", "gr\xc3", "\xbcße"}, {"\xe2\x82\xac", "\xe2", "\x82\xac"}, {"", "\xed\xa0\x80"}, {"ok", strings.Repeat("x", 1<<20) + "\xc3"},
	} {
		b := array.NewRecordBuilder(memory.DefaultAllocator, s)
		b.Field(0).(*array.StringBuilder).AppendValues(texts, nil)
		b.Field(1).(*array.BinaryBuilder).AppendEmptyValues(len(texts))
		in := b.NewRecord()
		b.Release()
		_, err := text(t, f, in, nil)
		in.Release()
		wantFault(t, err, 1, "column the text: expected UTF-8", "")
	}
	got, err := text(t, f, rows(t, s, `{"the text": "grüße", "type": "YWI="}, {"the text": "", "type": null}`), nil)
	if want := "[{\"type\":7}\n,{\"type\":0}\n]"; err != nil || got != want {
		t.Errorf("after the errors: expected %s, got %s, %v", want, got, err)
	}
}

func TestDecimalsRust(t *testing.T) {
	g := start(t, load(t, buildRust(t, "faults")))
	in := rows(t, g.signatures["product"].In, `{"price": "1.25", "factors": [2, -3]}, {"price": null, "factors": [1]},
		{"price": "-0.25", "factors": null}, {"price": "999999999999999999999999999999999999.99", "factors": []}`)
	got, err := text(t, g.bind("product", nil, nil), in, nil)
	const want = `[{"product":"-7.5"}` + "\n" + `,{"product":null}` + "\n" + `,{"product":"-0.25"}` + "\n" + `,{"product":"999999999999999999999999999999999999.99"}` + "\n]"
	if err != nil || got != want {
		t.Errorf("expected %s, got %s, %v", want, got, err)
	}
}

// TestNullsWithinRust: what lies within a column has no nulls either where the guest's type has none.
func TestNullsWithinRust(t *testing.T) {
	g := start(t, load(t, buildRust(t, "types")))
	in := g.signatures["nested"].In
	f := g.bind("nested", nil, nil)
	const fine = `{"words": [["a"], []], "point": {"x": 1, "y": null, "tags": [null]}, "raw": [null], "points": [{"x": 2, "y": 1, "tags": []}]}`
	for _, c := range []struct{ column, row string }{
		{"words", `{"words": [["a", null]]}`},
		{"words", `{"words": [["a"], null]}`},
		{"point", `{"point": {"x": null, "y": 1, "tags": []}}`},
		{"point", `{"point": {"x": 1, "y": 1, "tags": null}}`},
		{"points", `{"points": [{"x": 1, "y": 1, "tags": []}, null]}`},
	} {
		_, err := text(t, f, rows(t, in, fine+","+c.row), nil)
		wantFault(t, err, 1, "column "+c.column+": expected no null within", "")
	}
	all := rows(t, in, fine+`, {"words": null, "point": null, "raw": null, "points": null}, `+fine)
	check(t, f, all, all)
}

// TestRefusedGuestRust: what a guest's author did wrong in a row is said when the guest is loaded.
func TestRefusedGuestRust(t *testing.T) {
	_, err := host.Load(t.Context(), "guest.wasm", buildRust(t, "refused"))
	const want = "panic: column n: i64 cannot hold utf8; README.md of the SDK lists what can\n"
	if f := fault.From(err); err == nil || f.Code != fault.Guest || !strings.HasPrefix(f.Detail, want) {
		t.Errorf("expected %s\ngot %+v", want, f)
	}
}
