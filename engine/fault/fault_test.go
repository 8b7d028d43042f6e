package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
)

func TestError(t *testing.T) {
	for _, c := range []struct {
		f    *fault.Fault
		want string
	}{
		{fault.New(fault.Schema, "expected %s, got %s", "int64", "utf8"), "expected int64, got utf8"},
		{fault.New(fault.Schema, "no column `%s`", "x").At("p.yaml:%d:%d", 3, 4), "p.yaml:3:4: no column `x`"},
		{fault.New(fault.Schema, "bad").At("row 3").In("function f").WithHint("do this"), "function f, row 3: bad (do this)"},
		{fault.New(fault.Schema, "bad").At("inner").At("outer"), "inner: bad"},
	} {
		if got := c.f.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestFromFindsTheFaultAndItsCause(t *testing.T) {
	f := fault.New(fault.Connect, "cannot read: %v", io.ErrUnexpectedEOF)
	err := fmt.Errorf("outer: %w", f)
	if fault.From(err) != f {
		t.Error("the fault was not found")
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause was not found")
	}
	if got := fault.CodeOf(errors.New("plain")); got != fault.Internal {
		t.Errorf("got code %q", got)
	}
	if fault.From(nil) != nil || fault.CodeOf(nil) != "" {
		t.Error("nil is not a fault")
	}
}

func TestList(t *testing.T) {
	var l fault.List
	if l.Err() != nil {
		t.Error("an empty list is an error")
	}
	l.Add(fault.Usage, "a:1:2", "one").Hint = "h"
	var m fault.List
	m.Append(l.Err())
	m.Append(io.EOF)
	if got, want := m.Err().Error(), "a:1:2: one (h)\nEOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(m.Err(), io.EOF) {
		t.Error("errors.Is does not see into the list")
	}
}

func TestSuggest(t *testing.T) {
	columns := []string{"carrier", "delay", "distance", "origin"}
	for word, want := range map[string]string{
		"cariier": "carrier", "delya": "delay", "Origin": "origin", "zzz": "", "": "", "carrier": "",
	} {
		if got := fault.Suggest(word, columns); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got, want := fault.DidYouMean("zzz", columns), "there is carrier, delay, distance, origin"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
