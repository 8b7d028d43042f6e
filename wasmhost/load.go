package wasmhost

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/tetratelabs/wazero"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/admit"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/compile"
)

// abiVersion is what wasmill_abi_v1 returns and "abi" in a description says.
const abiVersion = 1

// abiMinor is the newest minor version that a description may say: docs/abi.md, "Versions".
const abiMinor = 1

// Names of the exports that the host calls.
const (
	exportMemory   = "memory"
	exportABI      = "wasmill_abi_v1"
	exportAlloc    = "wasmill_alloc"
	exportFree     = "wasmill_free"
	exportDescribe = "wasmill_describe"
	exportOpen     = "wasmill_open"
	exportCall     = "wasmill_call"
	exportNext     = "wasmill_next"
	exportRelease  = "wasmill_release"
	exportError    = "wasmill_error"
	exportNoop     = "wasmill_noop_release"
	exportInit     = "_initialize"
	exportTimers   = "wasmill_timers"
	exportClose    = "wasmill_close"
	exportIrq      = "wasmill_interrupt"
	exportClone    = "wasmill_py_after_clone"
)

// required lists the functions that every guest exports, optional those that have a meaning where they are there.
var (
	required = []bundle.Export{
		{Name: exportABI, Type: "() -> i32"},
		{Name: exportAlloc, Type: "(i32, i32) -> i32"},
		{Name: exportFree, Type: "(i32, i32, i32)"},
		{Name: exportDescribe, Type: "() -> i64"},
		{Name: exportOpen, Type: "(i32, i32, i32, i32) -> i32"},
		{Name: exportCall, Type: "(i32, i32, i32) -> i32"},
		{Name: exportNext, Type: "(i32, i32) -> i32"},
		{Name: exportRelease, Type: "(i32)"},
		{Name: exportError, Type: "() -> i64"},
	}
	optional = []bundle.Export{
		{Name: exportInit, Type: "()"}, {Name: exportNoop, Type: "() -> i32"}, {Name: exportClose, Type: "() -> i32"},
		{Name: exportIrq, Type: "() -> i32"}, {Name: exportClone, Type: "(i64)"}, {Name: exportTimers, Type: "(i32, i32, i32) -> i32"},
	}
)

// module is a module that has been admitted and compiled. Guests of it are alike but for what they start from.
type module struct {
	host      *Host
	compiled  wazero.CompiledModule
	runtime   wazero.Runtime
	minMemory uint64          // bytes
	has       map[string]bool // exported functions
	images    bool            // guests may start from images; then what follows is set
	segments  []segment       // the data, which is not in compiled
	globals   []string        // the mutable ones
}

func (m *module) close(ctx context.Context) error {
	err := m.compiled.Close(ctx)
	if e := m.runtime.Close(ctx); err == nil {
		err = e
	}
	return err
}

// loaded is a bundle whose module has been compiled and asked for its description.
type loaded struct {
	*module
	name      string
	digest    string
	files     *Files
	describes []byte // the description's JSON: every guest must say the same
	functions []udf.Signature
	start     starter
}

var _ udf.Bundle = (*loaded)(nil)

// Open loads an upload's module, see [Host.Load]; the digest is the upload's. Its guests read the upload's files below /bundle.
func (h *Host) Open(ctx context.Context, b *bundle.Bundle) (udf.Bundle, error) {
	var files *Files
	if len(b.Files) > 0 {
		var err error
		if files, err = BundleFiles(b.Files, nil); err != nil {
			return nil, fault.From(err).In("%s", b.Name)
		}
	}
	return h.load(ctx, b.Name, b.Digest, b.Wasm, files)
}

// Load admits and compiles a module, starts a guest of it and reads its description. Name is the position in faults:
// of code Admission for a module that is refused before any of its code runs, Limit for one that takes too much to compile, else
// those of [udf.Bundle.Instantiate] and Guest for a description that is not sound.
func (h *Host) Load(ctx context.Context, name string, wasm []byte) (udf.Bundle, error) {
	sum := sha256.Sum256(wasm)
	return h.load(ctx, name, hex.EncodeToString(sum[:]), wasm, nil)
}

func (h *Host) load(ctx context.Context, name, digest string, wasm []byte, files *Files) (udf.Bundle, error) {
	m, err := h.build(ctx, wasm)
	if err == nil {
		b := &loaded{module: m, name: name, digest: digest, files: files}
		b.start = b.fresh
		if err = b.describe(ctx); err == nil {
			return b, nil
		}
		b.Close(ctx)
	}
	return nil, inAll(err, name)
}

// inAll puts a name in front of the position of each fault.
func inAll(err error, name string) error {
	var faults fault.List
	faults.Append(err)
	for i, f := range faults {
		faults[i] = f.In("%s", name)
	}
	if len(faults) == 1 {
		return faults[0]
	}
	return faults
}

// build admits and compiles a module.
func (h *Host) build(ctx context.Context, wasm []byte) (*module, error) {
	info, err := h.inspect(wasm, h.policy)
	if err != nil {
		return nil, err
	}
	m := &module{}
	return m, m.compile(ctx, h, info, compile.Module{
		Digest: sha256.Sum256(wasm), Rule: h.rule, Instrument: func() ([]byte, error) { return h.admit(wasm, h.policy) },
	})
}

// compile fills in a module.
func (m *module) compile(ctx context.Context, h *Host, info *bundle.Module, source compile.Module) error {
	m.host = h
	if info.Memory != nil {
		m.minMemory = info.Memory.Min * pageSize
	}
	m.has = map[string]bool{}
	for _, e := range info.Exports {
		if e.Kind == "func" {
			m.has[e.Name] = true
		}
	}
	var err error
	if m.runtime, err = h.runtime(ctx); err != nil {
		return err
	}
	if m.compiled, err = h.compiler.Compile(ctx, m.runtime, source); err != nil {
		m.runtime.Close(ctx)
	}
	return err
}

