package wasmhost_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/wasmhost"
)

func TestWhatAGuestSeesOfTheWorld(t *testing.T) {
	wasm := cbuild.Build(t, []string{"testdata/world.c"}, append([]string{"-Itestdata"}, cbuild.Freestanding...)...)
	b, err := newHost(t, wasmhost.Options{}).Load(t.Context(), "world", wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(t.Context())
	var seen []string
	g, err := b.Instantiate(t.Context(), udf.Options{
		Log:    func(level int, line string) { seen = append(seen, fmt.Sprintf("%d %s", level, line)) },
		Metric: func(name string, value float64) { seen = append(seen, fmt.Sprintf("metric %s %g", name, value)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(t.Context())
	_, err = g.Bind(t.Context(), "f", udf.Map, arrow.NewSchema(nil, nil), nil, nil)
	f := fault.From(err)
	if f == nil || f.Error() != "function f, wasmill_open: the guest trapped: unreachable" ||
		!strings.HasPrefix(f.Detail, "panic: told you\nso\nat ") || !g.Broken() {
		t.Errorf("got %#v", f)
	}
	const want = `0 args 0
0 environment 0
0 folder 8
0 open 8
0 socket 8
0 input 0
0 after 2020 1
0 random 1
0 random outside 21
0 time outside 21
0 no clock 28
0 resolution 0
0 of no clock 28
0 stdout 0
0 is a device 2
0 writes 64
0 seek 70
0 renumber 8
0 write to stdin 8
0 to a file 8
0 many 28
0 outside 21
0 vectors outside 21
0 poll 0
0 events 1
0 first 2
0 waited 1
0 poll 0
0 events 2
0 reads 4
0 bad 8
0 kind 2
0 poll of no clock 28
0 poll of nothing known 28
0 poll of none 28
0 poll of many 28
0 poll outside 21
0 time left 1
metric rows 2.5
4 panic: told you
0 printed
4 so`
	if got := strings.Join(seen, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := g.Bind(t.Context(), "f", udf.Map, arrow.NewSchema(nil, nil), nil, nil); err == nil ||
		err.Error() != "the guest was used after it broke: wasmill_open: the guest trapped: unreachable" {
		t.Errorf("got %v", err)
	}
}
