package sdk_test

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
)

func TestErrorsC(t *testing.T) {
	g := start(t, load(t, buildC(t, "types.c")))
	sizes := g.signatures["formats"].In
	_, err := text(t, g.bind("formats", nil, nil), rows(t, sizes, `{"rows": 1, "bytes": 2}`), nil)
	wantFault(t, err, 0, "-7 7 7 8 -9223372036854775808 18446744073709551615 beef c str ab 1.500000 -2.35 1 % (large)", "")
	_, err = text(t, g.bind("short_v", nil, nil), rows(t, g.signatures["short_v"].In, `{"b": true, "i64": 1, "s": ""}, {"b": true, "i64": 1, "s": ""}`), nil)
	wantFault(t, err, -1, "column s has 0 values for 2 rows", "")
}

func TestErrorsGo(t *testing.T) {
	g := start(t, load(t, buildGo(t, "types")))
	f := g.bind("fails", nil, nil)
	in := g.signatures["fails"].In
	for _, c := range []struct {
		rows         string
		row          int
		want, detail string
	}{
		{`{"rows": 0}, {"rows": 1}`, 1, "an error", "of two lines"},
		{`{"rows": 0}, {"rows": 0}, {"rows": 2}`, 2, "panic: a panic", "\tmain.init.0.func"},
		{`{"rows": 3}`, 0, "panic: runtime error: invalid memory address or nil pointer dereference", "\tmain.init.0.func"},
		{repeat(`{"rows": 0}`, 2000) + `, {"rows": 4, "bytes": -1}`, 2000, "panic: runtime error: index out of range [-1]", "\tmain.init.0.func"},
	} {
		_, err := text(t, f, rows(t, in, c.rows), nil)
		wantFault(t, err, c.row, c.want, c.detail)
	}
	if _, err := text(t, f, rows(t, in, `{"rows": 0}`), nil); err != nil {
		t.Errorf("after the errors: %v", err)
	}
	_, err := text(t, g.bind("wrong_size", nil, nil), rows(t, in, `{"bytes": 5}, {"bytes": 4}`), nil)
	wantFault(t, err, 1, "column id: expected 5 bytes, got 4", "")
}

// TestRefusedGuestGo: what a guest's author did wrong in init is said when the guest is loaded.
func TestRefusedGuestGo(t *testing.T) {
	_, err := host.Load(t.Context(), "guest.wasm", buildGo(t, "refused"))
	const want = "panic: wasmill: f: struct { C chan int }.C: chan int cannot be a column; the documentation of package wasmill lists what can\n"
	if f := fault.From(err); err == nil || f.Code != fault.Guest || !strings.HasPrefix(f.Detail, want) {
		t.Errorf("expected %s\ngot %+v", want, f)
	}
}