// inspect looks at what a module imports and exports. It comes before admission, since an author who has built for another host
// should hear of that first.
func (h *Host) inspect(wasm []byte, p admit.Policy) (*bundle.Module, error) {
	if len(wasm) > p.ModuleBytes {
		return nil, fault.New(fault.Admission, "the module has %d bytes, at most %d are admitted", len(wasm), p.ModuleBytes).
			WithHint("strip debug information, and link less")
	}
	info, err := bundle.Inspect(wasm)
	if err != nil {
		return nil, err
	}
	var faults fault.List
	h.checkImports(info, &faults)
	checkExports(info, &faults)
	return info, faults.Err()
}

// admit decides about a module before wazero sees it, and returns the bytes that wazero gets. It is the one way in.
func (h *Host) admit(wasm []byte, p admit.Policy) ([]byte, error) {
	instrumented, _, err := admit.Instrument(wasm, p)
	return instrumented, err
}

// checkImports refuses by name what the host does not offer.
func (h *Host) checkImports(info *bundle.Module, faults *fault.List) {
	const most = 20
	refused := 0
	for _, i := range info.Imports {
		offered, ok := h.offers[i.Module+"."+i.Name]
		var f *fault.Fault
		switch {
		case i.Kind != "func":
			f = fault.New(fault.Admission, "the module imports the %s `%s.%s`", i.Kind, clipText(i.Module), clipText(i.Name)).
				WithHint("only functions can be imported")
		case !ok:
			f = fault.New(fault.Admission, "the module imports `%s.%s`, which wasmill does not have", clipText(i.Module), clipText(i.Name)).
				WithHint("guests may import from `%s` and `%s`, see docs/abi.md", hostModule, wasiModule)
		case i.Type != offered:
			f = fault.New(fault.Admission, "the module imports `%s.%s` as %s, expected %s", i.Module, i.Name, clipText(i.Type), offered)
		default:
			continue
		}
		if refused++; refused <= most {
			*faults = append(*faults, f)
		}
	}
	if refused > most {
		faults.Add(fault.Admission, "", "%d more imports are refused", refused-most)
	}
}

func checkExports(info *bundle.Module, faults *fault.List) {
	exports := map[string]bundle.Export{}
	for _, e := range info.Exports {
		exports[e.Name] = e
	}
	check := func(want bundle.Export, need bool) {
		got, ok := exports[want.Name]
		switch {
		case !ok && need:
			faults.Add(fault.Admission, "", "the module does not export `%s`", want.Name)
		case ok && got.Kind != "func":
			faults.Add(fault.Admission, "", "the module exports `%s` as a %s, expected the function %s", want.Name, got.Kind, want.Type)
		case ok && got.Type != want.Type:
			faults.Add(fault.Admission, "", "the module exports `%s` as %s, expected %s", want.Name, clipText(got.Type), want.Type)
		}
	}
	missing := len(*faults)
	for _, e := range required {
		check(e, true)
	}
	if len(*faults)-missing == len(required) {
		*faults = append((*faults)[:missing], fault.New(fault.Admission, "the module exports nothing of the guest ABI").
			WithHint("build it with an SDK (`wasmill init --lang c` shows how), or see docs/abi.md"))
		return
	}
	for _, e := range optional {
		check(e, false)
	}
	switch e, ok := exports[exportMemory]; {
	case !ok || e.Kind != "memory":
		faults.Add(fault.Admission, "", "the module does not export its memory as `%s`", exportMemory)
	case info.Memory == nil || info.Memory.Shared || info.Memory.Memory64:
		faults.Add(fault.Admission, "", "the module's memory is shared or has 64-bit addresses").Hint = "build for plain wasm32 without threads"
	case info.Memory.Min > maxPages:
		faults.Add(fault.Admission, "", "the module's memory starts with %d pages, there are at most %d", info.Memory.Min, maxPages)
	}
}

// describe starts a guest to read the description.
func (b *loaded) describe(ctx context.Context) error {
	g, err := b.start(ctx, udf.Options{})
	if err != nil {
		return err
	}
	defer g.discard(ctx)
	text, err := g.description(ctx)
	if err != nil {
		return err
	}
	b.describes = bytes.Clone(text)
	b.functions, err = parseDescription(b.describes)
	return err
}

// Digest implements [udf.Bundle].
func (b *loaded) Digest() string { return b.digest }

// Functions implements [udf.Bundle].
func (b *loaded) Functions() []udf.Signature { return b.functions }

// Close implements [udf.Bundle].
func (b *loaded) Close(ctx context.Context) error { return b.close(ctx) }

// Instantiate implements [udf.Bundle]. Errors are faults of code Limit for memory, and Guest for a guest that traps
// while it starts or breaks the ABI.
func (b *loaded) Instantiate(ctx context.Context, opts udf.Options) (udf.Guest, error) {
	g, err := b.start(ctx, opts)
	if err != nil {
		return nil, fault.From(err).In("%s", b.name)
	}
	text, err := g.description(ctx)
	if err == nil && !bytes.Equal(text, b.describes) {
		err = fault.New(fault.Guest, "the guest describes itself differently than the first guest of its module did").At(exportDescribe)
	}
	if err != nil {
		g.discard(ctx)
		return nil, fault.From(err).In("%s", b.name)
	}
	return g, nil
}
