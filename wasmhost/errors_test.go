package wasmhost

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
)

func TestSpoken(t *testing.T) {
	for text, want := range map[string]fault.Fault{
		"":                                     {What: "the function failed without saying why"},
		"a\n":                                  {What: "a"},
		"a\nb\n  c":                            {What: "a", Detail: "b\n  c"},
		"a\nhint: do it\nTraceback\n  b":       {What: "a", Hint: "do it", Detail: "Traceback\n  b"},
		"a\nhint: do it":                       {What: "a", Hint: "do it"},
		"a\nb\nhint: late":                     {What: "a", Detail: "b\nhint: late"},
		strings.Repeat("x", 2000):              {What: strings.Repeat("x", 1000) + "..."},
		"a\nhint: " + strings.Repeat("ü", 600): {What: "a", Hint: strings.Repeat("ü", 500) + "..."},
	} {
		want.Code = fault.Guest
		if d := cmp.Diff(&want, spoken(text)); d != "" {
			t.Errorf("%.20q: %s", text, d)
		}
	}
}

func TestSplitTrap(t *testing.T) {
	const begin = "wasm error: unreachable\nwasm stack trace:\n"
	for trace, want := range map[string]string{
		"\t.$12(i32)\n\t.wasmill_call(i32,i32,i32) i32":       "at $12(i32)\nat wasmill_call(i32,i32,i32) i32\n",
		"\t.$12(i32)\n\t.$7(i32)":                             "",
		"\twasi_snapshot_preview1.proc_exit(i32)\n\t.$7(i32)": "",
	} {
		if what, stack := splitTrap(begin + trace); what != "unreachable" || stack != want {
			t.Errorf("%q: %q, %q", trace, what, stack)
		}
	}
}
