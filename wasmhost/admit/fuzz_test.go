package admit

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasmill/wasmill/engine/fault"
)

// outcome is what a run leaves behind that a guest or its host can see.
type outcome struct {
	results []uint64
	failure string // the trap, without its trace
	memory  []byte
	globals [2]uint64
}

func (g *guest) outcome(results []uint64, err error) outcome {
	o := outcome{results: results}
	if err != nil {
		o.failure, _, _ = strings.Cut(err.Error(), "\n")
	}
	m := g.Memory()
	o.memory, _ = m.Read(0, m.Size())
	o.globals = [2]uint64{g.ExportedGlobal("g0").Get(), g.ExportedGlobal("g1").Get()}
	return o
}

// same checks that a module does the same with and without fuel, and takes the same fuel whatever the slices are.
func same(t *testing.T, wasm []byte, x, y uint64) (fuel int64) {
	t.Helper()
	plain := plainGuest(t, wasm)
	want := plain.outcome(plain.call("f", x, y))
	var first int64
	for i, slice := range []int64{DefaultSlice, 1_000, 1} {
		g := newGuest(t, wasm, Default(), slice)
		results, spent, err := g.metered(math.MaxInt64, "f", x, y)
		got := g.outcome(results, err)
		if got.failure != want.failure || len(got.results) != len(want.results) || got.globals != want.globals {
			t.Fatalf("got %v %q %v, plain %v %q %v", got.results, got.failure, got.globals, want.results, want.failure, want.globals)
		}
		for k := range got.results {
			if got.results[k] != want.results[k] {
				t.Fatalf("got %v, plain %v", got.results, want.results)
			}
		}
		if !bytes.Equal(got.memory, want.memory) {
			t.Fatal("memories differ")
		}
		if i == 0 {
			first = spent
		} else if spent != first {
			t.Fatalf("%d fuel in slices of %d, %d in those of %d", spent, slice, first, DefaultSlice)
		}
		// Nothing ran unpaid: even an empty function pays 1.
		if spent < 1 {
			t.Fatalf("spent %d", spent)
		}
	}
	return first
}

func TestGeneratedModulesDoTheSame(t *testing.T) {
	failed, total := 0, 0
	for seed := range uint64(150) {
		wasm := generate(seed)
		g := plainGuest(t, wasm)
		if _, err := g.call("f", seed, ^seed); err != nil {
			failed++
		}
		total++
		same(t, wasm, seed, ^seed)
	}
	if failed == 0 || failed > total*9/10 {
		t.Errorf("%d of %d modules trap: the generator has nothing to say", failed, total)
	}
}

func FuzzGenerated(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed, uint64(1), uint64(2))
	}
	f.Fuzz(func(t *testing.T, seed, x, y uint64) { same(t, generate(seed), x, y) })
}

// admitted checks what holds for any bytes: no panic, a fault of ours or a module that wazero compiles, as it is and
// rewritten.
func admitted(t *testing.T, wasm []byte, p Policy) bool {
	t.Helper()
	out, _, err := Instrument(wasm, p)
	var f *fault.Fault
	if err != nil {
		if !errors.As(err, &f) || f.Code != fault.Admission || f.Where == "" {
			t.Fatalf("not an admission fault: %v", err)
		}
		return false
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	for _, w := range [][]byte{withoutCustom(wasm), out} {
		if _, err := r.CompileModule(ctx, w); err != nil {
			t.Fatalf("admitted, but wazero says %v\n%x", err, wasm)
		}
	}
	return true
}

// withoutCustom leaves out the custom sections of a valid module, since wazero refuses a broken name section, which
// the specification says to ignore.
func withoutCustom(wasm []byte) []byte {
	out := bytes.Clone(wasm[:8])
	for r := (&reader{b: wasm, p: 8, end: len(wasm)}); r.more(); {
		from := r.p
		id := r.byte()
		r.bytes(r.u32())
		if id != secCustom {
			out = append(out, wasm[from:r.p]...)
		}
	}
	return out
}

// fuzzPolicy allows what the specification's modules import.
func fuzzPolicy() Policy {
	p := Default()
	p.StartFunction = true
	for k := range Global + 1 {
		for _, m := range []string{"spectest", "test", "M", "env"} {
			p.Allowed = append(p.Allowed, Import{Kind: k, Module: m, Name: "*"})
		}
	}
	return p
}

// mutate changes a few bytes: most mutants are malformed, some are valid in another way.
func mutate(r *rand.Rand, wasm []byte) []byte {
	m := bytes.Clone(wasm)
	for range 1 + r.IntN(3) {
		if len(m) < 10 {
			return m
		}
		at := 8 + r.IntN(len(m)-8)
		switch r.IntN(5) {
		case 0:
			m[at] ^= 1 << r.IntN(8)
		case 1:
			m[at] = byte(r.Uint32())
		case 2:
			m[at]++
		case 3:
			m = append(m[:at], m[at+1:]...)
		case 4:
			m = append(m[:at], append([]byte{byte(r.Uint32())}, m[at:]...)...)
		}
	}
	return m
}

func specModules(t testing.TB) [][]byte {
	files, err := filepath.Glob(filepath.Join(specDir(t), "v2", "testdata", "*.wasm"))
	if err != nil || len(files) < 1000 {
		t.Fatalf("%d modules: %v", len(files), err)
	}
	var list [][]byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) < 20_000 {
			list = append(list, b)
		}
	}
	return list
}

// TestMutants changes bytes of modules of the specification's tests and of generated ones.
func TestMutants(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	modules := specModules(t)
	for seed := range uint64(100) {
		modules = append(modules, generate(seed))
	}
	valid := 0
	for _, m := range modules {
		for range 4 {
			if admitted(t, mutate(r, m), fuzzPolicy()) {
				valid++
			}
		}
	}
	if valid < len(modules)/10 {
		t.Errorf("only %d mutants of %d modules are valid", valid, len(modules))
	}
}

func FuzzAdmit(f *testing.F) {
	for i, m := range specModules(f) {
		if i%40 == 0 {
			f.Add(m)
		}
	}
	f.Add(generate(1))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if len(wasm) < 1<<16 {
			admitted(t, wasm, fuzzPolicy())
		}
	})
}
