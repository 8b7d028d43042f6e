package overhead

import (
	"testing"
	"time"

	"github.com/wasmill/wasmill/internal/cbuild"
	pyodide "github.com/wasmill/wasmill/pyodide-build"
)

func TestMeasure(t *testing.T) {
	wasm := cbuild.Build(t, []string{"../admit/testdata/c/kernels.c"}, append([]string{"-mbulk-memory"}, cbuild.Freestanding...)...)
	costs, err := Measure(t.Context(), wasm, "prepare", []Kernel{{"sum", 2}, {"fills", 100}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range costs {
		if c.Plain <= 0 || c.Plain > time.Hour || c.Ratio() <= 0 {
			t.Errorf("%+v", c)
		}
	}
	if m := Mean([]Cost{{Plain: 1, Metered: 2}, {Plain: 2, Metered: 1}, {Plain: 1, Metered: 8}}); m < 1.99 || m > 2.01 {
		t.Errorf("the mean of 2, 1/2 and 8 is %v", m)
	}
	if _, err := Measure(t.Context(), []byte("no module"), "", nil, 1); err == nil {
		t.Error("no fault")
	}
}

func TestPrograms(t *testing.T) {
	if _, err := Programs(t.Context(), &pyodide.Runtime{Wasm: []byte("no module")}, nil, 1, nil); err == nil {
		t.Error("no fault")
	}
}
