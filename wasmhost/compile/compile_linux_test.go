package compile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/engine/fault"
)

func TestMain(m *testing.M) {
	if Child() {
		return
	}
	goleak.VerifyTestMain(m)
}

// section makes a section of a module, or anything else that has its size in front.
func section(id []byte, content ...byte) []byte {
	return append(binary.AppendUvarint(id, uint64(len(content))), content...)
}

// module makes a module with as many functions as given, each exported as nothing and with the body given, and the
// first exported as f.
func module(functions int, body []byte) []byte {
	n := binary.AppendUvarint(nil, uint64(functions))
	code := bytes.Clone(n)
	for range functions {
		code = append(code, section(nil, body...)...)
	}
	return bytes.Join([][]byte{
		[]byte("\x00asm\x01\x00\x00\x00"),
		section([]byte{1}, 1, 0x60, 0, 1, 0x7f),
		section([]byte{3}, append(bytes.Clone(n), make([]byte, functions)...)...),
		section([]byte{7}, 1, 1, 'f', 0, 0),
		section([]byte{10}, code...),
	}, nil)
}

// small returns 42.
func small() []byte { return module(1, []byte{0, 0x41, 42, 0x0b}) }

// hard takes the compiler some 0.1 s for each function: many branches between writes of many locals.
func hard(functions int) []byte {
	body := []byte{1, 100, 0x7f}
	for i := range 3000 {
		local := byte(i % 100)
		body = append(body, 0x20, local, 0x04, 0x40, 0x20, local, 0x41, 1, 0x6a, 0x21, (local+1)%100, 0x0b)
	}
	return module(functions, append(body, 0x20, 0, 0x0b))
}

// large is large, and easy.
func large() []byte {
	return module(400, append(append([]byte{1, 1, 0x7f}, bytes.Repeat([]byte{0x41, 1, 0x21, 0}, 15_000)...), 0x20, 0, 0x0b))
}

func newCompiler(t *testing.T, dir string, limits Limits) *Compiler {
	t.Helper()
	c, err := New(dir, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := only(c.code); err == nil {
			t.Errorf("%s is left", left)
		}
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.scratch); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the scratch folder: %v", err)
		}
	})
	return c
}

// compile compiles a module and reports whether it was instrumented, that is, was not kept. What was compiled works.
func (c *Compiler) try(t *testing.T, ctx context.Context, wasm []byte) (anew bool, err error) {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(ctx, c.Config())
	defer r.Close(ctx)
	m, err := c.Compile(ctx, r, Module{Digest: sha256.Sum256(wasm), Rule: "test", Instrument: func() ([]byte, error) {
		anew = true
		return wasm, nil
	}})
	if err != nil {
		return anew, err
	}
	g, err := r.InstantiateModule(ctx, m, wazero.NewModuleConfig())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.ExportedFunction("f").Call(ctx); err != nil || got[0] != 42 {
		t.Errorf("got %v, %v", got, err)
	}
	return anew, nil
}

func TestEachLimit(t *testing.T) {
	wide := Limits{Memory: 4 << 30, CPU: time.Hour, Wall: time.Hour, Output: 1 << 30}
	for _, c := range []struct {
		name  string
		limit func(*Limits)
		wasm  []byte
		want  string
	}{
		{"memory", func(l *Limits) { l.Memory = 64 << 20 }, large(), "compiling the module takes more than 64 MiB of memory"},
		{"cpu", func(l *Limits) { l.CPU = time.Second }, hard(400), "compiling the module takes more than 1s of CPU time"},
		{"wall", func(l *Limits) { l.Wall = time.Millisecond }, small(), "compiling the module takes longer than 1ms"},
		{"output", func(l *Limits) { l.Output = 100 << 10 }, hard(1), "compiling the module makes more than 100 KiB of machine code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			limits := wide
			c.limit(&limits)
			start := time.Now()
			_, err := newCompiler(t, "", limits).try(t, t.Context(), c.wasm)
			if f := fault.From(err); f == nil || f.What != c.want || f.Code != fault.Limit {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			t.Logf("after %v", time.Since(start))
		})
	}
}

