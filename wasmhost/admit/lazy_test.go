package admit

import (
	"fmt"
	"strings"
	"testing"
)

// manyElements is a module whose function n is 1000+n, all of them in a table in the order of their numbers, from element 3 on and without the last. The export
// "f" calls the element that is asked for. more stands for further sections, and code is put in front of the call.
func manyElements(t *testing.T, functions int, more map[byte]string, code string) []byte {
	t.Helper()
	var b strings.Builder
	section := func(id byte, text string) {
		if s, ok := more[id]; ok {
			text = s
		}
		if text != "" {
			fmt.Fprintf(&b, "%02x { %s }\n", id, text)
		}
	}
	b.WriteString("00 61 73 6d 01 00 00 00\n")
	section(secType, "02 60 00 01 7f 60 01 7f 01 7f")
	section(secFunction, fmt.Sprintf("u:%d %d*( 00 ) 01", functions+1, functions))
	section(secTable, fmt.Sprintf("01 70 00 u:%d", functions+3))
	section(secExport, fmt.Sprintf(`01 { "f" } 00 u:%d`, functions))
	section(secElement, fmt.Sprintf("01 00 41 03 0b u:%d %d*( u:i )", functions-1, functions-1))
	text := fmt.Sprintf("u:%d ", functions+1)
	for i := range functions {
		text += fmt.Sprintf("{ 00 41 s:%d 0b } ", 1000+i)
	}
	section(secCode, text+"{ 00 "+code+" 20 00 11 00 00 0b }")
	p := &notation{tokens: strings.Fields(b.String())}
	wasm := p.until("", 0)
	if p.err != nil {
		t.Fatal(p.err)
	}
	return wasm
}

func lazyPolicy() Policy {
	p := Default()
	p.Images, p.LazyTables = true, true
	return p
}

// TestLazyTables calls all elements twice: with a table that is filled as it goes the results are the same, and so are the fuel and the traps.
func TestLazyTables(t *testing.T) {
	for _, functions := range []int{2, 3, lazyLeaves, lazyLeaves + 1, 5*lazyLeaves - 3} {
		wasm := manyElements(t, functions, nil, "")
		m, err := admit(wasm, &[]Policy{lazyPolicy()}[0])
		if err != nil {
			t.Fatal(err)
		}
		entries := m.lazyTable()
		if len(entries) != functions+3 {
			t.Fatalf("%d functions: %d elements are filled in as they are called", functions, len(entries))
		}
		eager, lazy := newGuest(t, wasm, Default(), 0), newGuest(t, wasm, lazyPolicy(), 0)
		for i := range 2 * (functions + 5) {
			at := uint64(i % (functions + 5))
			want, cost, wantErr := eager.metered(1000, "f", at)
			got, spent, gotErr := lazy.metered(1000, "f", at)
			if trapped := at < 3 || at >= uint64(functions+2); trapped != (wantErr != nil) || trapped != (gotErr != nil) {
				t.Fatalf("%d functions, element %d: %v, and %v when it is filled in", functions, at, wantErr, gotErr)
			} else if trapped {
				if a, b := firstLine(wantErr), firstLine(gotErr); a != b {
					t.Fatalf("%d functions, element %d: %s, and %s when it is filled in", functions, at, a, b)
				}
				continue
			}
			if got[0] != want[0] || got[0] != 1000+at-3 || spent != cost {
				t.Fatalf("%d functions, element %d: got %d for %d fuel, want %d for %d", functions, at, got[0], spent, want[0], cost)
			}
		}
	}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// TestTablesThatAreFilledAtTheStart are those that somebody else can see, or whose elements are not all known.
func TestTablesThatAreFilledAtTheStart(t *testing.T) {
	elements := "01 00 41 03 0b 03 00 01 02"
	for _, c := range []struct {
		name string
		more map[byte]string
		code string
		lazy bool
	}{
		{name: "the table itself", lazy: true},
		{name: "two segments, one over the other", more: map[byte]string{secElement: "02 00 41 03 0b 03 00 01 02 00 41 04 0b 01 00"}, lazy: true},
		{name: "no elements", more: map[byte]string{secElement: ""}, lazy: true},
		{name: "exported", more: map[byte]string{secExport: `02 { "f" } 00 04 { "t" } 01 00`}},
		{name: "read by code", code: "41 00 25 00 1a"},
		{name: "two tables", more: map[byte]string{secTable: "02 70 00 07 70 00 07"}},
		{name: "a segment that is passive", more: map[byte]string{secElement: "02 " + elements[3:] + " 01 00 01 00"}},
		{name: "expressions", more: map[byte]string{secElement: "01 04 41 03 0b 01 d2 00 0b"}},
		{name: "too many elements", more: map[byte]string{secElement: "01 00 41 06 0b 03 00 01 02"}},
	} {
		wasm := manyElements(t, 4, c.more, c.code)
		p := lazyPolicy()
		m, err := admit(wasm, &p)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := m.lazyTable() != nil; got != c.lazy {
			t.Errorf("%s: filled in as it is called is %v, want %v", c.name, got, c.lazy)
		}
		eager, lazy := newGuest(t, wasm, Default(), 0), newGuest(t, wasm, p, 0)
		for at := range uint64(9) {
			want, _, wantErr := eager.metered(1000, "f", at)
			got, _, gotErr := lazy.metered(1000, "f", at)
			if (wantErr != nil) != (gotErr != nil) || wantErr == nil && got[0] != want[0] {
				t.Errorf("%s, element %d: got %v, %v, want %v, %v", c.name, at, got, gotErr, want, wantErr)
			}
		}
	}
	wasm := manyElements(t, 4, nil, "")
	p := Default()
	p.LazyTables = true
	if m, err := admit(wasm, &p); err != nil || m.lazyTable() != nil {
		t.Errorf("a table that may change is filled in as it is called, %v", err)
	}
}

// TestLazyTablesOfRealModules runs what a compiler makes of calls through pointers.
func TestLazyTablesOfRealModules(t *testing.T) {
	wasm := buildC(t, "kernels.c", kernelFlags...)
	plain, lazy := plainGuest(t, wasm), newGuest(t, wasm, lazyPolicy(), 0)
	for _, g := range []*guest{plain, lazy} {
		if g.info.Rule != 0 {
			g.fuel().Set(g.meter.Start(1 << 40))
		}
		if _, err := g.call("prepare", 0); err != nil {
			t.Fatal(err)
		}
		for _, kernel := range []string{"indirect", "interpreter"} {
			if _, err := g.call(kernel, 1000); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, kernel := range []string{"indirect", "interpreter"} {
		want, _ := plain.call(kernel, 500)
		if got, err := lazy.call(kernel, 500); err != nil || got[0] != want[0] {
			t.Errorf("%s: got %v, %v, want %v", kernel, got, err, want)
		}
	}
}
