package wasmhost_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/internal/cbuild"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

func TestMain(m *testing.M) {
	if wasmhost.CompileChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

func misfit(t testing.TB, flags ...string) []byte {
	t.Helper()
	return cbuild.Build(t, []string{"testdata/misfit.c"}, append(append([]string{}, cbuild.Freestanding...), flags...)...)
}

func newHost(t testing.TB, options wasmhost.Options) *wasmhost.Host {
	t.Helper()
	host, err := wasmhost.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return host
}

// insert puts a section in front of the first one with a larger identifier.
func insert(wasm []byte, id byte, content ...byte) []byte {
	at := 8
	for at < len(wasm) && (wasm[at] < id || wasm[at] == 0) {
		size, shift, k := 0, 0, at+1
		for ; ; k++ {
			size |= int(wasm[k]&0x7f) << shift
			shift += 7
			if wasm[k] < 0x80 {
				break
			}
		}
		at = k + 1 + size
	}
	section := append([]byte{id, byte(len(content))}, content...)
	return bytes.Join([][]byte{wasm[:at], section, wasm[at:]}, nil)
}

func TestRefusedModules(t *testing.T) {
	const nothing = "the module exports nothing of the guest ABI (build it with an SDK (`wasmill init --lang c` shows how), or see docs/abi.md)"
	host := newHost(t, wasmhost.Options{})
	for _, c := range []struct {
		name string
		wasm []byte
		want string
		code fault.Code
	}{
		{"no module", []byte("hello"), "m: this is not a WebAssembly module", fault.Admission},
		{"nothing", []byte("\x00asm\x01\x00\x00\x00"), "m: " + nothing, fault.Admission},
		{"cut", []byte("\x00asm\x01\x00\x00\x00\x01\x05"), "m, byte 10: a part of 5 bytes is longer than what is left of the module", fault.Admission},
		{"missing export", misfit(t, "-DNO_NEXT"), "m: the module does not export `wasmill_next`", fault.Admission},
		{
			"wrong type of export", misfit(t, "-DOPEN_TYPE"),
			"m: the module exports `wasmill_open` as (i32) -> i64, expected (i32, i32, i32, i32) -> i32", fault.Admission,
		},
		{
			"foreign imports", misfit(t, "-DIMPORT_FOREIGN"),
			"m: the module imports `env.fetch`, which wasmill does not have (guests may import from `wasmill` and `wasi_snapshot_preview1`, see docs/abi.md)\n" +
				"m: the module imports `wasi_snapshot_preview1.sock_open`, which wasmill does not have (guests may import from `wasmill` and `wasi_snapshot_preview1`, see docs/abi.md)",
			fault.Admission,
		},
		{
			"wrong type of import", misfit(t, "-DIMPORT_TYPE"),
			"m: the module imports `wasmill.log` as (i64) -> i32, expected (i32, i32, i32)", fault.Admission,
		},
		{
			"imported memory", misfit(t, "-Wl,--import-memory"),
			"m: the module imports the memory `env.memory` (only functions can be imported)\nm: the module does not export its memory as `memory`",
			fault.Admission,
		},
		{
			"imported table", misfit(t, "-Wl,--import-table"),
			"m: the module imports the table `env.__indirect_function_table` (only functions can be imported)", fault.Admission,
		},
		{"start function traps", insert(misfit(t, "-DINIT_TRAP"), 8, 9), "m, byte 0x107: start function 9 is refused: it would run before the guest has limits; export it as _initialize", fault.Admission},
		{"_initialize traps", misfit(t, "-DINIT_TRAP"), "m, _initialize: the guest trapped: unreachable", fault.Guest},
		{"other version", misfit(t, "-DABI=2"), "m, wasmill_abi_v1: expected version 1 of the guest ABI, got 2", fault.Guest},
		{"describe traps", misfit(t, "-DDESCRIBE_TRAP"), "m, wasmill_describe: the guest trapped: unreachable", fault.Guest},
		{
			"describe outside", misfit(t, "-DDESCRIBE_OUTSIDE"),
			"m, wasmill_describe: the description of 100 bytes at 0xfffffff0 lies outside of the memory of 196608 bytes", fault.Guest,
		},
		{
			"describe huge", misfit(t, "-DDESCRIBE_HUGE"),
			"m, wasmill_describe: the description has 2097152 bytes, at most 1048576 are allowed", fault.Guest,
		},
		{
			"describe garbage", misfit(t, `-DTEXT="\x01{"`),
			"m, wasmill_describe: the description is not the JSON expected: jsontext: invalid character '\\x01' at start of value", fault.Guest,
		},
		{
			"too much memory", misfit(t, "-Wl,--initial-memory=536870912"),
			"m: the module asks for 536870912 bytes of memory at its start, the limit is 268435456 (raise the memory limit)", fault.Limit,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := host.Load(t.Context(), "m", c.wasm)
			if err == nil || err.Error() != c.want || fault.CodeOf(err) != c.code {
				t.Errorf("\n got %v (%s)\nwant %s", err, fault.CodeOf(err), c.want)
			}
		})
	}
}

func TestAGuestThatDescribesItselfAnewIsRefused(t *testing.T) {
	b, err := newHost(t, wasmhost.Options{}).Load(t.Context(), "m", misfit(t, "-DCHANGES"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(t.Context())
	const want = "m, wasmill_describe: the guest describes itself differently than the first guest of its module did"
	for range 64 { // one in 16 is the same by chance
		g, err := b.Instantiate(t.Context(), udf.Options{})
		if err != nil {
			if err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			return
		}
		if err := g.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Error("64 guests describe themselves alike")
}

func TestOpenKeepsTheUploadsDigest(t *testing.T) {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for name, content := range map[string][]byte{"wasmill.yaml": []byte("name: packed\nmodule: m.wasm\n"), "m.wasm": misfit(t)} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	upload, err := bundle.Read("packed.zip", archive.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	b, err := newHost(t, wasmhost.Options{}).Open(t.Context(), upload)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(t.Context())
	if got, want := b.Digest(), fmt.Sprintf("%x", sha256.Sum256(archive.Bytes())); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMachineCodeIsKept(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		host := newHost(t, wasmhost.Options{CacheDir: dir})
		b, err := host.Load(t.Context(), "m", misfit(t))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := b.Functions()[0].Name, "f"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(dir + "/wasm"); err != nil || len(entries) == 0 {
		t.Errorf("the cache holds %v, %v", entries, err)
	}
}

func TestACacheThatIsNoFolderIsRefused(t *testing.T) {
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := wasmhost.New(wasmhost.Options{CacheDir: path})
	if fault.CodeOf(err) != fault.Connect {
		t.Errorf("got %v", err)
	}
}

func TestBindFaults(t *testing.T) {
	b, err := newHost(t, wasmhost.Options{}).Load(t.Context(), "m", misfit(t))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(t.Context())
	g, err := b.Instantiate(t.Context(), udf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(t.Context())
	if _, err := g.Bind(t.Context(), "g", udf.Map, nil, nil, nil); err == nil || err.Error() != "the bundle `m` has no function `g` (did you mean `f`?)" {
		t.Errorf("got %v", err)
	}
}