func TestWhatTheCompilerRefuses(t *testing.T) {
	c := newCompiler(t, "", DefaultLimits())
	_, err := c.try(t, t.Context(), []byte("\x00asm\x01\x00\x00\x00\x63\x00"))
	if want := "the module is not valid: invalid section order"; fault.CodeOf(err) != fault.Admission || fault.From(err).What != want {
		t.Errorf("got %v (%s), want %s", err, fault.CodeOf(err), want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.try(t, ctx, small()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	refusal := errors.New("refused")
	if _, err := c.Compile(t.Context(), nil, Module{Instrument: func() ([]byte, error) { return nil, refusal }}); err != refusal {
		t.Errorf("got %v", err)
	}
}

func TestAProgramThatDoesNotOfferItselfCompilesByItself(t *testing.T) {
	ready.Store(false)
	defer ready.Store(true)
	dir := t.TempDir()
	for i := range 2 {
		anew, err := newCompiler(t, dir, Limits{Output: 1 << 20}).try(t, t.Context(), small()) // limits that no child could keep
		if err != nil || anew != (i == 0) {
			t.Errorf("run %d: anew %v, %v", i, anew, err)
		}
	}
}

func TestKeptMachineCodeIsUsedOnlyWithItsSeal(t *testing.T) {
	dir := t.TempDir()
	use := func(want bool) {
		t.Helper()
		anew, err := newCompiler(t, dir, DefaultLimits()).try(t, t.Context(), small())
		if err != nil || anew != want {
			t.Errorf("anew %v, %v", anew, err)
		}
	}
	use(true)
	use(false)
	files, err := filepath.Glob(filepath.Join(dir, "*"+kind.Ending))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(files[0], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []int{0, len(kind.Magic), len(kind.Magic) + sha256.Size, len(kind.Magic) + sha256.Size + 8, len(kind.Magic) + sha256.Size + headSize, len(whole) - 1} {
		other := bytes.Clone(whole)
		other[at] ^= 1
		spoil(other)
		use(true)
		use(false)
	}
	for _, n := range []int{0, 10, headSize - 1, headSize, len(whole) - 1} {
		spoil(whole[:n])
		use(true)
	}
	spoil(append(bytes.Clone(whole), 0))
	use(true)

	key := filepath.Join(dir, "key")
	if err := os.Chmod(key, 0o644); err != nil { // someone else may have read it
		t.Fatal(err)
	}
	use(true)
	use(false)
	if err := os.WriteFile(key, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	use(true)
	use(false)
}

func TestAPathIsNoName(t *testing.T) {
	s, err := openStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := entry{wasm: []byte("wasm"), name: string(bytes.Repeat([]byte("ab"), sha256.Size)), code: []byte("code")}
	s.put("one", e)
	if got, ok := s.get("one", 100); !ok || string(got.wasm) != "wasm" || string(got.code) != "code" || got.name != e.name {
		t.Errorf("got %v, %v", got, ok)
	}
	e.name = "../../escape" + e.name[:52]
	s.put("three", e)
	if _, ok := s.get("three", 100); ok {
		t.Error("a path is used as a name")
	}
}

// TestATrustedModuleIsNoBuildsOwn looks at the keys: machine code of our own modules outlives the program that made it.
func TestATrustedModuleIsNoBuildsOwn(t *testing.T) {
	c := newCompiler(t, "", DefaultLimits())
	if c.key(Module{}) == c.key(Module{Trusted: true}) {
		t.Error("a stranger's module and ours have one key")
	}
	if c.key(Module{Trusted: true}) == c.key(Module{Trusted: true, Rule: "other"}) {
		t.Error("the rule does not count")
	}
}

func TestWhatAChildLeavesIsChecked(t *testing.T) {
	name := string(bytes.Repeat([]byte("0a"), sha256.Size))
	for _, k := range []struct {
		what, name string
		size       int
		link       bool
	}{{"a good file", name, 10, false}, {"a large file", name, 11, false}, {"another name", "code", 5, false}, {"a link", name, 5, true}} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "wazero"), 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "wazero", k.name)
		var err error
		if k.link {
			err = os.Symlink("/etc/hostname", path)
		} else {
			err = os.WriteFile(path, make([]byte, k.size), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := take(dir, Limits{Output: 10}); (err == nil) != (k.what == "a good file") {
			t.Errorf("%s: %v", k.what, err)
		}
	}
}

// TestAModuleIsCompiledOnce compiles the same module in several places at once, as processes that start together do.
func TestAModuleIsCompiledOnce(t *testing.T) {
	dir := t.TempDir()
	var times atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		c := newCompiler(t, dir, DefaultLimits())
		all.Go(func() {
			anew, err := c.try(t, t.Context(), small())
			if err != nil {
				t.Error(err)
			}
			if anew {
				times.Add(1)
			}
		})
	}
	all.Wait()
	if n := times.Load(); n != 1 {
		t.Errorf("compiled %d times", n)
	}
}

// TestAmpleLimits looks for a module that takes a stranger's too long, by at most twice as much as it may, and compiles it as ours.
func TestAmpleLimits(t *testing.T) {
	c := newCompiler(t, "", Limits{Memory: 4 << 30, CPU: time.Second, Wall: time.Hour, Output: 1 << 30})
	compile := func(functions int, trusted bool) error {
		r := wazero.NewRuntimeWithConfig(t.Context(), c.Config())
		defer r.Close(t.Context())
		wasm := hard(functions)
		_, err := c.Compile(t.Context(), r, Module{Digest: sha256.Sum256(wasm), Trusted: trusted, Instrument: func() ([]byte, error) { return wasm, nil }})
		return err
	}
	functions := 1
	for compile(functions, false) == nil {
		functions *= 2
	}
	if err := compile(functions, true); err != nil {
		t.Errorf("%d functions: %v", functions, err)
	}
}

// TestWhatKilledProcessesLeaveIsRemoved makes a folder as a killed process leaves it, beside one in use.
func TestWhatKilledProcessesLeaveIsRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	used := newCompiler(t, "", DefaultLimits())
	left := filepath.Join(os.TempDir(), scratchPrefix+"left")
	if err := os.MkdirAll(filepath.Join(left, "child-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for _, dir := range []string{left, used.scratch} {
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
	}
	newCompiler(t, "", DefaultLimits())
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed process left: %v", err)
	}
	if _, err := os.Stat(used.scratch); err != nil {
		t.Errorf("what is in use: %v", err)
	}
}
